//! A secret key that is replaced while people are logged in.

use crate::common::socket::{body, cookie};
use crate::common::{App, KEY};
use crate::forge::{Forger, decode, place};
use crate::{BOTH, REMEMBER, SESSION, Site, line};

const K2: &str = "I4qyrj2MLWceERuvTviZIXcVtHmP2hIqMMSTnT2ltgY=";

/// The application, restarted with these keys, the newest first.
fn keyed(keys: &[&str]) -> Site {
    Site::of(
        App::new()
            .release()
            .set("login.audience", "app")
            .set("secret_key", keys[0])
            .set("login.secret_key_fallbacks", &keys[1..]),
    )
}

#[test]
fn a_new_key_logs_nobody_out_and_a_removed_key_ends_unrenewed_logins() {
    // T77, R7
    let [old, rotating, rotated] = [keyed(&[KEY]), keyed(&[K2, KEY]), keyed(&[K2])];
    let signed_by =
        |value: &str, key: &str| decode(value)[place("key id")] == Forger::new(key, "app").key_id();
    let login = old.post("/login", &[], "user=alice&remember=on");
    let before = BOTH.map(|name| cookie(&login, name).unwrap());

    // Each alone, then both together.
    let mut renewed = Vec::new();
    for names in [&BOTH[..1], &BOTH[1..], &BOTH] {
        let shown: Vec<_> = BOTH
            .into_iter()
            .zip(before.each_ref().map(String::as_str))
            .filter(|(name, _)| names.contains(name))
            .collect();
        let reply = rotating.get("/me", &[&line(&shown)]);
        assert_eq!(body(&reply), "alice", "{names:?}");
        for (name, value) in &shown {
            assert!(signed_by(value, KEY));
            let new = cookie(&reply, name).unwrap_or_else(|| panic!("{name}: {reply}"));
            assert!(signed_by(&new, K2), "{name}");
            renewed.push((*name, new));
        }
        // A remember cookie alone also creates a session, signed with the new key.
        assert!(signed_by(&cookie(&reply, SESSION).unwrap(), K2));
    }
    assert_eq!(renewed.len(), 4);

    for (name, new) in &renewed {
        let cookies = line(&[(name, new)]);
        assert_eq!(rotated.me(&[&cookies]), "alice", "{name}");
        assert_eq!(rotating.me(&[&cookies]), "alice", "{name}");
        let reply = rotating.get("/me", &[&cookies]);
        assert_eq!(cookie(&reply, REMEMBER), None, "once is enough: {reply}");
    }
    for (name, old) in BOTH.into_iter().zip(&before) {
        let cookies = line(&[(name, old)]);
        rotated.assert_ignored(&[&cookies], &format!("{name}, a removed key"));
    }
    let both = line(&[(SESSION, &before[0]), (REMEMBER, &before[1])]);
    rotated.assert_ignored(&[&both], "a removed key");
}

#[test]
fn a_retired_key_signs_nothing() {
    // R7: a retired key still verifies, but does not sign.
    let rotating = keyed(&[K2, KEY]);
    let old = keyed(&[KEY]);
    for name in BOTH {
        let value = rotating.value(name, "alice");
        // T12: a server that has not been restarted yet leaves the new server's logins alone.
        old.assert_ignored(&[&line(&[(name, &value)])], "a newer key");
        assert_eq!(rotating.me(&[&line(&[(name, &value)])]), "alice");
    }
}
