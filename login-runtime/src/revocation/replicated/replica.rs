//! The copy of a store's entries in the memory of a server.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use thiserror::Error;

use super::users::UserKeys;
use crate::clock::UnixTime;
use crate::revocation::expiring::IdHasher;
use crate::revocation::log::entry::{Next, RealmId, Subject, UserDigest};
use crate::revocation::log::{Entry, Key};
use crate::revocation::{SessionRef, SessionStatus, Wakes};
use crate::token::{LoginId, SessionId};

/// Every entry of one realm. It only grows, as the entries do, until expired ones are purged.
pub(super) struct Replica {
    realm: RealmId,
    users: Arc<UserKeys>,
    logins: [RwLock<Logins>; SHARDS],
    not_before: RwLock<HashMap<UserDigest, Entry>>,
    everybody: RwLock<Option<Entry>>,
    /// The `at` of the entry for everybody, without a lock.
    everybody_at: AtomicU64,
    /// Entries of logins whose successor has lost its place. The store has then ended that successor, unless it had lost
    /// the entry.
    displaced: Mutex<Vec<Entry>>,
    /// The latest date of an entry, and so a time that the store has reached.
    latest: AtomicU64,
    wakes: Wakes,
}

const SHARDS: usize = 64;

/// How many successors of a login are followed to find out whether the last one is still open.
const LONGEST_CHAIN: usize = 16;

type Logins = HashMap<LoginId, State, BuildHasherDefault<IdHasher>>;

/// What is known of one login. Most have just ended; the rest is boxed, so that those stay small.
#[derive(Default)]
struct State {
    end: Option<Times>,
    more: Option<Box<More>>,
}

#[derive(Clone, Copy)]
struct Times {
    at: UnixTime,
    until: UnixTime,
}

struct More {
    next: Option<LoginId>,
    floor: UnixTime,
    sessions: Vec<(SessionId, Option<SessionId>, Times)>,
}

impl Default for More {
    fn default() -> Self {
        Self {
            next: None,
            floor: NEVER,
            sessions: Vec::new(),
        }
    }
}

const NEVER: UnixTime = UnixTime::from_secs(0);

/// An entry that the server cannot apply.
#[derive(Debug, Error)]
#[error(
    "the store has users' entries under a key that this server does not know: \
     keep the old secret as `login.store.key`, on all servers; if nobody has it, empty the store, which forgets its logouts"
)]
pub(super) struct UnknownKey;

impl Replica {
    pub(super) fn new(realm: RealmId, users: Arc<UserKeys>) -> Self {
        Self {
            realm,
            users,
            logins: std::array::from_fn(|_| RwLock::default()),
            not_before: RwLock::default(),
            everybody: RwLock::default(),
            everybody_at: AtomicU64::new(0),
            displaced: Mutex::default(),
            latest: AtomicU64::new(0),
            wakes: Wakes::default(),
        }
    }

    pub(super) fn realm(&self) -> RealmId {
        self.realm
    }

    pub(super) fn wakes(&self) -> &Wakes {
        &self.wakes
    }

    pub(super) fn users(&self) -> &Arc<UserKeys> {
        &self.users
    }

    /// The latest time that the store is known to have reached.
    pub(super) fn latest(&self) -> UnixTime {
        UnixTime::from_secs(self.latest.load(Ordering::Relaxed))
    }

    pub(super) fn has_reached(&self, time: UnixTime) {
        self.latest.fetch_max(time.as_secs(), Ordering::Relaxed);
    }

    /// Joins an entry. Those of other realms are another manager's.
    pub(super) fn join(&self, entry: &Entry) -> Result<(), UnknownKey> {
        if entry.key.realm != self.realm {
            return Ok(());
        }
        // A table that is read again wakes nobody with what the copy has.
        let held = self.get(&entry.key);
        if held.is_some_and(|held| held.joined(*entry) == held) {
            return Ok(());
        }
        self.enter(entry)?;
        match entry.key.subject {
            Subject::Login(login) | Subject::Session(login, _) => self.wakes.login(login),
            Subject::User(_) | Subject::Realm => self.wakes.everybody(),
        }
        Ok(())
    }

