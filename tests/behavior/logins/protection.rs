//! Session protection: a login that comes from another client.

use rocket::http::Status;
use rocket_login::{EventKind, testing};

use super::support::{BOTH, assert_refused, logged};
use crate::common::socket::{Server, body, cookie, status};
use crate::common::{App, Browser, REMEMBER, Running, SESSION};

const HOME: &str = "192.0.2.1";

fn protected(mode: &str) -> App {
    App::new().set("login.session_protection", mode)
}

/// The browser of alice, who is logged in and remembered.
fn at_home(app: &Running) -> Browser<'_> {
    let mut browser = app.browser().from(HOME).header("User-Agent", "Firefox");
    let reply = browser.post("/login", "user=alice&remember=on");
    assert_eq!(reply.status, Status::SeeOther);
    browser
}

fn without_user_agent(mut browser: Browser<'_>) -> Browser<'_> {
    browser.headers.clear();
    browser
}

/// The same cookies from other clients.
fn elsewhere<'a>(browser: &Browser<'a>) -> Vec<Browser<'a>> {
    let from = |address| browser.clone().from(address);
    let with = |user_agent| browser.clone().header("User-Agent", user_agent);
    vec![
        from("192.0.2.2"),
        from("198.51.100.1"),
        from("2001:db8::1"),
        with("Chrome"),
        with("firefox"),
        with("Firefox "),
        with(""),
        with(&"F".repeat(100_000)),
        without_user_agent(browser.clone()),
    ]
}

#[test]
fn basic_protection_makes_the_login_stale_and_emits_an_event() {
    let (app, log) = logged(protected("basic"));
    let mut home = at_home(&app);
    for mut thief in elsewhere(&home) {
        log.take();
        let reply = thief.get("/status");
        assert_eq!(reply.body, "fresh=false remembered=true");
        assert!(reply.cookie(SESSION).is_some());
        assert_eq!(log.count(EventKind::SessionProtected), 1);
        assert_eq!(thief.me(), "alice");
        assert_eq!(log.count(EventKind::SessionProtected), 1);
        assert_eq!(
            thief.get("/fresh").location(),
            Some("/confirm?next=%2Ffresh")
        );
        // The cookies of the thief are stale in the browser of alice too.
        let mut back = home.clone();
        back.cookies.clone_from(&thief.cookies);
        assert!(!back.is_fresh());
    }
    log.take();
    assert!(home.is_fresh());
    assert_eq!(log.count(EventKind::SessionProtected), 0);
}

#[test]
fn basic_protection_is_the_default() {
    let app = App::new().start();
    for mut thief in elsewhere(&at_home(&app)) {
        assert_eq!(thief.status(), "fresh=false remembered=true");
    }
}

#[test]
fn strong_protection_ends_the_login_for_thief_and_owner() {
    // T56, T57
    let (app, log) = logged(protected("strong"));
    for name in BOTH {
        for place in 0..elsewhere(&at_home(&app)).len() {
            let mut home = at_home(&app);
            assert_eq!(home.me(), "alice");
            log.take();
            let mut thief = elsewhere(&home).swap_remove(place).with_only(name);
            let reply = thief.get("/me");
            assert_eq!(reply.body, "anonymous");
            assert_eq!(log.count(EventKind::SessionProtected), 1);
            for name in BOTH {
                assert!(reply.removes(name));
                assert_refused(&home.with_only(name));
            }
            assert_eq!(home.me(), "anonymous");
        }
    }
}

#[test]
fn strong_protection_tries_no_other_loader() {
    // As in Flask-Login: neither the remember cookie nor the request loader.
    let app = protected("strong")
        .with(|manager| manager.request_loader(super::support::load_by_key))
        .start();
    let mut thief = at_home(&app).from("198.51.100.1").header("X-Key", "bob");
    assert_eq!(thief.me(), "anonymous");
    assert_eq!(thief.me(), "bob");
}

#[test]
fn strong_protection_only_makes_a_permanent_session_stale() {
    let app = protected("strong").start();
    let mut home = app.browser().from(HOME);
    home.post("/login", "user=alice&permanent=on");
    let mut away = home.clone().from("198.51.100.1");
    assert_eq!(away.status(), "fresh=false remembered=false");
    assert_eq!(away.me(), "alice");
    assert!(home.is_fresh());
}

