//! Requests that are under way at the same time carry the same cookies, and arrive in any order.

use rocket::http::Status;
use rocket::{State, post, routes};
use rocket_login::testing::Clock;
use rocket_login::testing::store::MemoryLog;
use rocket_login::{EventKind, LoginError, LoginSession};

use super::support::{
    BOTH, DAY, HOUR, MINUTE, assert_ignored, assert_refused, assert_replaced, logged, script,
};
use crate::common::revocations::Revocations;
use crate::common::{App, REMEMBER, SESSION, START, User, Users};

#[test]
fn a_logout_ends_what_a_confirmation_has_put_in_its_place() {
    // Promise 2, R24, R28: the browser sends both requests before it gets an answer.
    for verb in ["/logout", "/logout-everywhere"] {
        let app = App::new().start();
        let mut elsewhere = app.remembered("alice");
        let mut browser = app.remembered("alice");
        let mut late = browser.clone();
        assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
        assert_eq!(late.post(verb, "").status, Status::Ok, "{verb}");
        assert_refused(&browser);
        for name in BOTH {
            assert_refused(&browser.with_only(name));
        }
        let is_everywhere = verb == "/logout-everywhere";
        assert_eq!(elsewhere.me() == "alice", !is_everywhere, "{verb}");
    }
}

#[test]
fn a_logout_ends_the_logins_that_have_replaced_its_own() {
    for verb in ["/logout", "/logout-everywhere"] {
        for user in ["alice", "bob"] {
            let app = App::new().start();
            let mut browser = app.logged_in("alice");
            let mut late = browser.clone();
            // Remembered, so that they live longer than the login of the late request.
            browser.post("/login", &format!("user={user}&remember=on"));
            browser.post("/login", "user=alice&remember=on");
            assert_eq!(browser.me(), "alice");
            assert_eq!(late.post(verb, "").status, Status::Ok, "{verb}");
            for wait in [0, 2 * DAY, 300 * DAY] {
                app.forward(wait);
                for name in BOTH {
                    assert_refused(&browser.with_only(name));
                }
            }
        }
    }
}

#[test]
fn of_two_logins_at_once_the_later_one_counts() {
    let app = App::new().start();
    let mut first = app.remembered("alice");
    let mut second = first.clone();
    first.post("/login", "user=alice&remember=on");
    second.post("/login", "user=bob&remember=on");
    assert_refused(&first);
    assert_eq!(second.me(), "bob");
}

#[test]
fn a_login_replaces_two_logins_of_one_browser_and_one_logout_ends_it() {
    // The session cookie is of the second login, the remember cookie of the first.
    let app = App::new().start();
    let first = app.remembered("alice");
    let mut browser = first.clone();
    browser.login("alice");
    browser
        .cookies
        .insert(REMEMBER.into(), first.cookies[REMEMBER].clone());
    let before = browser.clone();
    browser.login("alice");
    assert_eq!(browser.me(), "alice");
    for name in BOTH {
        let mut browser = browser.clone();
        browser.login("alice");
        assert_eq!(browser.me(), "alice");
        before.with_only(name).post("/logout", "");
        assert_refused(&browser.with_only(SESSION));
    }
}

#[test]
fn a_late_request_removes_none_of_the_new_cookies() {
    // K9: also from a session that was idle for too long when its user logged in again.
    for (verb, form, wait) in [
        ("/confirm", "alice", 0),
        ("/login", "user=alice&remember=on", 0),
        ("/login", "user=alice&remember=on", 2 * HOUR),
    ] {
        let app = App::new().start();
        let mut browser = app.remembered("alice");
        app.forward(wait);
        let late = browser.clone();
        browser.post(verb, form);
        app.forward(MINUTE - 1);
        for name in BOTH {
            assert_ignored(&late.with_only(name));
        }
        app.forward(1);
        assert_refused(&late);
        assert_eq!(browser.me(), "alice");
    }
    // Also after a second confirmation.
    let app = App::new().start();
    let mut browser = app.remembered("alice");
    let late = browser.clone();
    for _ in 0..2 {
        browser.post("/confirm", "alice");
    }
    assert_replaced(&late);
    assert_eq!(browser.me(), "alice");
    // Also if the handler has ended all other logins before, as after a change of the password.
    for (lines, store) in [
        ("end alice, confirm alice", false),
        ("end alice, confirm alice", true),
        ("end alice, login alice", false),
        ("end alice, login alice", true),
        ("everywhere, login alice", false),
        ("realm, confirm alice", false),
    ] {
        let app = App::new().routes(routes![script]);
        let log = MemoryLog::with_clock(Clock::manual(START));
        let app = app.with(|manager| {
            if store {
                manager.revocation_store(|_| Box::pin(async { Ok(log) }))
            } else {
                manager
            }
        });
        let app = app.start();
        let mut browser = app.remembered("alice");
        let late = browser.clone();
        browser.run(lines);
        assert_ignored(&late);
        // The dates of a store lie ahead.
        app.forward(MINUTE + 2);
        assert_refused(&late);
        assert_eq!(browser.me(), "alice", "{lines}");
        late.clone().post("/logout", "");
        assert_refused(&browser);
    }
    // After a logout nothing is left to lose.
    let app = App::new().start();
    let mut browser = app.remembered("alice");
    let late = browser.clone();
    browser.post("/confirm", "alice");
    browser.post("/logout", "");
    assert_refused(&late);
}

