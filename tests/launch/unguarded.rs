//! `unguarded_routes = "deny"`: a route without a guard stops the launch.

use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rocket::fairing::AdHoc;
use rocket::fs::FileServer;
use rocket::{Route, get, routes};
use rocket_login::{GuardRoutes, RouteGuard, config::UnguardedRoutes, login_required};

use crate::common::User;
use crate::common::log::{Line, captured};
use crate::{Robot, about, debug, launch, login_door, one, plain, site, two, users};

const DENY: &str = "[default.login]\nunguarded_routes = 'deny'";

#[test]
fn denied_unguarded_routes_stop_the_launch_and_are_named() {
    let errors: [String; 2] = one(DENY, routes![plain, about, login_door, by_user]).stopped();
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
    one(DENY, routes![about, login_door]).went_well();
    one(DENY, routes![plain].public()).went_well();
    one(DENY, routes![plain].login_required()).went_well();
    one(DENY, routes![plain].anonymous_required("/")).went_well();
    one("", routes![plain]).went_well();
}

#[get("/by-user")]
fn by_user(_user: &User) {}

#[login_required]
#[rocket::options("/list")]
fn preflight() {}

#[test]
fn a_denied_route_that_exempt_methods_opens_stops_the_launch() {
    let exempt = format!("{DENY}\nexempt_methods = ['OPTIONS']");
    one(&exempt, routes![preflight]).stopped_saying(&[
        "`OPTIONS /a/list`",
        "`login.exempt_methods`",
        "`login.unguarded_routes`",
    ]);
    one(&exempt, routes![login_door]).went_well();
    one(&exempt, routes![preflight].anonymous_required("/")).went_well();
    one(DENY, routes![preflight]).went_well();
}

mod other {
    #[super::get("/login-door")]
    pub(super) fn login_door() {}
}

#[test]
fn a_denied_route_with_an_ambiguous_name_is_reported_as_ambiguous() {
    // The route has its `#[login_required]`: a message that requires one would mislead the developer.
    let launched = launch(|| {
        site(debug(DENY), users())
            .mount("/a", routes![login_door])
            .mount("/b", routes![other::login_door])
    });
    let errors: [String; 2] = launched.stopped();
    for error in errors {
        assert!(error.contains("rename"), "{error}");
    }
}

#[test]
fn a_handler_that_is_mounted_twice_is_denied_unless_its_group_is_guarded() {
    // The audit cannot distinguish it from another handler of the same name that has no attribute.
    let twice = |group: fn() -> Vec<Route>| {
        launch(|| {
            site(debug(DENY), users())
                .mount("/a", group())
                .mount("/b", group())
        })
    };
    let errors: [String; 2] = twice(|| routes![login_door]).stopped();
    for error in errors {
        assert!(error.contains("guard its group"), "{error}");
    }
    twice(|| routes![login_door].login_required()).went_well();
}

#[test]
fn file_servers_and_routes_of_fairings_are_checked_too() {
    let files = std::env::temp_dir();
    one(DENY, FileServer::from(&files).into()).stopped_saying(&["`GET /a/<path..>`"]);
    one(DENY, FileServer::from(&files).login_required()).went_well();
    // Mounted by a fairing after the manager.
    launch(|| {
        site(debug(DENY), users()).attach(AdHoc::on_ignite("later", |rocket| async {
            rocket.mount("/later", routes![plain])
        }))
    })
    .stopped_saying(&["`GET /later/plain`"]);
}

#[test]
fn one_realm_can_deny_for_all_realms() {
    let toml = "[default.login.realms.staff]\nunguarded_routes = 'deny'";
    two(toml, routes![plain]).stopped_saying(&["`GET /a/plain`"]);
    two(DENY, routes![plain]).stopped_saying(&["`GET /a/plain`"]);
    launch(|| {
        site(debug(""), users().unguarded_routes(UnguardedRoutes::Deny)).mount("/a", routes![plain])
    })
    .stopped_saying(&["`GET /a/plain`"]);
}

#[test]
fn all_mistakes_of_the_routes_are_reported_at_once() {
    let toml = format!("{DENY}\n[default.login.realms.stuff]");
    let routes = [
        routes![plain],
        routes![about].guarded(RouteGuard::login().user::<Robot>()),
    ]
    .concat();
    let errors: [String; 3] = one(&toml, routes).stopped();
    let errors = errors.concat();
    for part in ["Robot", "`login.realms.stuff`", "`GET /a/plain`"] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
}

#[test]
fn an_invalid_unguarded_routes_setting_is_named() {
    one("[default.login]\nunguarded_routes = 'maybe'", routes![])
        .stopped_saying(&["`login.unguarded_routes`", "deny"]);
}

#[test]
fn a_stopped_launch_serves_no_request() {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let (end, lines) = captured(|| {
        let rocket = site(debug(DENY).merge(("port", port)), users()).mount("/a", routes![plain]);
        catch_unwind(AssertUnwindSafe(|| {
            rocket::execute(rocket.launch()).is_ok()
        }))
    });
    assert!(end.is_err(), "the launch should end by a panic: {end:?}");
    let names_the_route = |line: &Line| line.is_ours() && line.text.contains("`GET /a/plain`");
    assert!(lines.iter().any(names_the_route), "{lines:?}");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
