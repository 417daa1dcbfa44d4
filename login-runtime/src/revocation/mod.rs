//! Ended sessions: a signed cookie holds until it expires, so whoever logs out is remembered here.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rocket::futures::future::BoxFuture;

use crate::printable::Printable;
use crate::token::{SessionId, Token};

/// Remembers which sessions have ended, until they would have expired anyway.
///
/// Implement it over storage that all servers share, and that outlives them, to have a logout hold
/// everywhere and across restarts; [`MemoryRevocations`] does neither. Where the list cannot be
/// reached, the request ends with 503, and nobody is logged in or out.
///
/// All times are Unix seconds. Every method gets the time of its request as `now`, from the
/// manager's clock. An entry may be dropped once `until` has come, and not before.
///
/// # Example
///
/// ```rust
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use rocket::futures::future::BoxFuture;
/// use rocket_login::{MemoryRevocations, RevocationError, RevocationList, Revoked, SessionRef};
///
/// /// Counts the sessions that end.
/// struct Counted(MemoryRevocations, AtomicUsize);
///
/// impl RevocationList for Counted {
///     fn revoke<'a>(&'a self, session: SessionRef<'a>, now: u64, until: u64)
///         -> BoxFuture<'a, Result<Revoked, RevocationError>>
///     {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.revoke(session, now, until)
///     }
///
///     fn revoke_user<'a>(&'a self, user_id: &'a str, now: u64, not_before: u64, until: u64)
///         -> BoxFuture<'a, Result<(), RevocationError>>
///     {
///         self.0.revoke_user(user_id, now, not_before, until)
///     }
///
///     fn is_revoked<'a>(&'a self, session: SessionRef<'a>, now: u64)
///         -> BoxFuture<'a, Result<bool, RevocationError>>
///     {
///         self.0.is_revoked(session, now)
///     }
///
///     fn not_before<'a>(&'a self, user_id: &'a str, now: u64)
///         -> BoxFuture<'a, Result<u64, RevocationError>>
///     {
///         self.0.not_before(user_id, now)
///     }
/// }
/// ```
pub trait RevocationList: Send + Sync + 'static {
    /// Ends one session: its tokens are refused until `until`, when they have expired anyway.
    ///
    /// Returns [`Revoked::Before`] where the session had ended already, by itself or with its user:
    /// of calls at the same time one at the most gets another answer, or a `confirm_login` could
    /// undo a logout that it races. Of two calls for one session the later `until` holds.
    ///
    /// # Errors
    ///
    /// When the list cannot be written; the logout has then failed.
    fn revoke<'a>(
        &'a self,
        session: SessionRef<'a>,
        now: u64,
        until: u64,
    ) -> BoxFuture<'a, Result<Revoked, RevocationError>>;

    /// Ends every session of a user that was created before `not_before`.
    ///
    /// Of two calls for one user the later `not_before` holds, and the later `until`.
    ///
    /// # Errors
    ///
    /// When the list cannot be written; the logout has then failed.
    fn revoke_user<'a>(
        &'a self,
        user_id: &'a str,
        now: u64,
        not_before: u64,
        until: u64,
    ) -> BoxFuture<'a, Result<(), RevocationError>>;

    /// Returns whether a session has ended: by itself, or because it was created before its
    /// user's `not_before`.
    ///
    /// # Errors
    ///
    /// When the list cannot be read.
    fn is_revoked<'a>(
        &'a self,
        session: SessionRef<'a>,
        now: u64,
    ) -> BoxFuture<'a, Result<bool, RevocationError>>;

    /// Returns the user's `not_before`, 0 if there is none. A new login is never dated before it.
    ///
    /// # Errors
    ///
    /// When the list cannot be read.
    fn not_before<'a>(
        &'a self,
        user_id: &'a str,
        now: u64,
    ) -> BoxFuture<'a, Result<u64, RevocationError>>;
}

/// What a call of [`RevocationList::revoke`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The session had ended before.
    Before,
    /// This call has ended it.
    Now,
    /// This call has ended it, and for want of room every session of its user that was created
    /// before this time.
    WithUser {
        /// Unix seconds; a login that takes the place of the session is dated no earlier.
        not_before: u64,
    },
}

