//! Fresh logins, and how a confirmation makes them fresh again.

use rocket::http::Status;
use rocket::{get, post, routes};
use rocket_login::{Fresh, LoginError, LoginSession, fresh_login_required, login_required};

use super::support::{
    BOTH, DAY, HOUR, MINUTE, assert_ignored, assert_refused, assert_replaced, load_by_key, max_age,
    script,
};
use crate::common::{App, REMEMBER, Running, SESSION, User, Users};

#[test]
fn a_fresh_page_opens_after_a_login_but_not_for_a_remembered_user() {
    let app = App::new().start();
    let mut browser = app.browser();
    assert_eq!(
        browser.get("/fresh").location(),
        Some("/login?next=%2Ffresh")
    );
    let mut browser = app.remembered("alice");
    assert_eq!(browser.get("/fresh").body, "fresh alice");
    browser.restart();
    for _ in 0..2 {
        let reply = browser.get("/fresh");
        assert_eq!(reply.status, Status::SeeOther);
        assert_eq!(reply.location(), Some("/confirm?next=%2Ffresh"));
        assert_eq!(browser.get("/private").body, "private of alice");
    }
}

/// A browser with a restored session, and both cookies.
fn restored(app: &Running) -> crate::common::Browser<'_> {
    let mut browser = app.remembered("alice");
    browser.restart();
    assert_eq!(browser.status(), "fresh=false remembered=true");
    browser
}

#[test]
fn a_confirmation_makes_the_login_fresh_and_ends_the_old_cookies() {
    // R30
    let app = App::new().start();
    let mut browser = restored(&app);
    app.forward(DAY / 48);
    let old = browser.clone();
    let reply = browser.post("/confirm", "alice");
    assert_eq!(reply.body, "confirmed");
    let expected = i64::try_from(365 * DAY - DAY / 48).ok();
    assert_eq!(max_age(&reply, REMEMBER), expected);
    assert_eq!(max_age(&reply, SESSION), None);
    assert_eq!(browser.status(), "fresh=true remembered=true");
    assert_eq!(browser.get("/fresh").body, "fresh alice");
    for name in BOTH {
        assert_ne!(browser.cookies[name], old.cookies[name]);
        assert_ignored(&old.with_only(name));
    }
    assert_replaced(&old);
    browser.restart();
    assert_eq!(browser.me(), "alice");
}

#[test]
fn a_confirmation_does_not_start_to_remember_a_user() {
    let app = App::new().start();
    let mut browser = app.logged_in("alice");
    let reply = browser.post("/confirm", "alice");
    assert_eq!(reply.body, "confirmed");
    assert!(reply.cookie(REMEMBER).is_none());
    // The remember cookie of another user does not become alice's.
    let bob = app.remembered("bob").cookies[REMEMBER].clone();
    browser.cookies.insert(REMEMBER.into(), bob.clone());
    let reply = browser.post("/confirm", "alice");
    assert!(
        reply
            .cookie(REMEMBER)
            .is_none_or(|cookie| cookie.value().is_empty())
    );
    browser.cookies.insert(REMEMBER.into(), bob);
    assert_eq!(browser.with_only(REMEMBER).me(), "bob");
}

#[test]
fn only_the_user_of_the_session_can_confirm() {
    // T47, T48, R23, D17, D33
    let app = App::new()
        .with(|manager| manager.request_loader(load_by_key))
        .start();
    let expired = app.logged_in("alice");
    app.forward(2 * HOUR);
    for (mut browser, name, status, fresh_page) in [
        (
            app.browser(),
            "alice",
            Status::Unauthorized,
            "/login?next=%2Ffresh",
        ),
        (
            expired,
            "alice",
            Status::Unauthorized,
            "/login?next=%2Ffresh",
        ),
        (
            restored(&app),
            "bob",
            Status::Forbidden,
            "/confirm?next=%2Ffresh",
        ),
        (
            app.browser().header("X-Key", "alice"),
            "alice",
            Status::Unauthorized,
            "/confirm?next=%2Ffresh",
        ),
        (
            app.browser().header("X-Key", "alice"),
            "bob",
            Status::Unauthorized,
            "/confirm?next=%2Ffresh",
        ),
    ] {
        let before = browser.cookies.clone();
        let reply = browser.post("/confirm", name);
        assert_eq!(reply.status, status);
        assert!(
            reply
                .set_cookies()
                .iter()
                .all(|cookie| cookie.value().is_empty())
        );
        assert!(browser.cookies.is_empty() || browser.cookies == before);
        assert!(!browser.is_fresh());
        assert_eq!(browser.get("/fresh").location(), Some(fresh_page));
    }
}

