//! A store of ended logins in memory, for tests.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::futures::FutureExt as _;
use rocket::tokio::sync::Notify;
use rocket::tokio::time::{Instant, timeout_at};

use crate::clock::{Clock, UnixTime};
use crate::revocation::RevocationError;
use crate::revocation::log::{
    Appended, Change, Entry, Epoch, Key, OpId, Position, Record, RevocationLog, Rows, Since,
};

/// How many records a page has at most.
const PAGE: usize = 1_000;

/// A store of ended logins in this process's memory, for tests of an application with several servers.
///
/// Its clones are connections to the same store. The methods that break it do what happens to real stores.
///
/// # Example
///
/// ```rust
/// use rocket_login::testing::Clock;
/// use rocket_login::testing::store::{Fault, MemoryLog};
///
/// let log = MemoryLog::with_clock(Clock::manual(1_800_000_000));
/// let [one, two] = [log.clone(), log];
///
/// one.set_fault(Fault::Down); // until `set_fault(None)`
/// one.lose(3); // the newest records, as after a loss of power
/// one.trim(); // the old records
/// one.wipe(); // everything
/// assert!(two.entries().is_empty());
/// assert_eq!(two.records(), 0);
/// ```
#[derive(Clone)]
pub struct MemoryLog(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Notify,
    clock: Clock,
}

struct State {
    epoch: Epoch,
    table: HashMap<Key, Entry>,
    log: VecDeque<Line>,
    /// How many records were dropped.
    dropped: u64,
    ops: HashMap<OpId, Appended>,
    latest: UnixTime,
    fault: Option<Fault>,
}

/// A record, and the entry that it has replaced.
struct Line {
    record: Record,
    before: Option<Entry>,
}

/// What is wrong with a [`MemoryLog`], see [`MemoryLog::set_fault`].
///
/// The example of [`MemoryLog`] shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Every call fails.
    Down,
    /// No call is ever answered.
    Silent,
    /// Changes fail, and everything can be read.
    ReadOnly,
    /// Changes are made, and their answers are lost.
    LostAnswers,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// Returns an empty store with the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Clock::system())
    }

    /// Returns an empty store with this clock.
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State::new()),
            changed: Notify::new(),
            clock,
        }))
    }

    /// Breaks the store, or repairs it with `None`.
    pub fn set_fault(&self, fault: impl Into<Option<Fault>>) {
        self.change(|state| state.fault = fault.into());
    }

    /// Takes back the newest records, as a store does that lost power before it had written them to its disk.
    pub fn lose(&self, records: usize) {
        self.change(|state| {
            for _ in 0..records {
                let Some(Line { record, before }) = state.log.pop_back() else {
                    break;
                };
                match before {
                    Some(entry) => state.table.insert(entry.key, entry),
                    None => state.table.remove(&record.entry.key),
                };
                state.ops.remove(&record.op);
            }
        });
    }

    /// Empties the store, which gives it another epoch.
    pub fn wipe(&self) {
        self.change(|state| {
            let fault = state.fault;
            *state = State::new();
            state.fault = fault;
        });
    }

    /// Drops all records but the newest one, so that a reader that is behind has missed some.
    pub fn trim(&self) {
        self.change(|state| {
            while state.log.len() > 1 {
                state.log.pop_front();
                state.dropped = state.dropped.saturating_add(1);
            }
        });
    }

    /// Returns how many records the log has had.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.state().head()
    }

    /// Returns the entries of the table.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.state().table.values().copied().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.0.changed.notify_waiters();
    }

    /// Waits or fails, if that is the fault of the store.
    async fn call(&self, is_change: bool) -> Result<(), RevocationError> {
        let fault = self.state().fault;
        match fault {
            Some(Fault::Down) => Err(RevocationError::new("the store is down")),
            Some(Fault::ReadOnly) if is_change => {
                Err(RevocationError::new("the store is read-only"))
            }
            Some(Fault::Silent) => pending().await,
            None | Some(Fault::ReadOnly | Fault::LostAnswers) => Ok(()),
        }
    }
}

