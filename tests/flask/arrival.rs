//! What a login is here that came across from Flask.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rocket::http::Status;
use rocket::{State, get, routes};
use rocket_login::config::AtLimit;
use rocket_login::logins::{
    Begin, Begun, KnownClient, LoginId, LoginRegistry, LoginRow, MemoryRegistry, RegistryError,
    Restored, RowUser, UnixTime,
};
use rocket_login::testing::Clock;
use rocket_login::testing::store::MemoryLog;
use rocket_login::{EventKind, LoginError, LoginEvent, LoginSession, event_listener};
use serde_json::json;

use crate::common::{self, App, START, User};
use crate::signed::{OLDER, SECRET, remember, remember_of, session, session_aged, session_of};
use crate::{REMEMBER, SESSION, accepting, app, flask_cookies, side_by_side, with};

#[test]
fn a_session_of_flask_logs_its_user_in_and_is_removed() {
    let app = app().start();
    let mut browser = with(&app, &[(SESSION, &session("alice"))]);
    let reply = browser.get("/private");
    assert_eq!(reply.body, "private of alice");
    assert!(reply.removes(SESSION));
    let ours = reply.cookie(common::SESSION).unwrap();
    assert_eq!(ours.max_age(), None);
    assert!(reply.cookie(common::REMEMBER).is_none());
    assert_eq!(
        browser.cookies.keys().collect::<Vec<_>>(),
        [common::SESSION]
    );
    assert_eq!(browser.me(), "alice");
}

#[test]
fn a_remember_cookie_of_flask_login_becomes_one_of_ours() {
    // In the debug profile both have the same name, so ours takes the place of Flask's.
    let app = app().start();
    let mut browser = with(&app, &[(REMEMBER, &remember("alice"))]);
    let reply = browser.get("/me");
    assert_eq!(reply.body, "alice");
    assert!(!reply.removes(common::REMEMBER));
    assert_eq!(browser.get("/status").body, "fresh=false remembered=true");
    browser.restart();
    assert_eq!(browser.me(), "alice");
}

#[test]
fn a_remember_cookie_of_another_name_is_removed() {
    let app = app().set("login.remember_cookie_name", "ours").start();
    let mut browser = with(
        &app,
        &[(REMEMBER, &remember("alice")), (SESSION, &session("alice"))],
    );
    let reply = browser.get("/me");
    assert_eq!(reply.body, "alice");
    assert!(reply.removes(REMEMBER) && reply.removes(SESSION));
    let names: Vec<_> = browser.cookies.keys().collect();
    assert_eq!(names, [common::SESSION, "ours"]);
}

#[test]
fn nobody_who_comes_across_is_fresh() {
    let app = app().start();
    for cookie in [(SESSION, session("alice")), (REMEMBER, remember("alice"))] {
        let mut browser = with(&app, &[(cookie.0, &cookie.1)]);
        let refused = browser.get("/fresh");
        assert_eq!(refused.location(), Some("/confirm?next=%2Ffresh"));
        assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
        assert_eq!(browser.get("/fresh").body, "fresh alice");
    }
}

#[test]
fn a_first_request_may_confirm_the_login() {
    let app = app().start();
    let mut browser = with(
        &app,
        &[(SESSION, &session("alice")), (REMEMBER, &remember("alice"))],
    );
    assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
    assert_eq!(browser.get("/status").body, "fresh=true remembered=true");
    assert!(!browser.cookies.contains_key(SESSION));
}

#[test]
fn a_permanent_session_becomes_a_permanent_login() {
    let app = app().start();
    let data = json!({ "_user_id": "alice", "_fresh": true, "_permanent": true });
    let mut browser = with(&app, &[(SESSION, &session_of(SECRET, &data, 60))]);
    let reply = browser.get("/me");
    let cookie = reply.cookie(common::SESSION).unwrap();
    assert_eq!(cookie.max_age().unwrap().whole_days(), 31);
}

