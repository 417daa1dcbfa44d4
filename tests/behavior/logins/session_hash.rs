//! Logins are bound to the record of the user.

use std::sync::{Arc, Mutex};

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::{State, get, routes};
use rocket_login::{LoginManager, UserMixin, testing, user_loader};

use super::support::{BOTH, assert_refused};
use crate::common::{App, SESSION, bare};

#[test]
fn a_password_change_ends_every_login_at_once() {
    // T43, R25
    let app = App::new().start();
    let (here, there, mut bob) = (
        app.remembered("alice"),
        app.remembered("alice"),
        app.remembered("bob"),
    );
    app.users
        .change("alice", |alice| alice.password = "new".into());
    for browser in [&here, &there] {
        assert_refused(browser);
        for name in BOTH {
            assert_refused(&browser.with_only(name));
        }
    }
    assert_eq!(bob.me(), "bob");
    assert_eq!(app.logged_in("alice").me(), "alice");
}

#[test]
fn the_cookies_of_a_deleted_user_are_removed() {
    // D14: the session does not become valid again with the user.
    let app = App::new().start();
    let mut browser = app.remembered("alice");
    app.users.remove("alice");
    assert_eq!(browser.me(), "anonymous");
    app.users.put("alice");
    assert_eq!(browser.me(), "anonymous");
}

#[derive(UserMixin)]
struct Plain {
    id: i64,
    name: String,
}

#[derive(UserMixin)]
struct Stamped {
    id: i64,
    #[user(session_hash)]
    stamp: Option<String>,
    #[user(session_hash)]
    bytes: Vec<u8>,
}

/// The record of user 7; `None` after it is deleted.
type Record = Arc<Mutex<Option<&'static str>>>;

#[user_loader]
fn load_plain(id: i64, record: &State<Record>) -> Option<Plain> {
    let name = (*record.lock().unwrap())?.into();
    Some(Plain { id, name })
}

#[user_loader]
fn load_stamped(id: i64, record: &State<Record>) -> Option<Stamped> {
    let record = (*record.lock().unwrap())?;
    let (stamp, bytes) = record.split_once('|').unwrap_or((record, ""));
    let stamp = (stamp != "none").then(|| stamp.to_owned());
    Some(Stamped {
        id,
        stamp,
        bytes: bytes.into(),
    })
}

#[get("/")]
fn plain(user: &Plain) -> &str {
    &user.name
}

#[get("/")]
fn stamped(user: &Stamped) -> &str {
    user.stamp.as_deref().unwrap_or("none")
}

fn client<U: UserMixin>(
    manager: LoginManager<U>,
    routes: Vec<rocket::Route>,
    record: &Record,
) -> Client {
    let rocket = bare()
        .manage(Arc::clone(record))
        .attach(manager)
        .mount("/", routes);
    Client::untracked(rocket).unwrap()
}

#[test]
fn a_user_without_a_session_hash_stays_logged_in_after_any_change() {
    let record = Record::new(Mutex::new(Some("Ann")));
    let client = client(LoginManager::new(load_plain), routes![plain], &record);
    let user = Plain {
        id: 7,
        name: "Ann".into(),
    };
    let cookie = testing::login(client.rocket(), &user);
    for name in ["Ann", "Anna", ""] {
        *record.lock().unwrap() = Some(name);
        let reply = client.get("/").cookie(cookie.clone()).dispatch();
        assert_eq!(reply.status(), Status::Ok);
        assert_eq!(reply.into_string().unwrap_or_default(), name);
    }
    *record.lock().unwrap() = None;
    let reply = client.get("/").cookie(cookie).dispatch();
    assert_eq!(reply.status(), Status::Unauthorized);
    assert_eq!(reply.cookies().get(SESSION).unwrap().value(), "");
}

#[test]
fn every_field_of_the_session_hash_counts_and_no_two_users_have_the_same_hash() {
    let records = [
        "none", "", "a", "b", "none|a", "|a", "a|a", "a|", "ab|", "a|b",
    ];
    for first in records {
        let record = Record::new(Mutex::new(Some(first)));
        let client = client(LoginManager::new(load_stamped), routes![stamped], &record);
        let (stamp, bytes) = first.split_once('|').unwrap_or((first, ""));
        let stamp = (stamp != "none").then(|| stamp.to_owned());
        let user = Stamped {
            id: 7,
            stamp,
            bytes: bytes.into(),
        };
        let cookie = testing::login(client.rocket(), &user);
        for second in records {
            *record.lock().unwrap() = Some(second);
            let reply = client.get("/").cookie(cookie.clone()).dispatch();
            let alike = second.trim_end_matches('|') == first.trim_end_matches('|');
            let expected = if alike {
                Status::Ok
            } else {
                Status::Unauthorized
            };
            assert_eq!(reply.status(), expected, "{first:?}, then {second:?}");
        }
    }
}