#[test]
fn strict_protection_ends_a_permanent_session_too() {
    // T56
    let app = protected("strict").start();
    for form in ["permanent=on", "permanent=on&remember=on", "remember=on"] {
        let mut home = app.browser().from(HOME);
        home.post("/login", &format!("user=alice&{form}"));
        assert!(home.is_fresh());
        let mut away = home.clone().from("198.51.100.1");
        assert_refused(&away);
        assert_eq!(away.me(), "anonymous");
        assert_refused(&home);
    }
}

#[test]
fn without_protection_every_client_is_accepted() {
    let (app, log) = logged(protected("none"));
    let home = at_home(&app);
    for mut other in elsewhere(&home) {
        let reply = other.get("/status");
        assert_eq!(reply.body, "fresh=true remembered=true");
        assert!(reply.set_cookies().is_empty());
        other.restart();
        assert_eq!(other.me(), "alice");
    }
    assert_eq!(log.count(EventKind::SessionProtected), 0);
}

#[test]
fn a_remember_cookie_is_written_only_when_something_in_it_changes() {
    for mode in ["off", "none", "basic", "strong"] {
        for refresh in [false, true] {
            let app = protected(mode)
                .set("login.remember_cookie_refresh_each_request", refresh)
                .start();
            let home = at_home(&app);
            let restored = |browser: &mut Browser<'_>| {
                browser.restart();
                let reply = browser.get("/me");
                assert_eq!(reply.body, "alice");
                assert!(reply.cookie(SESSION).is_some());
                reply.cookie(REMEMBER).is_some()
            };
            let mut browser = home.clone();
            // In the second of the login nothing can change.
            for _ in 0..2 {
                assert!(!restored(&mut browser), "{mode} {refresh}");
                assert!(browser.get("/me").set_cookies().is_empty());
            }
            app.forward(1);
            assert_eq!(restored(&mut browser), refresh, "{mode} {refresh}");
            assert!(!restored(&mut browser), "{mode} {refresh}");
            if mode != "strong" {
                let mut away = home.clone().header("User-Agent", "Chrome");
                assert_eq!(restored(&mut away), refresh, "{mode} {refresh}");
                assert!(!restored(&mut away), "{mode} {refresh}");
            }
        }
    }
}

#[test]
fn without_protection_an_unbound_remember_cookie_stays_as_it_is() {
    let app = protected("off").start();
    let user = app.users.get("alice").unwrap();
    let cookie = testing::remember(app.client.rocket(), &user);
    let mut browser = app.browser();
    browser
        .cookies
        .insert(cookie.name().into(), cookie.value().into());
    for _ in 0..2 {
        let reply = browser.get("/me");
        assert_eq!(reply.body, "alice");
        assert!(reply.cookie(REMEMBER).is_none());
        browser.restart();
    }
}

#[test]
fn under_basic_protection_a_remembered_user_who_moved_emits_an_event() {
    let (app, log) = logged(protected("basic"));
    let mut home = at_home(&app);
    home.restart();
    for mut moved in elsewhere(&home) {
        log.take();
        assert_eq!(moved.status(), "fresh=false remembered=true");
        assert_eq!(log.count(EventKind::SessionProtected), 1);
        // D04: the restored session belongs to the new client.
        assert_eq!(moved.me(), "alice");
        assert_eq!(log.count(EventKind::SessionProtected), 0);
    }
}

#[test]
fn a_restored_session_is_bound_to_its_client() {
    // D04
    let (app, log) = logged(protected("strong"));
    let mut home = at_home(&app);
    home.restart();
    for _ in 0..3 {
        assert_eq!(home.me(), "alice");
    }
    assert_eq!(log.count(EventKind::SessionProtected), 0);
    let thief = home.clone().header("User-Agent", "curl").with_only(SESSION);
    assert_refused(&thief);
    assert_refused(&home);
}

#[test]
fn an_unbound_cookie_belongs_to_the_first_client_that_shows_it() {
    // D04
    for mode in ["basic", "strong"] {
        let app = protected(mode).start();
        let user = app.users.get("alice").unwrap();
        let rocket = app.client.rocket();
        for cookie in [
            testing::login(rocket, &user),
            testing::remember(rocket, &user),
        ] {
            let mut home = app.browser().from(HOME).header("User-Agent", "Firefox");
            home.cookies
                .insert(cookie.name().into(), cookie.value().into());
            let unbound = cookie.value().to_owned();
            assert_eq!(home.me(), "alice");
            assert_ne!(home.cookies[cookie.name()], unbound);
            assert_eq!(home.clone().me(), "alice");
            let mut thief = home.with_only(cookie.name()).from("198.51.100.1");
            if mode == "strong" {
                assert_refused(&thief);
                assert_refused(&home);
            } else {
                assert!(!thief.is_fresh());
            }
        }
    }
}

