//! A logout here ends a login that came from Flask, with every copy of its cookies.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rocket::http::Status;
use rocket::{State, post, routes};
use rocket_login::logins::MemoryRegistry;
use rocket_login::testing::Clock;
use rocket_login::testing::store::MemoryLog;
use rocket_login::{LoginError, LoginSession, login_required};

use crate::common::revocations::Revocations;
use crate::common::{Browser, KEY, Running, START, User, Users};
use crate::signed::{remember, session, session_aged};
use crate::{REMEMBER, SESSION, app, side_by_side, with};

fn both<'a>(app: &'a Running, user: &str) -> Browser<'a> {
    with(
        app,
        &[(SESSION, &session(user)), (REMEMBER, &remember(user))],
    )
}

#[test]
fn a_logout_ends_every_copy_of_the_users_cookies_from_flask() {
    let app = app().start();
    let mut browser = both(&app, "alice");
    assert_eq!(browser.me(), "alice");
    // Flask signs its session again with many responses.
    let older = session_aged("alice", 3_600);
    browser.post("/logout", "");
    for (name, value) in [
        (SESSION, session("alice")),
        (SESSION, older),
        (REMEMBER, remember("alice")),
    ] {
        let reply = with(&app, &[(name, &value)]).get("/me");
        assert_eq!(reply.body, "anonymous", "{name}");
        assert!(reply.removes(name), "{name}");
    }
    assert_eq!(both(&app, "bob").me(), "bob");
}

#[test]
fn a_logout_ends_the_login_that_another_request_brings_across() {
    for names in [&[SESSION][..], &[REMEMBER], &[SESSION, REMEMBER]] {
        let app = app().start();
        let mut browser = both(&app, "alice");
        browser.cookies.retain(|name, _| names.contains(&&**name));
        // Its response arrives after the logout, which carries Flask's cookies only.
        let mut late = browser.clone();
        assert_eq!(late.me(), "alice");
        let reply = browser.post("/logout", "");
        assert_eq!(reply.body, "logged out");
        for name in names {
            assert!(reply.removes(name));
        }
        assert_eq!(late.me(), "anonymous", "{names:?}");
        assert!(late.cookies.is_empty());
    }
}

#[test]
fn a_logout_ends_a_login_that_came_across_minutes_before_or_under_a_clock_that_is_ahead() {
    for (began, ended) in [(599, 601), (599, 900), (600, 599), (601, 600)] {
        let app = app().start();
        app.clock.set(START + began);
        let mut browser = with(&app, &[(REMEMBER, &remember("alice"))]);
        let mut late = browser.clone();
        assert_eq!(late.me(), "alice");
        app.clock.set(START + ended);
        assert_eq!(browser.post("/logout", "").body, "logged out");
        assert_eq!(late.me(), "anonymous", "{began} {ended}");
    }
}

#[test]
fn parallel_requests_begin_one_login() {
    for cookie in [(SESSION, session("alice")), (REMEMBER, remember("alice"))] {
        let app = app().start();
        let browser = with(&app, &[(cookie.0, &cookie.1)]);
        let mut all = [browser.clone(), browser.clone(), browser];
        for browser in &mut all {
            assert_eq!(browser.me(), "alice");
        }
        all[1].post("/logout", "");
        for browser in &mut all {
            assert_eq!(browser.me(), "anonymous");
        }
    }
}

#[test]
fn a_login_that_replaces_one_from_flask_ends_the_late_ones() {
    let app = app().start();
    let mut browser = with(&app, &[(SESSION, &session("alice"))]);
    let mut late = browser.clone();
    assert_eq!(late.me(), "alice");
    browser.login("bob");
    // The late response has overwritten bob's cookie, and alice is refused all the same.
    assert_eq!(late.me(), "anonymous");
    let mut replayed = with(&app, &[(SESSION, &session("alice"))]);
    assert_eq!(replayed.me(), "anonymous");
    // For a minute, a response could remove what another one has just set.
    assert!(replayed.cookies.contains_key(SESSION));
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(replayed.me(), "anonymous");
    assert!(!replayed.cookies.contains_key(SESSION));
}

#[test]
fn the_other_browsers_that_have_come_across_stay_logged_in() {
    let app = app().start();
    let mut here = with(&app, &[(SESSION, &session_aged("alice", 10))]);
    let mut there = with(&app, &[(SESSION, &session_aged("alice", 20))]);
    let mut away = with(&app, &[(REMEMBER, &remember("alice"))]);
    assert_eq!([here.me(), there.me()], ["alice", "alice"]);
    here.post("/logout", "");
    assert_eq!(there.me(), "alice");
    assert_eq!(away.me(), "anonymous");
}

#[test]
fn a_logout_everywhere_ends_flasks_cookies() {
    let app = app().start();
    let mut here = app.logged_in("alice");
    let mut there = with(&app, &[(SESSION, &session("alice"))]);
    assert_eq!(there.me(), "alice");
    here.post("/logout-everywhere", "");
    assert_eq!(there.me(), "anonymous");
    assert_eq!(both(&app, "alice").me(), "anonymous");
}

#[post("/logout-others")]
async fn logout_others(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logout_others().await
}

#[test]
fn a_logout_of_the_others_ends_flasks_cookies() {
    let app = app().routes(routes![logout_others]).start();
    let mut here = app.logged_in("alice");
    assert_eq!(here.post("/logout-others", "").status, Status::Ok);
    assert_eq!(both(&app, "alice").me(), "anonymous");
    assert_eq!(here.me(), "alice");
    assert_eq!(both(&app, "bob").me(), "bob");
}

