//! Guards at launch: what stops it, and the table that it prints.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rocket::figment::Figment;
use rocket::figment::providers::{Format as _, Toml};
use rocket::local::blocking::Client;
use rocket::{Build, Config, Rocket, Route, get, post, routes};
use rocket_login::{
    GuardRoutes, LoginManager, RouteGuard, UserMixin, anonymous_required, condition,
    fresh_login_required, login_required, public, user_loader,
};

use crate::common::log::{Level, Line, captured};
use crate::common::{KEY, User, Users, load_user};

/// How a launch went, all the way to liftoff.
#[derive(Debug)]
struct Launch {
    launched: bool,
    lines: Vec<Line>,
}

/// Launches for a local client; one at a time, since the log is the process's.
fn launch(rocket: impl FnOnce() -> Rocket<Build>) -> Launch {
    let (launched, lines) =
        captured(|| catch_unwind(AssertUnwindSafe(|| Client::untracked(rocket()).is_ok())));
    Launch {
        launched: launched.unwrap_or(false),
        lines,
    }
}

impl Launch {
    fn errors(&self) -> Vec<String> {
        let ours = self
            .lines
            .iter()
            .filter(|line| line.level == Level::Error && line.target.starts_with("login_runtime"));
        ours.map(|line| line.text.clone()).collect()
    }

    /// It was stopped, for exactly these many reasons.
    fn stopped<const N: usize>(self) -> [String; N] {
        assert!(!self.launched, "{self:?}");
        let errors = self.errors();
        errors
            .try_into()
            .unwrap_or_else(|errors| panic!("{N} mistakes expected: {errors:#?}"))
    }

    fn went_well(self) {
        assert!(self.launched, "{self:?}");
        assert_eq!(self.errors(), [""; 0]);
    }

