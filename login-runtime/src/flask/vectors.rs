//! The decoders, judged by cookies of the real Flask and Flask-Login (`vectors.py`), and by damaged ones.

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde::Deserialize;

use super::key::{FlaskKey, remember_key, session_key};
use super::session_cookie::FlaskSession;
use super::{client_id, remember_token, session_cookie};
use crate::clock::UnixTime;

#[derive(Deserialize)]
struct Vectors {
    signed_at: u64,
    sessions: Vec<Cookie>,
    remembered: Vec<Cookie>,
    clients: Vec<Client>,
}

#[derive(Deserialize)]
struct Cookie {
    what: String,
    key: Key,
    value: String,
    user_id: Option<String>,
    #[serde(default)]
    permanent: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Key {
    Text(String),
    Hex(String),
}

#[derive(Deserialize)]
struct Client {
    address: Option<String>,
    user_agent: Option<String>,
    id: String,
}

static VECTORS: LazyLock<Vectors> =
    LazyLock::new(|| serde_json::from_str(include_str!("vectors.json")).unwrap());

impl Key {
    #[expect(clippy::disallowed_methods, reason = "a key of the vectors")]
    fn read(&self) -> FlaskKey {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Hex(hex) => HEXLOWER.decode(hex.as_bytes()).unwrap().into(),
        }
    }
}

impl Cookie {
    fn session(&self, value: &str) -> Option<FlaskSession> {
        session_cookie::decode(value, &[session_key(&self.key.read(), "cookie-session")])
    }

    fn remembered(&self, value: &str) -> Option<String> {
        remember_token::decode(value, &remember_key(&self.key.read())?)
    }
}

#[test]
fn sessions_of_the_real_flask_are_read() {
    let signed_at = UnixTime::from_secs(VECTORS.signed_at);
    let mut bound = 0;
    for cookie in &VECTORS.sessions {
        let session = cookie.session(&cookie.value);
        let id = session.as_ref().map(|session| session.user_id.clone());
        assert_eq!(id, cookie.user_id, "{}", cookie.what);
        if let Some(session) = session {
            assert_eq!(session.signed_at, signed_at, "{}", cookie.what);
            assert_eq!(session.is_permanent, cookie.permanent, "{}", cookie.what);
            assert_eq!(
                session.client_id.unwrap(),
                "c".repeat(128),
                "{}",
                cookie.what
            );
            bound += 1;
        }
    }
    assert!(bound > 20);
}

#[test]
fn remember_cookies_of_the_real_flask_login_are_read() {
    for cookie in &VECTORS.remembered {
        let id = cookie.remembered(&cookie.value);
        assert_eq!(id, cookie.user_id, "{}", cookie.what);
    }
}

#[test]
fn clients_have_the_ids_that_the_real_flask_login_gives_them() {
    for client in &VECTORS.clients {
        let ip = client.address.as_ref().map(|ip| ip.parse().unwrap());
        assert_eq!(client_id(ip, client.user_agent.as_deref()), client.id);
    }
}

#[test]
fn a_fallback_key_verifies_a_session() {
    let cookie = VECTORS.sessions.iter().find(|it| it.what == "1").unwrap();
    let key = |text: &str| session_key(&text.into(), "cookie-session");
    let keys = [
        key("a newer key of Flask"),
        key("3f1b6c0a94d27e58b1c7d0e2f4a69853"),
    ];
    assert!(session_cookie::decode(&cookie.value, &keys).is_some());
    assert!(session_cookie::decode(&cookie.value, &keys[..1]).is_none());
    assert!(session_cookie::decode(&cookie.value, &[]).is_none());
}

#[test]
fn neither_cookie_is_read_as_the_other() {
    for cookie in &VECTORS.sessions {
        assert_eq!(cookie.remembered(&cookie.value), None);
    }
    for cookie in &VECTORS.remembered {
        assert_eq!(cookie.session(&cookie.value), None);
    }
}

#[test]
fn a_cookie_is_cut_off_nowhere() {
    for cookie in &VECTORS.sessions {
        for end in 0..cookie.value.len() {
            assert_eq!(
                cookie.session(&cookie.value[..end]),
                None,
                "{}",
                cookie.what
            );
        }
    }
    for cookie in &VECTORS.remembered {
        for end in 0..cookie.value.len() {
            assert_eq!(
                cookie.remembered(&cookie.value[..end]),
                None,
                "{}",
                cookie.what
            );
        }
    }
}

proptest! {
    #[test]
    fn a_changed_character_is_noticed(at: prop::sample::Index, byte in 0x20_u8..0x7f, remember: bool, of: prop::sample::Index) {
        let cookies = if remember { &VECTORS.remembered } else { &VECTORS.sessions };
        let cookie = of.get(cookies);
        let mut bytes = cookie.value.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let value = String::from_utf8(bytes).unwrap();
        if remember {
            prop_assert_eq!(cookie.remembered(&value), None);
        } else {
            prop_assert_eq!(cookie.session(&value), None);
        }
    }

    #[test]
    fn any_text_is_refused(value in "\\PC{0,300}") {
        let cookie = &VECTORS.sessions[0];
        prop_assert_eq!(cookie.session(&value), None);
        prop_assert_eq!(cookie.remembered(&value), None);
    }
}