#[test]
fn a_logout_everywhere_by_a_cookie_of_flask_ends_our_logins_too() {
    let app = app().start();
    let mut here = app.logged_in("alice");
    let mut there = both(&app, "alice");
    assert_eq!(
        there.post("/logout-everywhere", "").body,
        "logged out everywhere"
    );
    assert_eq!([here.me(), there.me()], ["anonymous", "anonymous"]);
    assert!(there.cookies.is_empty());
}

#[login_required]
#[post("/password")]
async fn new_password(
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<(), LoginError> {
    let alice = users.change("alice", |alice| alice.password = "new".into());
    session.confirm_login(&alice).await
}

#[test]
fn a_new_password_ends_flasks_cookies_and_a_confirmation_alone_does_not() {
    let app = app().routes(routes![new_password]).start();
    let mut here = app.logged_in("alice");
    here.post("/confirm", "alice");
    assert_eq!(both(&app, "alice").me(), "alice");
    assert_eq!(here.post("/password", "").status, Status::Ok);
    assert_eq!(here.me(), "alice");
    assert_eq!(both(&app, "alice").me(), "anonymous");
}

/// Ends the user's other login.
#[post("/end-other")]
async fn end_other(session: LoginSession<'_, User>) -> Result<Status, LoginError> {
    let logins = session.logins().await?;
    let Some(other) = logins.iter().find(|login| !login.is_current) else {
        return Ok(Status::NotFound);
    };
    session.end_login(&other.handle).await?;
    Ok(Status::Ok)
}

#[test]
fn the_end_of_one_login_ends_flasks_cookies_in_its_browser() {
    let app = side_by_side()
        .with(|manager| manager.login_registry(MemoryRegistry::new()))
        .routes(routes![end_other])
        .start();
    let mut here = app.logged_in("alice");
    let mut there = both(&app, "alice");
    assert_eq!(there.me(), "alice");
    let began = Instant::now();
    while here.post("/end-other", "").status != Status::Ok {
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(10));
    }
    assert_eq!([here.me(), there.me()], ["alice", "anonymous"]);
    assert_eq!(both(&app, "alice").me(), "anonymous");
}

#[test]
fn a_logout_survives_a_new_secret_of_ours() {
    let list = Revocations::new();
    let accepting = || {
        list.app()
            .with(|manager| manager.accept_flask(crate::flask_cookies()))
    };
    let old = accepting().start();
    let mut browser = both(&old, "alice");
    assert_eq!(browser.me(), "alice");
    browser.post("/logout", "");
    let new = accepting()
        .set("secret_key", "q0Zf3mT8wB5vRkXyLh1uNc7sJd2gPaE9iOo4WtQxZ6Y=")
        .set("login.secret_key_fallbacks", [KEY])
        .start();
    assert_eq!(both(&new, "alice").me(), "anonymous");
    assert_eq!(both(&new, "bob").me(), "bob");
}

#[test]
fn a_logout_holds_on_every_server_that_shares_the_store() {
    let store = MemoryLog::with_clock(Clock::manual(START));
    let start = || {
        let log = store.clone();
        let app = app().with(|manager| manager.revocation_store(|_| Box::pin(async { Ok(log) })));
        app.start()
    };
    let [one, two] = [start(), start()];
    let mut here = with(&one, &[(SESSION, &session("alice"))]);
    let mut there = with(&two, &[(SESSION, &session_aged("alice", 20))]);
    assert_eq!([here.me(), there.me()], ["alice", "alice"]);
    assert_eq!(here.post("/logout", "").body, "logged out");
    // A server that starts later has read the whole store.
    let three = start();
    assert_eq!(both(&three, "alice").me(), "anonymous");
    assert_eq!(both(&three, "bob").me(), "bob");
    // The other browser has come across before, and its login goes on everywhere.
    let mut moved = there.clone();
    moved.app = &three;
    assert_eq!([there.me(), moved.me()], ["alice", "alice"]);
}

#[test]
fn side_by_side_a_logout_removes_flasks_cookies_too() {
    let app = side_by_side().start();
    let mut browser = both(&app, "alice");
    assert_eq!(browser.me(), "alice");
    let reply = browser.post("/logout", "");
    assert!(reply.removes(SESSION) && reply.removes(REMEMBER));
    assert!(browser.cookies.is_empty());
}

#[test]
fn side_by_side_a_later_login_at_flask_counts_again() {
    let app = side_by_side().start();
    let mut browser = both(&app, "alice");
    assert_eq!(browser.me(), "alice");
    browser.post("/logout", "");
    app.clock.advance(Duration::from_secs(10));
    let mut again = with(&app, &[(SESSION, &session_aged("alice", -5))]);
    assert_eq!(again.me(), "alice");
    // It has no date, so nobody knows that it is new.
    assert_eq!(
        with(&app, &[(REMEMBER, &remember("alice"))]).me(),
        "anonymous"
    );
}

#[test]
fn a_logout_removes_cookies_of_flask_that_browsers_hide_below_a_path() {
    let cookies = crate::flask_cookies()
        .session_cookie_path("/shop")
        .remember_cookie_name("shop");
    let app = crate::accepting(cookies).start();
    let reply = app.logged_in("alice").post("/logout", "");
    let removal = reply.cookie(SESSION).unwrap();
    assert_eq!((removal.path(), removal.value()), (Some("/shop"), ""));
    assert!(reply.cookie("shop").is_none());
}