#[rocket::async_trait]
impl RevocationLog for MemoryLog {
    async fn snapshot(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, RevocationError> {
        self.call(false).await?;
        let state = self.state();
        for row in state.table.values() {
            entry(*row);
        }
        Ok(Position {
            epoch: state.epoch,
            number: state.head(),
            op: state.log.back().map_or(OpId::NONE, |line| line.record.op),
        })
    }

    async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> {
        let end = Instant::now().checked_add(wait);
        loop {
            // Registered before the look, so that no change falls between the look and the wait.
            let changed = self.0.changed.notified();
            self.call(false).await?;
            let since = self.state().since(position);
            let is_news = match &since {
                Since::Records { records, .. } => !records.is_empty(),
                Since::Changed => true,
            };
            match end {
                Some(end) if !is_news && timeout_at(end, changed).await.is_ok() => {}
                _ => return Ok(since),
            }
        }
    }

    async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> {
        self.call(true).await?;
        let now = self.0.clock.now();
        let appended = self.state().append(epoch, change, now);
        self.0.changed.notify_waiters();
        if self.state().fault == Some(Fault::LostAnswers) {
            return Err(RevocationError::new("the answer was lost"));
        }
        appended
    }

    async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> {
        self.call(true).await?;
        let now = self.0.clock.now();
        let mut state = self.state();
        let entries = keys.iter().filter_map(|key| state.table.get(key));
        let earliest = now.max(state.latest);
        let latest = entries.map(|entry| entry.at).fold(earliest, UnixTime::max);
        state.latest = latest;
        Ok(latest)
    }

    async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> {
        self.call(true).await?;
        let now = self.0.clock.now();
        let mut state = self.state();
        let may_go = |entry: &&Entry| entry.until < until && entry.until.plus(60 * 60) < now;
        let expired = state.table.values().filter(may_go).take(limit);
        let expired: Vec<_> = expired.map(|entry| entry.key).collect();
        for key in &expired {
            state.table.remove(key);
        }
        Ok(expired.len())
    }
}

impl State {
    #[expect(clippy::expect_used, reason = "a test without random bytes must stop")]
    fn new() -> Self {
        Self {
            epoch: Epoch::generate().expect("the operating system gives random bytes"),
            table: HashMap::new(),
            log: VecDeque::new(),
            dropped: 0,
            ops: HashMap::new(),
            latest: UnixTime::from_secs(0),
            fault: None,
        }
    }

    /// The number of the newest record.
    fn head(&self) -> u64 {
        self.dropped.saturating_add(self.log.len() as u64)
    }

    fn since(&self, position: &Position) -> Since {
        let index = position.number.checked_sub(self.dropped);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let known = match index.map(|index| index.checked_sub(1)) {
            // The position before the first record.
            Some(None) => (self.dropped == 0).then_some(OpId::NONE),
            Some(Some(index)) => self.log.get(index).map(|line| line.record.op),
            None => None,
        };
        let Some(index) = index.filter(|_| known == Some(position.op)) else {
            return Since::Changed;
        };
        if position.epoch != self.epoch {
            return Since::Changed;
        }
        let mut lines = self.log.iter().skip(index);
        let page = lines.by_ref().take(PAGE);
        Since::Records {
            records: page.map(|line| line.record.clone()).collect(),
            is_head: lines.next().is_none(),
        }
    }

    fn append(
        &mut self,
        epoch: &Epoch,
        change: &Change,
        now: UnixTime,
    ) -> Result<Appended, RevocationError> {
        if *epoch != self.epoch {
            return Ok(Appended::Changed);
        }
        if let Some(appended) = self.ops.get(&change.op) {
            return Ok(appended.clone());
        }
        self.latest = self.latest.max(now);
        let now = self.latest;
        let mut rows = Transaction {
            op: change.op,
            state: self,
        };
        let appended = change.apply(&mut rows, now).now_or_never();
        let appended = appended.unwrap_or_else(|| Err(RevocationError::new("a map waited")))?;
        if let Appended::Written { records, .. } = &appended
            && !records.is_empty()
        {
            self.ops.insert(change.op, appended.clone());
        }
        Ok(appended)
    }
}

struct Transaction<'s> {
    op: OpId,
    state: &'s mut State,
}

#[rocket::async_trait]
impl Rows for Transaction<'_> {
    async fn read(&mut self, key: &Key) -> Result<Option<Entry>, RevocationError> {
        Ok(self.state.table.get(key).copied())
    }

    async fn write(&mut self, entry: &Entry) -> Result<u64, RevocationError> {
        let number = self.state.head().saturating_add(1);
        let before = self.state.table.insert(entry.key, *entry);
        let record = Record {
            number,
            op: self.op,
            entry: *entry,
        };
        self.state.log.push_back(Line { record, before });
        Ok(number)
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog").finish_non_exhaustive()
    }
}
