//! The keys that are derived from the secret key.

use std::fmt;

use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use hmac::{KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::token::digest::{HmacSha256, truncate};
use crate::token::ids::LoginId;
use crate::token::kind::Kind;
use crate::token::secret::SecretKey;

const SALT: &[u8] = b"rocket-login";

/// All keys in use: the current ones sign, and all of them verify.
pub(crate) struct KeyRing {
    current: KeySet,
    fallbacks: Vec<KeySet>,
}

impl KeyRing {
    pub(crate) fn new(
        current: &SecretKey,
        fallbacks: &[SecretKey],
        audience: &str,
        session_cookie: &str,
        remember_cookie: &str,
    ) -> Self {
        let derive = |secret| KeySet::new(secret, audience, session_cookie, remember_cookie);
        Self {
            current: derive(current),
            fallbacks: fallbacks.iter().map(derive).collect(),
        }
    }

    pub(crate) fn current(&self) -> &KeySet {
        &self.current
    }

    pub(crate) fn is_current(&self, keys: &KeySet) -> bool {
        std::ptr::eq(keys, &raw const self.current)
    }

    /// Returns the place of keys in the ring.
    pub(crate) fn number(&self, keys: &KeySet) -> KeyNumber {
        let mut all = self.all();
        KeyNumber(all.position(|other| std::ptr::eq(keys, other)).unwrap_or(0))
    }

    pub(crate) fn numbered(&self, number: KeyNumber) -> &KeySet {
        self.all().nth(number.0).unwrap_or(&self.current)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &KeySet> {
        std::iter::once(&self.current).chain(&self.fallbacks)
    }

    /// Returns the keys with this id, newest first.
    pub(crate) fn with_id(&self, id: [u8; 4]) -> impl Iterator<Item = &KeySet> {
        self.all().filter(move |keys| keys.id == id)
    }

    /// Returns the name of a login for logs: 16 hex digits that reveal nothing about its id.
    pub(crate) fn log_id(&self, login: LoginId) -> String {
        let mac = self.current.log_id.clone().chain_update(login.as_bytes());
        HEXLOWER.encode(&truncate::<8>(mac))
    }
}

/// The place of some keys in the ring of one manager.
#[derive(Clone, Copy)]
pub(crate) struct KeyNumber(usize);

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing([redacted])")
    }
}

/// The keys that are derived from one secret key.
pub(crate) struct KeySet {
    pub(crate) id: [u8; 4],
    pub(crate) session: TokenKeys,
    pub(crate) remember: TokenKeys,
    pub(crate) device: TokenKeys,
    /// Signs the challenges that a device must answer, and names bindings.
    #[cfg(feature = "device-binding")]
    pub(crate) challenge: HmacSha256,
    log_id: HmacSha256,
    derivation: Derivation,
}

impl KeySet {
    fn new(
        secret: &SecretKey,
        audience: &str,
        session_cookie: &str,
        remember_cookie: &str,
    ) -> Self {
        let derivation = Derivation {
            hkdf: extract(SALT, secret.as_bytes()),
            audience: audience.into(),
        };
        Self {
            id: derivation.key_id(),
            session: TokenKeys::new(&derivation, "session", session_cookie),
            remember: TokenKeys::new(&derivation, "remember", remember_cookie),
            device: TokenKeys::new(&derivation, "device", &format!("{session_cookie} device")),
            #[cfg(feature = "device-binding")]
            challenge: derivation.mac("challenge", session_cookie),
            log_id: derivation.mac("log id", ""),
            derivation,
        }
    }

    /// Returns the keys of one of the cookies.
    pub(crate) fn of(&self, kind: Kind) -> &TokenKeys {
        match kind {
            Kind::Session => &self.session,
            Kind::Remember => &self.remember,
            Kind::Device => &self.device,
        }
    }

    /// Returns the key from which a login that comes from Flask gets its ids.
    #[cfg(feature = "flask")]
    pub(crate) fn flask_login(&self) -> HmacSha256 {
        self.derivation.mac("flask login", "")
    }

    /// Returns the name under which a list keeps that a user's cookies from Flask have ended.
    ///
    /// It is no user's id, because nobody can compute it without the key.
    #[cfg(feature = "flask")]
    pub(crate) fn flask_user(&self, uid: &str) -> String {
        let mac = self.derivation.mac("flask user", "").chain_update(uid);
        format!("flask:{}", HEXLOWER.encode(&truncate::<16>(mac)))
    }

    /// Returns the key for an application's own values with one purpose.
    pub(crate) fn value_key(&self, purpose: &str) -> HmacSha256 {
        self.derivation.mac(&format!("value: {purpose}"), "")
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySet([redacted])")
    }
}