/// A session as a [`RevocationList`] is told of it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct SessionRef<'a> {
    /// The session's id, 16 random bytes.
    pub id: SessionId,
    /// The id of the session's user.
    pub user_id: &'a str,
    /// When it began, in Unix seconds.
    pub created_at: u64,
}

impl fmt::Debug for SessionRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRef")
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

impl<'a> SessionRef<'a> {
    pub(crate) fn of(token: &'a Token) -> Self {
        SessionRef {
            id: token.session_id,
            user_id: &token.uid,
            created_at: token.created_at,
        }
    }
}

/// Why a [`RevocationList`] could not be read or written.
///
/// # Example
///
/// ```rust
/// use rocket_login::RevocationError;
///
/// let error = RevocationError::new("connection refused");
/// assert_eq!(error.to_string(), "the revocation list failed: connection refused");
/// ```
#[derive(Debug)]
pub struct RevocationError(Box<dyn Error + Send + Sync>);

impl RevocationError {
    /// Wraps the storage's own error.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the revocation list failed: {}", Printable(&self.0))
    }
}

impl Error for RevocationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// The list of ended sessions in this process's memory, which is the default.
///
/// It is not shared and not kept: after a restart, and in a second process that serves the same
/// users, a session that has been logged out holds again until it expires, for whoever kept its
/// cookie. Where that matters, share a list of your own, or give the user a
/// [`session_hash`](crate::UserMixin::session_hash) that changes.
///
/// An entry takes about 50 bytes, and none is dropped early. Once the list is full, a logout ends
/// all sessions of its user instead of the one: that takes one entry per user, beyond the
/// capacity.
pub struct MemoryRevocations {
    shards: [RwLock<Sessions>; SHARDS],
    shard_capacity: usize,
    users: RwLock<Users>,
    has_users: AtomicBool,
}

const SHARDS: usize = 16;

type Sessions = Expiring<SessionId, (), BuildHasherDefault<IdHasher>>;
/// User ids are an attacker's to choose: they get the standard library's keyed hasher.
type Users = Expiring<Box<str>, u64, RandomState>;

impl MemoryRevocations {
    /// Returns an empty list for about `capacity` sessions.
    ///
    /// # Example
    ///
    /// ```rust
    /// let list = rocket_login::MemoryRevocations::new(100_000);
    /// ```
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            shards: Default::default(),
            shard_capacity: capacity.div_ceil(SHARDS),
            users: RwLock::default(),
            has_users: AtomicBool::new(false),
        }
    }

    pub(crate) fn revoke(&self, session: SessionRef<'_>, now: u64, until: u64) -> Revoked {
        let held = self.not_before(session.user_id, now);
        let had_ended = session.created_at < held;
        match self.list(session.id, now, until) {
            Some(is_new) if is_new && !had_ended => return Revoked::Now,
            Some(_) => return Revoked::Before,
            None => {}
        }
        let not_before = if had_ended {
            held
        } else {
            tracing::warn!(
                "the list of ended sessions is full: a logout has ended all sessions of its user; \
                 raise `login.revocation_capacity`"
            );
            held.max(now).max(session.created_at).saturating_add(1)
        };
        let held = self.revoke_user(session.user_id, now, not_before, until);
        if session.created_at < held {
            Revoked::Before
        } else {
            Revoked::WithUser { not_before }
        }
    }

    /// Ends a user's older sessions; gives the `not_before` that held until now.
    pub(crate) fn revoke_user(&self, user_id: &str, now: u64, not_before: u64, until: u64) -> u64 {
        let mut users = write(&self.users);
        users.purge(now, usize::MAX);
        let entry = users.entries.entry(user_id.into()).or_default();
        let held = if entry.until > now { entry.what } else { 0 };
        entry.what = entry.what.max(not_before);
        entry.until = entry.until.max(until);
        self.has_users.store(true, Ordering::SeqCst);
        held
    }

    pub(crate) fn is_revoked(&self, session: SessionRef<'_>, now: u64) -> bool {
        let is_listed = match read(self.shard(session.id)).entries.get(&session.id) {
            Some(entry) => entry.until > now,
            None => false,
        };
        is_listed || session.created_at < self.not_before(session.user_id, now)
    }

    pub(crate) fn not_before(&self, user_id: &str, now: u64) -> u64 {
        if !self.has_users.load(Ordering::SeqCst) {
            return 0;
        }
        match read(&self.users).entries.get(user_id) {
            Some(entry) if entry.until > now => entry.what,
            _ => 0,
        }
    }

    /// Enters a session, and says whether it is new here; `None` if there is no room for it.
    fn list(&self, session: SessionId, now: u64, until: u64) -> Option<bool> {
        let mut shard = write(self.shard(session));
        if let Some(entry) = shard.entries.get_mut(&session) {
            entry.until = entry.until.max(until);
            return Some(false);
        }
        shard.purge(now, self.shard_capacity);
        if shard.entries.len() >= self.shard_capacity {
            return None;
        }
        shard.entries.insert(session, Entry { what: (), until });
        Some(true)
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder of 16, and 16 shards")]
    fn shard(&self, SessionId([first, ..]): SessionId) -> &RwLock<Sessions> {
        &self.shards[usize::from(first) % SHARDS]
    }
}