#[test]
fn a_wrong_confirmation_leaves_a_fresh_login_fresh() {
    let app = App::new().start();
    let mut browser = app.remembered("alice");
    let reply = browser.post("/confirm", "bob");
    assert_eq!(reply.status, Status::Forbidden);
    assert!(reply.set_cookies().is_empty());
    assert_eq!(browser.status(), "fresh=true remembered=true");
}

#[test]
fn an_api_key_is_never_fresh() {
    // D33
    let app = App::new()
        .with(|manager| manager.request_loader(load_by_key))
        .start();
    let mut browser = app.browser().header("X-Key", "alice");
    assert_eq!(browser.get("/private").body, "private of alice");
    assert_eq!(
        browser.get("/fresh").location(),
        Some("/confirm?next=%2Ffresh")
    );
    assert_eq!(browser.status(), "fresh=false remembered=false");
    // With a session and a key, the session counts, including its freshness.
    browser.login("bob");
    assert_eq!(browser.get("/fresh").body, "fresh bob");
    assert!(!browser.post("/logout", "").set_cookies().is_empty());
    assert_eq!(browser.status(), "fresh=false remembered=false");
}

#[get("/guard")]
fn guard(user: Fresh<'_, User>) -> String {
    format!("{} {user:?}", user.id)
}

#[test]
fn the_guard_fresh_requires_a_fresh_login() {
    let app = App::new().routes(routes![guard]).start();
    assert_eq!(
        app.browser().get("/guard").location(),
        Some("/login?next=%2Fguard")
    );
    let mut stale = app.logged_in_with("alice", "stale=on");
    assert_eq!(
        stale.get("/guard").location(),
        Some("/confirm?next=%2Fguard")
    );
    assert_eq!(app.logged_in("alice").get("/guard").body, "alice Fresh(..)");
}

#[test]
fn without_a_lifetime_a_login_stays_fresh() {
    let app = App::new()
        .with(|manager| manager.session_idle_timeout(None))
        .routes(routes![guard])
        .start();
    let mut browser = app.logged_in("alice");
    app.forward(23 * HOUR);
    assert_eq!(browser.get("/guard").status, Status::Ok);
    assert_eq!(browser.get("/fresh").status, Status::Ok);
}

#[fresh_login_required(within = "10m")]
#[get("/within")]
fn within(user: &User) -> String {
    format!("within {}", user.id)
}

#[test]
fn freshness_ends_with_its_window_to_the_second() {
    // R22: (lifetime of the manager, page, window)
    for (lifetime, path, window) in [
        (Some("20 minutes"), "/fresh", 20 * MINUTE),
        (Some("20 minutes"), "/guard", 20 * MINUTE),
        (Some("20 minutes"), "/within", 10 * MINUTE),
        (Some("5 minutes"), "/within", 10 * MINUTE),
        (None, "/within", 10 * MINUTE),
    ] {
        let mut app = App::new().routes(routes![guard, within]);
        if let Some(lifetime) = lifetime {
            app = app.set("login.fresh_lifetime", lifetime);
        }
        let app = app.start();
        let mut browser = app.logged_in("alice");
        let confirm = format!("/confirm?next=%2F{}", &path[1..]);
        for _ in 0..2 {
            app.forward(window - 1);
            assert_eq!(browser.get(path).status, Status::Ok, "{path}");
            app.forward(1);
            assert_eq!(browser.get(path).location(), Some(confirm.as_str()));
            assert_eq!(browser.get("/private").body, "private of alice");
            // A confirmation starts the window again.
            assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
        }
    }
}

#[test]
fn login_fresh_returns_false_after_the_fresh_lifetime() {
    let app = App::new().set("login.fresh_lifetime", "10 minutes").start();
    let mut browser = app.logged_in("alice");
    app.forward(10 * MINUTE - 1);
    assert!(browser.is_fresh());
    app.forward(1);
    assert!(!browser.is_fresh());
}

#[test]
fn a_stale_login_opens_no_page_with_a_window() {
    let app = App::new().routes(routes![within]).start();
    let mut browser = app.logged_in_with("alice", "stale=on");
    assert_eq!(
        browser.get("/within").location(),
        Some("/confirm?next=%2Fwithin")
    );
}

