//! Unusual ids of users, and the ids of sessions.

use std::collections::HashSet;

use rocket::State;
use rocket::http::RawStr;
use rocket_login::{LoginManager, user_loader};

use crate::common::socket::{body, cookie, header, status};
use crate::common::{App, User, Users};
use crate::forge::{TAG, UID_AT, decode, place};
use crate::{BOTH, SESSION, Site, line};

impl Site {
    /// Logs in the user with this id, and returns both cookies.
    fn values(&self, id: &str) -> [String; 2] {
        let form = format!("user={}&remember=on", RawStr::new(id).percent_encode());
        let reply = self.post("/login", &[], &form);
        assert_eq!(status(&reply), 303, "{id:?}: {reply}");
        BOTH.map(|name| cookie(&reply, name).unwrap())
    }
}

#[test]
fn every_user_id_comes_back_byte_for_byte() {
    // T17
    let site = Site::start();
    let ids = [
        "a|b",
        "a\0b",
        "ünï",
        "\u{661}",
        "e\u{301}",
        "é",
        "../../x",
        "' OR 1=1--",
        "\r\nSet-Cookie: x=1",
        "\u{1b}[2J\n",
        "a; Domain=evil.com",
        "\u{202e}ecila",
        &"u".repeat(256),
        &"é".repeat(128),
    ];
    for id in ids {
        site.users.put(id);
    }
    for id in ids {
        let values = site.values(id);
        for (name, value) in BOTH.into_iter().zip(&values) {
            let token = decode(value);
            assert_eq!(&token[UID_AT..token.len() - TAG], id.as_bytes());
            assert_eq!(site.me(&[&line(&[(name, value)])]), id);
        }
        // No other user has it.
        site.users.remove(id);
        for (name, value) in BOTH.into_iter().zip(&values) {
            site.assert_cleared(&[&line(&[(name, value)])], &[name], id);
        }
    }
}

#[test]
fn user_ids_that_look_alike_are_different_users() {
    // T18
    let site = Site::start();
    let ids = [
        "1", "01", "1 ", " 1", "１", "+1", "1\0", "1.0", "ALICE", "Alice", "alice ", "ａlice",
    ];
    for id in ids {
        site.users.put(id);
    }
    let mut seen = HashSet::new();
    for id in ids {
        for (name, value) in BOTH.into_iter().zip(site.values(id)) {
            assert_eq!(site.me(&[&line(&[(name, &value)])]), id);
            assert!(seen.insert(value));
        }
    }
}

#[test]
fn a_user_id_that_is_too_long_cannot_log_in() {
    // T17, R13
    let site = Site::start();
    for id in ["", &"u".repeat(257), &"é".repeat(129), &"u".repeat(5_000)] {
        site.users.put(id);
        let form = format!("user={}&remember=on", RawStr::new(id).percent_encode());
        let reply = site.post("/login", &[], &form);
        assert_eq!(status(&reply), 500, "{} bytes: {reply}", id.len());
        assert_eq!(header(&reply, "set-cookie"), [""; 0]);
        site.assert_unharmed("an id that does not fit");
    }
}

#[test]
fn no_two_logins_share_an_id() {
    // R8, T37
    let site = Site::start();
    let ids: HashSet<Vec<u8>> = (0..1_000)
        .map(|_| decode(&site.session("alice"))[place("login id")].to_vec())
        .collect();
    assert_eq!(ids.len(), 1_000);
    // Each bit is sometimes set and sometimes not.
    for bit in 0..128 {
        let set = ids.iter().filter(|id| id[bit / 8] >> (bit % 8) & 1 == 1);
        let set = set.count();
        assert!((350..650).contains(&set), "bit {bit} is set {set} times");
    }
    let reply = site.get("/me", &[&line(&[(SESSION, &site.session("alice"))])]);
    assert_eq!(body(&reply), "alice");
}

/// A loader like a database with a tolerant collation.
#[user_loader]
fn forgiving(id: &str, users: &State<Users>) -> Option<User> {
    users.get(&id.trim().to_lowercase())
}

#[test]
fn a_user_that_the_loader_finds_under_another_spelling_is_an_error() {
    // T18, R32: a loader that returns a user with another id has failed.
    let mut app = App::new().release();
    app.manager = LoginManager::new(forgiving).clock(app.clock.clone());
    let site = Site::of(app);
    for spelling in ["alice ", " alice", "Alice", "alice\n"] {
        site.users.put(spelling);
        for (name, value) in BOTH.into_iter().zip(site.values(spelling)) {
            let mine = line(&[(name, &value)]);
            for path in ["/me", "/private", "/fresh"] {
                let reply = site.get(path, &[&mine]);
                assert_eq!(status(&reply), 500, "{spelling:?} {path}: {reply}");
                assert_eq!(header(&reply, "set-cookie"), [""; 0], "{spelling:?} {path}");
            }
            site.assert_unharmed(spelling);
        }
    }
    assert_eq!(
        site.me(&[&line(&[(SESSION, &site.session("alice"))])]),
        "alice"
    );
}
