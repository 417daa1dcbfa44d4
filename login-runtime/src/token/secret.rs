//! Reads the secret key, and refuses keys that are weak or published.

use std::borrow::Cow;
use std::collections::HashSet;
use std::{fmt, io};

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use crate::token::random;

/// The key in this project's own documentation.
const DOCUMENTED_KEY: &str = "6dRxltRW8zfQ22+RDOaZru8F56V4oe+ZGx4U0WOPT80=";

/// Keys that are published in documentation.
const PUBLISHED_KEYS: [&str; 5] = [
    DOCUMENTED_KEY,
    // Rocket's documentation, guide and examples, since 0.3.
    "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=",
    "itlYmFR2vYKrOmFhupMIn/hyB6lYCCTXz4yaQX89XVg=",
    "8Xui8SN4mI+7egV/9dlfYYLGQJeEx4+DwmSQLwDVXJg=",
    // Flask's documentation. Its other key, `_5#y2L"F4Q8z\n\xec]/`, is too short anyway.
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
];

const MIN_SECRET: usize = 32;
const MIN_DISTINCT: usize = 10;
const FIX: &str = "generate one with `openssl rand -base64 32`";

/// A secret that has passed the checks for weak and published keys.
#[derive(Clone)]
pub(crate) struct SecretKey(Vec<u8>);