/// The keys of one cookie, as HMAC states that are cloned for each use.
pub(crate) struct TokenKeys {
    pub(crate) mac: HmacSha256,
    pub(crate) session_hash: HmacSha256,
    pub(crate) protection: HmacSha256,
}

impl TokenKeys {
    fn new(derivation: &Derivation, purpose: &str, cookie: &str) -> Self {
        Self {
            mac: derivation.mac(purpose, cookie),
            session_hash: derivation.mac("session hash", cookie),
            protection: derivation.mac("protection", cookie),
        }
    }
}

/// The extracted secret (HKDF), which is expanded to one key per purpose and cookie name.
struct Derivation {
    hkdf: Hkdf<Sha256>,
    audience: Box<str>,
}

impl Derivation {
    fn mac(&self, purpose: &str, cookie: &str) -> HmacSha256 {
        hmac(&expand(&self.hkdf, &info(purpose, &self.audience, cookie)))
    }

    /// Depends on the audience, so that tokens of another application with the same secret are not ours.
    fn key_id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = expand(&self.hkdf, &info("key id", &self.audience, ""));
        [a, b, c, d]
    }
}

/// Returns the key for the digests of users in a store of ended logins, and its id. It depends on the secret alone, so that
/// an application can set the secret of these digests by itself.
pub(crate) fn store_key(secret: &SecretKey) -> ([u8; 4], [u8; 16]) {
    let hkdf = extract(SALT, secret.as_bytes());
    let key = expand(&hkdf, &info("store", "", ""));
    let (mut id, mut half) = ([0; 4], [0; 16]);
    id.copy_from_slice(key.split_at(4).0);
    half.copy_from_slice(key.split_at(16).1);
    (id, half)
}

fn info(purpose: &str, audience: &str, cookie: &str) -> Vec<u8> {
    let mut info = Vec::new();
    for part in ["v2", purpose, audience, cookie] {
        // These are names from the configuration, far shorter than 64 KiB.
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        info.extend(length.to_be_bytes());
        info.extend(part.as_bytes());
    }
    info
}

pub(super) fn extract(salt: &[u8], secret: &[u8]) -> Hkdf<Sha256> {
    Hkdf::new(Some(salt), secret)
}

