//! Flask's cookies that log nobody in.

use std::future::ready;
use std::mem::discriminant;
use std::sync::Mutex;
use std::time::Duration;

use rocket::http::{Method, Status};
use rocket::local::blocking::Client;
use rocket::{get, routes};
use rocket_login::config::SessionProtection;
use rocket_login::revocation::RevocationError;
use rocket_login::{CurrentUser, LoginManager, UserMixin, user_loader};
use serde_json::json;
use sha2::{Digest, Sha512};

use crate::common::START;
use crate::common::revocations::{Call, Revocations};
use crate::signed::{OLDER, SECRET, remember, remember_of, session, session_aged, session_of};
use crate::{REMEMBER, SESSION, accepting, app, flask_cookies, with};

const DAY: i64 = 24 * 60 * 60;

#[test]
fn a_session_lasts_as_long_as_flask_says() {
    let month = app().start();
    let week =
        accepting(flask_cookies().permanent_session_lifetime(Duration::from_secs(7 * 86_400)));
    let week = week.start();
    for (app, age, user) in [
        (&month, 31 * DAY, "alice"),
        (&month, 31 * DAY + 1, "anonymous"),
        (&week, 7 * DAY, "alice"),
        (&week, 7 * DAY + 1, "anonymous"),
        (&month, -60, "alice"),
        (&month, -61, "anonymous"),
    ] {
        let reply = with(app, &[(SESSION, &session_aged("alice", age))]).get("/me");
        assert_eq!(reply.body, user, "{age}");
        assert!(reply.removes(SESSION), "{age}");
    }
}

#[test]
fn an_expired_session_does_not_hide_the_remember_cookie() {
    let app = app().start();
    let expired = session_aged("alice", 32 * DAY);
    let mut browser = with(&app, &[(SESSION, &expired), (REMEMBER, &remember("alice"))]);
    assert_eq!(browser.me(), "alice");
}

#[test]
fn what_flask_has_not_signed_is_nobody_and_stays() {
    let app = app().start();
    let genuine = session("alice");
    let no_date = genuine.split('.').next().unwrap();
    let of_bob = session("bob");
    let tag = genuine.rsplit('.').next().unwrap();
    let spliced = format!("{}.{tag}", of_bob.rsplit_once('.').unwrap().0);
    let token = remember("alice");
    for (name, value) in [
        (
            SESSION,
            session_of(OLDER, &json!({ "_user_id": "alice" }), 60),
        ),
        (SESSION, session_of("", &json!({ "_user_id": "alice" }), 60)),
        (SESSION, spliced),
        (SESSION, no_date.to_owned()),
        (SESSION, format!("{genuine}=")),
        (SESSION, genuine[..genuine.len() - 1].to_owned()),
        (SESSION, token.clone()),
        (
            SESSION,
            session_of(SECRET, &json!({ "cart": ["alice"] }), 60),
        ),
        (REMEMBER, remember_of(OLDER, "alice")),
        (REMEMBER, token.replace("alice", "bob")),
        (REMEMBER, token.to_uppercase()),
        (REMEMBER, "alice|".into()),
        (REMEMBER, "alice".into()),
        (REMEMBER, genuine),
    ] {
        let reply = with(&app, &[(name, &value)]).get("/me");
        assert_eq!(reply.body, "anonymous", "{value}");
        assert_eq!(reply.header("Set-Cookie"), None, "{value}");
    }
}

#[test]
fn a_user_who_is_gone_or_inactive_is_nobody() {
    let app = app().start();
    app.users.change("bob", |bob| bob.active = false);
    for user in ["carol", "bob", "", &"x".repeat(257)] {
        for (name, value) in [(SESSION, session(user)), (REMEMBER, remember(user))] {
            let reply = with(&app, &[(name, &value)]).get("/me");
            assert_eq!(reply.body, "anonymous", "{user}");
            assert!(reply.removes(name), "{user}");
        }
    }
}

#[derive(UserMixin)]
struct Numbered {
    id: i64,
}

