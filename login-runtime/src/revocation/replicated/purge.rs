//! Removes what has expired, so slowly that no clock that is wrong for a while can empty the list.

use std::time::Duration;

use super::Shared;
use super::bounded;
use super::replica::Replica;
use crate::clock::UnixTime;
use crate::revocation::RevocationError;

/// How long an entry stays after it has expired, and how long lies between two looks at what has.
const HOUR: u64 = 60 * 60;

/// How many entries the store removes at once.
const STEP: usize = 500;

/// How long that may take: the follower must not be late for its next look.
const PATIENCE: Duration = Duration::from_millis(400);

#[derive(Default)]
pub(super) struct Purge {
    /// When the clocks were last looked at, and what had expired then.
    seen: Option<(u64, UnixTime)>,
    /// What is being removed.
    running: Option<Running>,
}

struct Running {
    /// Entries that have expired before.
    until: UnixTime,
    /// The part of the copy that is next, once the store is done.
    part: Option<usize>,
}

impl Purge {
    /// Does a small piece of the work, if there is any.
    pub(super) async fn step(&mut self, shared: &Shared) -> Result<(), RevocationError> {
        let Some(running) = &mut self.running else {
            self.look(shared);
            return Ok(());
        };
        let until = running.until;
        match &mut running.part {
            None => {
                let purge = shared.log.purge(until, STEP);
                let removed = bounded(PATIENCE, purge).await.inspect_err(|_| {
                    // The next hour is early enough.
                    running.part = Some(0);
                })?;
                if removed == 0 {
                    running.part = Some(0);
                }
            }
            Some(part) if *part < Replica::PARTS => {
                shared.replica.purge(*part, until);
                *part = part.saturating_add(1);
            }
            Some(_) => self.running = None,
        }
        Ok(())
    }

    /// Once an hour, decides what may go: what had expired for an hour by this server's clock and by the store's time, now
    /// and an hour ago.
    fn look(&mut self, shared: &Shared) {
        let passed = shared.freshness.clock().now();
        let is_due = |seen: u64| passed.saturating_sub(seen) >= HOUR.saturating_mul(1_000);
        if !self.seen.is_none_or(|(seen, _)| is_due(seen)) {
            return;
        }
        let now = shared.clock.now().min(shared.replica.latest());
        let expired = UnixTime::from_secs(now.as_secs().saturating_sub(HOUR));
        if let Some((_, before)) = self.seen.replace((passed, expired)) {
            self.running = Some(Running {
                until: expired.min(before),
                part: None,
            });
        }
    }
}
