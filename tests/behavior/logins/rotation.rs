//! New keys, other applications, and several servers with one key.

use rocket_login::EventKind;

use super::support::{BOTH, DAY, assert_ignored, assert_refused, logged};
use crate::common::{App, KEY, REMEMBER, SESSION};

const K2: &str = "I4qyrj2MLWceERuvTviZIXcVtHmP2hIqMMSTnT2ltgY=";
const K3: &str = "1gQLtHQacOZ7kakGUPq6Wl4RssGTHN1z/ggQ6MXwAUI=";

/// An application with these keys, the newest first.
fn keyed(keys: &[&str]) -> App {
    App::new()
        .set("secret_key", keys[0])
        .set("login.secret_key_fallbacks", &keys[1..])
}

#[test]
fn a_login_with_a_retired_key_is_valid_and_signed_again() {
    // T77, R7
    for protection in ["off", "basic", "strong"] {
        let app = |keys: &[&str]| {
            keyed(keys)
                .set("login.session_protection", protection)
                .start()
        };
        let old = app(&[KEY]);
        let mut before = old.browser().from("192.0.2.1");
        before.post("/login", "user=alice&remember=on");

        let rotating = app(&[K2, KEY]);
        let mut session = rotating.visited_by(&before).with_only(SESSION);
        let reply = session.get("/status");
        assert_eq!(reply.body, "fresh=true remembered=false");
        assert!(!reply.cookie(SESSION).unwrap().value().is_empty());
        assert!(session.get("/me").set_cookies().is_empty());

        let mut remember = rotating.visited_by(&before).with_only(REMEMBER);
        let reply = remember.get("/status");
        assert_eq!(reply.body, "fresh=false remembered=true");
        let mut again = remember.clone();
        again.restart();
        assert!(again.get("/me").cookie(REMEMBER).is_none(), "{protection}");
        let cookie = reply.cookie(REMEMBER).unwrap();
        assert_eq!(
            cookie.max_age().unwrap().whole_seconds(),
            365 * DAY.cast_signed()
        );

        let rotated = app(&[K2]);
        for name in BOTH {
            assert_ignored(&rotated.visited_by(&before).with_only(name));
        }
        let mut session = rotated.visited_by(&session);
        assert_eq!(session.status(), "fresh=true remembered=false");
        let mut remember = rotated.visited_by(&remember);
        assert_eq!(remember.status(), "fresh=false remembered=true");
        remember.restart();
        assert_eq!(remember.me(), "alice");

        // The new cookies are bound to the same client as the old ones.
        let moved = [session, remember].map(|browser| browser.from("198.51.100.1"));
        for mut browser in moved {
            match protection {
                "off" => assert_eq!(browser.me(), "alice"),
                "basic" => assert!(browser.me() == "alice" && !browser.is_fresh()),
                _ => assert_refused(&browser),
            }
        }
    }
}

#[test]
fn a_new_key_does_not_help_a_thief() {
    let app = keyed(&[KEY]).start();
    let mut home = app.browser().from("192.0.2.1");
    home.post("/login", "user=alice&remember=on");
    let (rotating, log) = logged(keyed(&[K2, KEY]));
    for name in BOTH {
        let mut thief = rotating
            .visited_by(&home)
            .with_only(name)
            .from("198.51.100.1");
        assert_eq!(thief.me(), "alice");
        assert!(!thief.is_fresh());
        thief.restart();
        if name == REMEMBER {
            // Signed again, but still not bound to the thief.
            log.take();
            assert_eq!(thief.me(), "alice");
            assert_eq!(log.count(EventKind::SessionProtected), 1);
        }
    }
}

#[test]
fn a_remember_cookie_beside_a_session_is_signed_again_too() {
    // T77, R7: a user with daily visits during the rotation must stay remembered.
    let old = keyed(&[KEY]).start();
    let rotating = keyed(&[K2, KEY]).start();
    let mut browser = rotating.visited_by(&old.remembered("alice"));
    assert_eq!(browser.status(), "fresh=true remembered=true");
    browser.restart();
    let rotated = keyed(&[K2]).start();
    assert_eq!(rotated.visited_by(&browser).me(), "alice");
}

#[test]
fn a_logout_with_the_new_key_ends_a_login_with_the_old_key() {
    let old = keyed(&[KEY]).start();
    let before = old.remembered("alice");
    let app = keyed(&[K2, KEY]).start();
    app.visited_by(&before).post("/logout", "");
    for name in BOTH {
        assert_refused(&app.visited_by(&before).with_only(name));
    }
}

#[test]
fn three_keys_may_be_retired_and_the_order_does_not_matter() {
    let old = keyed(&[KEY]).start();
    for keys in [[K2, K3, KEY], [K3, KEY, K2]] {
        let app = keyed(&keys).start();
        let mut browser = app.visited_by(&old.remembered("alice"));
        assert_eq!(browser.status(), "fresh=true remembered=true");
    }
}

#[test]
fn two_servers_with_one_key_serve_the_same_logins() {
    // Each server has its own list of ended sessions in its process.
    let [here, there] = [App::new().start(), App::new().start()];
    let mut browser = here.remembered("alice");
    let mut elsewhere = there.visited_by(&browser);
    assert_eq!(elsewhere.status(), "fresh=true remembered=true");
    browser.post("/logout", "");
    assert_refused(&here.visited_by(&elsewhere));
    assert_eq!(elsewhere.me(), "alice");
}
