//! The default list of ended logins, in this process's memory.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::clock::UnixTime;
use crate::revocation::expiring::{Entry, Expiring, IdHasher};
use crate::revocation::not_before::NotBefore;
use crate::revocation::{
    RevocationError, RevocationList, RevokeRealm, RevokeSession, RevokeUser, Revoked, SessionRef,
    SessionStatus, Successor, UserRef, Wakes,
};
use crate::token::{LoginId, SessionId};

/// The default list of ended logins, in this process's memory.
///
/// It is neither shared nor persistent: after a restart, and in another process that serves the same users, the cookie
/// of a login that was logged out works again until it expires. If that matters, attach a store
/// ([`revocation_store`](crate::LoginManager::revocation_store)), or give the user a
/// [`session_hash`](crate::UserMixin::session_hash) that changes.
///
/// An entry takes about 50 bytes, and is never dropped early. When the list is full, a logout ends all logins of its
/// user instead of only one. That takes one entry for each such user, in addition to the capacity.
///
/// The example of [`RevocationList`] shows it.
pub struct MemoryRevocations {
    shards: [RwLock<Logins>; SHARDS],
    shard_capacity: usize,
    realms: RwLock<Realms>,
    has_realms: AtomicBool,
    /// The latest time that was given out as a date.
    latest: AtomicU64,
    wakes: Wakes,
}

const SHARDS: usize = 16;

/// How long a request can be under way, in seconds. A full list remembers replaced logins for this long.
const UNDER_WAY: u64 = 60;

/// How many successors of a login are followed to find out whether the last one is still open.
const LONGEST_CHAIN: usize = 16;

type Logins = Expiring<LoginId, State, BuildHasherDefault<IdHasher>>;
type Realms = HashMap<Box<str>, OfRealm>;

/// The ends of many logins of one realm at once.
#[derive(Default)]
struct OfRealm {
    /// An attacker can choose a user id, so this map needs the standard library's keyed hasher.
    users: Expiring<Box<str>, NotBefore>,
    /// The `not_before` of every user, and its `until`.
    everybody: Option<(UnixTime, UnixTime)>,
}

impl OfRealm {
    fn everybody(&self, now: UnixTime) -> Option<UnixTime> {
        let (at, until) = self.everybody?;
        (until > now).then_some(at)
    }
}

/// What is known of a login. The rare cases are boxed, so that an entry stays small.
enum State {
    Ended,
    /// It has ended, and this login has taken its place.
    Replaced(Box<(LoginId, UnixTime)>),
    /// It goes on under another session id.
    Confirmed(Box<Confirmed>),
    /// The list was full, so a `not_before` of the user has ended what was replaced.
    Note(Box<Note>),
}

struct Confirmed {
    /// The only session id that counts.
    current: SessionId,
    previous: SessionId,
    at: UnixTime,
}

/// The user whose logins end when a logout still carries the cookies from before.
struct Note {
    realm: Box<str>,
    user_id: Box<str>,
    until: UnixTime,
    next: Option<LoginId>,
}

/// The result of an attempt to record the end of a login.
enum Entered {
    Now,
    Before,
    Full,
}