impl RevocationList for MemoryRevocations {
    fn revoke<'a>(
        &'a self,
        session: SessionRef<'a>,
        now: u64,
        until: u64,
    ) -> BoxFuture<'a, Result<Revoked, RevocationError>> {
        Box::pin(async move { Ok(self.revoke(session, now, until)) })
    }

    fn revoke_user<'a>(
        &'a self,
        user_id: &'a str,
        now: u64,
        not_before: u64,
        until: u64,
    ) -> BoxFuture<'a, Result<(), RevocationError>> {
        Box::pin(async move {
            self.revoke_user(user_id, now, not_before, until);
            Ok(())
        })
    }

    fn is_revoked<'a>(
        &'a self,
        session: SessionRef<'a>,
        now: u64,
    ) -> BoxFuture<'a, Result<bool, RevocationError>> {
        Box::pin(async move { Ok(self.is_revoked(session, now)) })
    }

    fn not_before<'a>(
        &'a self,
        user_id: &'a str,
        now: u64,
    ) -> BoxFuture<'a, Result<u64, RevocationError>> {
        Box::pin(async move { Ok(self.not_before(user_id, now)) })
    }
}

impl fmt::Debug for MemoryRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRevocations").finish_non_exhaustive()
    }
}

/// A map whose entries are dropped some time after their `until`, and never before.
struct Expiring<K, V, S> {
    entries: HashMap<K, Entry<V>, S>,
    purge_at: usize,
    purged_at: Option<u64>,
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

#[derive(Default)]
struct Entry<V> {
    what: V,
    until: u64,
}

impl<K: Eq + Hash, V, S: BuildHasher> Expiring<K, V, S> {
    /// Drops what has expired, if the map has doubled since the last time or is full, and at most
    /// once a second.
    fn purge(&mut self, now: u64, capacity: usize) {
        if self.entries.len() < self.purge_at.min(capacity) || self.purged_at == Some(now) {
            return;
        }
        self.entries.retain(|_, entry| entry.until > now);
        self.purge_at = self.entries.len().saturating_mul(2).max(64);
        self.purged_at = Some(now);
    }
}

/// Session ids are random, and only those that we have signed get here: their bytes are the hash.
#[derive(Default)]
struct IdHasher(u64);

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

/// A list is whole after any panic, since each change to it is a single step.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )]

    use super::*;