#[test]
fn a_login_may_be_bound_to_a_network_or_to_no_address() {
    // T58: (setting, login from, then from, fresh)
    for (address, first, second, fresh) in [
        ("full", "192.0.2.1", "192.0.2.2", false),
        ("full", "::ffff:192.0.2.1", "192.0.2.1", true),
        ("full", "2001:db8::1", "2001:db8::2", false),
        ("prefix", "192.0.2.1", "192.0.2.255", true),
        ("prefix", "192.0.2.1", "192.0.3.1", false),
        ("prefix", "192.0.2.1", "::ffff:192.0.2.77", true),
        ("prefix", "2001:db8:1:2200::1", "2001:db8:1:22ff::9", true),
        ("prefix", "2001:db8:1:2200::1", "2001:db8:1:2300::1", false),
        ("prefix", "192.0.2.1", "2001:db8::1", false),
        ("off", "192.0.2.1", "2001:db8::1", true),
    ] {
        let app = App::new()
            .set("login.session_protection_address", address)
            .start();
        let mut browser = app.browser().from(first);
        browser.login("alice");
        let mut browser = browser.from(second);
        assert_eq!(
            browser.is_fresh(),
            fresh,
            "{address}: {first}, then {second}"
        );
        let mut browser = browser.header("User-Agent", "curl");
        assert!(!browser.is_fresh());
    }
}

#[test]
fn a_trusted_proxy_names_the_client() {
    // R34: (from, header, fresh) after a login of 203.0.113.9 by way of 10.0.0.1
    let app = App::new()
        .set("login.trusted_proxies", ["10.0.0.0/8"])
        .set("login.proxy_header", "X-Client")
        .start();
    let mut home = app
        .browser()
        .from("10.0.0.1")
        .header("X-Client", "203.0.113.9");
    home.login("alice");
    for (from, header, fresh) in [
        ("10.0.0.1", "203.0.113.9", true),
        ("10.0.0.2", "203.0.113.9", true),
        ("10.0.0.2", "203.0.113.66, 203.0.113.9", true),
        ("10.0.0.2", "203.0.113.9, 10.0.0.1", true),
        ("203.0.113.9", "", true),
        ("203.0.113.9", "192.0.2.1", true),
        ("10.0.0.1", "203.0.113.66", false),
        ("10.0.0.1", "203.0.113.9, 203.0.113.66", false),
        ("10.0.0.1", "", false),
        ("198.51.100.1", "203.0.113.9", false),
    ] {
        let mut browser = home.clone().from(from).header("X-Client", header);
        assert_eq!(browser.me(), "alice");
        assert_eq!(browser.is_fresh(), fresh, "{from} for {header:?}");
        let mut other = home
            .clone()
            .from(from)
            .header("X-Forwarded-For", "203.0.113.9");
        other.headers.retain(|(name, _)| name != "X-Client");
        assert_eq!(other.is_fresh(), from == "203.0.113.9");
    }
}

#[test]
fn a_user_agent_of_any_bytes_is_not_an_error() {
    // T56
    let server = Server::start(protected("strong").rocket());
    let login = |user_agent: &[u8]| {
        let reply = server.post("/login", &[user_agent], "user=alice");
        assert_eq!(status(&reply), 303);
        cookie(&reply, SESSION).unwrap()
    };
    let raw: &[u8] = b"User-Agent: \xff\xfe\x80";
    let firefox: &[u8] = b"User-Agent: Firefox";
    for (first, second, expected) in [
        (firefox, firefox, "alice"),
        (firefox, raw, "anonymous"),
        (raw, firefox, "anonymous"),
        (raw, raw, "alice"),
    ] {
        let session = format!("Cookie: {SESSION}={}", login(first));
        let reply = server.get("/me", &[second, session.as_bytes()]);
        assert_eq!((status(&reply), body(&reply)), (200, expected));
        let gone = cookie(&reply, SESSION);
        assert_eq!(gone.as_deref(), (expected == "anonymous").then_some(""));
        assert!(cookie(&reply, REMEMBER).is_none_or(|value| value.is_empty()));
    }
}
