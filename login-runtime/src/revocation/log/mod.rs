//! What a store of ended logins must do, so that several servers share them: the trait of a store, and its words.

mod change;
pub(crate) mod entry;

pub use self::change::{Appended, Change, Guard, Rows};
pub use self::entry::{Entry, EntryError, Key};

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::clock::UnixTime;
use crate::revocation::RevocationError;
use crate::token::random;

/// A store of ended logins that several servers share: a table of entries, and a log of the changes to it.
///
/// Every server keeps a full copy of the entries in memory and follows the log, so a request waits for the store only
/// if it does not answer. Only what begins, ends or confirms a login writes to it. `rocket_login::testing::store` has the tests that every store
/// must pass.
///
/// # What a store keeps
///
/// - An [`Epoch`], made when the store is empty and lost with it.
/// - The table: one [`Entry`] for each [`Key`]. An entry only grows, and goes only when it is [purged](Self::purge).
/// - The log: a [`Record`] for each entry that was written to the table. The records have the numbers 1, 2, 3 and so on
///   **without gaps, in the order in which they become visible**: a reader that has seen number 7 must never see number
///   6 for the first time. A number that is drawn before its transaction commits does not do that. Old records may be
///   dropped after an hour, but never the newest one.
/// - The store's time, in seconds: the clock of the store, but never less than what it gave out before.
///
/// # Rules for every method
///
/// - The methods are called from one thread and one tokio runtime that belong to the list alone, several at a time.
///   Open connections and spawn tasks there and not in a constructor; a request that blocks a worker of the server must
///   not keep the follower from reading.
/// - A future may be dropped before it is ready, when it has taken too long. The connection that it used must not serve
///   another call unless the answer to this one cannot be mistaken for the other's.
/// - Read and write at the primary only. A replica that is behind shows a dead login as alive.
/// - An entry that cannot be parsed is an error, and never skipped.
///
/// # Example
///
/// A store for the servers of one process:
///
/// ```rust
/// use std::collections::HashMap;
/// use std::time::{Duration, SystemTime};
/// use rocket::tokio::{sync::Mutex, time::sleep};
/// use rocket_login::store::{
///     Appended, Change, Entry, Epoch, Key, OpId, Position, Record, RevocationError,
///     RevocationLog, Rows, Since, UnixTime,
/// };
///
/// struct OneProcess {
///     epoch: Epoch,
///     state: Mutex<State>,
/// }
///
/// struct State {
///     table: HashMap<Key, Entry>,
///     log: Vec<Record>, // number 1 comes first
///     ops: HashMap<OpId, Appended>,
///     latest: UnixTime,
/// }
///
/// impl State {
///     fn now(&mut self) -> UnixTime {
///         let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
///         self.latest = self.latest.max(UnixTime::from_secs(now.as_secs()));
///         self.latest
///     }
///
///     fn op_at(&self, number: usize) -> Option<OpId> {
///         match number.checked_sub(1) {
///             Some(index) => self.log.get(index).map(|record| record.op),
///             None => Some(OpId::NONE),
///         }
///     }
/// }
///
/// struct Transaction<'s> {
///     op: OpId,
///     state: &'s mut State,
/// }
///
/// #[rocket::async_trait]
/// impl Rows for Transaction<'_> {
///     async fn read(&mut self, key: &Key) -> Result<Option<Entry>, RevocationError> {
///         Ok(self.state.table.get(key).copied())
///     }
///
///     async fn write(&mut self, entry: &Entry) -> Result<u64, RevocationError> {
///         self.state.table.insert(entry.key(), *entry);
///         let number = self.state.log.len() as u64 + 1;
///         self.state.log.push(Record { number, op: self.op, entry: *entry });
///         Ok(number)
///     }
/// }
///
/// #[rocket::async_trait]
/// impl RevocationLog for OneProcess {
///     async fn snapshot(
///         &self,
///         entry: &mut (dyn FnMut(Entry) + Send),
///     ) -> Result<Position, RevocationError> {
///         let state = self.state.lock().await;
///         state.table.values().for_each(|row| entry(*row));
///         let number = state.log.len();
///         let op = state.op_at(number).unwrap_or(OpId::NONE);
///         Ok(Position { epoch: self.epoch, number: number as u64, op })
///     }
///
///     async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> {
///         let number = position.number as usize;
///         let read = async || {
///             let state = self.state.lock().await;
///             let is_known = state.op_at(number) == Some(position.op);
///             if position.epoch != self.epoch || !is_known {
///                 return Since::Changed;
///             }
///             Since::Records { records: state.log[number..].to_vec(), is_head: true }
///         };
///         let mut waited = Duration::ZERO;
///         loop {
///             match read().await {
///                 Since::Records { records, .. } if records.is_empty() && waited < wait => {
///                     sleep(Duration::from_millis(10)).await;
///                     waited += Duration::from_millis(10);
///                 }
///                 news => return Ok(news),
///             }
///         }
///     }
///
///     async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> {
///         let mut state = self.state.lock().await;
///         if *epoch != self.epoch {
///             return Ok(Appended::Changed);
///         }
///         if let Some(known) = state.ops.get(&change.op()) {
///             return Ok(known.clone());
///         }
///         let now = state.now();
///         let mut rows = Transaction { op: change.op(), state: &mut state };
///         let appended = change.apply(&mut rows, now).await?;
///         if matches!(&appended, Appended::Written { records, .. } if !records.is_empty()) {
///             state.ops.insert(change.op(), appended.clone());
///         }
///         Ok(appended)
///     }
///
///     async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> {
///         let mut state = self.state.lock().await;
///         let now = state.now();
///         let entries = keys.iter().filter_map(|key| state.table.get(key));
///         state.latest = entries.map(Entry::at).fold(now, UnixTime::max);
///         Ok(state.latest)
///     }
///
///     async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> {
///         let mut state = self.state.lock().await;
///         let an_hour_ago = UnixTime::from_secs(state.now().as_secs() - 60 * 60);
///         let until = until.min(an_hour_ago);
///         let expired = state.table.values().filter(|entry| entry.until() < until);
///         let expired: Vec<_> = expired.map(Entry::key).take(limit).collect();
///         for key in &expired {
///             state.table.remove(key);
///         }
///         Ok(expired.len())
///     }
/// }
///
/// # struct Connection(std::sync::Arc<OneProcess>);
/// # #[rocket::async_trait]
/// # impl RevocationLog for Connection {
/// #     async fn snapshot(&self, entry: &mut (dyn FnMut(Entry) + Send)) -> Result<Position, RevocationError> { self.0.snapshot(entry).await }
/// #     async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> { self.0.since(position, wait).await }
/// #     async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> { self.0.append(epoch, change).await }
/// #     async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> { self.0.now(keys).await }
/// #     async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> { self.0.purge(until, limit).await }
/// # }
/// # rocket::async_test(async {
/// #     rocket_login::testing::store::conforms(async || {
/// #         let state = State { table: HashMap::new(), log: Vec::new(), ops: HashMap::new(), latest: UnixTime::from_secs(0) };
/// #         let store = OneProcess { epoch: Epoch::generate().unwrap(), state: Mutex::new(state) };
/// #         let store = std::sync::Arc::new(store);
/// #         [Connection(store.clone()), Connection(store)]
/// #     })
/// #     .await;
/// # });
/// ```
#[rocket::async_trait]
pub trait RevocationLog: Send + Sync + 'static {
    /// Passes every entry of the table to `entry`, in any order, and returns the position of the log from before.
    ///
    /// Read the position first and the table afterwards, in pages if it is large: an entry that is written meanwhile may
    /// come or not, since it also comes with [`since`](Self::since), and one that comes twice does no harm. If the call
    /// fails halfway, the entries that have come are kept.
    ///
    /// # Errors
    ///
    /// If the table cannot be read as a whole.
    async fn snapshot(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, RevocationError>;

    /// Returns the records after a position, oldest first; waits for one, at most `wait` long, if there is none.
    ///
    /// Returns [`Since::Changed`] if the log does not go on from the position: the epoch is another one, the record at
    /// the position is gone or has another op id, the newest number is lower, or the record after the position has been
    /// dropped. A store that has lost its last second, or was restored from a backup, comes back with the same epoch and
    /// gives the same numbers to other changes, so the op id must be compared in every call. [`Since::read`] compares all
    /// of these.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError>;

    /// Makes a change, in one atomic step that no other change can interleave with.
    ///
    /// The steps, and nothing else:
    ///
    /// 1. If the store's epoch is not `epoch`, return [`Appended::Changed`].
    /// 2. If the log has records with the [op id](Change::op) of this change, return what was returned for them.
    /// 3. Otherwise do what [`Change::apply`] does, with the store's time. A store that can run Rust in a transaction
    ///    calls it; another one does the same in its own language.
    ///
    /// After an error the caller does not know whether the change was made, and repeats the call with the same op id.
    /// So an op id must be known for at least an hour.
    ///
    /// # Errors
    ///
    /// If it is not certain that the change was made and is as durable as this store makes it.
    async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError>;

    /// Returns the date of a new login: the store's time, but not before the [`at`](Entry::at) of the entries under
    /// these keys.
    ///
    /// The keys are those of the login's user and realm, so a login that begins after a `logout_everywhere` is dated
    /// after it, even on a server that does not know of it yet. What was returned is never followed by less.
    ///
    /// # Errors
    ///
    /// If the time cannot be read, or cannot be saved where the store would otherwise forget it.
    async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError>;

    /// Removes at most `limit` entries that have expired, and returns how many.
    ///
    /// An entry may be removed if its [`until`](Entry::until) is before `until` **and** more than an hour before the
    /// store's own clock: neither a wrong clock of a server nor one of the store may empty the table. This is also the
    /// moment to drop old records and op ids. It is called often, so it must be quick if there is nothing to do.
    ///
    /// # Errors
    ///
    /// If nothing can be removed.
    async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError>;
}

