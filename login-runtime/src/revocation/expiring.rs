//! A map that drops its entries some time after they have expired, and never earlier.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::clock::UnixTime;

pub(super) struct Expiring<K, V, S = RandomState> {
    entries: HashMap<K, Entry<V>, S>,
    purge_at: usize,
    purged_at: Option<UnixTime>,
}

impl<K, V, S: Default> Default for Expiring<K, V, S> {
    fn default() -> Self {
        Self {
            entries: HashMap::default(),
            purge_at: 0,
            purged_at: None,
        }
    }
}

pub(super) struct Entry<V> {
    pub(super) value: V,
    pub(super) until: UnixTime,
}

impl<K: Eq + Hash, V, S: BuildHasher> Expiring<K, V, S> {
    /// Returns the value of an entry that has not expired.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: UnixTime) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let entry = self.entries.get(key)?;
        (entry.until > now).then_some(&entry.value)
    }

    /// Returns an entry, expired or not.
    pub(super) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut Entry<V>>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V, until: UnixTime) {
        self.entries.insert(key, Entry { value, until });
    }

    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.entries.remove(key).map(|entry| entry.value)
    }

    /// Returns all values, expired or not.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|entry| &entry.value)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Drops the expired entries if the map is full or has doubled since the last time, but at most once a second.
    pub(super) fn purge(&mut self, now: UnixTime, capacity: usize) {
        if self.entries.len() < self.purge_at.min(capacity) || self.purged_at == Some(now) {
            return;
        }
        self.entries.retain(|_, entry| entry.until > now);
        self.purge_at = self.entries.len().saturating_mul(2).max(64);
        self.purged_at = Some(now);
    }
}

/// Uses the bytes of a login id as its hash: they are random, and nobody can choose them, since only ids that we have
/// signed get here. The standard hasher takes 230 instructions more for the one lookup of each request.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(tail) = bytes.last_chunk() {
            self.0 ^= u64::from_ne_bytes(*tail);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