    fn enter(&self, entry: &Entry) -> Result<(), UnknownKey> {
        match entry.key.subject {
            Subject::Login(login) => {
                let displaced = write(self.shard(login))
                    .entry(login)
                    .or_default()
                    .join_end(entry);
                if let Some(displaced) = displaced {
                    self.displaced().push(displaced);
                }
            }
            Subject::Session(login, session) => write(self.shard(login))
                .entry(login)
                .or_default()
                .join_session(session, entry),
            Subject::User(user) => {
                if !self.users.note(user.key_id) {
                    return Err(UnknownKey);
                }
                write(&self.not_before)
                    .entry(user)
                    .and_modify(|held| *held = held.joined(*entry))
                    .or_insert(*entry);
            }
            Subject::Realm => {
                let mut everybody = write(&self.everybody);
                let joined = everybody.map_or(*entry, |held| held.joined(*entry));
                *everybody = Some(joined);
                self.everybody_at
                    .store(joined.at.as_secs(), Ordering::Release);
            }
        }
        self.has_reached(entry.at);
        Ok(())
    }

    pub(super) fn status(&self, session: SessionRef<'_>) -> SessionStatus {
        let status = self.status_by_id(session.login_id, session.session_id);
        match self.ended_with_user(session) {
            Some(ended_at) => status.ended_with_user(|at| at >= ended_at),
            None => status,
        }
    }

    fn status_by_id(&self, login: LoginId, session: SessionId) -> SessionStatus {
        let (next, at) = {
            let logins = read(self.shard(login));
            let Some(state) = logins.get(&login) else {
                return SessionStatus::Open;
            };
            match (state.end, state.next()) {
                (Some(end), Some(next)) => (next, end.at),
                (Some(_), None) => return SessionStatus::Ended,
                (None, _) => return state.status_of(session),
            }
        };
        if self.goes_on(next) {
            SessionStatus::Replaced { at, by: None }
        } else {
            SessionStatus::Ended
        }
    }

    /// Whether a login, or the one that has replaced it, has not ended.
    fn goes_on(&self, mut login: LoginId) -> bool {
        for _ in 0..LONGEST_CHAIN {
            let logins = read(self.shard(login));
            match logins.get(&login) {
                Some(state) if state.end.is_some() => match state.next() {
                    Some(next) => login = next,
                    None => return false,
                },
                _ => return true,
            }
        }
        false
    }

    /// Returns when all logins of the user have ended, if this one was among them.
    fn ended_with_user(&self, session: SessionRef<'_>) -> Option<UnixTime> {
        let everybody = UnixTime::from_secs(self.everybody_at.load(Ordering::Acquire));
        let users = self.users.used(session.user_id).filter_map(|user| {
            let not_before = read(&self.not_before);
            not_before
                .get(&user)
                .map(|entry| entry.ends(session.login_id))
        });
        let ended_at = users.fold(everybody, UnixTime::max);
        (ended_at > session.created_at).then_some(ended_at)
    }

    /// Takes the entries whose successors the store has not ended. Only a complete copy can tell.
    pub(super) fn take_displaced(&self) -> Vec<Entry> {
        let displaced = std::mem::take(&mut *self.displaced());
        let is_missed =
            |entry: &Entry| entry.successor().is_some_and(|next| self.never_ended(next));
        displaced.into_iter().filter(is_missed).collect()
    }

    /// Gives back what was taken and could not be written.
    pub(super) fn put_displaced(&self, entries: Vec<Entry>) {
        self.displaced().extend(entries);
    }