/// What a log answers to [`RevocationLog::since`].
///
/// The example of [`RevocationLog`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// The records after the position.
    Records {
        /// The records, with the numbers that follow the position's.
        records: Vec<Record>,
        /// Whether the last record, or else the position, was the newest one when it was read; `false` if a page ended
        /// before.
        is_head: bool,
    },
    /// The log does not go on from the position, so the table must be read again.
    Changed,
}

impl Since {
    /// Returns what follows a position, for a store that has read these four in one step: its newest position's epoch and
    /// number, the op id of the record at the position ([`OpId::NONE`] if there is none), and the records after it, oldest
    /// first.
    ///
    /// It is [`Changed`](Self::Changed) if the log does not go on from the position.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_login::store::{Epoch, OpId, Position, Since};
    ///
    /// let epoch = Epoch::generate().unwrap();
    /// let start = Position { epoch, number: 0, op: OpId::NONE };
    /// let nothing_new = Since::Records { records: Vec::new(), is_head: true };
    /// assert_eq!(Since::read(&start, (epoch, 0), OpId::NONE, Vec::new()), nothing_new);
    /// // The log has a record that was not read: it was dropped.
    /// assert_eq!(Since::read(&start, (epoch, 1), OpId::NONE, Vec::new()), Since::Changed);
    /// ```
    #[must_use]
    pub fn read(
        position: &Position,
        (epoch, newest): (Epoch, u64),
        op: OpId,
        records: Vec<Record>,
    ) -> Self {
        if epoch != position.epoch || newest < position.number || op != position.op {
            return Self::Changed;
        }
        let numbers = records.iter().map(|record| record.number);
        let is_gapless = numbers.eq((position.number.saturating_add(1)..).take(records.len()));
        let last = records.last();
        let last = last.map_or(position.number, |record| record.number);
        // Everything was read in one step, so a record that is missing will not come later.
        if !is_gapless || (records.is_empty() && last < newest) {
            return Self::Changed;
        }
        Self::Records {
            records,
            is_head: last == newest,
        }
    }
}

