//! The secret keys of the Flask application, and what its two cookies derive from them.

use std::collections::HashSet;
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha512;

use crate::config::is_guessable;
use crate::token::secret::{KeyError, SecretKey};

pub(crate) type HmacSha1 = Hmac<Sha1>;
pub(crate) type HmacSha512 = Hmac<Sha512>;

/// The least that OWASP accepts: 128 bits (ASVS 11.2.3).
const MIN_BYTES: usize = 16;
/// Of 16 random hexadecimal digits, 10 are distinct on average.
const MIN_DISTINCT: usize = 6;
/// The key in Flask's documentation that is too short for [`SecretKey`]'s list.
const PUBLISHED: &[u8] = b"_5#y2L\"F4Q8z\n\xec]/";

const FIX: &str = "whoever guesses it can log in as anybody: give Flask a random key first, and let its users log in \
     there again";

/// A secret key of a Flask application, as its `SECRET_KEY` is: text (`&str` or `String`) or bytes.
///
/// # Example
///
/// ```rust
/// use rocket_login::flask::FlaskKey;
///
/// let text = FlaskKey::from("the text of SECRET_KEY");
/// let bytes = FlaskKey::from(&b"its bytes"[..]);
/// ```
#[derive(Clone)]
pub struct FlaskKey(Input);

#[derive(Clone)]
enum Input {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&str> for FlaskKey {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for FlaskKey {
    fn from(text: String) -> Self {
        Self(Input::Text(text))
    }
}

impl From<&[u8]> for FlaskKey {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<Vec<u8>> for FlaskKey {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Input::Bytes(bytes))
    }
}

impl fmt::Debug for FlaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlaskKey([redacted])")
    }
}

impl FlaskKey {
    /// Returns the bytes that itsdangerous signs sessions with: text in UTF-8.
    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Input::Text(text) => text.as_bytes(),
            Input::Bytes(bytes) => bytes,
        }
    }

    /// Returns why this key must not log anybody in.
    pub(super) fn mistake(&self) -> Option<String> {
        let bytes = self.bytes();
        let as_ours = match &self.0 {
            Input::Text(text) => SecretKey::from_text(text),
            Input::Bytes(bytes) => SecretKey::from_bytes(bytes),
        };
        if bytes.len() < MIN_BYTES {
            let length = bytes.len();
            Some(format!(
                "has {length} bytes, and at least {MIN_BYTES} are required; {FIX}"
            ))
        } else if bytes == PUBLISHED || as_ours == Err(KeyError::Published) {
            Some(format!("is printed in public documentation; {FIX}"))
        } else if bytes.iter().collect::<HashSet<_>>().len() < MIN_DISTINCT {
            Some(format!("repeats a few bytes, so it is not random; {FIX}"))
        } else {
            None
        }
    }

    /// Whether the key looks like words or like a pattern.
    pub(super) fn is_guessable(&self) -> bool {
        matches!(&self.0, Input::Text(text) if is_guessable(text))
    }
}

/// Returns the key of the session cookie: itsdangerous derives it with the salt.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(crate) fn session_key(key: &FlaskKey, salt: &str) -> HmacSha1 {
    let hmac = |key: &[u8]| HmacSha1::new_from_slice(key).expect("a key of any length fits");
    hmac(&hmac(key.bytes()).chain_update(salt).finalize().into_bytes())
}

/// Returns the key of the remember cookie: the secret itself, text in Latin-1.
///
/// `None` for text outside Latin-1: with such a key Flask-Login answers each login with a 500, so there are no cookies.
pub(crate) fn remember_key(key: &FlaskKey) -> Option<HmacSha512> {
    let bytes = match &key.0 {
        Input::Text(text) => text.chars().map(|char| u8::try_from(char).ok()).collect(),
        Input::Bytes(bytes) => Some(bytes.clone()),
    };
    HmacSha512::new_from_slice(&bytes?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn weak_and_published_keys_are_refused() {
        for (key, why) in [
            ("dev", "has 3 bytes"),
            ("15 bytes of key", "has 15 bytes"),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", "repeats a few bytes"),
            (
                "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
                "is printed in public documentation",
            ),
        ] {
            let mistake = FlaskKey::from(key).mistake().unwrap();
            assert!(mistake.starts_with(why), "{mistake}");
        }
        let documented = FlaskKey::from(PUBLISHED).mistake().unwrap();
        assert!(documented.starts_with("is printed"), "{documented}");
        assert_eq!(FlaskKey::from("f6a1c09be27d4835").mistake(), None);
    }

    #[test]
    fn a_key_prints_nothing_of_itself() {
        let key = FlaskKey::from("f6a1c09be27d4835");
        assert_eq!(format!("{key:?}"), "FlaskKey([redacted])");
    }

    #[test]
    fn a_key_outside_latin_1_signs_sessions_and_no_remember_cookie() {
        let key = FlaskKey::from("0123456789abcdef-\u{20ac}");
        assert!(remember_key(&key).is_none());
        assert!(remember_key(&FlaskKey::from("0123456789abcdef-\u{e4}")).is_some());
    }
}
