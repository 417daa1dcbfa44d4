//! The digests that stand for users in a store: their ids may be personal, and are nobody's business there.

use std::sync::atomic::{AtomicBool, Ordering};

use siphasher::sip128::SipHasher24;

use crate::revocation::log::entry::UserDigest;
use crate::token::keys::store_key;
use crate::token::secret::SecretKey;

/// The keys of the digests: the first one is for new entries, and all of them find old ones.
pub(crate) struct UserKeys(Vec<UserKey>);

struct UserKey {
    id: [u8; 4],
    hasher: SipHasher24,
    /// Whether there is an entry under this key, so that a digest is worth its time.
    is_used: AtomicBool,
}

impl UserKeys {
    /// Takes the secrets in the order in which they are preferred.
    pub(crate) fn new<'k>(secrets: impl Iterator<Item = &'k SecretKey>) -> Self {
        let mut keys: Vec<UserKey> = Vec::new();
        for secret in secrets {
            let (id, key) = store_key(secret);
            if keys.iter().all(|known| known.id != id) {
                keys.push(UserKey {
                    id,
                    hasher: SipHasher24::new_with_key(&key),
                    is_used: AtomicBool::new(false),
                });
            }
        }
        Self(keys)
    }

    /// The digest for a new entry.
    pub(super) fn current(&self, user_id: &str) -> Option<UserDigest> {
        self.0.first().map(|key| key.digest(user_id))
    }

    pub(crate) fn all(&self, user_id: &str) -> impl Iterator<Item = UserDigest> {
        self.0.iter().map(move |key| key.digest(user_id))
    }

    /// The digests under which the user may have an entry.
    pub(super) fn used(&self, user_id: &str) -> impl Iterator<Item = UserDigest> {
        let is_used = |key: &&UserKey| key.is_used.load(Ordering::Relaxed);
        let used = self.0.iter().filter(is_used);
        used.map(move |key| key.digest(user_id))
    }

    /// Notes that there is an entry under a key; `false` if the key is unknown.
    pub(super) fn note(&self, key_id: [u8; 4]) -> bool {
        let key = self.0.iter().find(|key| key.id == key_id);
        if let Some(key) = key {
            key.is_used.store(true, Ordering::Relaxed);
        }
        key.is_some()
    }
}

impl UserKey {
    fn digest(&self, user_id: &str) -> UserDigest {
        UserDigest {
            key_id: self.id,
            digest: self.hasher.hash(user_id.as_bytes()).as_bytes(),
        }
    }
}