#[user_loader]
fn load_numbered(id: i64) -> Option<Numbered> {
    (id > 0).then_some(Numbered { id })
}

#[get("/number")]
fn number(user: CurrentUser<'_, Numbered>) -> String {
    user.user().map_or(0, |user| user.id).to_string()
}

#[test]
fn an_id_that_the_loader_cannot_read_is_nobody_and_keeps_its_cookie() {
    let manager = LoginManager::new(load_numbered).clock(crate::common::App::new().clock);
    let rocket = crate::common::bare()
        .attach(manager.accept_flask(flask_cookies()))
        .mount("/", routes![number]);
    let client = Client::untracked(rocket).unwrap();
    for (id, found, removed) in [("7", "7", true), ("user-7", "0", false)] {
        let request = client.get("/number").cookie((SESSION, session(id)));
        let response = request.dispatch();
        let removes = response
            .headers()
            .get("Set-Cookie")
            .any(|it| it.starts_with("session=;"));
        assert_eq!(removes, removed, "{id}");
        assert_eq!(response.into_string().unwrap(), found);
    }
}

#[test]
fn a_failing_loader_leaves_the_cookies_alone() {
    let app = app().start();
    app.users.fail(true);
    let mut browser = with(&app, &[(SESSION, &session("alice"))]);
    let reply = browser.get("/private");
    assert_eq!(reply.status, Status::ServiceUnavailable);
    assert_eq!(reply.header("Set-Cookie"), None);
    app.users.fail(false);
    assert_eq!(browser.me(), "alice");
}

#[test]
fn a_failing_list_brings_nobody_across_and_ends_nothing() {
    static BROKEN: Mutex<Option<Call>> = Mutex::new(None);
    let list = Revocations::after(|call| {
        let broken = *BROKEN.lock().unwrap();
        let is_broken = broken.is_some_and(|it| discriminant(&it) == discriminant(&call));
        let answer = if is_broken {
            Err(RevocationError::new("down"))
        } else {
            Ok(())
        };
        Box::pin(ready(answer))
    });
    let app = list
        .app()
        .with(|manager| manager.accept_flask(flask_cookies()))
        .start();
    let browser = with(&app, &[(SESSION, &session("alice"))]);
    for call in [Call::Date, Call::Status] {
        *BROKEN.lock().unwrap() = Some(call);
        let reply = browser.clone().get("/private");
        assert_eq!(reply.status, Status::ServiceUnavailable, "{call:?}");
        assert_eq!(reply.header("Set-Cookie"), None, "{call:?}");
    }
    for call in [Call::Revoke, Call::RevokeUser] {
        *BROKEN.lock().unwrap() = Some(call);
        let reply = browser.clone().post("/logout", "");
        assert_eq!(reply.status, Status::ServiceUnavailable, "{call:?}");
        assert_eq!(reply.header("Set-Cookie"), None, "{call:?}");
    }
    *BROKEN.lock().unwrap() = None;
    // The second logout had ended this login before it failed.
    assert_eq!(browser.clone().me(), "anonymous");
    assert_eq!(
        with(&app, &[(SESSION, &session_aged("alice", 1))]).me(),
        "alice"
    );
}

#[test]
fn strong_protection_compares_the_client_of_a_session() {
    let strong = app().with(|manager| manager.session_protection(SessionProtection::Strong));
    let (strong, basic) = (strong.start(), app().start());
    // As Flask-Login computes it.
    let id = data_encoding::HEXLOWER.encode(&Sha512::digest("b'192.0.2.1'|b'Firefox'"));
    let bound = |permanent: bool| {
        let data = json!({ "_user_id": "alice", "_id": id, "_permanent": permanent });
        session_of(SECRET, &data, 60)
    };
    for (app, permanent, address, agent, user) in [
        (&strong, false, "192.0.2.1", "Firefox", "alice"),
        (&strong, false, "192.0.2.2", "Firefox", "anonymous"),
        (&strong, false, "192.0.2.1", "Chrome", "anonymous"),
        // As in Flask-Login, a permanent session only turns stale, which it is already.
        (&strong, true, "192.0.2.2", "Firefox", "alice"),
        (&basic, false, "192.0.2.2", "Firefox", "alice"),
    ] {
        let browser = with(
            app,
            &[(SESSION, &bound(permanent)), (REMEMBER, &remember("alice"))],
        );
        let mut browser = browser.from(address).header("User-Agent", agent);
        assert_eq!(browser.me(), user, "{address} {agent}");
        assert!(!browser.cookies.contains_key(SESSION));
    }
}

