//! The tools of a forger who knows the secret key: every derived key, and the layout of a token.
//!
//! This code follows the text of SECURITY.md, not the code of the library: each checks the other.

use std::ops::Range;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::{REMEMBER, SESSION, Site, body, line};

/// The fields of a token before the user id, and how many bytes each has.
pub(crate) const FIELDS: [(&str, usize); 13] = [
    ("version", 1),
    ("kind", 1),
    ("flags", 1),
    ("key id", 4),
    ("login id", 16),
    ("session id", 8),
    ("auth_at", 5),
    ("created_at", 5),
    ("renewed_at", 5),
    ("expires_at", 5),
    ("session hash", 12),
    ("protection", 12),
    ("uid length", 2),
];
pub(crate) const UID_AT: usize = 77;
pub(crate) const TAG: usize = 16;

/// Where a field is in a token.
pub(crate) fn place(field: &str) -> Range<usize> {
    let mut start = 0;
    for (name, width) in FIELDS {
        if name == field {
            return start..start + width;
        }
        start += width;
    }
    panic!("no field {field:?}")
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
}

pub(crate) fn encode(token: &[u8]) -> String {
    BASE64URL_NOPAD.encode(token)
}

pub(crate) fn sha256(message: &[u8]) -> Vec<u8> {
    Sha256::digest(message).to_vec()
}

/// The tag of a token: the first half of HMAC-SHA-256.
pub(crate) fn tag(key: &[u8], signed: &[u8]) -> Vec<u8> {
    hmac(key, signed)[..TAG].to_vec()
}

/// HMAC-SHA-256 with a key of any length.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// A genuine token with another last letter in its user id: ours, but its signature is wrong.
pub(crate) fn forged(token: &str) -> String {
    let mut bytes = decode(token);
    let last = bytes.len() - TAG - 1;
    bytes[last] ^= 1;
    encode(&bytes)
}

/// The length extension of SHA-256: the hash of `message`, its padding and `more`, computed from the
/// length and the hash of the message only. Also returns the padding.
pub(crate) fn extend(hash: &[u8], length: usize, more: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let padding = padding(length);
    let mut state = [0; 8];
    for (word, bytes) in state.iter_mut().zip(hash.chunks(4)) {
        *word = u32::from_be_bytes(bytes.try_into().unwrap());
    }
    let total = length + padding.len() + more.len();
    let rest = [more, &self::padding(total)].concat();
    for block in rest.chunks(64) {
        sha2::block_api::compress256(&mut state, &[block.try_into().unwrap()]);
    }
    (padding, state.map(u32::to_be_bytes).concat())
}

/// The padding that SHA-256 adds to a message of this many bytes.
fn padding(length: usize) -> Vec<u8> {
    let mut padding = vec![0x80];
    padding.resize(1 + (64 + 55 - length % 64) % 64, 0);
    padding.extend((length as u64 * 8).to_be_bytes());
    padding
}

/// A forger who knows the secret of an application.
pub(crate) struct Forger {
    extracted: Hkdf<Sha256>,
    audience: String,
}

impl Forger {
    pub(crate) fn new(secret: &str, audience: &str) -> Self {
        let secret = BASE64.decode(secret.as_bytes()).unwrap();
        Forger {
            extracted: Hkdf::new(Some(b"rocket-login"), &secret),
            audience: audience.into(),
        }
    }

    /// The key of a purpose and a cookie name.
    pub(crate) fn key(&self, purpose: &str, cookie: &str) -> Vec<u8> {
        self.derive(["v2", purpose, &self.audience, cookie])
    }

    pub(crate) fn key_id(&self) -> Vec<u8> {
        let mut id = self.key("key id", "");
        id.truncate(4);
        id
    }

    /// Each part after its length in two bytes.
    fn derive(&self, parts: [&str; 4]) -> Vec<u8> {
        let info: Vec<u8> = parts
            .iter()
            .flat_map(|part| [&[0, u8::try_from(part.len()).unwrap()], part.as_bytes()].concat())
            .collect();
        let mut key = vec![0; 32];
        self.extracted.expand(&info, &mut key).unwrap();
        key
    }

    /// The key that signs the value of the named cookie.
    pub(crate) fn signing_key(&self, cookie: &str) -> Vec<u8> {
        let purpose = if cookie == REMEMBER {
            "remember"
        } else {
            "session"
        };
        self.key(purpose, cookie)
    }

    /// The digest of a user's password in the named cookie.
    pub(crate) fn session_hash(&self, cookie: &str, password: &str) -> Vec<u8> {
        let length = (password.len() as u64).to_be_bytes();
        let field = [&[1], &length[..], password.as_bytes()].concat();
        let mut digest = hmac(&self.key("session hash", cookie), &field);
        digest.truncate(12);
        digest
    }

    /// A token that `change` has edited, with the right tag for the named cookie.
    pub(crate) fn signed(
        &self,
        cookie: &str,
        token: &str,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> String {
        let mut bytes = decode(token);
        bytes.truncate(bytes.len() - TAG);
        change(&mut bytes);
        bytes.extend(tag(&self.signing_key(cookie), &bytes));
        encode(&bytes)
    }
}

#[test]
fn the_forger_can_do_what_only_the_server_should() {
    // The control for every test that refuses a token with the right tag.
    let site = Site::of_audience("a");
    let forger = Forger::new(crate::common::KEY, "a");
    for name in [SESSION, REMEMBER] {
        let alice = site.value(name, "alice");
        assert_eq!(decode(&alice)[place("key id")], forger.key_id());
        assert_eq!(forger.signed(name, &alice, |_| ()), alice);

        let hash = forger.session_hash(name, "password of alice");
        assert_eq!(decode(&alice)[place("session hash")], hash);
        let bob = forger.signed(name, &alice, |token| {
            token[place("session hash")]
                .copy_from_slice(&forger.session_hash(name, "password of bob"));
            token[place("uid length")].copy_from_slice(&[0, 3]);
            token.splice(UID_AT.., *b"bob");
        });
        assert_eq!(body(&site.get("/me", &[&line(&[(name, &bob)])])), "bob");
    }
}

#[test]
fn the_forger_can_extend_a_plain_hash() {
    let secret = b"a secret of which only the length is known";
    for length in [0, 1, 12, 13, 21, 22, 23, 200] {
        let message = [secret.as_slice(), &vec![b'm'; length]].concat();
        for more in [&b""[..], b"more", &[7; 150]] {
            let (padding, hash) = extend(&sha256(&message), message.len(), more);
            assert_eq!(hash, sha256(&[&message, &padding, more].concat()));
        }
    }
}