/// One line of the log.
///
/// The example of [`RevocationLog`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, one more than the one before.
    pub number: u64,
    /// The op id of the change that wrote it; several records can have the same.
    pub op: OpId,
    /// The entry as the change has left it in the table.
    pub entry: Entry,
}

/// A place in the log of a store: everything up to it is known.
///
/// The example of [`RevocationLog`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The epoch of the store.
    pub epoch: Epoch,
    /// The number of the newest record, or 0 if none was ever written.
    pub number: u64,
    /// The op id of that record; [`OpId::NONE`] if none was ever written.
    pub op: OpId,
}

/// Tells one life of a store from the next: 16 random bytes, written as 32 hexadecimal digits.
///
/// An empty store makes one, in a way that two servers cannot both do (`SET .. NX`, `INSERT .. ON CONFLICT DO NOTHING`).
///
/// The example of [`RevocationLog`] shows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch([u8; 16]);

impl Epoch {
    /// Draws a new epoch.
    ///
    /// # Errors
    ///
    /// If the operating system gives no random bytes.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_login::store::Epoch;
    ///
    /// let epoch = Epoch::generate().unwrap();
    /// let stored = epoch.to_string();
    /// assert_eq!(stored.parse(), Ok(epoch));
    /// ```
    pub fn generate() -> io::Result<Self> {
        random::draw().map(Self)
    }
}

/// Tells one change from every other, so that a repeated call changes nothing twice: 16 random bytes, written as 32
/// hexadecimal digits.
///
/// The example of [`RevocationLog`] shows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpId([u8; 16]);

impl OpId {
    /// The op id at the start of a log that is empty.
    pub const NONE: Self = Self([0; 16]);

    pub(crate) fn generate() -> io::Result<Self> {
        random::draw().map(Self)
    }

    /// The op id of a change that every server can make, and that counts once.
    pub(crate) fn derived(from: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(from).into();
        let mut id = [0; 16];
        id.copy_from_slice(digest.split_at(16).0);
        Self(id)
    }
}

macro_rules! hexadecimal {
    ($($name:ident)+) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = EntryError;

            fn from_str(text: &str) -> Result<Self, EntryError> {
                entry::bytes(text).map(Self)
            }
        }
    )+ };
}

hexadecimal!(Epoch OpId);
