//! `Fresh`, `&User` and the attributes beside each other.

use std::time::Duration;

use rocket::http::Status;
use rocket::{get, post, routes};
use rocket_login::{Fresh, fresh_login_required};

use crate::common::{App, Running, User};

#[get("/guard")]
fn guard(user: Fresh<'_, User>) -> String {
    format!("{} {user:?}", user.id)
}

#[fresh_login_required(within = "10m")]
#[get("/ten")]
fn ten() -> &'static str {
    "ten"
}

#[fresh_login_required(within = 7200)]
#[post("/two-hours")]
fn two_hours() -> &'static str {
    "two hours"
}

fn app(lifetime: Option<u64>) -> Running {
    App::new()
        .with(|manager| match lifetime {
            Some(seconds) => manager.fresh_lifetime(Duration::from_secs(seconds)),
            None => manager,
        })
        .with(|manager| manager.session_idle_timeout(None))
        .routes(routes![guard, ten, two_hours])
        .start()
}

#[test]
fn the_guard_fresh_asks_for_a_fresh_login() {
    let app = app(None);
    assert_eq!(
        app.browser().get("/guard").location(),
        Some("/login?next=%2Fguard")
    );
    let mut browser = app.browser();
    browser.post("/login", "user=alice&stale=on");
    assert_eq!(
        browser.get("/guard").location(),
        Some("/confirm?next=%2Fguard")
    );
    assert_eq!(app.logged_in("alice").get("/guard").body, "alice Fresh(..)");
    let mut evil = app
        .logged_in("alice")
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(evil.post("/two-hours", "").status, Status::Forbidden);
}

// R22
#[test]
fn freshness_lapses_after_the_routes_own_time_or_the_managers() {
    // Seconds since the login; who still takes it for fresh.
    for (lifetime, seconds, guard, ten, two_hours) in [
        (None, 599, true, true, true),
        (None, 600, true, false, true),
        (None, 7200, true, false, false),
        (Some(60), 59, true, true, true),
        (Some(60), 60, false, true, true),
        (Some(60), 599, false, true, true),
    ] {
        let app = app(lifetime);
        let mut browser = app.logged_in("alice");
        app.clock.advance(Duration::from_secs(seconds));
        let passes = |status: Status| status == Status::Ok;
        let row = format!("{lifetime:?} {seconds}");
        assert_eq!(passes(browser.get("/guard").status), guard, "{row}");
        assert_eq!(passes(browser.get("/fresh").status), guard, "{row}");
        assert_eq!(passes(browser.get("/ten").status), ten, "{row}");
        assert_eq!(
            passes(browser.post("/two-hours", "").status),
            two_hours,
            "{row}"
        );
        assert_eq!(browser.get("/private").status, Status::Ok, "{row}");
        browser.post("/confirm", "alice");
        assert_eq!(browser.get("/guard").status, Status::Ok, "{row}");
    }
}