    /// Stopped for one reason that says all of this.
    fn stopped_saying(self, parts: &[&str]) {
        let [error] = self.stopped();
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

fn figment(toml: &str) -> Figment {
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

fn robots() -> RouteGuard {
    RouteGuard::login().user::<Robot>()
}

/// With a manager for users only.
fn one(toml: &str, routes: Vec<Route>) -> Launch {
    launch(|| {
        rocket::custom(figment(toml))
            .manage(Users::alice_and_bob())
            .attach(users())
            .mount("/a", routes)
    })
}

/// With managers for users and for staff.
fn two(toml: &str, routes: Vec<Route>) -> Launch {
    launch(|| {
        rocket::custom(figment(toml))
            .manage(Users::alice_and_bob())
            .attach(users())
            .attach(staff())
            .mount("/a", routes)
    })
}

#[get("/plain")]
fn plain() {}

#[public]
#[get("/imprint")]
fn imprint() {}

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

#[test]
fn a_group_without_its_manager_stops_the_launch() {
    let mends = &[
        "`GET /a/plain`",
        "launch::guards::Robot",
        ".attach(LoginManager",
    ];
    for routes in [
        routes![plain].guarded(robots()),
        routes![plain].guarded(robots()).login_required(),
        routes![plain].login_required().guarded(robots()),
        routes![plain].guarded(RouteGuard::anonymous("/").user::<Robot>()),
    ] {
        one("", routes).stopped_saying(mends);
    }
    // Open for everybody: nobody's manager is asked.
    one(
        "",
        routes![plain].guarded(RouteGuard::public().user::<Robot>()),
    )
    .went_well();
}

#[test]
fn every_route_of_such_a_group_is_named() {
    let errors: [String; 2] = one("", routes![plain, login_door].guarded(robots())).stopped();
    assert!(errors[0].contains("`GET /a/plain`"), "{errors:?}");
    assert!(errors[1].contains("`GET /a/login-door`"), "{errors:?}");
}

#[test]
fn where_two_managers_are_attached_a_guard_says_whose() {
    two("", routes![login_door]).stopped_saying(&[
        "`login_door` (tests/launch/guards.rs:",
        "several `LoginManager`s",
        "`#[login_required(User)]`",
    ]);
    #[anonymous_required]
    #[get("/")]
    fn strangers() {}
    two("", routes![strangers]).stopped_saying(&["`strangers` (", "several"]);
    two("", routes![plain].login_required())
        .stopped_saying(&["`GET /a/plain`", "several `LoginManager`s"]);
    two("", routes![active, vault, sign_in, imprint, plain].public()).went_well();
    two(
        "",
        routes![plain].guarded(RouteGuard::login().user::<Staff>()),
    )
    .went_well();
}

#[test]
fn a_group_for_a_type_says_how_a_group_names_it() {
    // `#[login_required(User)]` is no mend for `.login_required()`.
    two("", routes![plain].login_required()).stopped_saying(&["RouteGuard", ".user::<"]);
}

#[test]
fn an_attribute_for_a_type_without_a_manager_stops_the_launch() {
    one("", routes![vault]).stopped_saying(&[
        "`vault` (tests/launch/guards.rs:",
        "launch::guards::Staff",
        ".attach(LoginManager",
    ]);
    one("", routes![sign_in]).stopped_saying(&["`sign_in` (", "launch::guards::Staff"]);
}

#[test]
fn a_condition_on_a_type_without_a_manager_stops_the_launch() {
    #[login_required(if = |robot: &Robot| robot.id > 0)]
    #[get("/")]
    fn robotic() {}
    one("", routes![robotic]).stopped_saying(&["`robotic` (", "launch::guards::Robot"]);
    let group = RouteGuard::login().only_if(condition!(|robot: &Robot| robot.id > 0));
    one("", routes![plain].guarded(group))
        .stopped_saying(&["`GET /a/plain`", "launch::guards::Robot"]);
}

#[test]
fn a_condition_on_another_user_type_than_the_routes_stops_the_launch() {
    #[login_required(User, if = |staff: &Staff| staff.id > 0)]
    #[get("/")]
    fn mixed() {}
    two("", routes![mixed]).stopped_saying(&["`mixed` (", "Staff", "User"]);
}

#[test]
fn a_groups_condition_on_another_user_type_stops_the_launch() {
    let group = RouteGuard::login()
        .user::<User>()
        .only_if(condition!(|staff: &Staff| staff.id > 0));
    two("", routes![plain].guarded(group)).stopped_saying(&["`GET /a/plain`", "Staff", "User"]);
}

#[test]
fn a_realm_that_nobody_has_stops_the_launch() {
    for (toml, parts) in [
        (
            "[default.login.realms.stuff]\nlogin_view = '/x'",
            &["`login.realms.stuff`", ".realm(\"stuff\")"][..],
        ),
        ("[default.login.realms.Staff]", &["`login.realms.Staff`"]),
        ("[default.login.realms.user]", &["`login.realms.user`"]),
    ] {
        two(toml, routes![]).stopped_saying(parts);
    }
    one("[default.login.realms.staff]", routes![]).stopped_saying(&["`login.realms.staff`"]);
    two("[default.login.realms.staff]", routes![]).went_well();
}

#[test]
fn a_realms_wrong_setting_stops_the_launch_and_names_its_table() {
    for (line, parts) in [
        (
            "session_lifetme = 5",
            &["`login.realms.staff.session_lifetme`", "session_lifetime"][..],
        ),
        (
            "session_lifetime = 'soon'",
            &["`login.realms.staff.session_lifetime`"],
        ),
        ("realms = {}", &["`login.realms.staff.realms`"]),
    ] {
        let launched = two(&format!("[default.login.realms.staff]\n{line}"), routes![]);
        assert!(!launched.launched, "{line}");
        let errors = launched.errors();
        assert!(
            errors
                .iter()
                .any(|error| parts.iter().all(|part| error.contains(part))),
            "{line}: {errors:?}"
        );
    }
    let launched = two("[default.login.realms]\nstaff = 5", routes![]);
    let errors = launched.errors().concat();
    assert!(
        errors.contains("`login.realms.staff`: is not a table"),
        "{errors}"
    );
    assert!(!launched.launched);
}

#[test]
fn a_senseless_setting_of_a_realm_says_which_realm() {
    let toml = "[default.login.realms.staff]\nlogin_view = '//evil.example'";
    let launched = two(toml, routes![]);
    assert!(!launched.launched);
    let errors = launched.errors().concat();
    assert!(
        errors.contains("staff") && errors.contains("login_view"),
        "{errors}"
    );
}

#[test]
fn realms_that_are_no_table_stop_the_launch() {
    for toml in [
        "[default.login]\nrealms = 5",
        "[default.login]\nrealms = ['staff']",
    ] {
        let launched = two(toml, routes![]);
        assert!(!launched.launched, "{toml}");
        assert!(
            launched.errors().concat().contains("`login.realms`"),
            "{launched:?}"
        );
    }
}

fn named(name: &str) -> Launch {
    launch(|| {
        rocket::custom(figment(""))
            .manage(Users::alice_and_bob())
            .attach(users())
            .attach(LoginManager::new(load_staff).realm(name))
    })
}

#[test]
fn a_realms_name_has_to_make_names_of_cookies() {
    for name in ["a b", "a;b", "a=b", "ü", "a\nb", "__Host-a", "login"] {
        let launched = named(name);
        assert!(!launched.launched, "{name:?}");
        assert!(!launched.errors().is_empty(), "{name:?}");
    }
    named("back-office").went_well();
}

#[test]
fn a_realms_name_is_not_empty() {
    assert!(!named("").launched);
}

#[test]
fn a_realm_with_a_dot_in_its_name_finds_its_settings_or_does_not_launch() {
    let launched = launch(|| {
        rocket::custom(figment(
            "[default.login.realms.'a.b']\nlogin_view = 'nonsense'",
        ))
        .attach(LoginManager::new(load_staff).realm("a.b"))
    });
    assert!(!launched.launched, "the settings were not read");
}

#[test]
fn the_cookie_for_the_wanted_page_is_not_another_managers_session() {
    let launched = launch(|| {
        rocket::custom(figment(""))
            .manage(Users::alice_and_bob())
            .attach(users().session_cookie_name("staff_next"))
            .attach(staff())
    });
    assert!(!launched.launched);
    assert!(launched.errors().concat().contains("staff_next"));
}

#[test]
fn two_realms_of_one_name_stop_the_launch() {
    #[user_loader]
    fn load_robot(id: u32) -> Option<Robot> {
        Some(Robot { id })
    }
    let launched = launch(|| {
        rocket::custom(figment(""))
            .attach(staff())
            .attach(LoginManager::new(load_robot).realm("staff"))
    });
    assert!(!launched.launched);
    let errors = launched.errors().concat();
    assert!(errors.contains("staff_session"), "{errors}");
    assert!(
        errors.contains("launch::guards::Staff") && errors.contains("launch::guards::Robot"),
        "{errors}"
    );
}

const DENY: &str = "[default.login]\nunguarded_routes = 'deny'";

#[test]
fn denied_unguarded_routes_stop_the_launch_and_are_named() {
    let errors: [String; 2] = one(DENY, routes![plain, imprint, login_door, by_user]).stopped();
    for (error, route) in errors.iter().zip(["`GET /a/by-user`", "`GET /a/plain`"]) {
        for part in [
            route,
            "`login.unguarded_routes`",
            "`#[login_required]`",
            "`#[public]`",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    one(DENY, routes![imprint, login_door]).went_well();
    one(DENY, routes![plain].public()).went_well();
    one(DENY, routes![plain].login_required()).went_well();
    one(DENY, routes![plain].anonymous_required("/")).went_well();
    one("", routes![plain]).went_well();
}

#[get("/by-user")]
fn by_user(_user: &User) {}

mod other {
    #[super::get("/login-door")]
    pub(super) fn login_door() {}
}

#[test]
fn a_denied_route_that_cannot_be_told_apart_is_told_as_such() {
    // It has its `#[login_required]`: to ask for one would send the developer the wrong way.
    let launched = launch(|| {
        rocket::custom(figment(DENY))
            .manage(Users::alice_and_bob())
            .attach(users())
            .mount("/a", routes![login_door])
            .mount("/b", routes![other::login_door])
    });
    let errors: [String; 2] = launched.stopped();
    for error in errors {
        assert!(error.contains("rename"), "{error}");
    }
}

#[test]
fn every_route_counts_wherever_it_comes_from() {
    let files = std::env::temp_dir();
    one(DENY, rocket::fs::FileServer::from(&files).into()).stopped_saying(&["`GET /a/<path..>`"]);
    one(DENY, rocket::fs::FileServer::from(&files).login_required()).went_well();
    // Mounted by a fairing, after the manager.
    launch(|| {
        rocket::custom(figment(DENY))
            .manage(Users::alice_and_bob())
            .attach(users())
            .attach(rocket::fairing::AdHoc::on_ignite("later", |rocket| async {
                rocket.mount("/later", routes![plain])
            }))
    })
    .stopped_saying(&["`GET /later/plain`"]);
}

#[test]
fn one_realm_may_deny_for_all() {
    let toml = "[default.login.realms.staff]\nunguarded_routes = 'deny'";
    two(toml, routes![plain]).stopped_saying(&["`GET /a/plain`"]);
    two(DENY, routes![plain]).stopped_saying(&["`GET /a/plain`"]);
    launch(|| {
        rocket::custom(figment(""))
            .manage(Users::alice_and_bob())
            .attach(users().unguarded_routes(rocket_login::UnguardedRoutes::Deny))
            .mount("/a", routes![plain])
    })
    .stopped_saying(&["`GET /a/plain`"]);
}

#[test]
fn all_mistakes_of_the_routes_are_told_at_once() {
    let toml = format!("{DENY}\n[default.login.realms.stuff]");
    let routes = [routes![plain], routes![imprint].guarded(robots())].concat();
    let errors: [String; 3] = one(&toml, routes).stopped();
    let errors = errors.concat();
    for part in ["Robot", "`login.realms.stuff`", "`GET /a/plain`"] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}

#[test]
fn the_wrong_unguarded_routes_setting_is_named() {
    one("[default.login]\nunguarded_routes = 'maybe'", routes![])
        .stopped_saying(&["`login.unguarded_routes`", "deny"]);
}

#[test]
fn the_table_at_launch_is_in_rockets_style() {
    let routes = [
        routes![plain, imprint, active, vault, sign_in],
        routes![login_door].guarded(RouteGuard::login().user::<User>()),
    ]
    .concat();
    // Its attribute does not say whose, and one manager is enough for the others.
    let routes = routes
        .into_iter()
        .filter(|route| route.name.as_deref() != Some("login_door"))
        .collect();
    let launched = two("", routes);
    assert!(launched.launched, "{launched:?}");
    let start = launched
        .lines
        .iter()
        .position(|line| line.text.contains("Logins"))
        .expect("there is a table");
    let head = &launched.lines[start];
    assert_eq!((head.level, &*head.target), (Level::Info, "rocket::launch"));
    assert_eq!(head.text, "Logins:");
    let table: Vec<_> = launched.lines[start + 1..]
        .iter()
        .take_while(|line| line.target == "rocket::launch::_")
        .collect();
    let rows: Vec<_> = table.iter().map(|line| &*line.text).collect();
    assert_eq!(
        rows,
        [
            "(active) GET /a/active/<_id>?<_page>: login of User, if its condition holds",
            "(imprint) GET /a/imprint: public",
            "(plain) GET /a/plain: unguarded",
            "(sign_in) GET /a/sign-in: anonymous only",
            "(vault) POST /a/vault: fresh login of Staff",
        ]
    );
    for line in table {
        assert_eq!(line.level, Level::Info);
        // Readable where a log has no colours.
        assert!(!line.text.contains('\x1b'), "{line:?}");
    }
}

#[test]
fn the_table_is_printed_once_however_many_managers_are_attached() {
    for launched in [one("", routes![imprint]), two("", routes![imprint])] {
        let heads = launched.lines.iter().filter(|line| line.text == "Logins:");
        assert_eq!(heads.count(), 1);
    }
}

#[test]
fn the_table_stands_where_rocket_prints_its_own_routes() {
    // Rocket's own lines, to compare: the same targets, so that one switch shows and hides both.
    let launched = one("", routes![imprint]);
    let routes = launched
        .lines
        .iter()
        .position(|line| line.text.contains("Routes"))
        .expect("Rocket prints its routes");
    let logins = launched
        .lines
        .iter()
        .position(|line| line.text == "Logins:")
        .unwrap();
    for (ours, rockets) in [(logins, routes), (logins + 1, routes + 1)] {
        let (ours, rockets) = (&launched.lines[ours], &launched.lines[rockets]);
        assert_eq!(
            (&ours.target, ours.level),
            (&rockets.target, rockets.level),
            "{ours:?} {rockets:?}"
        );
    }
}

#[test]
fn a_launch_that_is_stopped_serves_no_request() {
    // The same, with a port: the launch ends by itself, and nothing has been accepted.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let launched = launch(|| {
        let rocket = rocket::custom(figment(DENY).merge(("port", port)))
            .manage(Users::alice_and_bob())
            .attach(users())
            .mount("/a", routes![plain]);
        let end = catch_unwind(AssertUnwindSafe(|| {
            rocket::execute(rocket.launch()).is_ok()
        }));
        assert!(end.is_err(), "it should have ended by a panic: {end:?}");
        rocket::custom(figment(""))
    });
    assert!(launched.errors().concat().contains("`GET /a/plain`"));
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

impl Launch {
    fn warnings(&self) -> Vec<&str> {
        let ours = self
            .lines
            .iter()
            .filter(|line| line.level == Level::Warn && line.target.starts_with("login_runtime"));
        ours.map(|line| &*line.text).collect()
    }
}

/// A launch in which browsers are sent to `view` to log in.
fn sending_to(view: &str, routes: Vec<Route>) -> Launch {
    launch(|| {
        rocket::custom(figment(""))
            .manage(Users::alice_and_bob())
            .attach(users().login_view(view))
            .mount("/a", routes)
    })
}

#[test]
fn a_login_view_that_no_route_answers_is_told_of() {
    let launched = sending_to("/plain", routes![plain]);
    let [warning] = launched.warnings()[..] else {
        panic!("{launched:?}")
    };
    assert!(warning.contains("`/plain`"), "{warning}");
    assert!(warning.contains("uri!"), "{warning}");
    launched.went_well();
    assert_eq!(sending_to("/a/plain", routes![plain]).warnings(), [""; 0]);
    assert_eq!(sending_to("/a/any/page", routes![any]).warnings(), [""; 0]);
}

#[get("/<_path..>")]
fn any(_path: std::path::PathBuf) {}

#[test]
fn what_several_managers_share_is_warned_of_once() {
    let launched = two("[default.login]\nexempt_methods = ['GET']", routes![]);
    let warnings = launched.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("exempt_methods"), "{warnings:?}");
}