#[test]
fn our_own_login_wins() {
    let app = app().start();
    let mut browser = app.logged_in("bob");
    browser.cookies.insert(SESSION.into(), session("alice"));
    let reply = browser.get("/me");
    assert_eq!(reply.body, "bob");
    assert_eq!(reply.header("Set-Cookie"), None);
}

#[test]
fn a_retired_key_of_flask_verifies_sessions_and_no_remember_cookie() {
    // As in Flask-Login, which reads remember cookies with the current key alone.
    let cookies = flask_cookies().secret_key_fallbacks([OLDER]);
    let app = accepting(cookies).start();
    let old = session_of(OLDER, &json!({ "_user_id": "alice" }), 60);
    assert_eq!(with(&app, &[(SESSION, &old)]).me(), "alice");
    assert_eq!(
        with(&app, &[(REMEMBER, &remember_of(OLDER, "alice"))]).me(),
        "anonymous"
    );
}

#[test]
fn side_by_side_the_cookies_of_flask_stay() {
    let app = side_by_side().start();
    let cookies = [
        (SESSION, &*session("alice")),
        (REMEMBER, &*remember("alice")),
    ];
    let mut browser = with(&app, &cookies);
    let reply = browser.get("/me");
    assert_eq!(reply.body, "alice");
    assert!(!reply.removes(SESSION) && !reply.removes(REMEMBER));
    // When our session is over, Flask's brings the user across again.
    browser.cookies.retain(|name, _| name == SESSION);
    assert_eq!(browser.me(), "alice");
}

#[test]
fn a_login_here_takes_the_place_of_one_at_flask() {
    let moved = app().set("login.remember_cookie_name", "ours").start();
    let beside = side_by_side().start();
    let cookies = [
        (SESSION, &*session("alice")),
        (REMEMBER, &*remember("alice")),
    ];
    for (app, user, stays) in [
        (&moved, "bob", false),
        (&moved, "alice", false),
        (&beside, "bob", false),
        (&beside, "alice", true),
    ] {
        let mut browser = with(app, &cookies);
        browser.login(user);
        assert_eq!(browser.me(), user);
        for name in [SESSION, REMEMBER] {
            assert_eq!(browser.cookies.contains_key(name), stays, "{user} {name}");
        }
    }
}

#[test]
fn an_id_is_converted_or_nobody() {
    let cookies = flask_cookies().convert_id(|id| match id {
        "user-panics" => panic!("a mistake of the application"),
        _ => id.strip_prefix("user-").map(str::to_owned),
    });
    let app = accepting(cookies).start();
    assert_eq!(
        with(&app, &[(SESSION, &session("user-alice"))]).me(),
        "alice"
    );
    assert_eq!(
        with(&app, &[(REMEMBER, &remember("user-alice"))]).me(),
        "alice"
    );
    for id in ["alice", "staff-alice", "user-", "user-panics"] {
        let reply = with(&app, &[(SESSION, &session(id))]).get("/me");
        assert_eq!(
            (reply.status, &*reply.body),
            (Status::Ok, "anonymous"),
            "{id}"
        );
    }
    // The user of another manager: the cookie stays for that one.
    let reply = with(&app, &[(SESSION, &session("staff-alice"))]).get("/me");
    assert!(!reply.removes(SESSION));
}

#[get("/logins")]
async fn logins(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    Ok(session.logins().await?.len().to_string())
}