#[test]
fn two_genuine_cookies_of_one_name_log_nobody_in() {
    let app = app().start();
    for (name, values) in [
        (SESSION, [session("alice"), session("bob")]),
        (
            SESSION,
            [session_aged("alice", 1), session_aged("alice", 2)],
        ),
        (REMEMBER, [remember("alice"), remember("bob")]),
    ] {
        let [one, two] = &values;
        let mut browser = app
            .browser()
            .header("Cookie", &format!("{name}={one}; {name}={two}"));
        let reply = browser.get("/me");
        assert_eq!(
            (&*reply.body, reply.header("Set-Cookie")),
            ("anonymous", None)
        );
        // What is not genuine does not count.
        let forged = session_of(OLDER, &json!({ "_user_id": "bob" }), 60);
        let mut browser = app
            .browser()
            .header("Cookie", &format!("{name}={forged}; {name}={one}"));
        assert_eq!(browser.me(), "alice");
    }
}

#[test]
fn a_request_that_another_site_sends_in_the_background_brings_nobody_across() {
    let app = app().start();
    let cookies = [(SESSION, &*session("alice"))];
    for (site, mode, dest, user) in [
        ("cross-site", "no-cors", "image", "anonymous"),
        ("cross-site", "cors", "empty", "anonymous"),
        ("cross-site", "navigate", "iframe", "anonymous"),
        ("cross-site", "navigate", "document", "alice"),
        ("same-site", "no-cors", "image", "alice"),
        ("same-origin", "cors", "empty", "alice"),
        ("none", "navigate", "document", "alice"),
    ] {
        let mut browser = with(&app, &cookies)
            .header("Sec-Fetch-Site", site)
            .header("Sec-Fetch-Mode", mode)
            .header("Sec-Fetch-Dest", dest);
        let reply = browser.get("/me");
        assert_eq!(reply.body, user, "{site} {mode} {dest}");
        assert_eq!(reply.set_cookies().is_empty(), user == "anonymous");
    }
    let mut browser = with(&app, &cookies).header("Origin", "https://evil.example");
    let reply = browser.send(Method::Post, "/private", Some(""));
    assert_eq!(reply.status, Status::Forbidden);
    assert_eq!(reply.header("Set-Cookie"), None);
}

#[test]
fn after_the_end_date_nothing_is_read() {
    let app = app().start();
    let end = 1_806_451_200; // 2027-03-31
    let age = i64::try_from(START).unwrap() - end;
    let value = session_aged("alice", age + 60);
    app.clock.set(end.unsigned_abs() - 1);
    assert_eq!(with(&app, &[(SESSION, &value)]).me(), "alice");
    app.clock.set(end.unsigned_abs());
    let reply = with(&app, &[(SESSION, &value), (REMEMBER, &remember("alice"))]).get("/me");
    assert_eq!(
        (&*reply.body, reply.header("Set-Cookie")),
        ("anonymous", None)
    );
}

#[test]
fn without_the_call_flasks_cookies_are_nothing() {
    let app = crate::common::App::new().start();
    let cookies = [
        (SESSION, &*session("alice")),
        (REMEMBER, &*remember("alice")),
    ];
    let reply = with(&app, &cookies).get("/me");
    assert_eq!(
        (&*reply.body, reply.header("Set-Cookie")),
        ("anonymous", None)
    );
}