    fn displaced(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.displaced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing but other logins has ever ended a login.
    fn never_ended(&self, login: LoginId) -> bool {
        let key = Key {
            realm: self.realm,
            subject: Subject::Login(login),
        };
        self.get(&key)
            .is_none_or(|entry| !entry.has_ended_for_good())
    }

    /// Calls `each` with every entry, one part of the copy after another.
    pub(super) fn each(&self, mut each: impl FnMut(Entry)) {
        for shard in &self.logins {
            for (login, state) in &*read(shard) {
                state.each(self.realm, *login, &mut each);
            }
        }
        read(&self.not_before).values().copied().for_each(&mut each);
        read(&self.everybody).iter().copied().for_each(each);
    }

    /// Returns the entry under a key.
    pub(super) fn get(&self, key: &Key) -> Option<Entry> {
        let of_login = |login| {
            let mut found = None;
            let logins = read(self.shard(login));
            logins.get(&login)?.each(self.realm, login, |entry| {
                if entry.key == *key {
                    found = Some(entry);
                }
            });
            found
        };
        match key.subject {
            _ if key.realm != self.realm => None,
            Subject::Login(login) | Subject::Session(login, _) => of_login(login),
            Subject::User(user) => read(&self.not_before).get(&user).copied(),
            Subject::Realm => *read(&self.everybody),
        }
    }

    /// Drops what has expired before `until` from one part of the copy.
    pub(super) fn purge(&self, part: usize, until: UnixTime) {
        if let Some(shard) = self.logins.get(part) {
            write(shard).retain(|_, state| state.until() >= until);
        } else {
            write(&self.not_before).retain(|_, entry| entry.until >= until);
        }
    }

    /// How many parts a purge has.
    pub(super) const PARTS: usize = SHARDS + 1;

    /// How many logins and users have entries.
    pub(super) fn len(&self) -> usize {
        let logins = self.logins.iter().map(|shard| read(shard).len());
        let users = read(&self.not_before).len();
        logins.sum::<usize>().saturating_add(users)
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder of 64, and 64 shards")]
    fn shard(&self, LoginId([first, ..]): LoginId) -> &RwLock<Logins> {
        &self.logins[usize::from(first) % SHARDS]
    }
}

impl State {
    /// Joins the end of a login. Returns the entry whose successor has lost its place, if there is one.
    fn join_end(&mut self, entry: &Entry) -> Option<Entry> {
        let held = self.end_entry(entry.key);
        let joined = held.map_or(*entry, |held| held.joined(*entry));
        self.end = Some(Times {
            at: joined.at,
            until: joined.until,
        });
        match (joined.successor(), &mut self.more) {
            (None, None) => {}
            (next, more) => {
                let more = more.get_or_insert_default();
                more.next = next;
                more.floor = joined.floor;
            }
        }
        // Of an entry that comes late, the store knew when it made the one that is held.
        let lost =
            |held: &Entry| held.successor().is_some() && held.successor() != joined.successor();
        held.filter(lost)
    }

    fn join_session(&mut self, session: SessionId, entry: &Entry) {
        let more = self.more.get_or_insert_default();
        let position = more.sessions.iter().position(|held| held.0 == session);
        let held = position.map(|position| more.sessions.swap_remove(position));
        let held = held.map(|(_, next, times)| session_entry(entry.key, next, times));
        let joined = held.map_or(*entry, |held| held.joined(*entry));
        let next = match joined.next {
            Some(Next::Session(next)) => Some(next),
            _ => None,
        };
        let times = Times {
            at: joined.at,
            until: joined.until,
        };
        more.sessions.push((session, next, times));
    }

    fn next(&self) -> Option<LoginId> {
        self.more.as_ref()?.next
    }

    /// The status of a session of a login that goes on.
    fn status_of(&self, session: SessionId) -> SessionStatus {
        let sessions = self.more.iter().flat_map(|more| &more.sessions);
        match sessions.into_iter().find(|(id, ..)| *id == session) {
            Some((_, Some(next), times)) => SessionStatus::Replaced {
                at: times.at,
                by: Some(*next),
            },
            Some((_, None, _)) => SessionStatus::Ended,
            None => SessionStatus::Open,
        }
    }

    fn end_entry(&self, key: Key) -> Option<Entry> {
        let times = self.end?;
        Some(Entry {
            key,
            at: times.at,
            next: self.next().map(Next::Login),
            floor: self.more.as_ref().map_or(NEVER, |more| more.floor),
            until: times.until,
        })
    }

    fn each(&self, realm: RealmId, login: LoginId, mut each: impl FnMut(Entry)) {
        let key = |subject| Key { realm, subject };
        if let Some(entry) = self.end_entry(key(Subject::Login(login))) {
            each(entry);
        }
        for (session, next, times) in self.more.iter().flat_map(|more| &more.sessions) {
            let key = key(Subject::Session(login, *session));
            each(session_entry(key, *next, *times));
        }
    }

    fn until(&self) -> UnixTime {
        let sessions = self.more.iter().flat_map(|more| &more.sessions);
        let times = self
            .end
            .into_iter()
            .chain(sessions.map(|(.., times)| *times));
        times
            .map(|times| times.until)
            .fold(UnixTime::from_secs(0), UnixTime::max)
    }
}

fn session_entry(key: Key, next: Option<SessionId>, times: Times) -> Entry {
    Entry {
        key,
        at: times.at,
        next: next.map(Next::Session),
        floor: UnixTime::from_secs(0),
        until: times.until,
    }
}

/// Ignores poison: each change is a single step, so a panic cannot leave it half done.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
