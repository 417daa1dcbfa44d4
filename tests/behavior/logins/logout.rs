//! Logging out.

use std::sync::Arc;

use rocket::http::{SameSite, Status};
use rocket::tokio::sync::Notify;
use rocket::{State, post, routes};
use rocket_login::{EventKind, LoginError, LoginSession, fresh_login_required};

use super::support::{BOTH, DAY, MINUTE, assert_refused, logged, script};
use crate::common::socket::{Server, body, cookie, status};
use crate::common::{App, REMEMBER, Reply, SESSION, User};

#[test]
fn a_logout_ends_the_session_in_every_copy() {
    // T41, T42, D02, D03
    for (name, wait) in [
        (SESSION, 1),
        (SESSION, 30 * MINUTE),
        (REMEMBER, 1),
        (REMEMBER, 30 * MINUTE),
        (REMEMBER, 300 * DAY),
    ] {
        let app = App::new().start();
        let mut browser = app.remembered("alice");
        let thief = browser.with_only(name);
        assert_eq!(thief.clone().me(), "alice");
        assert_eq!(browser.post("/logout", "").body, "logged out");
        assert!(browser.cookies.is_empty());
        assert_eq!(browser.status(), "fresh=false remembered=false");
        app.forward(wait);
        assert_refused(&thief);
    }
}

#[test]
fn a_logout_ends_what_was_renewed_or_restored_from_the_same_login() {
    // R28, T84: the id is the same, whatever the order of the responses.
    let app = App::new()
        .set("login.remember_cookie_refresh_each_request", true)
        .start();
    let mut browser = app.remembered("alice");
    let mut restored = [browser.with_only(REMEMBER), browser.with_only(REMEMBER)];
    app.forward(10 * MINUTE);
    let mut renewed = browser.clone();
    for sibling in restored.iter_mut().chain([&mut renewed]) {
        assert_eq!(sibling.me(), "alice");
        assert_ne!(sibling.cookies[SESSION], browser.cookies[SESSION]);
        assert_ne!(sibling.cookies[REMEMBER], browser.cookies[REMEMBER]);
    }
    let [first, second] = &restored;
    assert_ne!(first.cookies[SESSION], renewed.cookies[SESSION]);
    let mut leaving = first.clone();
    leaving.post("/logout", "");
    for copy in [first, second, &renewed, &browser] {
        for name in BOTH {
            assert_refused(&copy.with_only(name));
        }
    }
    assert_eq!(browser.me(), "anonymous");
}

#[test]
fn a_logout_ends_this_login_only() {
    let app = App::new().start();
    let [mut first, mut second, mut bob] = [
        app.remembered("alice"),
        app.remembered("alice"),
        app.logged_in("bob"),
    ];
    first.post("/logout", "");
    assert_eq!(second.status(), "fresh=true remembered=true");
    assert_eq!(bob.me(), "bob");
}

#[track_caller]
fn assert_removes_both(reply: &Reply, names: [&str; 2], secure: bool) {
    assert_eq!(reply.set_cookies().len(), 2);
    for name in names {
        assert!(reply.removes(name), "{name}");
        let cookie = reply.cookie(name).unwrap();
        assert_eq!(cookie.path(), Some("/"));
        assert_eq!(cookie.domain(), None);
        assert_eq!(cookie.http_only(), Some(true));
        assert_eq!(cookie.same_site(), Some(SameSite::Lax));
        assert_eq!(cookie.secure().unwrap_or(false), secure);
    }
}

#[test]
fn a_logout_removes_the_cookies_that_came_with_all_their_attributes() {
    // D23, D24, R14
    let app = App::new().start();
    let reply = app.remembered("alice").post("/logout", "");
    assert_eq!(reply.status, Status::Ok);
    assert_removes_both(&reply, BOTH, false);
    // K27: and no others.
    let reply = app.browser().post("/logout", "");
    assert_eq!(reply.status, Status::Ok);
    assert!(reply.set_cookies().is_empty());
    let reply = app.logged_in("alice").post("/logout", "");
    assert!(reply.removes(SESSION));
    assert_eq!(reply.cookie(REMEMBER), None);
    let app = App::new().release().start();
    let reply = app.remembered("alice").post("/logout", "");
    assert_removes_both(
        &reply,
        ["__Host-login_session", "__Host-remember_token"],
        true,
    );
}