#[test]
fn a_login_that_comes_across_enters_the_registry_once() {
    let app = app()
        .with(|manager| manager.login_registry(MemoryRegistry::new()))
        .routes(routes![logins])
        .start();
    let mut browser = with(&app, &[(SESSION, &session("alice"))]);
    let mut parallel = browser.clone();
    assert_eq!([browser.me(), parallel.me()], ["alice", "alice"]);
    let began = Instant::now();
    while browser.get("/logins").body != "1" {
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_remember_cookie_that_came_across_is_counted_from_its_first_restore_on() {
    let app = app()
        .with(|manager| manager.login_registry(MemoryRegistry::new()))
        .start();
    let mut browser = with(&app, &[(REMEMBER, &remember("alice"))]);
    assert_eq!(browser.me(), "alice");
    let mut thief = browser.clone();
    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(60));
        browser.restart();
        assert_eq!(browser.me(), "alice");
    }
    thief.restart();
    assert_eq!(thief.me(), "anonymous");
    assert_eq!(browser.me(), "anonymous", "the copy was noticed");
}

#[test]
fn two_browsers_that_look_alike_and_have_one_remember_cookie_do_not_share_a_login() {
    let app = app()
        .with(|manager| manager.login_registry(MemoryRegistry::new()))
        .start();
    let come = || {
        app.clock.advance(Duration::from_secs(600));
        let mut browser = with(&app, &[(REMEMBER, &remember("alice"))]);
        assert_eq!(browser.me(), "alice");
        browser
    };
    let [mut one, mut other, mut third] = [come(), come(), come()];
    third.post("/confirm", "alice");
    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(60));
        one.restart();
        assert_eq!(one.me(), "alice");
    }
    other.restart();
    assert_eq!([other.me(), one.me(), third.me()], ["alice"; 3]);
    third.post("/logout", "");
    assert_eq!([other.me(), one.me()], ["alice"; 2]);
}

#[test]
fn side_by_side_a_browser_that_comes_across_again_begins_another_login() {
    let app = side_by_side()
        .with(|manager| manager.login_registry(MemoryRegistry::new()))
        .set("login.remember_cookie_duration", "30 days")
        .start();
    let mut browser = with(&app, &[(REMEMBER, &remember("alice"))]);
    assert_eq!(browser.me(), "alice");
    for days in [0, 31] {
        app.clock.advance(Duration::from_secs(days * 86_400));
        browser.restart();
        if days > 0 {
            browser.cookies.remove("our_remember_token");
        }
        for _ in 0..3 {
            assert_eq!(browser.me(), "alice", "after {days} days");
            app.clock.advance(Duration::from_secs(60));
            browser.restart();
        }
    }
}

/// At most two logins of a user.
fn limited(limit: AtLimit) -> App {
    app()
        .with(|manager| manager.login_registry(MemoryRegistry::new()))
        .set("login.max_logins_per_user", 2)
        .with(|manager| manager.at_login_limit(limit))
        .routes(routes![logins])
}

#[test]
fn a_login_that_comes_across_ends_the_oldest_one_beyond_the_limit() {
    let app = limited(AtLimit::End).start();
    let mut first = app.logged_in("alice");
    app.clock.advance(Duration::from_secs(1));
    let mut second = app.logged_in("alice");
    app.clock.advance(Duration::from_secs(1));
    let mut came = with(&app, &[(SESSION, &session("alice"))]);
    let mut parallel = came.clone();
    assert_eq!([came.me(), parallel.me()], ["alice", "alice"]);
    assert_eq!([first.me(), second.me()], ["anonymous", "alice"]);
    assert_eq!(came.get("/logins").body, "2");
    // It is now the oldest but one, and ends in its turn.
    app.clock.advance(Duration::from_secs(1));
    for id in ["alice", "bob"] {
        with(&app, &[(SESSION, &session_aged(id, 30))]).me();
    }
    assert_eq!([second.me(), came.me()], ["anonymous", "alice"]);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(with(&app, &[(REMEMBER, &remember("alice"))]).me(), "alice");
    assert_eq!([came.me(), parallel.me()], ["anonymous", "anonymous"]);
}

