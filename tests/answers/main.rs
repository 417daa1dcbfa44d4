//! What a request is answered with: refusals and where they lead, events, failures, caching.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket's handlers take what they are given"
)]
#![allow(
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "loaders and listeners have the signature that the macros ask for"
)]

#[path = "../common/mod.rs"]
mod common;

mod caching;
mod cross_site;
mod current_user;
mod denial;
mod events;
mod expansions;
mod failures;
mod flash;
mod guards;
mod handlers;
mod login_views;
mod next;
mod request_loader;

use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::figment::Figment;
use rocket::http::RawStr;
use rocket::local::blocking::Client;
use rocket::{Build, Rocket};
use rocket_login::{LoginManager, UserLoader};

use common::{App, KEY, Reply, Running, User};

/// Starts the application with more than routes: catchers, state, fairings.
fn start(app: App, build: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> Running {
    let (users, clock) = (app.users.clone(), app.clock.clone());
    let rocket = build(app.rocket()).manage(Ran::default());
    let client = Client::untracked(rocket).expect("the application starts");
    Running {
        client,
        users,
        clock,
    }
}

/// An application whose manager has this loader, and no view.
fn app_with(loader: UserLoader<User>) -> App {
    let app = App::new();
    let clock = app.clock.clone();
    app.with(|_| LoginManager::new(loader).clock(clock))
}

/// A rocket with a key and nothing else.
fn bare() -> Rocket<Build> {
    let figment = Figment::from(rocket::Config::debug_default())
        .merge(("log_level", "off"))
        .merge(("secret_key", KEY));
    rocket::custom(figment)
}

/// How often code that should not run has run.
#[derive(Default)]
struct Ran(AtomicUsize);

impl Ran {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn times(app: &Running) -> usize {
        let ran = app.client.rocket().state::<Ran>().unwrap();
        ran.0.load(Ordering::Relaxed)
    }
}

/// The kind and the text of the message that a reply flashes, as Rocket's own guard reads them.
fn flashed(reply: &Reply) -> Option<(String, String)> {
    let cookie = reply.cookie("_flash")?;
    let value = RawStr::new(cookie.value()).percent_decode().unwrap();
    let (length, content) = value.split_once(':').unwrap();
    let (kind, message) = content.split_at(length.parse().unwrap());
    Some((kind.into(), message.into()))
}

/// A message, to compare with what was [`flashed`].
fn flash(kind: &str, message: &str) -> Option<(String, String)> {
    Some((kind.into(), message.into()))
}

/// Every byte as an escape, so that nothing of it is left to a parser.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |escaped, byte| {
        format!("{escaped}%{byte:02X}")
    })
}
