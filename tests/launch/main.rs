//! What stops a launch, what only warns, and what the launch prints.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket decides the types of a handler's arguments"
)]
#![allow(clippy::unnecessary_wraps, reason = "a loader's type is fixed")]

#[path = "../common/mod.rs"]
mod common;

mod accidents;
mod flask;
mod keys;
mod managers;
mod quickstart;
mod realms;
mod secrets;
mod settings;
mod stores;
mod table;
mod unguarded;
mod views;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rocket::error::ErrorKind;
use rocket::figment::Figment;
use rocket::figment::providers::{Format as _, Toml};
use rocket::local::blocking::Client;
use rocket::{Build, Config, Rocket, Route, catch, catchers, get, post, routes};
use rocket_login::{
    LoginManager, UserMixin, anonymous_required, fresh_login_required, login_required, public,
    user_loader,
};

use common::log::{Level, Line, captured};
use common::{KEY, User, Users, load_user};

/// How a launch went, all the way to liftoff.
#[derive(Debug)]
struct Launch {
    stopped_by: Option<Stop>,
    lines: Vec<Line>,
}

#[derive(Debug, PartialEq)]
enum Stop {
    /// A fairing, before Rocket looks at the routes.
    Ignition,
    /// A guard of a route that says that it cannot work.
    Sentinel,
    /// A fairing that panics, when all routes are known.
    Liftoff,
}

/// Launches for a local client; one launch at a time, since the whole process shares one log.
fn launch(rocket: impl FnOnce() -> Rocket<Build>) -> Launch {
    let (error, lines) = captured(|| {
        catch_unwind(AssertUnwindSafe(|| {
            Client::untracked(rocket()).err().map(Box::new)
        }))
    });
    let stopped_by = match error {
        Ok(None) => None,
        Ok(Some(error)) => Some(match error.kind() {
            ErrorKind::FailedFairings(_) => Stop::Ignition,
            ErrorKind::SentinelAborts(_) => Stop::Sentinel,
            other => panic!("{other}"),
        }),
        Err(_) => Some(Stop::Liftoff),
    };
    for line in &lines {
        assert!(!line.text.contains(KEY), "a key is shown: {line:?}");
    }
    Launch { stopped_by, lines }
}

impl Launch {
    fn ours(&self, level: Level) -> Vec<String> {
        let lines = self.lines.iter();
        let ours = lines.filter(|line| line.is_ours() && line.level == level);
        ours.map(|line| line.text.clone()).collect()
    }

    fn errors(&self) -> Vec<String> {
        self.ours(Level::Error)
    }

    fn warnings(&self) -> Vec<String> {
        self.ours(Level::Warn)
    }

    /// The launch was stopped, for exactly this many reasons.
    fn stopped<const N: usize>(self) -> [String; N] {
        self.errors_of_stop()
            .try_into()
            .unwrap_or_else(|errors| panic!("{N} mistakes expected: {errors:#?}"))
    }

    /// A manager stopped the launch before it looked at the routes, for exactly this many reasons.
    fn misconfigured<const N: usize>(self) -> [String; N] {
        assert_eq!(self.stopped_by, Some(Stop::Ignition), "{self:?}");
        self.stopped()
    }

    /// The launch was stopped for one reason, whose message contains all these parts.
    fn stopped_saying(self, parts: &[&str]) {
        let [error] = self.stopped();
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    /// The launch was stopped, for these reasons.
    fn errors_of_stop(self) -> Vec<String> {
        assert!(self.stopped_by.is_some(), "{self:?}");
        self.errors()
    }

    /// The launch went well, with exactly one warning.
    fn warned(self) -> String {
        assert_eq!(self.stopped_by, None, "{self:?}");
        assert_eq!(self.errors(), [""; 0]);
        let [warning] = self
            .warnings()
            .try_into()
            .unwrap_or_else(|warnings| panic!("one warning expected: {warnings:#?}"));
        warning
    }

    /// The launch went well, with a warning for each of these settings that a method hides.
    fn hidden<const N: usize>(self, settings: [&str; N]) {
        assert_eq!(self.stopped_by, None, "{self:?}");
        let place = "(in TOML source string)";
        let warnings = settings.map(|name| {
            format!(
                "`login.{name}` {place} has no effect, because the method `{name}` of `LoginManager` is called too, and \
                 it wins; remove one of them"
            )
        });
        let mut found = self.warnings();
        found.sort();
        assert_eq!(found, warnings);
    }

    fn went_well(self) {
        assert_eq!(self.stopped_by, None, "{self:?}");
        assert_eq!((self.errors(), self.warnings()), (vec![], vec![]));
    }
}

/// The release profile with no key but what is added.
fn keyless(toml: &str) -> Figment {
    Figment::from(Config::release_default())
        .select("release")
        .merge(Toml::string(toml).nested())
}

fn release(toml: &str) -> Figment {
    keyless(toml).merge(("secret_key", KEY))
}

fn debug(toml: &str) -> Figment {
    Figment::from(Config::debug_default())
        .merge(("secret_key", KEY))
        .merge(Toml::string(toml).nested())
}

#[derive(UserMixin)]
struct Staff {
    id: u32,
}

#[user_loader]
fn load_staff(id: u32) -> Option<Staff> {
    Some(Staff { id })
}

#[derive(UserMixin)]
struct Robot {
    id: u32,
}

fn users() -> LoginManager<User> {
    LoginManager::new(load_user)
}

fn staff() -> LoginManager<Staff> {
    LoginManager::new(load_staff).realm("staff")
}

/// A site of one manager, with a home page and an answer for those who are refused.
fn site(figment: Figment, manager: LoginManager<User>) -> Rocket<Build> {
    rocket::custom(figment)
        .manage(Users::alice_and_bob())
        .attach(manager)
        .register("/", catchers![unauthorized])
        .mount("/", routes![home])
}

#[catch(401)]
fn unauthorized() {}

#[public]
#[get("/")]
fn home() {}

/// Launches a site with a login page and this configuration; its manager has no setting of its own.
fn with_file(figment: Figment) -> Launch {
    launch(|| site(figment, users()).mount("/", routes![login_page]))
}

/// The one mistake of `[default.login]` with this line; the message must start with `setting`.
fn mistake(setting: &str, line: &str) -> String {
    let [error] = with_file(release(&format!("[default.login]\n{line}"))).misconfigured();
    assert!(
        error.starts_with(&format!("`{setting}`: ")),
        "{line}: {error}"
    );
    error
}

/// Launches with a manager for users only.
fn one(toml: &str, routes: Vec<Route>) -> Launch {
    launch(|| site(debug(toml), users()).mount("/a", routes))
}

/// Launches with managers for users and for staff.
fn two(toml: &str, routes: Vec<Route>) -> Launch {
    launch(|| {
        site(debug(toml), users())
            .attach(staff())
            .mount("/a", routes)
    })
}

#[get("/plain")]
fn plain() {}

#[public]
#[get("/login")]
fn login_page() {}

#[public]
#[get("/about")]
fn about() {}

#[login_required]
#[get("/login-door")]
fn login_door() {}

#[login_required(User, if = |user: &User| user.active)]
#[get("/active/<_id>?<_page>")]
fn active(_id: u32, _page: Option<u32>) {}

#[fresh_login_required(Staff, within = "10m")]
#[post("/vault")]
fn vault() {}

#[anonymous_required(Staff)]
#[get("/sign-in")]
fn sign_in() {}