#[test]
fn a_removal_has_the_domain_and_path_of_its_cookie() {
    // D23
    let app = App::new()
        .set("login.session_cookie_domain", ".example.com")
        .set("login.remember_cookie_path", "/app")
        .set("login.remember_cookie_samesite", "Strict")
        .start();
    let mut browser = app.browser();
    let [set, removed] = [
        browser.post("/login", "user=alice&remember=on"),
        browser.post("/logout", ""),
    ];
    for (name, domain, path) in [
        (SESSION, Some("example.com"), "/"),
        (REMEMBER, None, "/app"),
    ] {
        let set = set.cookie(name).unwrap();
        assert_eq!((set.domain(), set.path()), (domain, Some(path)));
        // K5: the name may stand elsewhere too, where it is removed first.
        let mut removed = removed.set_cookies();
        removed.retain(|cookie| cookie.name() == name);
        assert!(removed.iter().all(|cookie| cookie.value().is_empty()));
        let last = removed.pop().unwrap();
        assert_eq!((last.domain(), last.path()), (domain, Some(path)));
        assert_eq!(set.same_site(), last.same_site());
    }
}

#[test]
fn a_logout_takes_effect_while_the_loader_fails() {
    let app = App::new().start();
    let mut browser = app.remembered("alice");
    let thief = browser.clone();
    app.users.fail(true);
    let reply = browser.post("/logout", "");
    assert_eq!(reply.status, Status::Ok);
    assert_removes_both(&reply, BOTH, false);
    app.users.fail(false);
    assert_refused(&thief);
}

#[test]
fn a_change_that_was_accepted_is_sent_although_the_loader_fails() {
    let app = App::new().routes(routes![script]).start();
    for (lines, after) in [("who, logout", "anonymous"), ("who, login bob", "bob")] {
        let mut browser = app.remembered("alice");
        app.users.fail(true);
        assert_eq!(browser.run(lines), "failed");
        app.users.fail(false);
        assert!(!browser.cookies.contains_key(REMEMBER), "{lines}");
        assert_eq!(browser.me(), after);
    }
}

#[test]
fn a_listener_gets_the_user_who_logged_out() {
    let (app, log) = logged(App::new());
    let mut browser = app.logged_in("alice");
    log.take();
    browser.post("/logout", "");
    let emitted = log.take();
    assert!(
        emitted.contains(&(EventKind::LoggedOut, Some("alice".into()))),
        "{emitted:?}"
    );
    assert!(
        emitted.iter().all(|(kind, _)| *kind != EventKind::Revoked),
        "{emitted:?}"
    );
}

#[test]
fn a_logout_ends_a_permanent_session() {
    let app = App::new().start();
    let mut browser = app.logged_in_with("alice", "permanent=on");
    let thief = browser.clone();
    browser.post("/logout", "");
    app.forward(31 * DAY - 1);
    assert_refused(&thief);
}

#[test]
fn a_logout_ends_a_permanent_session_that_outlives_its_remember_cookie() {
    // T41, R24
    for verb in ["logout", "confirm alice", "login alice"] {
        let app = App::new().routes(routes![script]).start();
        let mut browser = app.logged_in_with("alice", "permanent=on&remember=on&duration=3600");
        let thief = browser.with_only(SESSION);
        browser.run(verb);
        app.forward(2 * DAY);
        assert_refused(&thief);
    }
}