#[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 8,160 bytes")]
pub(super) fn expand(hkdf: &Hkdf<Sha256>, info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    hkdf.expand(info, &mut key)
        .expect("32 bytes can be expanded");
    key
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(super) fn hmac(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("a key of any length fits")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    /// 32 bytes: 0, 1, .. 31.
    fn bytes() -> Vec<u8> {
        (0..32).collect()
    }

    fn secret() -> SecretKey {
        SecretKey::from_bytes(&bytes()).unwrap()
    }

    fn ring(audience: &str, session: &str, remember: &str) -> KeyRing {
        KeyRing::new(&secret(), &[], audience, session, remember)
    }

    fn tag(key: &HmacSha256) -> [u8; 32] {
        truncate(key.clone())
    }

    fn tags(ring: &KeyRing) -> Vec<[u8; 32]> {
        let KeySet {
            session,
            remember,
            device,
            log_id,
            ..
        } = ring.current();
        [
            &session.mac,
            &session.session_hash,
            &session.protection,
            &remember.mac,
            &remember.session_hash,
            &remember.protection,
            &device.mac,
            &device.session_hash,
            &device.protection,
            log_id,
            &ring.current().value_key("a"),
            &ring.current().value_key("b"),
        ]
        .map(tag)
        .to_vec()
    }

    #[test]
    fn debug_shows_no_key() {
        let ring = ring("app", "s", "r");
        assert_eq!(format!("{ring:?}"), "KeyRing([redacted])");
        assert_eq!(format!("{:?}", ring.current()), "KeySet([redacted])");
    }

    #[test]
    fn hkdf_returns_the_vectors_of_rfc_5869() {
        // Appendix A.1 and A.3; the first 32 of 42 bytes.
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        for (salt, info, key) in [
            (
                "000102030405060708090a0b0c",
                "f0f1f2f3f4f5f6f7f8f9",
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
            ),
            (
                "",
                "",
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
            ),
        ] {
            let hkdf = extract(&hex(salt), &[0x0b; 22]);
            assert_eq!(expand(&hkdf, &hex(info)), hex(key).as_slice());
        }
    }

    #[test]
    fn the_derivation_never_changes() {
        // Made with Python's hmac module. Other keys would log everybody out.
        let ring = ring("app", "__Host-login_session", "__Host-remember_token");
        let hex = |key: &HmacSha256| HEXLOWER.encode(&tag(key));
        assert_eq!(HEXLOWER.encode(&ring.current().id), "77359718");
        assert_eq!(
            hex(&ring.current().session.mac),
            "8ca83210f2f52ab646da9078c23b0603882d6e66fb1714fdceea2996b3eafdff"
        );
        assert_eq!(
            hex(&ring.current().remember.protection),
            "a64b7627cb44c17d93d93030aa503606ae078e46c0fe3ca9d935881ce6e83255"
        );
        assert_eq!(
            hex(&ring.current().value_key("next")),
            "e119b88a8faf3049244d3025995723f4862c75d88a6119571eb045dd76ec0100"
        );
        assert_eq!(ring.log_id(LoginId([7; 16])), "e7ef5ffa496a2e82");
    }

    #[test]
    fn every_purpose_audience_and_cookie_name_has_its_own_key() {
        let one = tags(&ring("app", "s", "r"));
        assert_eq!(one.iter().collect::<HashSet<_>>().len(), one.len());

        let other = ring("other", "s", "r");
        assert!(one.iter().zip(&tags(&other)).all(|(a, b)| a != b));
        assert_ne!(ring("app", "s", "r").current().id, other.current().id);

        // The three keys of each cookie change with its name, and those of the device cookie with the session cookie's.
        // The rest do not.
        let other_names = tags(&ring("app", "s2", "r2"));
        let kept: Vec<bool> = one.iter().zip(&other_names).map(|(a, b)| a == b).collect();
        assert_eq!(
            kept,
            [
                false, false, false, false, false, false, false, false, false, true, true, true
            ]
        );
    }

    #[test]
    fn parts_of_a_derivation_cannot_run_into_each_other() {
        assert_ne!(info("ab", "c", ""), info("a", "bc", ""));
        assert_ne!(info("a", "", "b"), info("a", "b", ""));
        assert_ne!(
            tags(&ring("a", "bc", "r"))[0],
            tags(&ring("ab", "c", "r"))[0]
        );
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn no_two_derivations_have_one_info(
            one in ["[ab:]{0,4}", "[ab:]{0,4}", "[ab:]{0,4}"],
            other in ["[ab:]{0,4}", "[ab:]{0,4}", "[ab:]{0,4}"],
            cut in 0..9_usize,
        ) {
            // R3
            let of = |[purpose, audience, cookie]: [&str; 3]| info(purpose, audience, cookie);
            let one = one.each_ref().map(String::as_str);
            let other = other.each_ref().map(String::as_str);
            prop_assert_eq!(of(one) == of(other), one == other);
            // The same characters, split at another position.
            let joined = one[0].to_owned() + one[1];
            let moved = joined.split_at(cut.min(joined.len()));
            let moved = [moved.0, moved.1, one[2]];
            prop_assert_eq!(of(one) == of(moved), one == moved);
        }
    }

    #[test]
    fn a_key_with_a_zero_byte_appended_is_another_key() {
        let mut longer = bytes();
        longer.push(0);
        let longer = SecretKey::from_bytes(&longer).unwrap();
        assert_ne!(longer, secret());
        let (a, b) = (
            ring("app", "s", "r"),
            KeyRing::new(&longer, &[], "app", "s", "r"),
        );
        assert_ne!(a.current().id, b.current().id);
        assert_ne!(tags(&a)[0], tags(&b)[0]);
    }

    #[test]
    fn keys_are_found_by_id_and_only_the_newest_is_current() {
        let old = SecretKey::from_bytes(&(32..64).collect::<Vec<u8>>()).unwrap();
        let retired = KeyRing::new(&old, &[], "app", "s", "r");
        let ring = KeyRing::new(&secret(), &[old], "app", "s", "r");

        let found: Vec<_> = ring.with_id(retired.current().id).collect();
        assert_eq!(found.len(), 1);
        assert!(!ring.is_current(found[0]));
        assert_eq!(
            tag(&found[0].session.mac),
            tag(&retired.current().session.mac)
        );

        let found: Vec<_> = ring.with_id(ring.current().id).collect();
        assert_eq!(found.len(), 1);
        assert!(ring.is_current(found[0]));
        assert_eq!(ring.with_id([0; 4]).count(), 0);
    }

    #[test]
    fn log_ids_are_sixteen_digits_and_differ() {
        let ring = ring("app", "s", "r");
        let (a, b) = (ring.log_id(LoginId([1; 16])), ring.log_id(LoginId([2; 16])));
        assert_eq!(a.len(), 16);
        assert_ne!(a, b);
        assert_eq!(a, ring.log_id(LoginId([1; 16])));
    }
}
