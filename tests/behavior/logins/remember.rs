//! Logins restored by the remember cookie.

use super::support::{DAY, HOUR, MINUTE, assert_ignored, assert_refused, max_age};
use crate::common::{App, REMEMBER, SESSION};

const DAYS: i64 = DAY.cast_signed();

#[test]
fn a_remembered_user_is_back_in_a_new_session_that_is_not_fresh() {
    let app = App::new().start();
    let mut browser = app.remembered("alice");
    assert_eq!(browser.status(), "fresh=true remembered=true");
    let old = browser.cookies[SESSION].clone();
    browser.restart();

    let reply = browser.get("/status");
    assert_eq!(reply.body, "fresh=false remembered=true");
    let session = reply.cookie(SESSION).unwrap();
    assert_ne!(session.value(), old);
    assert_eq!(session.max_age(), None);
    assert!(reply.cookie(REMEMBER).is_none());

    assert_eq!(
        browser.with_only(SESSION).get("/private").body,
        "private of alice"
    );
    let reply = browser.get("/private");
    assert_eq!(reply.body, "private of alice");
    assert!(reply.set_cookies().is_empty());
}

#[test]
fn a_page_that_does_not_need_the_user_restores_nobody() {
    let app = App::new()
        .set("login.remember_cookie_refresh_each_request", true)
        .start();
    let mut browser = app.remembered("alice");
    browser.restart();
    let reply = browser.get("/open");
    assert_eq!(reply.body, "open");
    assert!(reply.set_cookies().is_empty());
    assert_eq!(app.users.loads(), 0);
}

#[test]
fn a_remember_token_ends_on_the_server() {
    // T81, D01: a copy has no Max-Age.
    for (form, configured, seconds) in [
        ("", None, 365 * DAY),
        ("", Some("30 days"), 30 * DAY),
        ("&duration=7200", Some("30 days"), 7_200),
        ("&duration=34560000", None, 400 * DAY),
    ] {
        let mut app = App::new();
        if let Some(duration) = configured {
            app = app.set("login.remember_cookie_duration", duration);
        }
        let app = app.start();
        let mut browser = app.browser();
        let reply = browser.post("/login", &format!("user=alice&remember=on{form}"));
        assert_eq!(max_age(&reply, REMEMBER), i64::try_from(seconds).ok());
        browser.restart();
        app.forward(seconds - 1);
        assert_eq!(browser.clone().me(), "alice");
        app.forward(1);
        assert_refused(&browser);
    }
}

#[test]
fn each_login_has_its_own_duration() {
    // D09
    let app = App::new().start();
    let mut browser = app.logged_in_with("alice", "remember=on&duration=3600");
    let reply = browser.post("/login", "user=alice&remember=on");
    assert_eq!(max_age(&reply, REMEMBER), Some(365 * DAYS));
}

#[test]
fn use_extends_a_remember_cookie_only_if_set() {
    // D07, D08: in the session and after a restart, each time by the duration of the login.
    for refresh in [false, true] {
        let app = App::new()
            .set("login.remember_cookie_refresh_each_request", refresh)
            .start();
        let mut browser = app.logged_in_with("alice", "remember=on&duration=7200");
        for _ in 0..2 {
            app.forward(40 * MINUTE);
            let reply = browser.get("/me");
            assert_eq!(reply.body, "alice");
            if refresh {
                assert_eq!(max_age(&reply, REMEMBER), Some(7_200));
            } else {
                assert!(reply.cookie(REMEMBER).is_none());
            }
            browser.restart();
        }
        app.forward(40 * MINUTE);
        assert_eq!(browser.me(), if refresh { "alice" } else { "anonymous" });
    }
}

#[test]
fn use_never_extends_a_remember_cookie_beyond_400_days() {
    // R20
    let app = App::new()
        .set("login.remember_cookie_refresh_each_request", true)
        .set("login.remember_cookie_duration", "300 days")
        .start();
    let mut browser = app.remembered("alice");
    for (wait, left) in [(90, 300), (110, 200), (199, 1)] {
        browser.restart();
        app.forward(wait * DAY);
        let reply = browser.get("/me");
        assert_eq!(reply.body, "alice");
        assert_eq!(max_age(&reply, REMEMBER), Some(left * DAYS));
    }
    browser.restart();
    app.forward(DAY - 1);
    assert_eq!(browser.clone().me(), "alice");
    app.forward(1);
    assert_refused(&browser);
}

#[test]
fn only_the_remember_cookie_of_this_login_is_extended() {
    let app = App::new()
        .set("login.remember_cookie_refresh_each_request", true)
        .start();
    let [bob, second_alice] = [app.remembered("bob"), app.remembered("alice")];
    for (other, is_ours) in [
        (&*bob.cookies[REMEMBER], true),
        (&second_alice.cookies[REMEMBER], true),
        ("junk", false),
    ] {
        let mut browser = app.logged_in("alice");
        browser.cookies.insert(REMEMBER.into(), other.into());
        app.forward(MINUTE);
        let reply = browser.get("/status");
        assert_eq!(reply.body, "fresh=true remembered=false");
        assert_eq!(reply.cookie(REMEMBER).is_some(), is_ours);
        assert_eq!(reply.removes(REMEMBER), is_ours);
    }
}

#[test]
fn an_invalid_remember_cookie_is_removed_and_logs_nobody_in() {
    // D12, D14, D15
    let app = App::new().start();
    let mut gone = app.remembered("bob");
    gone.restart();
    app.users.remove("bob");
    let mut swapped = app.browser();
    let session = app.logged_in("alice").cookies[SESSION].clone();
    swapped.cookies.insert(REMEMBER.into(), session);
    for value in ["bob|0123", "\u{e9}\u{1f980}"] {
        // D10, K6: not from this application, so it stays.
        let mut foreign = app.browser();
        foreign.cookies.insert(REMEMBER.into(), value.into());
        assert_ignored(&foreign);
    }
    for mut browser in [gone, swapped] {
        assert_refused(&browser);
        let reply = browser.get("/me");
        assert!(reply.cookie(SESSION).is_none());
        assert!(browser.cookies.is_empty());
    }
}

#[test]
fn a_remember_cookie_replaces_an_expired_session() {
    for wait in [HOUR, DAY, 40 * DAY] {
        let app = App::new().start();
        let mut browser = app.remembered("alice");
        app.forward(wait);
        let reply = browser.get("/status");
        assert_eq!(reply.body, "fresh=false remembered=true");
        assert!(!reply.removes(SESSION));
        assert_eq!(browser.with_only(SESSION).me(), "alice");
    }
}

#[test]
fn a_session_restored_in_the_last_second_has_the_full_lifetime() {
    let app = App::new().start();
    let mut browser = app.logged_in_with("alice", "remember=on&duration=60");
    browser.restart();
    app.forward(59);
    assert_eq!(browser.me(), "alice");
    app.forward(HOUR - 1);
    assert_eq!(browser.status(), "fresh=false remembered=false");
    assert_eq!(browser.me(), "alice");
}

#[test]
fn a_remember_cookie_is_not_renewed_within_the_same_second() {
    let app = App::new()
        .set("login.remember_cookie_refresh_each_request", true)
        .start();
    let mut browser = app.remembered("alice");
    assert!(browser.get("/me").cookie(REMEMBER).is_none());
    app.forward(1);
    assert!(browser.get("/me").cookie(REMEMBER).is_some());
}