impl MemoryRevocations {
    /// Returns an empty list for about `capacity` logins.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_login::revocation::MemoryRevocations;
    ///
    /// let list = MemoryRevocations::new(100_000);
    /// ```
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            shards: Default::default(),
            shard_capacity: capacity.div_ceil(SHARDS),
            realms: RwLock::default(),
            has_realms: AtomicBool::new(false),
            latest: AtomicU64::new(0),
            wakes: Wakes::default(),
        }
    }

    pub(super) fn end(&self, ended: RevokeSession<'_>) -> Revoked {
        let is_confirmation = matches!(ended.successor, Some(Successor::Session(_)));
        let has_ended_with_user = self.ended_with_user(ended.session, ended.now).is_some();
        if is_confirmation && has_ended_with_user {
            return Revoked::Before;
        }
        let entered = self.enter(&ended);
        self.wakes.login(ended.session.login_id);
        match entered {
            Entered::Now if !has_ended_with_user => Revoked::Now,
            Entered::Now | Entered::Before => Revoked::Before,
            Entered::Full => self.end_with_user(&ended),
        }
    }

    /// Ends a login with all older ones of its user.
    fn end_with_user(&self, ended: &RevokeSession<'_>) -> Revoked {
        let RevokeSession {
            session,
            successor,
            now,
            until,
        } = *ended;
        let not_before = self.ended_with_user(session, now).unwrap_or_else(|| {
            tracing::warn!(
                "the list of ended logins is full, so a logout has ended all logins of its user: \
                 raise `login.revocation_capacity`"
            );
            let date = self.date_of(session.user(), now);
            date.max(session.created_at).plus(1)
        });
        let user = RevokeUser {
            realm: session.realm,
            user_id: session.user_id,
            except: None,
            now,
            until,
        };
        let mut realms = write(&self.realms);
        let held = self.end_user_before(&mut realms, user, not_before);
        drop(realms);
        self.wakes.everybody();
        let has_ended = |held: NotBefore| session.created_at < held.ends(session.login_id);
        let is_login = matches!(successor, Some(Successor::Login { .. }));
        if !is_login && held.is_some_and(has_ended) {
            return Revoked::Before;
        }
        self.note_successor(ended);
        Revoked::WithUser { not_before }
    }

    /// The `not_before` that has ended a session.
    fn ended_with_user(&self, session: SessionRef<'_>, now: UnixTime) -> Option<UnixTime> {
        if !self.has_realms.load(Ordering::SeqCst) {
            return None;
        }
        Self::ended_in(&read(&self.realms), session, now)
    }

    fn ended_in(realms: &Realms, session: SessionRef<'_>, now: UnixTime) -> Option<UnixTime> {
        let ends = |user: &NotBefore| user.ends(session.login_id);
        Self::not_before_in(realms, session.user(), now, ends)
            .filter(|not_before| session.created_at < *not_before)
    }

    pub(super) fn wakes(&self) -> &Wakes {
        &self.wakes
    }

    /// Ends the logins that a user has at this moment, but for one that has not ended.
    pub(super) fn end_user(&self, ended: RevokeUser<'_>) -> Revoked {
        let user = UserRef {
            realm: ended.realm,
            user_id: ended.user_id,
        };
        let latest = self.latest(ended.now);
        let mut realms = write(&self.realms);
        if let Some(session) = ended.except {
            let has_ended = self.status_in_list(session, ended.now) != SessionStatus::Open;
            if has_ended || Self::ended_in(&realms, session, ended.now).is_some() {
                return Revoked::Before;
            }
        }
        let held = Self::not_before_in(&realms, user, ended.now, |user| user.at);
        let date = held.map_or(latest, |held| held.max(latest));
        self.end_user_before(&mut realms, ended, date.plus(1));
        drop(realms);
        self.wakes.everybody();
        Revoked::Now
    }

    /// Ends the logins that all users of a realm have at this moment.
    pub(super) fn end_realm(&self, ended: RevokeRealm<'_>) {
        let RevokeRealm { realm, now, until } = ended;
        let latest = self.latest(now);
        let mut realms = write(&self.realms);
        let of_realm = realms.entry(realm.into()).or_default();
        // A login may be dated at the `not_before` of its user, which lies ahead.
        let users = of_realm.users.values().map(|user| user.at);
        let held = of_realm.everybody.unwrap_or((latest, until));
        let date = users.fold(latest.max(held.0), UnixTime::max);
        of_realm.everybody = Some((date.plus(1), until.max(held.1)));
        self.has_realms.store(true, Ordering::SeqCst);
        drop(realms);
        self.wakes.everybody();
    }

    /// Returns the time at which a new login of a user is dated.
    pub(super) fn date_of(&self, user: UserRef<'_>, now: UnixTime) -> UnixTime {
        let latest = self.latest(now);
        self.not_before_of(user, now)
            .map_or(latest, |not_before| not_before.max(latest))
    }

    /// The list's time.
    fn latest(&self, now: UnixTime) -> UnixTime {
        let before = self.latest.fetch_max(now.as_secs(), Ordering::SeqCst);
        now.max(UnixTime::from_secs(before))
    }

    /// Ends a user's logins from before a time, and returns the previous `not_before`.
    fn end_user_before(
        &self,
        realms: &mut Realms,
        ended: RevokeUser<'_>,
        not_before: UnixTime,
    ) -> Option<NotBefore> {
        let RevokeUser {
            realm,
            user_id,
            except,
            now,
            until,
        } = ended;
        if !realms.contains_key(realm) {
            realms.insert(realm.into(), OfRealm::default());
        }
        let users = &mut realms.get_mut(realm)?.users;
        users.purge(now, usize::MAX);
        let held = users.get(user_id, now).copied();
        let not_before = NotBefore::new(not_before, except.map(|session| session.login_id));
        match users.get_mut(user_id) {
            Some(entry) => {
                entry.value = entry.value.joined(not_before);
                entry.until = entry.until.max(until);
            }
            None => users.insert(user_id.into(), not_before, until),
        }
        self.has_realms.store(true, Ordering::SeqCst);
        held
    }

    pub(super) fn status_of(&self, session: SessionRef<'_>, now: UnixTime) -> SessionStatus {
        let status = self.status_in_list(session, now);
        match self.ended_with_user(session, now) {
            // The date of such an end lies a second ahead.
            Some(not_before) => status.ended_with_user(|at| at.plus(1) >= not_before),
            None => status,
        }
    }

    fn status_in_list(&self, session: SessionRef<'_>, now: UnixTime) -> SessionStatus {
        let (next, at) = match read(self.shard(session.login_id)).get(&session.login_id, now) {
            None | Some(State::Note(_)) => return SessionStatus::Open,
            Some(State::Ended) => return SessionStatus::Ended,
            Some(State::Confirmed(confirmed)) => return confirmed.status_of(session.session_id),
            Some(State::Replaced(replaced)) => **replaced,
        };
        if self.goes_on(next, now) {
            SessionStatus::Replaced { at, by: None }
        } else {
            SessionStatus::Ended
        }
    }

    /// Whether a login, or the one that has replaced it, has not ended.
    fn goes_on(&self, mut login: LoginId, now: UnixTime) -> bool {
        for _ in 0..LONGEST_CHAIN {
            match read(self.shard(login)).get(&login, now) {
                None | Some(State::Confirmed(_) | State::Note(_)) => return true,
                Some(State::Ended) => return false,
                Some(State::Replaced(replaced)) => login = replaced.0,
            }
        }
        false
    }

    fn not_before_of(&self, user: UserRef<'_>, now: UnixTime) -> Option<UnixTime> {
        if !self.has_realms.load(Ordering::SeqCst) {
            return None;
        }
        Self::not_before_in(&read(&self.realms), user, now, |user| user.at)
    }

    /// The later one of the user's own time and the one of everybody.
    fn not_before_in(
        realms: &Realms,
        user: UserRef<'_>,
        now: UnixTime,
        of: impl FnOnce(&NotBefore) -> UnixTime,
    ) -> Option<UnixTime> {
        let of_realm = realms.get(user.realm)?;
        let own = of_realm.users.get(user.user_id, now).map(of);
        own.max(of_realm.everybody(now))
    }

    /// Enters the end of a login, or of a session id, and ends the logins that have replaced it.
    fn enter(&self, ended: &RevokeSession<'_>) -> Entered {
        let RevokeSession {
            session,
            successor,
            now,
            until,
        } = *ended;
        let id = session.login_id;
        let mut shard = write(self.shard(id));
        // A note expires when no earlier request can be under way any more.
        let note_is_over =
            |entry: &Entry<State>| matches!(entry.value, State::Note(_)) && entry.until <= now;
        if shard.get_mut(&id).is_some_and(|entry| note_is_over(entry)) {
            shard.remove(&id);
        }
        let Some(entry) = shard.get_mut(&id) else {
            shard.purge(now, self.shard_capacity);
            if shard.len() >= self.shard_capacity {
                return Entered::Full;
            }
            shard.insert(id, State::after(session, successor, now), until);
            return Entered::Now;
        };
        let had_ended = match (&entry.value, successor) {
            (State::Note(_), Some(Successor::Session(_))) => return Entered::Full,
            (State::Note(_), _) => {
                let note = shard.remove(&id);
                drop(shard);
                self.end_successors(ended, note, until);
                return Entered::Full;
            }
            // A confirmation changes nothing if a logout or another confirmation came first.
            (State::Ended | State::Replaced(_), Some(Successor::Session(_))) => {
                return Entered::Before;
            }
            (State::Confirmed(confirmed), Some(Successor::Session(_)))
                if confirmed.current != session.session_id =>
            {
                return Entered::Before;
            }
            (State::Ended | State::Replaced(_), _) => true,
            (State::Confirmed(_), _) => false,
        };
        let until = entry.until.max(until);
        entry.until = until;
        let before = std::mem::replace(&mut entry.value, State::after(session, successor, now));
        drop(shard);
        self.end_successors(ended, Some(before), until);
        if had_ended {
            Entered::Before
        } else {
            Entered::Now
        }
    }

    /// Ends the logins that have replaced one, along the chain. They are entered even if the list is full: each
    /// was made room for when its predecessor was entered.
    ///
    /// `until` is that of the login before, which has counted in the tokens of its successor. The login that `ended`
    /// makes way for is spared: a browser may have shown two logins that it replaces.
    fn end_successors(
        &self,
        ended: &RevokeSession<'_>,
        mut state: Option<State>,
        mut until: UnixTime,
    ) {
        let spared = match ended.successor {
            Some(Successor::Login { id, .. }) => Some(id),
            _ => None,
        };
        loop {
            if let Some(State::Note(note)) = &state {
                until = until.max(note.until);
                self.end_noted(note, ended.now, until);
            }
            let next = state.and_then(|state| state.successor());
            let Some(id) = next.filter(|_| next != spared) else {
                return;
            };
            let mut shard = write(self.shard(id));
            state = match shard.get_mut(&id) {
                Some(entry) if spared.is_some() && entry.value.successor() == spared => return,
                Some(entry) => {
                    until = until.max(entry.until);
                    entry.until = until;
                    Some(std::mem::replace(&mut entry.value, State::Ended))
                }
                None => {
                    shard.insert(id, State::Ended, until);
                    None
                }
            };
            drop(shard);
            self.wakes.login(id);
        }
    }

    /// Ends the user of a note, once: the note is gone afterwards.
    fn end_noted(&self, note: &Note, now: UnixTime, until: UnixTime) {
        let user = UserRef {
            realm: &note.realm,
            user_id: &note.user_id,
        };
        self.end_user(RevokeUser {
            realm: user.realm,
            user_id: user.user_id,
            except: None,
            now,
            until,
        });
    }

    /// Remembers what took the place of a login that a full list could not enter, while a logout with the cookies
    /// from before can still be under way.
    fn note_successor(&self, ended: &RevokeSession<'_>) {
        let session = ended.session;
        let (user_id, next) = match ended.successor {
            None => return,
            Some(Successor::Session(_)) => (session.user_id, None),
            Some(Successor::Login { id, user_id }) => (user_id, Some(id)),
        };
        let note = Note {
            realm: session.realm.into(),
            user_id: user_id.into(),
            until: ended.until,
            next,
        };
        let until = ended.now.plus(UNDER_WAY);
        let mut shard = write(self.shard(session.login_id));
        shard.insert(session.login_id, State::Note(Box::new(note)), until);
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder of 16, and 16 shards")]
    fn shard(&self, LoginId([first, ..]): LoginId) -> &RwLock<Logins> {
        &self.shards[usize::from(first) % SHARDS]
    }
}