#[test]
fn two_logins_at_once_leave_no_mixture() {
    // T85: alice ticks the box, bob does not; the browser gets both answers, in either order.
    for order in [["alice&remember=on", "bob"], ["bob", "alice&remember=on"]] {
        let app = App::new().start();
        let mut browser = app.browser();
        for form in order {
            // Each request was sent without cookies.
            let reply = app.browser().post("/login", &format!("user={form}"));
            for cookie in reply.set_cookies() {
                let (name, value) = (cookie.name().to_owned(), cookie.value().to_owned());
                if value.is_empty() {
                    browser.cookies.remove(&name);
                } else {
                    browser.cookies.insert(name, value);
                }
            }
        }
        let user = browser.me();
        browser.restart();
        let left = browser.me();
        assert!(left == user || left == "anonymous", "{user}, then {left}");
    }
}

#[test]
fn a_remember_cookie_of_another_login_is_removed_beside_a_session() {
    let app = App::new().start();
    let mut browser = app.logged_in("alice");
    let bob = app.remembered("bob").cookies[REMEMBER].clone();
    browser.cookies.insert(REMEMBER.into(), bob);
    let reply = browser.get("/me");
    assert_eq!(reply.body, "alice");
    assert!(reply.removes(REMEMBER));
    browser.restart();
    assert_eq!(browser.me(), "anonymous");
}

#[test]
fn a_logout_is_remembered_as_long_as_any_of_its_tokens() {
    // R24: the session was given under a longer setting than the one that holds at the logout.
    let list = Revocations::new();
    let app = |lifetime: &str| {
        list.app()
            .set("login.permanent_session_lifetime", lifetime)
            .start()
    };
    let before = app("90 days");
    let login = before.logged_in_with("alice", "permanent=on&remember=on&duration=3600");
    let after = app("1 day");
    let thief = after.visited_by(&login);
    after.visited_by(&login).post("/logout", "");
    for days in [0, 5, 40, 44] {
        after.forward(days * DAY);
        assert_refused(&thief.with_only(SESSION));
    }
}

#[test]
fn applications_that_share_a_list_share_no_users() {
    let list = Revocations::new();
    let of = |audience: &str| list.app().set("login.audience", audience).start();
    let [shop, office] = ["shop", "office"].map(of);
    let mut alice = office.remembered("alice");
    shop.remembered("alice").post("/logout-everywhere", "");
    assert_eq!(alice.status(), "fresh=true remembered=true");
    // The control: another server of the same application.
    let twin = of("shop");
    let mut alice = twin.remembered("alice");
    shop.remembered("alice").post("/logout-everywhere", "");
    assert_eq!(alice.me(), "anonymous");
}

#[post("/login-then/<code>", data = "<name>")]
async fn login_then(
    code: u16,
    name: &str,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Status, LoginError> {
    session
        .login_user(&users.get(name).unwrap())
        .remember(true)
        .await?;
    Ok(Status::new(code))
}

#[post("/confirm-then/<code>")]
async fn confirm_then(
    code: u16,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Status, LoginError> {
    session.confirm_login(&users.get("alice").unwrap()).await?;
    Ok(Status::new(code))
}

#[test]
fn a_server_error_undoes_a_login() {
    // T36: nothing is granted on a 5xx.
    let list = Revocations::new();
    let (app, log) = logged(list.app().routes(routes![login_then]));
    for code in [500, 503, 599] {
        let mut browser = app.remembered("alice");
        let before = browser.clone();
        log.take();
        let ended = list.ended().len();
        let reply = browser.post(&format!("/login-then/{code}"), "bob");
        assert_eq!(reply.status.code, code);
        assert!(reply.set_cookies().is_empty(), "{reply:?}");
        let emitted: Vec<_> = log.take().into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(emitted, [EventKind::LoggedIn, EventKind::LoggedOut]);
        // The old login, and the new one.
        assert!(list.ended().len() > ended);
        assert_refused(&before);
    }
    for code in [200, 404] {
        let mut browser = app.browser();
        browser.post(&format!("/login-then/{code}"), "bob");
        assert_eq!(browser.me(), "bob", "{code}");
    }
}

#[test]
fn a_server_error_delivers_a_confirmation_that_is_not_fresh() {
    // Its old session id has ended, so the browser would be logged out without the new one.
    let app = App::new().routes(routes![confirm_then]).start();
    let mut browser = app.remembered("alice");
    let before = browser.clone();
    assert_eq!(browser.post("/confirm-then/500", "").status.code, 500);
    assert_eq!(browser.status(), "fresh=false remembered=true");
    assert_eq!(browser.get("/fresh").status, Status::SeeOther);
    assert_replaced(&before);
}
