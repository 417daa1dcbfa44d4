//! Streams that end with the login.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rocket::http::{CookieJar, Status};
use rocket::{State, get, post, routes};
use rocket_login::revocation::RevocationError;
use rocket_login::{LoginError, LoginSession, login_required, request_loader};

use crate::common::revocations::Revocations;
use crate::common::streams::{Ends, Stream, stream};
use crate::common::{App, Running, User, Users};

#[get("/open-stream")]
fn open_stream(session: LoginSession<'_, User>, ends: &State<Ends>) {
    ends.push(session.ended());
}

/// Changes the login, and begins a stream in the same handler.
#[login_required]
#[post("/stream/<change>")]
async fn after(
    change: &str,
    user: &User,
    session: LoginSession<'_, User>,
    ends: &State<Ends>,
) -> Result<(), LoginError> {
    match change {
        "login" => session.login_user(user).await?,
        "confirm" => session.confirm_login(user).await?,
        _ => session.logout_user().await?,
    }
    ends.push(session.ended());
    Ok(())
}

fn app() -> App {
    App::new().routes(routes![stream, open_stream, after])
}

fn start(app: App) -> Running {
    app.start_with(|rocket| rocket.manage(Ends::default()))
}

#[test]
fn a_stream_ends_with_each_kind_of_logout_and_no_other_stream_does() {
    for logout in ["/logout", "/logout-everywhere"] {
        let app = start(app());
        let mut browser = app.remembered("alice");
        let (mut mine, mut other) = (
            Stream::begin(&mut browser),
            Stream::begin(&mut app.logged_in("bob")),
        );
        assert!(!mine.has_ended());
        browser.post(logout, "");
        assert!(mine.has_ended(), "{logout}");
        assert!(mine.has_ended(), "{logout}: it stays so");
        assert!(!other.has_ended(), "{logout}");
    }
}

#[test]
fn a_stream_of_a_login_that_was_replaced_ends_with_it() {
    let app = start(app());
    let mut browser = app.logged_in("alice");
    let mut confirmed = Stream::begin(&mut browser);
    browser.post("/confirm", "alice");
    assert!(confirmed.has_ended());
    let mut replaced = Stream::begin(&mut browser);
    let before = browser.clone();
    browser.login("alice");
    assert!(replaced.has_ended());
    // A logout with the cookies from before the login.
    let mut last = Stream::begin(&mut browser);
    assert!(!last.has_ended());
    before.clone().post("/logout", "");
    assert!(last.has_ended());
}

#[test]
fn a_stream_that_begins_after_a_change_lasts_as_long_as_the_new_login() {
    let app = start(app());
    let mut browser = app.logged_in("alice");
    for (change, has_ended) in [("login", false), ("confirm", false), ("logout", true)] {
        assert_eq!(
            browser.post(&format!("/stream/{change}"), "").status,
            Status::Ok
        );
        let mut stream = Stream::last(&app);
        assert_eq!(stream.has_ended(), has_ended, "{change}");
        browser.clone().post("/logout", "");
        assert!(stream.has_ended(), "{change}");
        browser = app.logged_in("alice");
    }
}

#[test]
fn a_stream_ends_in_the_second_in_which_its_cookie_is_refused() {
    let hour = 60 * 60;
    for (form, idle, end) in [
        ("permanent=off", true, hour),
        ("permanent=off", false, 24 * hour),
        ("permanent=on", true, 31 * 24 * hour),
        // The remember cookie would restore the login: the client connects again.
        ("remember=on", false, 24 * hour),
    ] {
        let app = if idle {
            start(app())
        } else {
            start(app().set("login.session_idle_timeout", false))
        };
        let mut browser = app.logged_in_with("alice", form);
        let mut stream = Stream::begin(&mut browser);
        app.clock.advance(Duration::from_secs(end - 1));
        assert!(!stream.has_ended(), "{form} {idle}");
        app.clock.advance(Duration::from_secs(1));
        assert!(stream.has_ended(), "{form} {idle}");
    }
}

#[test]
fn a_login_that_is_used_elsewhere_goes_on_with_a_new_stream() {
    let app = start(app());
    let mut browser = app.logged_in("alice");
    let mut stream = Stream::begin(&mut browser);
    app.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(browser.me(), "alice");
    app.clock.advance(Duration::from_secs(30 * 60));
    assert!(stream.has_ended());
    assert!(!Stream::begin(&mut browser).has_ended());
}

#[test]
fn a_list_of_the_applications_ends_streams_at_once_here_and_soon_for_a_logout_elsewhere() {
    let list = Revocations::new();
    let on = |list: &Revocations| start(list.app().routes(routes![stream]));
    let (here, elsewhere) = (on(&list), on(&list));
    for (server, limit) in [
        (&here, Duration::from_millis(300)),
        (&elsewhere, Duration::from_secs(6)),
    ] {
        let mut browser = here.logged_in("alice");
        let mut stream = Stream::begin(&mut browser);
        assert!(!stream.has_ended());
        let mut there = server.browser();
        there.cookies = browser.cookies;
        there.post("/logout", "");
        assert!(stream.ends_within(limit));
    }
}

#[test]
fn a_stream_whose_login_cannot_be_judged_ends() {
    static IS_DOWN: AtomicBool = AtomicBool::new(false);
    let list = Revocations::after(|_| {
        Box::pin(async {
            if IS_DOWN.load(Ordering::Relaxed) {
                return Err(RevocationError::new("the list is down"));
            }
            Ok(())
        })
    });
    let app = start(list.app().routes(routes![stream]));
    let mut browser = app.logged_in("alice");
    let mut stream = Stream::begin(&mut browser);
    assert!(!stream.has_ended());
    IS_DOWN.store(true, Ordering::Relaxed);
    assert!(stream.ends_within(Duration::from_secs(6)));
    assert_eq!(browser.get("/stream").status, Status::ServiceUnavailable);
}

#[request_loader]
fn by_key(jar: &CookieJar<'_>, users: &State<Users>) -> Option<User> {
    users.get(jar.get("key")?.value())
}

#[test]
fn a_user_with_a_key_must_show_it_again_after_the_lifetime_of_a_session() {
    let app = start(app().with(|manager| manager.request_loader(by_key)));
    let mut browser = app.browser();
    browser.cookies.insert("key".into(), "alice".into());
    let mut stream = Stream::begin(&mut browser);
    app.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    assert!(!stream.has_ended());
    app.clock.advance(Duration::from_secs(1));
    assert!(stream.has_ended());
}

#[test]
fn a_stream_of_nobody_ends_at_once() {
    let app = start(app());
    for mut browser in [app.browser(), app.logged_in("alice")] {
        // No guard has asked, so the login is unknown; the log says so.
        assert_eq!(browser.get("/open-stream").status, Status::Ok);
        assert!(Stream::last(&app).has_ended());
    }
}