impl State {
    /// The state of a login after the end of `session`.
    fn after(session: SessionRef<'_>, successor: Option<Successor<'_>>, at: UnixTime) -> Self {
        match successor {
            None => Self::Ended,
            Some(Successor::Login { id, .. }) => Self::Replaced(Box::new((id, at))),
            Some(Successor::Session(current)) => Self::Confirmed(Box::new(Confirmed {
                current,
                previous: session.session_id,
                at,
            })),
        }
    }

    /// The login that has taken this one's place.
    fn successor(&self) -> Option<LoginId> {
        match self {
            Self::Replaced(replaced) => Some(replaced.0),
            Self::Note(note) => note.next,
            Self::Ended | Self::Confirmed(_) => None,
        }
    }
}

impl Confirmed {
    fn status_of(&self, session: SessionId) -> SessionStatus {
        if session == self.current || session == SessionId::ANY {
            return SessionStatus::Open;
        }
        let is_of_device = self.current.has_binding_of(session);
        let by = (session == self.previous || is_of_device).then_some(self.current);
        // An older one is of this login's browser, unless another device has bound it.
        if by.is_none() && session.is_bound() {
            return SessionStatus::Ended;
        }
        SessionStatus::Replaced { at: self.at, by }
    }
}

#[rocket::async_trait]
impl RevocationList for MemoryRevocations {
    async fn revoke(&self, ended: RevokeSession<'_>) -> Result<Revoked, RevocationError> {
        Ok(self.end(ended))
    }

