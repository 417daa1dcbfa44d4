//! The application's own short values, signed and with an expiry.

use crate::clock::UnixTime;
use crate::token::digest::HmacSha256;
use crate::token::envelope;
use crate::token::keys::{KeyRing, KeySet};
use crate::token::kind::VALUE;

/// What a value is for: no key serves two purposes or two realms.
pub(crate) struct Purpose(String);

impl Purpose {
    /// A purpose of the application, for any value.
    pub(crate) fn of_application(realm: &str, purpose: &str) -> Self {
        Self::new("application", realm, purpose)
    }

    /// A purpose of the application, for a value that belongs to one user.
    pub(crate) fn of_user(realm: &str, purpose: &str) -> Self {
        Self::new("user", realm, purpose)
    }

    /// A purpose of this library.
    pub(crate) fn of_library(realm: &str, purpose: &str) -> Self {
        Self::new("library", realm, purpose)
    }

    fn new(owner: &str, realm: &str, purpose: &str) -> Self {
        Self(format!("{owner} {}:{realm}: {purpose}", realm.len()))
    }

    pub(super) fn key(&self, keys: &KeySet) -> HmacSha256 {
        keys.value_key(&self.0)
    }

    /// Returns the key for the digests of session hashes.
    pub(crate) fn session_hash_key(&self, keys: &KeySet) -> HmacSha256 {
        keys.value_key(&format!("session hash of {}", self.0))
    }
}

/// The longest value, in bytes.
pub(crate) const MAX_VALUE: usize = 2_048;

/// The longest signed value that is decoded, in bytes.
pub(super) const MAX_BYTES: usize = 3_072;

/// Signs a value for one purpose, valid until `expires_at`; `None` if it is longer than 2,048 bytes.
pub(crate) fn encode(
    ring: &KeyRing,
    purpose: &Purpose,
    value: &str,
    expires_at: UnixTime,
) -> Option<String> {
    if value.len() > MAX_VALUE {
        return None;
    }
    let keys = ring.current();
    let key = purpose.key(keys);
    Some(envelope::seal(VALUE, [], keys, key, |bytes| {
        bytes.extend(expires_at.as_secs().to_be_bytes());
        bytes.extend(value.as_bytes());
    }))
}