impl SecretKey {
    /// Reads a key as Rocket reads its `secret_key`: 44 or 88 characters of base64, or 64 hex digits. Of any other
    /// text, the bytes are the key.
    pub(crate) fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(&decode(text))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() < MIN_SECRET {
            return Err(KeyError::TooShort(bytes.len()));
        }
        if bytes.iter().collect::<HashSet<_>>().len() < MIN_DISTINCT {
            return Err(KeyError::Repetitive);
        }
        if is_published(bytes) {
            return Err(KeyError::Published);
        }
        Ok(Self(bytes.to_vec()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Generates a key: 32 random bytes from the operating system.
    pub(crate) fn generate() -> io::Result<Self> {
        random::draw::<MIN_SECRET>().map(|bytes| Self(bytes.into()))
    }

    /// Generates the text of a key.
    pub(crate) fn generate_text() -> io::Result<String> {
        Self::generate().map(|key| BASE64.encode(&key.0))
    }
}

#[expect(clippy::disallowed_methods, reason = "a secret from the configuration")]
fn decode(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    match bytes.len() {
        44 | 88 => BASE64.decode(bytes).ok(),
        64 => HEXLOWER_PERMISSIVE.decode(bytes).ok(),
        _ => None,
    }
    .map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// Whether anybody can look a key up, in whatever spelling it is given here.
///
/// A published key that lost its `=`, or got a blank or a line break, no longer reads as base64: its text would be the
/// key, and be as public.
#[expect(clippy::disallowed_methods, reason = "a secret from the configuration")]
fn is_published(key: &[u8]) -> bool {
    let spelled: String = key
        .iter()
        .filter_map(|byte| match char::from(*byte) {
            '-' => Some('+'),
            '_' => Some('/'),
            letter => (letter.is_ascii_alphanumeric() || "+/".contains(letter)).then_some(letter),
        })
        .collect();
    let readings = [
        Some(key.to_vec()),
        BASE64_NOPAD.decode(spelled.as_bytes()).ok(),
        HEXLOWER_PERMISSIVE.decode(spelled.as_bytes()).ok(),
    ];
    let mut readings = readings.into_iter().flatten();
    readings.any(|reading| PUBLISHED_KEYS.iter().any(|text| *decode(text) == *reading))
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([redacted])")
    }
}

/// Why a secret key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum KeyError {
    /// It has this many bytes.
    #[error("the key has {0} bytes, at least {MIN_SECRET} are required; {FIX}")]
    TooShort(usize),
    #[error(
        "the key has fewer than {MIN_DISTINCT} distinct byte values, so it is not random; {FIX}"
    )]
    Repetitive,
    #[error("the key is printed in public documentation; {FIX}")]
    Published,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use data_encoding::{BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

    use super::*;

    /// 32 bytes: 0, 1, .. 31.
    fn bytes() -> Vec<u8> {
        (0..32).collect()
    }

    fn secret() -> SecretKey {
        SecretKey::from_bytes(&bytes()).unwrap()
    }

    #[test]
    fn keys_are_read_as_rocket_reads_them() {
        let hex = HEXLOWER.encode(&bytes());
        assert_eq!(SecretKey::from_text(&BASE64.encode(&bytes())), Ok(secret()));
        assert_eq!(SecretKey::from_text(&hex), Ok(secret()));
        assert_eq!(SecretKey::from_text(&hex.to_uppercase()), Ok(secret()));

        let long: Vec<u8> = (0..64).collect();
        let read = SecretKey::from_text(&BASE64.encode(&long)).unwrap();
        assert_eq!(read.0, long);
    }

    #[test]
    fn the_bytes_of_any_other_text_are_the_key() {
        for text in [
            "correct horse battery staple, and a donkey",
            "44 characters that are no base64 whatsoever!",
            "64 characters, of which some few at the least are no hex digits!",
        ] {
            assert_eq!(SecretKey::from_text(text).unwrap().0, text.as_bytes());
        }
    }

    #[test]
    fn weak_and_published_keys_are_refused() {
        use KeyError::{Published, Repetitive, TooShort};
        let nine_values = "123456789".repeat(8);
        for (text, error) in [
            ("", TooShort(0)),
            ("dev", TooShort(3)),
            ("0123456789012345678901234567890", TooShort(31)),
            ("_5#y2L\"F4Q8z\n\u{ec}]/", TooShort(17)),
            (r#"_5#y2L"F4Q8z\n\xec]/"#, TooShort(20)),
            // 44 characters of base64, 31 bytes.
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", TooShort(31)),
            (&"0".repeat(64), Repetitive),
            (&"a".repeat(100), Repetitive),
            (&nine_values, Repetitive),
        ] {
            assert_eq!(SecretKey::from_text(text), Err(error), "{text:?}");
        }
        for text in PUBLISHED_KEYS {
            assert_eq!(SecretKey::from_text(text), Err(Published), "{text:?}");
            assert_eq!(
                SecretKey::from_bytes(&decode(text)),
                Err(Published),
                "{text:?}"
            );
        }
        for key in PUBLISHED_KEYS {
            let bytes = decode(key);
            for (prefix, suffix) in [("", ""), (" ", ""), ("", "\n"), ("\"", "\"")] {
                for spelling in [
                    key.to_owned(),
                    key.trim_end_matches('=').to_owned(),
                    key.replace('+', "-").replace('/', "_"),
                    BASE64.encode(&bytes),
                    BASE64URL_NOPAD.encode(&bytes),
                    HEXLOWER.encode(&bytes),
                    HEXUPPER.encode(&bytes),
                    key.as_bytes()
                        .chunks(8)
                        .map(String::from_utf8_lossy)
                        .collect::<Vec<_>>()
                        .join(" "),
                ] {
                    let text = format!("{prefix}{spelling}{suffix}");
                    assert_eq!(SecretKey::from_text(&text), Err(Published), "{text:?}");
                    let bytes = SecretKey::from_bytes(text.as_bytes());
                    assert_eq!(bytes, Err(Published), "{text:?}");
                }
            }
        }
        let upper = PUBLISHED_KEYS.last().unwrap().to_uppercase();
        assert_eq!(SecretKey::from_text(&upper), Err(Published));
        assert_eq!(SecretKey::from_bytes(&[0; 64]), Err(Repetitive));
        assert_eq!(SecretKey::from_bytes(&[1; 31]), Err(TooShort(31)));
    }

    #[test]
    fn ten_distinct_values_are_enough() {
        assert!(SecretKey::from_text(&"0123456789".repeat(4)).is_ok());
    }

    #[test]
    fn a_refusal_names_the_fix_and_never_the_value() {
        let text = "hunter2hunter2";
        let message = SecretKey::from_text(text).unwrap_err().to_string();
        assert_eq!(
            message,
            "the key has 14 bytes, at least 32 are required; generate one with `openssl rand -base64 32`"
        );
        for error in [KeyError::Repetitive, KeyError::Published] {
            assert!(error.to_string().ends_with("`openssl rand -base64 32`"));
        }
    }

    #[test]
    fn generated_keys_pass_the_checks_and_differ() {
        let (a, b) = (
            SecretKey::generate().unwrap(),
            SecretKey::generate().unwrap(),
        );
        assert_eq!(SecretKey::from_bytes(&a.0), Ok(a.clone()));
        assert_ne!(a, b);
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", secret()), "SecretKey([redacted])");
    }
}
