//! Whether the copy of a store is fresh enough to judge a login by it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rocket::tokio::sync::Notify;
use rocket::tokio::time::{Instant, timeout_at};
use thiserror::Error;

use super::boottime::Boottime;

/// How old a copy may be, and what follows when it is older.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How long ago the last look at the store may have begun.
    pub(crate) max_staleness: Duration,
    /// How long a request waits for the next look.
    pub(crate) stale_wait: Duration,
    /// How much longer reads go on with an old copy; zero if requests are refused.
    pub(crate) serve_for: Duration,
}

pub(super) struct Freshness {
    limits: Limits,
    clock: Boottime,
    /// When the last look at the store began that has reached the head of its log; 0 before the first one.
    synced_at: AtomicU64,
    /// Whether a request has waited since then without a new look, so that the others do not wait too.
    is_vain: AtomicBool,
    synced: Notify,
}

/// What a copy is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It knows every logout that was confirmed `max_staleness` ago.
    Fresh,
    /// It is older, and the application chose to let reads go on.
    Stale,
}

/// The copy is too old to judge anything by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the store of ended logins has not answered for {0:?}")]
pub(super) struct TooOld(Duration);

impl Freshness {
    pub(super) fn new(limits: Limits, clock: Boottime) -> Self {
        Self {
            limits,
            clock,
            synced_at: AtomicU64::new(0),
            is_vain: AtomicBool::new(false),
            synced: Notify::new(),
        }
    }

    pub(super) fn clock(&self) -> &Boottime {
        &self.clock
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Notes that the copy has everything that the store had at `began`. Call it after the last entry was joined.
    pub(super) fn publish(&self, began: u64) {
        self.synced_at.store(began, Ordering::Release);
        self.is_vain.store(false, Ordering::Release);
        self.synced.notify_waiters();
    }

    /// Whether the copy is fresh. Ask it *before* the copy: in the other order, an entry can arrive between the two, and
    /// a login that has ended is served under the freshness of a copy that knew its end.
    pub(super) fn is_fresh(&self) -> bool {
        self.age()
            .is_some_and(|age| age < self.limits.max_staleness)
    }

    /// How long ago the last look began.
    pub(super) fn age(&self) -> Option<Duration> {
        let synced_at = self.synced_at.load(Ordering::Acquire);
        let age = self.clock.now().saturating_sub(synced_at);
        (synced_at != 0).then(|| Duration::from_millis(age))
    }

    /// Waits until the copy is fresh, but not for long.
    pub(super) async fn wait(&self) -> Result<Trust, TooOld> {
        let end = Instant::now().checked_add(self.limits.stale_wait);
        loop {
            // Registered before the look, so that no sync falls between the look and the wait.
            let synced = self.synced.notified();
            if self.is_fresh() {
                return Ok(Trust::Fresh);
            }
            let is_vain = self.is_vain.load(Ordering::Acquire);
            match end {
                Some(end) if !is_vain && timeout_at(end, synced).await.is_ok() => {}
                _ => break,
            }
        }
        self.is_vain.store(true, Ordering::Release);
        // A look clears the mark. If one has come since the wait ended, it must stay cleared.
        if self.is_fresh() {
            self.is_vain.store(false, Ordering::Release);
            return Ok(Trust::Fresh);
        }
        let age = self.age();
        let longest = self
            .limits
            .max_staleness
            .saturating_add(self.limits.serve_for);
        match age {
            Some(age) if age < longest => Ok(Trust::Stale),
            age => Err(TooOld(age.unwrap_or_default())),
        }
    }
}