#[test]
fn a_logout_ends_a_remember_cookie_that_a_thief_has_renewed() {
    // T42, R24
    let app = App::new()
        .set("login.remember_cookie_refresh_each_request", true)
        .set("login.remember_cookie_duration", "30 days")
        .start();
    let mut browser = app.remembered("alice");
    browser.restart();
    let mut thief = browser.clone();
    app.forward(10 * DAY);
    assert_eq!(thief.me(), "alice");
    browser.post("/logout", "");
    assert_refused(&thief);
    app.forward(22 * DAY);
    assert_refused(&thief.with_only(REMEMBER));
}

#[test]
fn a_logout_ends_every_session_in_its_request() {
    // R24: a sibling host that can set cookies must not be able to keep a stolen session alive.
    let app = App::new().start();
    let (alice, mallory) = (app.logged_in("alice"), app.logged_in("bob"));
    let [ours, theirs] = [&alice, &mallory].map(|browser| &browser.cookies[SESSION]);
    let cookies = format!("{SESSION}={theirs}; {SESSION}={ours}");
    let reply = app.browser().header("Cookie", &cookies).post("/logout", "");
    assert!(reply.removes(SESSION));
    assert_refused(&alice);
}

#[test]
fn clear_site_data_is_sent_at_logout_only_and_only_if_set() {
    // R46
    let clears = |reply: &Reply| reply.header("Clear-Site-Data").map(str::to_owned);
    let app = App::new().start();
    assert_eq!(clears(&app.logged_in("alice").post("/logout", "")), None);
    let app = App::new().set("login.clear_site_data", true).start();
    let mut browser = app.browser();
    assert_eq!(clears(&browser.login("alice")), None);
    assert_eq!(clears(&browser.get("/me")), None);
    let reply = browser.post("/logout", "");
    assert_eq!(clears(&reply).as_deref(), Some(r#""cache", "storage""#));
}

#[test]
fn no_cookie_survives_a_logout_that_races_fifty_renewals() {
    // T84, R28
    let app = App::new();
    let clock = app.clock.clone();
    let server = Server::start(app.rocket());
    let reply = server.post("/login", &[], "user=alice&remember=on");
    let [session, remember] = BOTH.map(|name| {
        let value = cookie(&reply, name).unwrap();
        format!("Cookie: {name}={value}").into_bytes()
    });
    clock.advance(std::time::Duration::from_secs(10 * MINUTE));
    let ask = |cookie: &[u8]| server.get("/me", &[cookie]);
    let mut replies = vec![ask(&session), ask(&remember)];
    std::thread::scope(|scope| {
        let cookies = [&session, &remember].into_iter().cycle().take(50);
        let racing: Vec<_> = cookies.map(|cookie| scope.spawn(|| ask(cookie))).collect();
        let reply = server.post("/logout", &[&session], "");
        assert_eq!(status(&reply), 200);
        replies.extend(racing.into_iter().map(|thread| thread.join().unwrap()));
    });
    let issued: Vec<_> = replies
        .iter()
        .filter_map(|reply| cookie(reply, SESSION))
        .filter(|value| !value.is_empty())
        .map(|value| format!("Cookie: {SESSION}={value}").into_bytes())
        .collect();
    assert!(issued.len() >= 2);
    for cookie in issued.iter().chain([&session, &remember]) {
        assert_eq!(body(&ask(cookie)), "anonymous");
    }
}

/// A confirmation that waits between its guard and its change, like one that checks a password.
#[derive(Default)]
struct Gate {
    passed: Notify,
    open: Notify,
}

#[fresh_login_required]
#[post("/confirm-slowly")]
async fn confirm_slowly(
    user: &User,
    session: LoginSession<'_, User>,
    gate: &State<Arc<Gate>>,
) -> Result<&'static str, LoginError> {
    gate.passed.notify_one();
    gate.open.notified().await;
    session.confirm_login(user).await?;
    Ok("confirmed")
}

#[test]
fn a_concurrent_confirmation_cannot_undo_a_logout() {
    // R28: the login that the confirmation would renew has ended meanwhile.
    let app = App::new().routes(routes![confirm_slowly]);
    let gate = Arc::new(Gate::default());
    let server = Server::start(app.rocket().manage(Arc::clone(&gate)));
    let login = server.post("/login", &[], "user=alice&remember=on");
    let mine: Vec<_> = BOTH
        .iter()
        .map(|name| format!("Cookie: {name}={}", cookie(&login, name).unwrap()))
        .collect();
    let mine: Vec<&[u8]> = mine.iter().map(String::as_bytes).collect();
    let confirmed = std::thread::scope(|scope| {
        let confirming = scope.spawn(|| server.post("/confirm-slowly", &mine, ""));
        rocket::execute(gate.passed.notified());
        assert_eq!(status(&server.post("/logout", &mine, "")), 200);
        gate.open.notify_one();
        confirming.join().unwrap()
    });
    assert_eq!(status(&confirmed), 401, "{confirmed}");
    for name in BOTH {
        assert_eq!(cookie(&confirmed, name), None, "{confirmed}");
    }
}

#[test]
fn a_confirmation_after_the_end_of_all_logins_keeps_this_browser() {
    for form in ["", "remember=on", "permanent=on"] {
        let app = App::new().routes(routes![script]).start();
        let mut elsewhere = app.remembered("alice");
        let mut browser = app.logged_in_with("alice", form);
        let old = browser.clone();
        let status = format!("fresh=true remembered={}", form == "remember=on");
        for time in ["at once", "later"] {
            assert_eq!(
                browser.run("end alice, confirm alice, status"),
                status,
                "{form} {time}"
            );
            assert_eq!(browser.status(), status, "{form} {time}");
            app.forward(MINUTE);
        }
        assert_eq!(elsewhere.me(), "anonymous", "{form}");
        assert_refused(&old);
        assert_eq!(browser.me(), "alice", "{form}");
        // The login is the same one: a copy of the old cookies still ends it.
        old.clone().post("/logout", "");
        assert_refused(&browser);
    }
}

#[test]
fn without_a_confirmation_the_end_of_all_logins_ends_this_one() {
    let app = App::new().routes(routes![script]).start();
    let mut browser = app.remembered("alice");
    browser.run("end alice");
    assert_refused(&browser);
    // Nobody confirms a login that another request has ended.
    assert_eq!(
        browser.post("/confirm", "alice").status,
        Status::Unauthorized
    );
    let mut bob = app.logged_in("bob");
    bob.run("end alice, confirm bob");
    assert_eq!(bob.me(), "bob");
}

#[test]
fn partitioned_cookies_are_set_and_removed_as_such() {
    // A removal without the attribute would not reach the cookie of the frame.
    let app = App::new()
        .release()
        .set("login.partitioned_cookies", true)
        .set("login.session_cookie_samesite", "none")
        .set("login.remember_cookie_samesite", "none")
        .set("login.use_session_for_next", true)
        .start();
    let own = app.browser().header("Sec-Fetch-Site", "same-origin");
    let mut browser = own;
    let replies = [
        browser.get("/private"),
        browser.post("/login", "user=alice&remember=on"),
        browser.post("/logout", ""),
    ];
    for (reply, number) in replies.iter().zip([1, 3, 3]) {
        let cookies = reply
            .all("Set-Cookie")
            .filter(|cookie| cookie.starts_with("__Host-"));
        let cookies: Vec<_> = cookies.collect();
        assert_eq!(cookies.len(), number, "{cookies:?}");
        for cookie in cookies {
            assert!(cookie.ends_with("; Partitioned"), "{cookie}");
            assert!(cookie.contains("; Secure"), "{cookie}");
        }
    }
    let reply = App::new().start().logged_in("alice").post("/logout", "");
    assert!(
        reply
            .all("Set-Cookie")
            .all(|cookie| !cookie.contains("Partitioned"))
    );
}
