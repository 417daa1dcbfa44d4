//! A value for one user: signed, with an expiry, and bound to the user's session hash.

use super::MAX_UID;
use crate::clock::UnixTime;
use crate::token::digest::Digest;
use crate::token::envelope::{self, take};
use crate::token::ids::LoginId;
use crate::token::keys::{KeyRing, KeySet};
use crate::token::kind::VALUE;
use crate::token::value::{MAX_BYTES, Purpose};

/// What is signed.
pub(crate) struct UserValue {
    /// Random. Its end in the list of ended logins is the use of the value.
    pub(crate) id: LoginId,
    pub(crate) expires_at: UnixTime,
    /// A digest of the user's session hash.
    pub(crate) session_hash: Option<Digest>,
    pub(crate) uid: String,
    pub(crate) value: String,
}

impl UserValue {
    pub(crate) fn encode(&self, ring: &KeyRing, purpose: &Purpose) -> String {
        let keys = ring.current();
        envelope::seal(VALUE, [], keys, purpose.key(keys), |bytes| {
            bytes.extend(self.expires_at.as_secs().to_be_bytes());
            bytes.extend(self.id.as_bytes());
            bytes.extend(Digest::write(self.session_hash));
            // An id has at most 256 bytes.
            let length = u16::try_from(self.uid.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(self.uid.as_bytes());
            bytes.extend(self.value.as_bytes());
        })
    }

    /// Returns the value with the keys that signed it; `None` if it is forged, or signed for another purpose or realm.
    pub(crate) fn decode<'k>(
        ring: &'k KeyRing,
        purpose: &Purpose,
        text: &str,
    ) -> Option<(Self, &'k KeySet)> {
        let mut buffer = [0; MAX_BYTES];
        let key_of = |keys: &KeySet| purpose.key(keys);
        let opened = envelope::open(text, VALUE, |[]| true, ring, key_of, &mut buffer).ok()?;
        let mut payload = opened.payload;
        let expires_at = UnixTime::from_secs(u64::from_be_bytes(take(&mut payload)?));
        let id = LoginId(take(&mut payload)?);
        let session_hash = Digest::read(take(&mut payload)?);
        let length = usize::from(u16::from_be_bytes(take(&mut payload)?));
        let (uid, value) = payload.split_at_checked(length)?;
        if !(1..=MAX_UID).contains(&length) {
            return None;
        }
        let text = |bytes| str::from_utf8(bytes).ok().map(str::to_owned);
        let value = Self {
            id,
            expires_at,
            session_hash,
            uid: text(uid)?,
            value: text(value)?,
        };
        Some((value, opened.keys))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )]

    use data_encoding::BASE64URL_NOPAD;

    use super::*;
    use crate::token::secret::SecretKey;
    use crate::token::value;

    fn ring() -> KeyRing {
        let secret = SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
        KeyRing::new(&secret, &[], "app", "s", "r")
    }

    fn reset() -> Purpose {
        Purpose::of_user("shop", "reset")
    }

    fn sample(uid: &str, value: &str) -> UserValue {
        UserValue {
            id: LoginId([7; 16]),
            expires_at: UnixTime::from_secs(1_800_000_000),
            session_hash: Some(Digest::of(reset().session_hash_key(ring().current()))),
            uid: uid.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn a_value_survives_the_round_trip() {
        let long = ("u".repeat(MAX_UID), "v".repeat(2_048));
        for (uid, value) in [("7", ""), ("7", "a@example.com"), (&long.0, &long.1)] {
            let sample = sample(uid, value);
            let text = sample.encode(&ring(), &reset());
            let ring = ring();
            let (decoded, keys) = UserValue::decode(&ring, &reset(), &text).unwrap();
            assert_eq!((decoded.uid.as_str(), decoded.value.as_str()), (uid, value));
            assert_eq!(decoded.id, sample.id);
            assert_eq!(decoded.expires_at, sample.expires_at);
            assert_eq!(decoded.session_hash, sample.session_hash);
            assert!(ring.is_current(keys));
        }
    }

    #[test]
    fn the_format_never_changes() {
        // Made with Python's hmac and base64 modules.
        let text = "AgN3NZcYAAAAAGtJ0gAHBwcHBwcHBwcHBwcHBwcHgzIpTjDBbheFfnuhAAE3YUBleGFtcGxlLmNvbYHKd05tec4NiAIE\
                    eLtIiG8";
        let sample = sample("7", "a@example.com");
        assert_eq!(sample.encode(&ring(), &reset()), text);
    }

    #[test]
    fn a_value_is_valid_for_its_purpose_and_realm_only() {
        let text = sample("7", "").encode(&ring(), &reset());
        for (realm, purpose) in [
            ("shop", "rese"),
            ("shop", "reset "),
            ("shop", ""),
            ("shop2", "reset"),
            ("", "reset"),
            ("shop: reset", ""),
        ] {
            let other = Purpose::of_user(realm, purpose);
            assert!(UserValue::decode(&ring(), &other, &text).is_none());
        }
    }

    #[test]
    fn the_other_values_of_an_application_are_not_for_a_user() {
        let purpose = reset();
        let text = sample("7", "").encode(&ring(), &purpose);
        let other = Purpose::of_application("shop", "reset");
        assert_eq!(
            value::decode(&ring(), &other, &text, UnixTime::from_secs(0)),
            None
        );
        let value = value::encode(
            &ring(),
            &other,
            &"a".repeat(99),
            UnixTime::from_secs(u64::MAX),
        );
        assert!(UserValue::decode(&ring(), &purpose, &value.unwrap()).is_none());
    }

    #[test]
    fn changed_and_truncated_texts_are_refused() {
        let text = sample("7", "a@example.com").encode(&ring(), &reset());
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let text = BASE64URL_NOPAD.encode(&bytes);
            assert!(UserValue::decode(&ring(), &reset(), &text).is_none());
        }
        for length in 0..text.len() {
            assert!(UserValue::decode(&ring(), &reset(), &text[..length]).is_none());
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused_even_when_signed() {
        for length in [0, 2, 257, u16::MAX] {
            let keys = ring();
            let keys = keys.current();
            let text = envelope::seal(VALUE, [], keys, reset().key(keys), |bytes| {
                bytes.extend([0; 8 + 16 + 12]);
                bytes.extend(length.to_be_bytes());
                bytes.push(b'7');
            });
            assert!(
                UserValue::decode(&ring(), &reset(), &text).is_none(),
                "{length}"
            );
        }
    }
}
