//! Follows the log of a store, in a thread of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rocket::tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use super::purge::Purge;
use super::replica::Replica;
use super::{Shared, bounded};
use crate::config::OnLoss;
use crate::revocation::RevocationError;
use crate::revocation::log::entry::Subject;
use crate::revocation::log::{Appended, Change, Entry, Key, OpId, Position, Since};
use crate::token::times::MAX_REMEMBER;

/// How long one look at the log waits for news. A look is at most this old when it ends, so the copy stays fresh.
pub(super) const POLL: Duration = Duration::from_millis(250);

/// How much longer than that a look may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the whole table may take.
const SNAPSHOT: Duration = Duration::from_secs(60);

/// How many entries are written back at once.
const BATCH: usize = 500;

/// The shortest time between two looks, for a store that answers at once that there is nothing.
const BREATH: Duration = Duration::from_millis(5);

/// The pause after a failure, which doubles each time.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];

pub(super) struct Follower {
    shared: Arc<Shared>,
    position: Option<Position>,
    purge: Purge,
    /// How long a look waits for news.
    poll: Duration,
}

impl Follower {
    pub(super) fn new(shared: Arc<Shared>, poll: Duration) -> Self {
        Self {
            shared,
            position: None,
            purge: Purge::default(),
            poll,
        }
    }

    /// Follows the log until the list is dropped.
    pub(super) async fn run(mut self) {
        let [mut pause, longest] = PAUSES;
        while !self.shared.is_stopped.load(Ordering::Relaxed) {
            let next = Instant::now().checked_add(BREATH);
            match self.step().await {
                Ok(()) => {
                    [pause, _] = PAUSES;
                    if let Some(next) = next {
                        sleep_until(next).await;
                    }
                }
                Err(_) => {
                    sleep(pause).await;
                    pause = pause.saturating_mul(2).min(longest);
                }
            }
        }
    }

    /// Looks at the log once, and reports what has changed about that.
    pub(super) async fn step(&mut self) -> Result<(), RevocationError> {
        let looked = self.look().await;
        self.shared.report(looked.as_ref().err());
        looked
    }

    async fn look(&mut self) -> Result<(), RevocationError> {
        let shared = Arc::clone(&self.shared);
        let Some(mut position) = self.position.take() else {
            return self.start_over().await;
        };
        // Before the call: what the store has confirmed until now must be in its answer.
        let began = shared.freshness.clock().now();
        let due = shared.progress.due();
        let look = shared.log.since(&position, self.poll);
        let since = bounded(self.poll.saturating_add(PATIENCE), look).await;
        let Since::Records { records, is_head } = since.inspect_err(|_| {
            // After a failure the log goes on where it was.
            self.position = Some(position.clone());
        })?
        else {
            return self.start_over().await;
        };
        if records.is_empty() && !is_head {
            return Err(RevocationError::new("a page of the log was empty"));
        }
        for record in records {
            if position.number.checked_add(1) != Some(record.number) {
                return self.start_over().await;
            }
            shared.join(&record.entry)?;
            shared.progress.see(record.op, record.number);
            (position.number, position.op) = (record.number, record.op);
        }
        if is_head && (position.number < due || shared.progress.misses_one(position.number)) {
            return self.start_over().await;
        }
        if is_head {
            self.end_displaced(&position).await?;
        }
        self.position = Some(position);
        // A full page is not the head, and the copy is as old as the records that are missing.
        if is_head {
            shared.freshness.publish(began);
            if let Err(error) = self.purge.step(&shared).await {
                warn!(
                    "expired entries could not be removed from the store of ended logins: {error}"
                );
            }
        }
        Ok(())
    }

    /// Reads the whole table, and writes back what only this server's copy has.
    async fn start_over(&mut self) -> Result<(), RevocationError> {
        let shared = &*self.shared;
        let is_first = shared.freshness.age().is_none();
        let theirs = Replica::new(shared.replica.realm(), Arc::clone(shared.replica.users()));
        let mut joined = Ok(());
        let mut join = |entry: Entry| {
            if joined.is_ok() {
                joined = theirs
                    .join(&entry)
                    .and_then(|()| shared.replica.join(&entry));
            }
        };
        let snapshot = shared.log.snapshot(&mut join);
        let position = bounded(SNAPSHOT, snapshot).await?;
        joined.map_err(RevocationError::new)?;
        // Before the search for what only the copy has.
        shared.progress.start_over(position.epoch);
        if position.number == 0 && shared.on_loss == OnLoss::EndEverybody {
            self.end_everybody(&position).await?;
        }
        let mut missing = Vec::new();
        shared.replica.each(|entry| {
            let held = theirs.get(&entry.key());
            if held.is_none_or(|held| held.joined(entry) != held) {
                missing.push(entry);
            }
        });
        for entries in missing.chunks(BATCH) {
            let change = Change::merge(new_op()?, entries.to_vec());
            self.append(&position, &change).await?;
        }
        if !is_first {
            warn!(
                "the log of the store of ended logins does not go on where it was, so the store has lost changes or was \
                 replaced; this server has read it anew and written back {} entries",
                missing.len()
            );
            shared.count_loss();
        }
        self.position = Some(position);
        Ok(())
    }

    /// Writes back that a login has replaced another one, where the store has lost that and has then ended the other one
    /// alone. It ends both now.
    async fn end_displaced(&self, position: &Position) -> Result<(), RevocationError> {
        let displaced = self.shared.replica.take_displaced();
        if displaced.is_empty() {
            return Ok(());
        }
        let change = Change::merge(new_op()?, displaced);
        let written = self.append(position, &change).await;
        if written.is_err() {
            self.shared.replica.put_displaced(change.entries);
        }
        written
    }

    /// Ends every login from before, once for each life of a store. All servers use the same op id.
    async fn end_everybody(&self, position: &Position) -> Result<(), RevocationError> {
        let shared = &*self.shared;
        let key = Key {
            realm: shared.replica.realm(),
            subject: Subject::Realm,
        };
        let until = shared
            .clock
            .now()
            .plus(MAX_REMEMBER)
            .plus(shared.longest_session);
        // The dates that the lost store has given out may lie ahead of the clock of the new one.
        let now = bounded(PATIENCE, shared.log.now(&[])).await?;
        let entry = Entry {
            at: now.max(shared.replica.latest()).plus(1),
            ..Entry::undated(key, None, until)
        };
        let op = OpId::derived(format!("{} {key}", position.epoch).as_bytes());
        self.append(position, &Change::merge(op, vec![entry]))
            .await?;
        warn!(
            "the store of ended logins is new, so all logins from before have ended, as `login.store.on_loss` says"
        );
        Ok(())
    }

    async fn append(&self, position: &Position, change: &Change) -> Result<(), RevocationError> {
        let append = self.shared.log.append(&position.epoch, change);
        match bounded(PATIENCE, append).await? {
            Appended::Written { records, .. } => {
                for record in records {
                    self.shared.join(&record.entry)?;
                }
                Ok(())
            }
            Appended::Before => Ok(()),
            Appended::Changed => Err(RevocationError::new("the store was replaced once more")),
        }
    }
}

pub(super) fn new_op() -> Result<OpId, RevocationError> {
    OpId::generate().map_err(RevocationError::new)
}