    async fn revoke_user(&self, ended: RevokeUser<'_>) -> Result<Revoked, RevocationError> {
        Ok(self.end_user(ended))
    }

    async fn revoke_realm(&self, ended: RevokeRealm<'_>) -> Result<(), RevocationError> {
        self.end_realm(ended);
        Ok(())
    }

    async fn status(
        &self,
        session: SessionRef<'_>,
        now: UnixTime,
    ) -> Result<SessionStatus, RevocationError> {
        Ok(self.status_of(session, now))
    }

    async fn date(&self, user: UserRef<'_>, now: UnixTime) -> Result<UnixTime, RevocationError> {
        Ok(self.date_of(user, now))
    }
}

impl fmt::Debug for MemoryRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRevocations").finish_non_exhaustive()
    }
}

/// Ignores poison: each change is a single step, so a panic cannot leave it half done.
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

    use std::hash::BuildHasher as _;

    use super::*;

    fn of(login_id: LoginId, user_id: &str, created_at: u64) -> SessionRef<'_> {
        SessionRef {
            realm: "app",
            login_id,
            session_id: SessionId([0; 8]),
            user_id,
            created_at: UnixTime::from_secs(created_at),
        }
    }

    fn user(user_id: &str) -> UserRef<'_> {
        UserRef {
            realm: "app",
            user_id,
        }
    }

    /// The list, with seconds in place of times.
    trait Seconds {
        fn list(&self) -> &MemoryRevocations;

        fn ends(&self, session: SessionRef<'_>, now: u64, until: u64) -> Revoked {
            self.list().end(RevokeSession {
                session,
                successor: None,
                now: UnixTime::from_secs(now),
                until: UnixTime::from_secs(until),
            })
        }

        fn ends_user(&self, user_id: &str, now: u64, not_before: u64, until: u64) {
            let ended = RevokeUser {
                realm: "app",
                user_id,
                except: None,
                now: UnixTime::from_secs(now),
                until: UnixTime::from_secs(until),
            };
            let list = self.list();
            let not_before = UnixTime::from_secs(not_before);
            list.end_user_before(&mut write(&list.realms), ended, not_before);
        }

        fn is_over(&self, session: SessionRef<'_>, now: u64) -> bool {
            self.list().status_of(session, UnixTime::from_secs(now)) != SessionStatus::Open
        }

        fn begins(&self, user_id: &str, now: u64) -> Option<u64> {
            let not_before = self
                .list()
                .not_before_of(user(user_id), UnixTime::from_secs(now));
            not_before.map(UnixTime::as_secs)
        }
    }

    impl Seconds for MemoryRevocations {
        fn list(&self) -> &MemoryRevocations {
            self
        }
    }

    fn with_user(not_before: u64) -> Revoked {
        Revoked::WithUser {
            not_before: UnixTime::from_secs(not_before),
        }
    }

    /// The `n`th id of a fixed sequence, spread like random ones.
    fn id(n: u64) -> LoginId {
        let mixed = u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        LoginId(mixed.to_be_bytes())
    }

    fn user_count(list: &MemoryRevocations) -> usize {
        read(&list.realms)["app"].users.len()
    }

    fn entries(list: &MemoryRevocations) -> usize {
        list.shards.iter().map(|shard| read(shard).len()).sum()
    }

    #[test]
    fn only_the_ended_session_is_revoked() {
        let list = MemoryRevocations::new(100);
        list.ends(of(id(1), "alice", 0), 10, 100);
        assert!(list.is_over(of(id(1), "alice", 5), 10));
        assert!(!list.is_over(of(id(2), "alice", 5), 10));
        assert_eq!(list.begins("alice", 10), None);
    }

    #[test]
    fn of_concurrent_calls_only_one_ends_the_session() {
        for (capacity, first) in [(100, Revoked::Now), (0, with_user(11))] {
            let list = MemoryRevocations::new(capacity);
            let session = of(id(1), "alice", 5);
            let mut results = std::thread::scope(|scope| {
                let ends = [(); 8].map(|()| scope.spawn(|| list.ends(session, 10, 100)));
                ends.map(|end| end.join().unwrap()).to_vec()
            });
            results.retain(|result| *result != Revoked::Before);
            assert_eq!(results, [first]);
            assert_eq!(list.ends(of(id(2), "bob", 5), 10, 100), first);
        }
    }

    #[test]
    fn a_session_that_ended_with_its_user_is_not_ended_again() {
        for capacity in [0, 100] {
            let list = MemoryRevocations::new(capacity);
            list.ends_user("alice", 10, 11, 100);
            assert_eq!(list.ends(of(id(1), "alice", 10), 10, 100), Revoked::Before);
            assert_ne!(list.ends(of(id(2), "alice", 11), 11, 100), Revoked::Before);
        }
    }

    #[test]
    fn an_expired_not_before_no_longer_counts() {
        let list = MemoryRevocations::new(0);
        list.ends_user("alice", 10, 11, 100);
        let session = of(id(1), "alice", 5);
        assert_eq!(list.ends(session, 100, 200), with_user(101));
    }

    #[test]
    fn an_entry_is_valid_until_its_last_second() {
        let list = MemoryRevocations::new(100);
        list.ends(of(id(1), "alice", 0), 10, 100);
        assert!(list.is_over(of(id(1), "alice", 5), 99));
        assert!(!list.is_over(of(id(1), "alice", 5), 100));
        list.ends_user("bob", 10, 11, 100);
        assert!(list.is_over(of(id(2), "bob", 10), 99));
        assert!(!list.is_over(of(id(2), "bob", 10), 100));
    }

    #[test]
    fn the_later_of_two_ends_counts_in_either_order() {
        for ends in [[50, 100], [100, 50]] {
            let list = MemoryRevocations::new(100);
            for until in ends {
                list.ends(of(id(1), "alice", 0), 10, until);
                list.ends_user("bob", 10, 11, until);
            }
            assert!(list.is_over(of(id(1), "alice", 5), 99));
            assert!(list.is_over(of(id(2), "bob", 5), 99));
            assert_eq!(entries(&list), 1);
        }
    }

    #[test]
    fn a_user_is_logged_out_of_older_sessions_only() {
        let list = MemoryRevocations::new(100);
        list.ends_user("alice", 10, 11, 100);
        assert_eq!(list.begins("alice", 10), Some(11));
        assert!(list.is_over(of(id(1), "alice", 10), 10));
        assert!(!list.is_over(of(id(1), "alice", 11), 10));
        assert!(!list.is_over(of(id(1), "bob", 10), 10));
        assert!(!list.is_over(of(id(1), "alice ", 10), 10));
    }

    #[test]
    fn a_not_before_is_never_lowered() {
        let list = MemoryRevocations::new(0);
        list.ends_user("alice", 10, 50, 100);
        list.ends_user("alice", 10, 20, 60);
        assert_eq!(list.begins("alice", 99), Some(50));
        list.ends(of(id(1), "alice", 50), 10, 60);
        assert_eq!(list.begins("alice", 99), Some(51));
    }

    #[test]
    fn a_full_list_loses_nothing() {
        let capacity = 64;
        let list = MemoryRevocations::new(capacity);
        let users: Vec<String> = (0..1_000).map(|n| format!("user {}", n % 100)).collect();
        for (n, user) in (0..).zip(&users) {
            let now = 10 + n / 100;
            list.ends(of(id(n), user, now), now, 5_000);
        }
        for (n, user) in (0..).zip(&users) {
            let created_at = 10 + n / 100;
            assert!(
                list.is_over(of(id(n), user, created_at), 4_999),
                "session {n}"
            );
        }
        assert!(entries(&list) <= capacity);
        assert_eq!(user_count(&list), 100);
    }

    #[test]
    fn a_full_list_lets_the_user_back_in() {
        let list = MemoryRevocations::new(0);
        // Logs in and out several times within one second, with the dates that the manager gives logins.
        for n in 0..5 {
            let created_at = list.begins("alice", 10).map_or(10, |time| time.max(10));
            assert!(
                !list.is_over(of(id(n), "alice", created_at), 10),
                "login {n}"
            );
            list.ends(of(id(n), "alice", created_at), 10, 100);
            assert!(
                list.is_over(of(id(n), "alice", created_at), 10),
                "logout {n}"
            );
        }
    }

    #[test]
    fn a_listed_session_can_be_prolonged_when_the_list_is_full() {
        let list = MemoryRevocations::new(16);
        let first = LoginId([0; 16]);
        let second = LoginId([16; 16]);
        list.ends(of(first, "alice", 0), 10, 50);
        list.ends(of(first, "alice", 0), 10, 100);
        assert_eq!(list.begins("alice", 10), None);
        list.ends(of(second, "bob", 0), 10, 50);
        assert_eq!(list.begins("bob", 10), Some(11));
        assert!(list.is_over(of(first, "alice", 5), 99));
    }

    #[test]
    fn a_full_list_has_room_as_soon_as_an_entry_has_expired() {
        let list = MemoryRevocations::new(16);
        let (first, second) = (LoginId([0; 16]), LoginId([16; 16]));
        list.ends(of(first, "alice", 0), 10, 50);
        list.ends(of(second, "bob", 0), 50, 90);
        assert_eq!(list.begins("bob", 50), None);
        assert!(list.is_over(of(second, "bob", 50), 89));
        assert_eq!(entries(&list), 1);
    }

    #[test]
    fn a_full_list_drops_nothing_a_second_early() {
        let list = MemoryRevocations::new(16);
        let (first, second) = (LoginId([0; 16]), LoginId([16; 16]));
        list.ends(of(first, "alice", 0), 10, 50);
        list.ends(of(second, "bob", 0), 49, 90);
        assert!(list.is_over(of(first, "alice", 5), 49));
        assert_eq!(list.begins("bob", 49), Some(50));
    }

    #[test]
    fn expired_entries_are_purged_and_others_are_kept() {
        let list = MemoryRevocations::new(1_000_000);
        list.ends(of(id(0), "alice", 0), 0, u64::MAX);
        list.ends_user("alice", 0, 1, u64::MAX);
        for n in 1..100_000 {
            list.ends(of(id(n), "bob", 0), n, n + 100);
            list.ends_user(&format!("user {n}"), n, n, n + 100);
        }
        // At most twice the entries that have not expired, and 64 per shard.
        assert!(entries(&list) <= SHARDS * 64 + 300, "{}", entries(&list));
        assert!(user_count(&list) <= 300);
        assert!(list.is_over(of(id(0), "alice", 5), 100_000));
        assert_eq!(list.begins("alice", 100_000), Some(1));
        for n in 99_900..100_000 {
            assert!(list.is_over(of(id(n), "bob", n), 99_999), "session {n}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_revives_no_session() {
        let list = MemoryRevocations::new(16);
        list.ends(of(LoginId([0; 16]), "alice", 0), 1_000, 2_000);
        list.ends(of(LoginId([16; 16]), "bob", 0), 0, 2_000);
        for now in [0, 1, 999, 1_999] {
            assert!(list.is_over(of(LoginId([0; 16]), "alice", 900), now));
            assert!(list.is_over(of(LoginId([16; 16]), "bob", 0), now));
        }
    }

    #[test]
    fn extreme_times_do_no_harm() {
        let list = MemoryRevocations::new(0);
        list.ends(of(id(1), "alice", 0), u64::MAX, u64::MAX);
        assert_eq!(list.begins("alice", 0), Some(u64::MAX));
        list.ends(of(id(1), "alice", 0), 0, 0);
        assert_eq!(list.begins("alice", 0), Some(u64::MAX));
    }

    #[test]
    fn sessions_are_spread_over_the_shards() {
        let list = MemoryRevocations::new(1_000_000);
        for _ in 0..16_000 {
            list.ends(of(LoginId::generate().unwrap(), "alice", 0), 0, 100);
        }
        for shard in &list.shards {
            assert!((800..1_200).contains(&read(shard).len()));
        }
    }

    #[test]
    fn a_full_list_is_purged_again_and_again() {
        // Below and above 64 entries, from which on a shard is purged.
        for room in [1, 100] {
            let list = MemoryRevocations::new(room * SHARDS);
            for generation in 0..5 {
                let now = 100 * generation;
                for n in 0..room as u64 {
                    let mut id = id(1 + n + 1_000 * generation).0;
                    id[0] = 0;
                    let done = list.ends(of(LoginId(id), "alice", now), now, now + 100);
                    assert_eq!(done, Revoked::Now, "{room} {generation} {n}");
                }
            }
            assert_eq!(entries(&list), room);
        }
    }

    #[test]
    fn two_sessions_of_one_shard_have_different_hashes() {
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
                        let created_at = list.begins(&user, n).map_or(n, |time| time.max(n));
                        list.ends(of(session, &user, created_at), n, 10_000);
                        assert!(list.is_over(of(session, &user, created_at), n));
                    }
                });
            }
        });
        for n in 0..8_000 {
            let user = format!("user {}", (n / 1_000) % 3);
            assert!(
                list.is_over(of(id(n), &user, n % 1_000), 9_999),
                "session {n}"
            );
        }
        // 8,000 sessions ended and 2,000 fit: the others ended with their three users.
        assert!(entries(&list) <= 2_000);
    }

    #[test]
    fn a_poisoned_lock_is_recovered() {
        let list = MemoryRevocations::new(100);
        list.ends(of(id(1), "alice", 0), 10, 100);
        list.ends_user("bob", 10, 11, 100);
        std::thread::scope(|scope| {
            let poisoner = scope.spawn(|| {
                let _shard = write(list.shard(id(1)));
                let _realms = write(&list.realms);
                panic!("on purpose");
            });
            assert!(poisoner.join().is_err());
        });
        assert!(list.realms.is_poisoned());
        assert!(list.is_over(of(id(1), "alice", 5), 10));
        list.ends_user("bob", 10, 20, 100);
        assert_eq!(list.begins("bob", 10), Some(20));
    }

    const SECOND: SessionId = SessionId([1; 8]);

    fn confirms(list: &MemoryRevocations, session: SessionRef<'_>, next: SessionId) -> Revoked {
        list.end(RevokeSession {
            session,
            successor: Some(Successor::Session(next)),
            now: UnixTime::from_secs(10),
            until: UnixTime::from_secs(100),
        })
    }

    fn replaces(
        list: &MemoryRevocations,
        session: SessionRef<'_>,
        by: LoginId,
        user_id: &str,
    ) -> Revoked {
        list.end(RevokeSession {
            session,
            successor: Some(Successor::Login { id: by, user_id }),
            now: UnixTime::from_secs(10),
            until: UnixTime::from_secs(1_000),
        })
    }

    fn status(list: &MemoryRevocations, session: SessionRef<'_>) -> SessionStatus {
        list.status_of(session, UnixTime::from_secs(10))
    }

    const REPLACED: SessionStatus = SessionStatus::Replaced {
        at: UnixTime::from_secs(10),
        by: None,
    };

    fn replaced_by(session: SessionId) -> SessionStatus {
        SessionStatus::Replaced {
            at: UnixTime::from_secs(10),
            by: Some(session),
        }
    }

    #[test]
    fn a_confirmed_login_goes_on_under_one_session_id_only() {
        let list = MemoryRevocations::new(100);
        let first = of(id(1), "alice", 5);
        let with = |session_id| SessionRef {
            session_id,
            ..first
        };
        assert_eq!(confirms(&list, first, SECOND), Revoked::Now);
        assert_eq!(status(&list, first), replaced_by(SECOND));
        assert_eq!(status(&list, with(SECOND)), SessionStatus::Open);
        // The second of two confirmations at the same time.
        assert_eq!(confirms(&list, first, SessionId([2; 8])), Revoked::Before);
        assert_eq!(
            confirms(&list, with(SECOND), SessionId([3; 8])),
            Revoked::Now
        );
        assert_eq!(status(&list, first), REPLACED);
        assert_eq!(status(&list, with(SECOND)), replaced_by(SessionId([3; 8])));
        // A logout with the oldest cookie ends the login under every session id.
        assert_eq!(list.ends(first, 10, 100), Revoked::Now);
        for session_id in [SECOND, SessionId([3; 8])] {
            assert_eq!(status(&list, with(session_id)), SessionStatus::Ended);
            assert_eq!(confirms(&list, with(session_id), SECOND), Revoked::Before);
        }
        assert_eq!(entries(&list), 1);
    }

    #[test]
    fn an_older_session_of_a_device_leads_to_the_newest_and_one_of_another_device_has_ended() {
        let list = MemoryRevocations::new(100);
        let unbound = of(id(1), "alice", 5);
        let with = |session_id| SessionRef {
            session_id,
            ..unbound
        };
        let bound = |n| SessionId::of_binding([0, 0, 0, 1, 0, 0, 0, n]);
        let mut session = unbound;
        for n in 1..4 {
            assert_eq!(confirms(&list, session, bound(n)), Revoked::Now);
            session = with(bound(n));
        }
        assert_eq!(status(&list, with(bound(1))), replaced_by(bound(3)));
        assert_eq!(status(&list, unbound), REPLACED);
        let other = SessionId::of_binding([0, 0, 0, 2, 0, 0, 0, 1]);
        assert_eq!(status(&list, with(other)), SessionStatus::Ended);
    }

    #[test]
    fn a_logout_ends_every_login_of_a_chain_for_as_long_as_the_longest() {
        let list = MemoryRevocations::new(100);
        let chain = [1, 2, 3].map(|n| of(id(n), "alice", 5));
        assert_eq!(replaces(&list, chain[0], id(2), "alice"), Revoked::Now);
        assert_eq!(replaces(&list, chain[1], id(3), "bob"), Revoked::Now);
        assert_eq!(status(&list, chain[0]), REPLACED);
        assert_eq!(status(&list, chain[2]), SessionStatus::Open);
        assert_eq!(confirms(&list, chain[0], SECOND), Revoked::Before);
        assert_eq!(list.ends(chain[0], 10, 20), Revoked::Before);
        for session in chain {
            assert!(list.is_over(session, 999));
            assert_eq!(status(&list, session), SessionStatus::Ended);
        }
    }

    #[test]
    fn a_login_ends_its_rivals_and_never_itself() {
        // One browser shows two logins, of which one has replaced the other: in either order.
        for order in [[1, 2], [2, 1]] {
            let list = MemoryRevocations::new(100);
            let of = |n| of(id(n), "alice", 5);
            replaces(&list, of(1), id(2), "alice");
            for n in order {
                replaces(&list, of(n), id(3), "alice");
            }
            assert_eq!(status(&list, of(3)), SessionStatus::Open);
            // Another login with the first cookie.
            replaces(&list, of(1), id(4), "alice");
            assert_eq!(status(&list, of(3)), SessionStatus::Ended);
            for n in order {
                list.ends(of(n), 10, 100);
            }
            assert_eq!(status(&list, of(4)), SessionStatus::Ended);
        }
    }

    #[test]
    fn a_full_list_ends_a_login_that_a_logout_under_way_would_miss() {
        for is_confirmation in [true, false] {
            let list = MemoryRevocations::new(0);
            let first = of(id(1), "alice", 5);
            let done = if is_confirmation {
                confirms(&list, first, SECOND)
            } else {
                replaces(&list, first, id(2), "alice")
            };
            assert_eq!(done, with_user(11));
            let next = of(id(2), "alice", 11);
            assert!(!list.is_over(next, 10));
            // Once: whoever has kept the old cookie cannot log the user out again and again.
            for _ in 0..3 {
                list.ends(first, 10, 100);
                assert!(list.is_over(next, 10));
                assert_eq!(list.begins("alice", 10), Some(12));
            }
        }
    }

    #[test]
    fn a_full_list_forgets_after_a_minute_what_was_replaced() {
        let list = MemoryRevocations::new(0);
        confirms(&list, of(id(1), "alice", 5), SECOND);
        list.ends(of(id(1), "alice", 5), 70, 100);
        assert!(!list.is_over(of(id(1), "alice", 11), 70));
    }

    #[test]
    fn users_of_two_realms_are_different_users() {
        let list = MemoryRevocations::new(100);
        list.ends_user("alice", 10, 11, 100);
        let elsewhere = SessionRef {
            realm: "another",
            ..of(id(1), "alice", 5)
        };
        assert_eq!(status(&list, elsewhere), SessionStatus::Open);
        assert_eq!(
            list.not_before_of(elsewhere.user(), UnixTime::from_secs(10)),
            None
        );
    }

    #[rocket::async_test]
    async fn the_trait_returns_the_same_results_as_the_list() {
        let time = UnixTime::from_secs;
        let memory = MemoryRevocations::new(100);
        let list: &dyn RevocationList = &memory;
        let (now, until) = (time(10), time(100));
        let session = of(id(1), "alice", 0);
        let ended = RevokeSession {
            session,
            successor: None,
            now,
            until,
        };
        assert_eq!(list.revoke(ended).await.unwrap(), Revoked::Now);
        let everywhere = RevokeUser {
            realm: "app",
            user_id: "bob",
            except: None,
            now,
            until,
        };
        assert_eq!(list.revoke_user(everywhere).await.unwrap(), Revoked::Now);
        let status = async |session| list.status(session, now).await.unwrap();
        assert_eq!(status(session).await, SessionStatus::Ended);
        assert_eq!(status(of(id(2), "bob", 10)).await, SessionStatus::Ended);
        assert_eq!(status(of(id(2), "bob", 11)).await, SessionStatus::Open);
        let date = async |id| list.date(user(id), now).await.unwrap();
        assert_eq!(date("bob").await, time(11));
        assert_eq!(date("alice").await, now);
        let realm = RevokeRealm {
            realm: "app",
            now,
            until,
        };
        list.revoke_realm(realm).await.unwrap();
        assert_eq!(date("alice").await, time(12));
    }

    /// Ends alice's other logins, at 10.
    fn ends_others(list: &MemoryRevocations, kept: SessionRef<'_>) -> Revoked {
        list.end_user(RevokeUser {
            realm: "app",
            user_id: "alice",
            except: Some(kept),
            now: UnixTime::from_secs(10),
            until: UnixTime::from_secs(100),
        })
    }

    #[test]
    fn of_logins_that_end_each_other_at_once_one_goes_on() {
        for _ in 0..50 {
            let list = MemoryRevocations::new(100);
            let logins = [1, 2, 3].map(|n| of(id(n), "alice", 5));
            let answers = std::thread::scope(|scope| {
                let list = &list;
                let ends = logins.map(|login| scope.spawn(move || ends_others(list, login)));
                ends.map(|end| end.join().unwrap())
            });
            let now = answers.iter().filter(|answer| **answer == Revoked::Now);
            assert_eq!(now.count(), 1, "{answers:?}");
            for (login, answer) in logins.into_iter().zip(answers) {
                assert_eq!(list.is_over(login, 10), answer == Revoked::Before);
            }
        }
    }

    #[test]
    fn a_login_that_is_spared_ends_with_everything_else() {
        let kept = of(id(1), "alice", 5);
        let other = of(id(2), "alice", 5);
        let ends: [fn(&MemoryRevocations); 4] = [
            |list| list.ends_user("alice", 10, 12, 100),
            |list| {
                list.ends(of(id(1), "alice", 5), 10, 100);
            },
            |list| {
                ends_others(list, of(id(3), "alice", 11));
            },
            |list| {
                list.end_realm(RevokeRealm {
                    realm: "app",
                    now: UnixTime::from_secs(10),
                    until: UnixTime::from_secs(100),
                });
            },
        ];
        for end in ends {
            let list = MemoryRevocations::new(100);
            assert_eq!(ends_others(&list, kept), Revoked::Now);
            assert!(list.is_over(other, 10) && !list.is_over(kept, 10));
            assert!(!list.is_over(of(id(4), "alice", 11), 10));
            end(&list);
            assert!(list.is_over(kept, 10));
            assert_eq!(ends_others(&list, kept), Revoked::Before);
        }
    }

    #[test]
    fn the_end_of_a_realm_ends_the_logins_that_are_dated_ahead() {
        let list = MemoryRevocations::new(100);
        list.ends_user("alice", 10, 13, 100);
        let realm = RevokeRealm {
            realm: "app",
            now: UnixTime::from_secs(10),
            until: UnixTime::from_secs(100),
        };
        list.end_realm(realm);
        for user in ["alice", "bob"] {
            let dated = list.begins(user, 10).unwrap();
            assert!(list.is_over(of(id(1), user, 13), 10));
            assert!(!list.is_over(of(id(1), user, dated), 10));
        }
        let elsewhere = SessionRef {
            realm: "another",
            ..of(id(1), "alice", 5)
        };
        assert!(!list.is_over(elsewhere, 10));
        assert!(!list.is_over(of(id(1), "bob", 5), 100), "it has expired");
    }

    #[test]
    fn a_clock_that_is_set_back_neither_dates_a_login_too_early_nor_saves_an_old_one() {
        let list = MemoryRevocations::new(100);
        let date = |now| {
            list.date_of(user("alice"), UnixTime::from_secs(now))
                .as_secs()
        };
        let before = date(1_000);
        list.end_user(RevokeUser {
            realm: "app",
            user_id: "alice",
            except: None,
            now: UnixTime::from_secs(10),
            until: UnixTime::from_secs(5_000),
        });
        assert!(list.is_over(of(id(1), "alice", before), 10));
        assert!(!list.is_over(of(id(2), "alice", date(10)), 10));
    }

    #[test]
    fn the_list_prints_no_entry() {
        let list = MemoryRevocations::new(9);
        assert_eq!(format!("{list:?}"), "MemoryRevocations { .. }");
    }
}
