//! How long a session lasts.

use rocket::http::Status;

use super::support::{BOTH, DAY, HOUR, MINUTE, assert_refused, max_age};
use crate::common::{App, Reply, SESSION, START};

/// Whether a reply renews the session.
fn renews(reply: &Reply) -> bool {
    reply
        .cookie(SESSION)
        .is_some_and(|cookie| !cookie.value().is_empty())
}

#[test]
fn an_idle_session_ends_to_the_second() {
    // R19
    for (setting, timeout) in [
        (None, HOUR),
        (Some("10 minutes"), 10 * MINUTE),
        (Some("1s"), 1),
    ] {
        let mut app = App::new();
        if let Some(setting) = setting {
            app = app.set("login.session_idle_timeout", setting);
        }
        let app = app.start();
        let mut browser = app.logged_in("alice");
        for _ in 0..2 {
            app.forward(timeout - 1);
            assert_eq!(browser.me(), "alice");
        }
        let left = browser.clone();
        app.forward(timeout);
        assert_refused(&left);
    }
}

#[test]
fn an_idle_session_ends_at_most_a_twelfth_of_the_timeout_early_and_never_more_than_five_minutes() {
    for (timeout, early) in [
        (HOUR, 5 * MINUTE),
        (12 * MINUTE, MINUTE),
        (DAY / 2, 5 * MINUTE),
    ] {
        let app = App::new()
            .set("login.session_idle_timeout", format!("{timeout}s"))
            .start();
        for (last_use, renewed) in [(early - 1, false), (early, true)] {
            let mut browser = app.logged_in("alice");
            app.forward(last_use);
            assert_eq!(renews(&browser.get("/me")), renewed, "{timeout}");
            // Since the login, or since the renewal.
            app.forward(timeout - 1 - if renewed { 0 } else { last_use });
            assert_eq!(browser.clone().me(), "alice", "{timeout}");
            let left = browser.clone();
            app.forward(1);
            assert_refused(&left);
        }
    }
}

#[test]
fn only_a_page_that_needs_the_user_counts_as_use() {
    let app = App::new().start();
    let mut browser = app.logged_in("alice");
    app.forward(HOUR / 2);
    assert!(browser.get("/open").set_cookies().is_empty());
    app.forward(HOUR / 2);
    assert_refused(&browser);
}

#[test]
fn steady_use_ends_at_the_absolute_lifetime() {
    // R18, T83
    let app = App::new().start();
    let mut browser = app.logged_in("alice");
    let first = browser.clone();
    for _ in 0..(DAY / (5 * MINUTE) - 1) {
        app.forward(5 * MINUTE);
        assert_eq!(browser.me(), "alice");
    }
    app.forward(5 * MINUTE - 1);
    assert!(browser.is_fresh());
    app.forward(1);
    assert_refused(&browser);
    assert_refused(&first);
}

#[test]
fn a_session_without_idle_timeout_ends_at_the_absolute_lifetime() {
    let app = App::new()
        .set("login.session_idle_timeout", false)
        .set("login.session_lifetime", "3 days")
        .start();
    let mut browser = app.logged_in("alice");
    app.forward(3 * DAY - 1);
    let reply = browser.get("/me");
    assert_eq!(reply.body, "alice");
    assert!(reply.set_cookies().is_empty());
    app.forward(1);
    assert_refused(&browser);
}

#[test]
fn a_session_in_use_is_renewed_every_five_minutes_at_most_and_stays_the_same() {
    // R19, R28
    let app = App::new().start();
    let mut browser = app.logged_in("alice");
    let first = browser.clone();
    for _ in 0..3 {
        app.forward(5 * MINUTE - 1);
        assert!(!renews(&browser.get("/me")));
        app.forward(1);
        let reply = browser.get("/me");
        assert!(renews(&reply));
        assert_eq!(max_age(&reply, SESSION), None);
        assert!(!renews(&browser.get("/me")));
    }
    assert_ne!(first.cookies[SESSION], browser.cookies[SESSION]);
    browser.post("/logout", "");
    assert_refused(&first);
}

#[test]
fn a_permanent_session_lasts_31_days_without_use() {
    let app = App::new().start();
    let mut browser = app.logged_in_with("alice", "permanent=on");
    app.forward(31 * DAY - 1);
    let reply = browser.get("/status");
    assert_eq!(reply.body, "fresh=true remembered=false");
    assert!(reply.set_cookies().is_empty());
    app.forward(1);
    assert_refused(&browser);
}

#[test]
fn a_wrong_clock_refuses_logins_and_never_panics() {
    // T82, R21: a login of START is invalid at these times.
    let app = App::new().start();
    let browser = app.remembered("alice");
    for (time, session, remember) in [
        (START - 60, true, true),
        (START - 61, false, false),
        (START - HOUR, false, false),
        (START + HOUR, false, true),
        (START + 3_650 * DAY, false, false),
        (0, false, false),
        (1, false, false),
        (u64::MAX / 2, false, false),
        (u64::MAX - 1, false, false),
        (u64::MAX, false, false),
    ] {
        app.clock.set(time);
        for (name, holds) in BOTH.into_iter().zip([session, remember]) {
            let copy = browser.with_only(name);
            if holds {
                assert_eq!(copy.clone().me(), "alice", "{name} at {time}");
            } else {
                assert_refused(&copy);
            }
        }
    }
    app.clock.set(START);
    assert_eq!(browser.clone().status(), "fresh=true remembered=true");
}

#[test]
fn a_login_at_an_extreme_time_ends_with_its_logout() {
    // T82, K19
    for (time, holds) in [
        (0, true),
        (1, true),
        ((1 << 40) - 2, true),
        // The last time that a token can write.
        ((1 << 40) - 1, false),
    ] {
        let app = App::new()
            .set("login.remember_cookie_refresh_each_request", true)
            .start();
        app.clock.set(time);
        let mut browser = app.browser();
        let reply = browser.post("/login", "user=alice&remember=on&permanent=on");
        assert_eq!(reply.status, Status::SeeOther);
        for name in BOTH {
            let value = reply.cookie(name).unwrap().value().to_owned();
            browser.cookies.insert(name.into(), value);
            assert_eq!(
                browser.with_only(name).me() == "alice",
                holds,
                "{name} at {time}"
            );
        }
        let copy = browser.clone();
        browser.post("/confirm", "alice");
        assert_eq!(browser.me() == "alice", holds, "confirmed at {time}");
        browser.post("/logout-everywhere", "");
        assert!(browser.cookies.is_empty());
        for name in BOTH {
            assert_refused(&copy.with_only(name));
        }
    }
}