#[test]
fn a_login_that_comes_across_is_refused_beyond_the_limit_if_that_is_set() {
    let app = limited(AtLimit::Refuse).start();
    let mut first = app.logged_in("alice");
    let mut came = with(&app, &[(SESSION, &session("alice"))]);
    let mut parallel = came.clone();
    assert_eq!([came.me(), parallel.me()], ["alice", "alice"]);
    let late = with(&app, &[(SESSION, &session_aged("alice", -10))]);
    let mut third = late.clone();
    let refused = third.get("/me");
    assert_eq!(refused.body, "anonymous");
    assert!(refused.removes(SESSION), "as every login that is refused");
    assert_eq!(came.get("/logins").body, "2");
    assert_eq!(with(&app, &[(SESSION, &session("bob"))]).me(), "bob");
    first.post("/logout", "");
    assert_eq!(late.clone().me(), "alice");
}

/// A registry that cannot be reached.
struct Down;

#[rocket::async_trait]
impl LoginRegistry for Down {
    async fn begin(&self, _: &Begin) -> Result<Begun, RegistryError> {
        Err(RegistryError::new("down"))
    }

    async fn rows(&self, _: &[RowUser], _: UnixTime) -> Result<Vec<LoginRow>, RegistryError> {
        Err(RegistryError::new("down"))
    }

    async fn renew(&self, _: &LoginRow, _: &[RowUser]) -> Result<(), RegistryError> {
        Err(RegistryError::new("down"))
    }

    async fn restore(&self, _: &LoginRow, _: &[RowUser]) -> Result<Restored, RegistryError> {
        Err(RegistryError::new("down"))
    }

    async fn end(&self, _: &[RowUser], _: &[LoginId]) -> Result<(), RegistryError> {
        Err(RegistryError::new("down"))
    }

    async fn remember_client(&self, _: RowUser, _: &KnownClient) -> Result<(), RegistryError> {
        Err(RegistryError::new("down"))
    }
}

#[test]
fn nobody_comes_across_while_logins_cannot_be_counted_unless_a_setting_allows_it() {
    let down = || limited(AtLimit::End).with(|manager| manager.login_registry(Down));
    let strict = down().start();
    let reply = with(&strict, &[(SESSION, &session("alice"))]).get("/me");
    assert_eq!(reply.status, Status::ServiceUnavailable);
    assert!(reply.set_cookies().is_empty(), "the cookie can come again");
    let lenient = down().set("login.require_login_registry", false).start();
    assert_eq!(
        with(&lenient, &[(SESSION, &session("alice"))]).me(),
        "alice"
    );
}

#[derive(Clone, Default)]
struct Came(Arc<AtomicUsize>);

#[event_listener]
fn count(event: &LoginEvent<'_, User>, came: &State<Came>) {
    if event.kind == EventKind::LoadedFromFlask {
        assert_eq!(event.user.map(|user| &*user.id), Some("alice"));
        assert!(event.log_id.is_some());
        came.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn each_login_that_comes_across_is_an_event() {
    let came = Came::default();
    let app = app()
        .with(|manager| manager.event_listener(count))
        .start_with(|rocket| rocket.manage(came.clone()));
    let mut browser = with(&app, &[(SESSION, &session("alice"))]);
    browser.me();
    browser.me();
    assert_eq!(came.0.load(Ordering::Relaxed), 1);
    with(&app, &[(SESSION, &session("nobody"))]).me();
    with(&app, &[(REMEMBER, &remember("alice"))]).me();
    assert_eq!(came.0.load(Ordering::Relaxed), 2);
}

#[test]
fn a_login_that_comes_across_is_valid_under_a_store_whose_clock_is_ahead() {
    let log = MemoryLog::with_clock(Clock::manual(START + 60 * 60));
    let app = app().with(|manager| manager.revocation_store(|_| Box::pin(async { Ok(log) })));
    let app = app.start();
    let cookies = [(SESSION, session("alice")), (REMEMBER, remember("alice"))];
    for (name, cookie) in cookies {
        let mut browser = with(&app, &[(name, &cookie)]);
        for _ in 0..2 {
            assert_eq!(browser.me(), "alice", "{name}");
        }
    }
}