#[test]
fn a_confirmation_does_not_extend_the_session() {
    // R18
    let app = App::new().set("login.session_idle_timeout", false).start();
    let mut browser = app.logged_in("alice");
    app.forward(DAY - 1);
    assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
    assert_eq!(browser.clone().me(), "alice");
    app.forward(1);
    assert_refused(&browser);
}

#[test]
fn a_permanent_login_stays_permanent_when_confirmed() {
    let app = App::new().start();
    let mut browser = app.logged_in_with("alice", "permanent=on");
    app.forward(DAY);
    let reply = browser.post("/confirm", "alice");
    assert_eq!(max_age(&reply, SESSION), i64::try_from(30 * DAY).ok());
}

#[login_required]
#[post("/password")]
async fn change_password(
    user: &User,
    session: LoginSession<'_, User>,
    users: &rocket::State<Users>,
) -> Result<&'static str, LoginError> {
    let user = users.change(&user.id, |user| user.password = "new".into());
    session.confirm_login(&user).await?;
    Ok("changed")
}

#[test]
fn a_confirmation_after_a_password_change_keeps_only_this_browser_logged_in() {
    let app = App::new().routes(routes![change_password]).start();
    let (mut here, there) = (restored(&app), app.remembered("alice"));
    let old = here.clone();
    assert_eq!(here.post("/password", "").body, "changed");
    assert_eq!(here.status(), "fresh=true remembered=true");
    for name in BOTH {
        assert_refused(&there.with_only(name));
        assert_ignored(&old.with_only(name));
    }
    assert_replaced(&old);
    here.restart();
    assert_eq!(here.me(), "alice");
}

#[test]
fn a_confirmation_binds_the_login_to_the_client_that_confirms() {
    let app = App::new().start();
    let mut browser = app.remembered("alice").header("User-Agent", "new");
    assert_eq!(browser.status(), "fresh=false remembered=true");
    assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
    assert!(browser.is_fresh());
    let mut elsewhere = browser.clone().header("User-Agent", "third");
    assert!(!elsewhere.is_fresh());
}

#[test]
fn a_confirmed_user_is_not_loaded_again() {
    let app = App::new().routes(routes![script]).start();
    let mut browser = app.logged_in("alice");
    let before = app.users.loads();
    assert_eq!(browser.run("confirm alice, who, who"), "alice, alice");
    assert_eq!(app.users.loads(), before + 1);
}

#[fresh_login_required(within = "10m")]
#[post("/within")]
fn post_within() -> &'static str {
    "sent"
}

#[test]
fn a_form_that_was_opened_in_time_can_be_sent_within_the_grace_period() {
    for (grace, seconds) in [(None, 1), (Some("5 minutes"), 5 * MINUTE)] {
        let mut app = App::new().routes(routes![within, post_within]);
        if let Some(grace) = grace {
            app = app.set("login.fresh_grace_period", grace);
        }
        let app = app.start();
        let mut browser = app.logged_in("alice");
        app.forward(10 * MINUTE - 1);
        assert_eq!(browser.get("/within").body, "within alice");
        app.forward(1);
        // The page does not open any more, but the form that it had can be sent.
        assert_eq!(browser.get("/within").status, Status::SeeOther);
        app.forward(seconds - 1);
        let reply = browser.post("/within", "");
        assert_eq!(reply.body == "sent", grace.is_some(), "{grace:?}");
        app.forward(1);
        assert_eq!(browser.post("/within", "").status, Status::SeeOther);
        // A login that was never fresh gets no grace.
        let mut remembered = app.remembered("alice");
        remembered.restart();
        assert_eq!(remembered.post("/within", "").status, Status::SeeOther);
    }
}

#[test]
fn a_handler_may_confirm_a_login_several_times() {
    for lines in [
        "confirm alice, confirm alice",
        "remember alice, confirm alice, confirm alice",
        "end alice, confirm alice, confirm alice",
        "confirm alice, others, confirm alice",
    ] {
        let app = App::new().routes(routes![script]).start();
        let mut browser = app.remembered("alice");
        let before = browser.clone();
        browser.run(lines);
        assert_eq!(browser.status(), "fresh=true remembered=true", "{lines}");
        browser.restart();
        assert_eq!(browser.me(), "alice", "{lines}");
        before.clone().post("/logout", "");
        assert_refused(&browser);
    }
}