    fn of(id: SessionId, user_id: &str, created_at: u64) -> SessionRef<'_> {
        SessionRef {
            id,
            user_id,
            created_at,
        }
    }

    /// The `n`th id of a fixed sequence, spread like random ones.
    fn id(n: u64) -> SessionId {
        let mixed = u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        SessionId(mixed.to_be_bytes())
    }

    fn entries(list: &MemoryRevocations) -> usize {
        list.shards
            .iter()
            .map(|shard| read(shard).entries.len())
            .sum()
    }

    #[test]
    fn only_the_ended_session_is_revoked() {
        let list = MemoryRevocations::new(100);
        list.revoke(of(id(1), "alice", 0), 10, 100);
        assert!(list.is_revoked(of(id(1), "alice", 5), 10));
        assert!(!list.is_revoked(of(id(2), "alice", 5), 10));
        assert_eq!(list.not_before("alice", 10), 0);
    }

    #[test]
    fn of_all_who_end_a_session_one_is_told_so() {
        for (capacity, first) in [
            (100, Revoked::Now),
            (0, Revoked::WithUser { not_before: 11 }),
        ] {
            let list = MemoryRevocations::new(capacity);
            let session = of(id(1), "alice", 5);
            let mut told = std::thread::scope(|scope| {
                let ends = [(); 8].map(|()| scope.spawn(|| list.revoke(session, 10, 100)));
                ends.map(|end| end.join().unwrap()).to_vec()
            });
            told.retain(|told| *told != Revoked::Before);
            assert_eq!(told, [first]);
            assert_eq!(list.revoke(of(id(2), "bob", 5), 10, 100), first);
        }
    }

    #[test]
    fn a_session_that_ended_with_its_user_is_not_ended_again() {
        for capacity in [0, 100] {
            let list = MemoryRevocations::new(capacity);
            list.revoke_user("alice", 10, 11, 100);
            assert_eq!(
                list.revoke(of(id(1), "alice", 10), 10, 100),
                Revoked::Before
            );
            assert_ne!(
                list.revoke(of(id(2), "alice", 11), 11, 100),
                Revoked::Before
            );
        }
    }

    #[test]
    fn what_ended_a_user_until_now_does_so_no_longer() {
        let list = MemoryRevocations::new(0);
        list.revoke_user("alice", 10, 11, 100);
        let session = of(id(1), "alice", 5);
        assert_eq!(
            list.revoke(session, 100, 200),
            Revoked::WithUser { not_before: 101 }
        );
    }

    #[test]
    fn an_entry_holds_to_its_last_second() {
        let list = MemoryRevocations::new(100);
        list.revoke(of(id(1), "alice", 0), 10, 100);
        assert!(list.is_revoked(of(id(1), "alice", 5), 99));
        assert!(!list.is_revoked(of(id(1), "alice", 5), 100));
        list.revoke_user("bob", 10, 11, 100);
        assert!(list.is_revoked(of(id(2), "bob", 10), 99));
        assert!(!list.is_revoked(of(id(2), "bob", 10), 100));
    }

    #[test]
    fn the_later_end_of_two_holds_in_either_order() {
        for ends in [[50, 100], [100, 50]] {
            let list = MemoryRevocations::new(100);
            for until in ends {
                list.revoke(of(id(1), "alice", 0), 10, until);
                list.revoke_user("bob", 10, 11, until);
            }
            assert!(list.is_revoked(of(id(1), "alice", 5), 99));
            assert!(list.is_revoked(of(id(2), "bob", 5), 99));
            assert_eq!(entries(&list), 1);
        }
    }

    #[test]
    fn a_user_is_logged_out_of_older_sessions_only() {
        let list = MemoryRevocations::new(100);
        list.revoke_user("alice", 10, 11, 100);
        assert_eq!(list.not_before("alice", 10), 11);
        assert!(list.is_revoked(of(id(1), "alice", 10), 10));
        assert!(!list.is_revoked(of(id(1), "alice", 11), 10));
        assert!(!list.is_revoked(of(id(1), "bob", 10), 10));
        assert!(!list.is_revoked(of(id(1), "alice ", 10), 10));
    }

    #[test]
    fn a_not_before_is_never_lowered() {
        let list = MemoryRevocations::new(0);
        list.revoke_user("alice", 10, 50, 100);
        list.revoke_user("alice", 10, 20, 60);
        assert_eq!(list.not_before("alice", 99), 50);
        list.revoke(of(id(1), "alice", 50), 10, 60);
        assert_eq!(list.not_before("alice", 99), 51);
    }

    #[test]
    fn a_full_list_loses_nothing() {
        let capacity = 64;
        let list = MemoryRevocations::new(capacity);
        let users: Vec<String> = (0..1_000).map(|n| format!("user {}", n % 100)).collect();
        for (n, user) in (0..).zip(&users) {
            let now = 10 + n / 100;
            list.revoke(of(id(n), user, now), now, 5_000);
        }
        for (n, user) in (0..).zip(&users) {
            let created_at = 10 + n / 100;
            assert!(
                list.is_revoked(of(id(n), user, created_at), 4_999),
                "session {n}"
            );
        }
        assert!(entries(&list) <= capacity);
        assert_eq!(read(&list.users).entries.len(), 100);
    }

    #[test]
    fn a_full_list_lets_the_user_back_in() {
        let list = MemoryRevocations::new(0);
        // Logs in and out again and again within one second, as the manager dates logins.
        for n in 0..5 {
            let created_at = list.not_before("alice", 10).max(10);
            assert!(
                !list.is_revoked(of(id(n), "alice", created_at), 10),
                "login {n}"
            );
            list.revoke(of(id(n), "alice", created_at), 10, 100);
            assert!(
                list.is_revoked(of(id(n), "alice", created_at), 10),
                "logout {n}"
            );
        }
    }

    #[test]
    fn a_listed_session_can_be_prolonged_when_the_list_is_full() {
        let list = MemoryRevocations::new(16);
        let first = SessionId([0; 16]);
        let second = SessionId([16; 16]);
        list.revoke(of(first, "alice", 0), 10, 50);
        list.revoke(of(first, "alice", 0), 10, 100);
        assert_eq!(list.not_before("alice", 10), 0);
        list.revoke(of(second, "bob", 0), 10, 50);
        assert_eq!(list.not_before("bob", 10), 11);
        assert!(list.is_revoked(of(first, "alice", 5), 99));
    }

    #[test]
    fn a_full_list_makes_room_as_soon_as_something_has_expired() {
        let list = MemoryRevocations::new(16);
        let (first, second) = (SessionId([0; 16]), SessionId([16; 16]));
        list.revoke(of(first, "alice", 0), 10, 50);
        list.revoke(of(second, "bob", 0), 50, 90);
        assert_eq!(list.not_before("bob", 50), 0);
        assert!(list.is_revoked(of(second, "bob", 50), 89));
        assert_eq!(entries(&list), 1);
    }

    #[test]
    fn a_full_list_drops_nothing_a_second_early() {
        let list = MemoryRevocations::new(16);
        let (first, second) = (SessionId([0; 16]), SessionId([16; 16]));
        list.revoke(of(first, "alice", 0), 10, 50);
        list.revoke(of(second, "bob", 0), 49, 90);
        assert!(list.is_revoked(of(first, "alice", 5), 49));
        assert_eq!(list.not_before("bob", 49), 50);
    }

    #[test]
    fn what_has_expired_is_purged_and_what_has_not_is_kept() {
        let list = MemoryRevocations::new(1_000_000);
        list.revoke(of(id(0), "alice", 0), 0, u64::MAX);
        list.revoke_user("alice", 0, 1, u64::MAX);
        for n in 1..100_000 {
            list.revoke(of(id(n), "bob", 0), n, n + 100);
            list.revoke_user(&format!("user {n}"), n, n, n + 100);
        }
        // At most twice what is alive, and 64 per shard.
        assert!(entries(&list) <= SHARDS * 64 + 300, "{}", entries(&list));
        assert!(read(&list.users).entries.len() <= 300);
        assert!(list.is_revoked(of(id(0), "alice", 5), 100_000));
        assert_eq!(list.not_before("alice", 100_000), 1);
        for n in 99_900..100_000 {
            assert!(list.is_revoked(of(id(n), "bob", n), 99_999), "session {n}");
        }
    }

    #[test]
    fn a_clock_set_back_brings_nothing_to_life() {
        let list = MemoryRevocations::new(16);
        list.revoke(of(SessionId([0; 16]), "alice", 0), 1_000, 2_000);
        list.revoke(of(SessionId([16; 16]), "bob", 0), 0, 2_000);
        for now in [0, 1, 999, 1_999] {
            assert!(list.is_revoked(of(SessionId([0; 16]), "alice", 900), now));
            assert!(list.is_revoked(of(SessionId([16; 16]), "bob", 0), now));
        }
    }

    #[test]
    fn the_ends_of_time_do_no_harm() {
        let list = MemoryRevocations::new(0);
        list.revoke(of(id(1), "alice", 0), u64::MAX, u64::MAX);
        assert_eq!(list.not_before("alice", 0), u64::MAX);
        list.revoke(of(id(1), "alice", 0), 0, 0);
        assert_eq!(list.not_before("alice", 0), u64::MAX);
    }

    #[test]
    fn sessions_spread_over_the_shards() {
        let list = MemoryRevocations::new(1_000_000);
        for _ in 0..16_000 {
            list.revoke(of(SessionId::generate().unwrap(), "alice", 0), 0, 100);
        }
        for shard in &list.shards {
            assert!((800..1_200).contains(&read(shard).entries.len()));
        }
    }

    #[test]
    fn a_list_as_long_as_it_may_be_makes_room_again_and_again() {
        // Below and above the 64 entries from which on a shard is looked through.
        for room in [1, 100] {
            let list = MemoryRevocations::new(room * SHARDS);
            for generation in 0..5 {
                let now = 100 * generation;
                for n in 0..room as u64 {
                    let mut id = id(1 + n + 1_000 * generation).0;
                    id[0] = 0;
                    let done = list.revoke(of(SessionId(id), "alice", now), now, now + 100);
                    assert_eq!(done, Revoked::Now, "{room} {generation} {n}");
                }
            }
            assert_eq!(entries(&list), room);
        }
    }

    #[test]
    fn two_sessions_of_a_shard_are_told_apart_by_their_hash() {
        let build = BuildHasherDefault::<IdHasher>::default();
        assert_ne!(build.hash_one(id(1)), build.hash_one(id(2)));
    }

    #[test]
    fn many_threads_lose_nothing() {
        let list = MemoryRevocations::new(2_000);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let list = &list;
                scope.spawn(move || {
                    let user = format!("user {}", thread % 3);
                    for n in 0..1_000 {
                        let session = id(thread * 1_000 + n);
                        let created_at = list.not_before(&user, n).max(n);
                        list.revoke(of(session, &user, created_at), n, 10_000);
                        assert!(list.is_revoked(of(session, &user, created_at), n));
                    }
                });
            }
        });
        for n in 0..8_000 {
            let user = format!("user {}", (n / 1_000) % 3);
            assert!(
                list.is_revoked(of(id(n), &user, n % 1_000), 9_999),
                "session {n}"
            );
        }
        // 8,000 ended, 2,000 fit: the rest stands as three users.
        assert!(entries(&list) <= 2_000);
    }

    #[test]
    fn a_poisoned_lock_is_recovered() {
        let list = MemoryRevocations::new(100);
        list.revoke(of(id(1), "alice", 0), 10, 100);
        list.revoke_user("bob", 10, 11, 100);
        std::thread::scope(|scope| {
            let poisoner = scope.spawn(|| {
                let _shard = write(list.shard(id(1)));
                let _users = write(&list.users);
                panic!("on purpose");
            });
            assert!(poisoner.join().is_err());
        });
        assert!(list.users.is_poisoned());
        assert!(list.is_revoked(of(id(1), "alice", 5), 10));
        list.revoke_user("bob", 10, 20, 100);
        assert_eq!(list.not_before("bob", 10), 20);
    }

    #[rocket::async_test]
    async fn the_trait_says_the_same_as_the_list() {
        let memory = MemoryRevocations::new(100);
        let list: &dyn RevocationList = &memory;
        list.revoke(of(id(1), "alice", 0), 10, 100).await.unwrap();
        list.revoke_user("bob", 10, 11, 100).await.unwrap();
        assert!(list.is_revoked(of(id(1), "alice", 5), 10).await.unwrap());
        assert!(list.is_revoked(of(id(2), "bob", 10), 10).await.unwrap());
        assert!(!list.is_revoked(of(id(2), "bob", 11), 10).await.unwrap());
        assert_eq!(list.not_before("bob", 10).await.unwrap(), 11);
    }

    #[test]
    fn an_error_shows_its_cause() {
        let error = RevocationError::new(std::io::Error::other("connection refused"));
        assert_eq!(
            error.to_string(),
            "the revocation list failed: connection refused"
        );
        assert!(error.source().is_none());
        let error = RevocationError::new(Timeout(fmt::Error));
        assert!(matches!(error.source(), Some(source) if source.is::<fmt::Error>()));
    }

    /// A storage's error that has a cause.
    #[derive(Debug)]
    struct Timeout(fmt::Error);

    impl fmt::Display for Timeout {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("timeout")
        }
    }

    impl Error for Timeout {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn neither_a_session_nor_the_list_prints_an_id_or_a_user() {
        assert_eq!(
            format!("{:?}", of(id(1), "alice", 5)),
            "SessionRef { created_at: 5, .. }"
        );
        let list = MemoryRevocations::new(9);
        assert_eq!(format!("{list:?}"), "MemoryRevocations { .. }");
    }
}