/// Returns the value; `None` if it is forged, was signed for another purpose or realm, or has expired at `now`.
pub(crate) fn decode(
    ring: &KeyRing,
    purpose: &Purpose,
    text: &str,
    now: UnixTime,
) -> Option<String> {
    let mut buffer = [0; MAX_BYTES];
    let key_of = |keys: &KeySet| purpose.key(keys);
    let opened = envelope::open(text, VALUE, |[]| true, ring, key_of, &mut buffer).ok()?;
    let (expires_at, value) = opened.payload.split_first_chunk()?;
    if now >= UnixTime::from_secs(u64::from_be_bytes(*expires_at)) {
        return None;
    }
    str::from_utf8(value).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )]

    use data_encoding::BASE64URL_NOPAD;
    use hmac::Mac as _;

    use super::*;
    use crate::token::digest::{TAG, truncate};
    use crate::token::envelope::VERSION;
    use crate::token::secret::SecretKey;
    use crate::token::{Kind, LoginId, SessionId, Token};

    fn secret(first: u8) -> SecretKey {
        SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    fn ring() -> KeyRing {
        KeyRing::new(&secret(0), &[], "app", "s", "r")
    }

    fn next() -> Purpose {
        Purpose::of_library("shop", "next")
    }

    #[test]
    fn a_value_survives_the_round_trip() {
        for value in ["", "/account?tab=1", "ünï\0\r\n", &"a".repeat(2_048)] {
            let text = encode(&ring(), &next(), value, at(100)).unwrap();
            assert!(text.len() <= 2_771);
            assert_eq!(
                decode(&ring(), &next(), &text, at(99)).as_deref(),
                Some(value)
            );
        }
    }

    #[test]
    fn the_format_never_changes() {
        // Made with Python's hmac and base64 modules.
        let text = "AgN3NZcYAAAAAGtJ0gAvYWNjb3VudP31_GAYu9EJ4uyz72c21SI";
        let ring = KeyRing::new(
            &secret(0),
            &[],
            "app",
            "__Host-login_session",
            "__Host-remember_token",
        );
        assert_eq!(
            encode(&ring, &next(), "/account", at(1_800_000_000)).unwrap(),
            text
        );
    }

    #[test]
    fn a_value_is_valid_until_its_last_second() {
        let text = encode(&ring(), &next(), "/", at(100)).unwrap();
        assert!(decode(&ring(), &next(), &text, at(99)).is_some());
        assert_eq!(decode(&ring(), &next(), &text, at(100)), None);
        assert_eq!(decode(&ring(), &next(), &text, at(u64::MAX)), None);
    }

    #[test]
    fn a_value_is_valid_for_its_purpose_and_realm_only() {
        let text = encode(&ring(), &next(), "/", at(100)).unwrap();
        for (realm, purpose) in [
            ("shop", ""),
            ("shop", "nex"),
            ("shop", "next "),
            ("shop", "Next"),
            ("shop2", "next"),
            ("", "next"),
            ("shop: next", ""),
        ] {
            let other = Purpose::of_library(realm, purpose);
            assert_eq!(decode(&ring(), &other, &text, at(0)), None);
        }
        for of in [Purpose::of_application, Purpose::of_user] {
            assert_eq!(decode(&ring(), &of("shop", "next"), &text, at(0)), None);
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_not_signed() {
        assert_eq!(encode(&ring(), &next(), &"a".repeat(2_049), at(100)), None);
        assert_eq!(encode(&ring(), &next(), &"é".repeat(1_025), at(100)), None);
    }

    #[test]
    fn changed_truncated_and_extended_texts_are_refused() {
        let text = encode(&ring(), &next(), "/account", at(100)).unwrap();
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                decode(&ring(), &next(), &BASE64URL_NOPAD.encode(&bytes), at(0)),
                None
            );
        }
        for length in 0..text.len() {
            assert_eq!(decode(&ring(), &next(), &text[..length], at(0)), None);
        }
        for more in ["A", "AA", "AAAA", "=", "é", &"A".repeat(10_000)] {
            assert_eq!(
                decode(&ring(), &next(), &format!("{text}{more}"), at(0)),
                None
            );
        }
    }

    #[test]
    fn a_text_over_the_limit_is_refused_even_when_signed() {
        for (length, is_read) in [(3_072, true), (3_073, false)] {
            let mut bytes = vec![VERSION, VALUE];
            bytes.extend(ring().current().id);
            bytes.extend(100_u64.to_be_bytes());
            bytes.resize(length - TAG, b'a');
            let mac = next().key(ring().current()).chain_update(&bytes);
            bytes.extend(truncate::<TAG>(mac));
            let text = BASE64URL_NOPAD.encode(&bytes);
            assert_eq!(decode(&ring(), &next(), &text, at(0)).is_some(), is_read);
        }
    }

    #[test]
    fn a_retired_key_still_verifies_until_it_is_removed() {
        let old = KeyRing::new(&secret(64), &[], "app", "s", "r");
        let text = encode(&old, &next(), "/", at(100)).unwrap();
        let rotated = KeyRing::new(&secret(0), &[secret(64)], "app", "s", "r");
        assert_eq!(
            decode(&rotated, &next(), &text, at(0)).as_deref(),
            Some("/")
        );
        assert_eq!(decode(&ring(), &next(), &text, at(0)), None);
    }

    #[test]
    fn a_token_is_not_a_value() {
        let ids = (LoginId([1; 16]), SessionId([1; 8]));
        let token = Token::begin(Kind::Session, ids, "1".into(), (at(1_000), at(1_000)), 100);
        let text = token.encode(ring().current()).unwrap();
        let session = Purpose::of_library("shop", "session");
        assert_eq!(decode(&ring(), &session, &text, at(0)), None);
        let value = encode(&ring(), &session, &"a".repeat(90), at(u64::MAX)).unwrap();
        assert!(Token::decode(&value, Kind::Session, &ring()).is_err());
    }
}
