//! Signed values of the application.

use std::time::Duration;

use rocket::{get, routes};
use rocket_login::Signer;

use super::support::{assert_ignored, encoded};
use crate::common::{App, KEY, REMEMBER, Running, SESSION};

const K2: &str = "I4qyrj2MLWceERuvTviZIXcVtHmP2hIqMMSTnT2ltgY=";

#[get("/sign?<purpose>&<value>&<seconds>")]
fn sign(
    purpose: &str,
    value: &str,
    seconds: u64,
    signer: Signer<'_, crate::common::User>,
) -> Option<String> {
    signer.sign(purpose, value, Duration::from_secs(seconds))
}

#[get("/read?<purpose>&<text>")]
fn read(purpose: &str, text: &str, signer: Signer<'_, crate::common::User>) -> Option<String> {
    signer.verify(purpose, text)
}

fn app() -> App {
    App::new().routes(routes![sign, read])
}

impl Running {
    fn signed(&self, purpose: &str, value: &str, seconds: u64) -> Option<String> {
        let (purpose, value) = (encoded(purpose), encoded(value));
        self.ask(&format!(
            "/sign?purpose={purpose}&value={value}&seconds={seconds}"
        ))
    }

    fn read(&self, purpose: &str, text: &str) -> Option<String> {
        let (purpose, text) = (encoded(purpose), encoded(text));
        self.ask(&format!("/read?purpose={purpose}&text={text}"))
    }

    /// The body, `None` for a 404.
    fn ask(&self, path: &str) -> Option<String> {
        let reply = self.browser().get(path);
        assert!(reply.set_cookies().is_empty());
        match reply.status.code {
            200 => Some(reply.body),
            404 => None,
            code => panic!("{code} for {path}"),
        }
    }
}

#[test]
fn a_value_is_valid_for_its_own_purpose_only() {
    let app = app().start();
    let purposes = [
        "next",
        "invitation",
        "Next",
        "next ",
        "",
        "session",
        "application: next",
    ];
    for (place, purpose) in purposes.into_iter().enumerate() {
        let value = format!("/group?a=1&b={place}\u{1f980}");
        let text = app.signed(purpose, &value, 60).unwrap();
        for other in purposes {
            let expected = (other == purpose).then_some(value.as_str());
            assert_eq!(
                app.read(other, &text).as_deref(),
                expected,
                "{purpose:?} {other:?}"
            );
        }
    }
}

#[test]
fn a_value_is_valid_until_its_last_second() {
    let app = app().start();
    let text = app.signed("p", "v", 60).unwrap();
    let endless = app.signed("p", "v", u64::MAX).unwrap();
    let stillborn = app.signed("p", "v", 0).unwrap();
    assert_eq!(app.read("p", &stillborn), None);
    app.forward(59);
    assert_eq!(app.read("p", &text).as_deref(), Some("v"));
    app.forward(1);
    assert_eq!(app.read("p", &text), None);
    assert_eq!(app.read("p", &endless).as_deref(), Some("v"));
}

#[test]
fn a_forged_value_is_refused() {
    let app = app().start();
    let text = app.signed("p", "group 7", 60).unwrap();
    for place in 0..text.len() {
        let mut forged = text.clone().into_bytes();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(app.read("p", &forged), None, "{place}");
        assert_eq!(app.read("p", &text[..place]), None, "{place}");
    }
    for forged in [
        "group 7",
        "group 7|0123",
        &format!("{text}="),
        &format!("{text}A"),
        &"A".repeat(5_000),
    ] {
        assert_eq!(app.read("p", forged), None, "{forged}");
    }
    for other in [
        App::new().set("secret_key", K2),
        App::new().set("login.audience", "other"),
    ] {
        let other = other.routes(routes![sign, read]).start();
        assert_eq!(other.read("p", &text), None);
    }
}

#[test]
fn a_value_is_signed_up_to_2048_bytes() {
    let app = app().start();
    let longest = "x".repeat(2_048);
    let text = app.signed("p", &longest, 60).unwrap();
    assert_eq!(app.read("p", &text).as_deref(), Some(longest.as_str()));
    assert_eq!(app.signed("p", &"x".repeat(2_049), 60), None);
}

#[test]
fn a_value_signed_with_a_retired_key_is_valid() {
    // T77
    let text = app().start().signed("p", "v", 60).unwrap();
    let rotating = app()
        .set("secret_key", K2)
        .set("login.secret_key_fallbacks", [KEY])
        .start();
    assert_eq!(rotating.read("p", &text).as_deref(), Some("v"));
    let rotated = app().set("secret_key", K2).start();
    assert_eq!(rotated.read("p", &text), None);
}

#[test]
fn logins_and_signed_values_are_not_interchangeable() {
    // R3
    let app = app().start();
    let browser = app.remembered("alice");
    for purpose in ["session", "remember", SESSION, REMEMBER, "next", ""] {
        for token in browser.cookies.values() {
            assert_eq!(app.read(purpose, token), None);
        }
        let text = app.signed(purpose, &"alice".repeat(20), 60).unwrap();
        for name in [SESSION, REMEMBER] {
            let mut forger = app.browser();
            forger.cookies.insert(name.into(), text.clone());
            assert_ignored(&forger);
        }
    }
}

#[test]
fn kept_pages_and_signed_values_are_not_interchangeable() {
    let app = app().set("login.use_session_for_next", true).start();
    let mut browser = app.browser();
    browser.get("/private");
    let kept = browser.cookies["login_next"].clone();
    assert!(browser.login("alice").location() == Some("/private"));

    for purpose in ["next", "", "application: next"] {
        assert_eq!(app.read(purpose, &kept), None);
        let text = app.signed(purpose, "/fresh", 60).unwrap();
        let mut forger = app.browser();
        forger.cookies.insert("login_next".into(), text);
        assert_eq!(forger.login("alice").location(), Some("/"));
    }
}
