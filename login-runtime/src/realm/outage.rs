//! The log lines of an outage of the list of ended logins, or of the registry of logins.
//!
//! Every request with a login fails then, and each for the same reason. The log has the first failure, and then one line a
//! minute for each reason, with the number of those in between.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::{debug, error, warn};

use super::RealmCore;
use super::unavailable::Unavailable;
use crate::clock::UnixTime;

/// How many seconds pass before the next line for the same reason.
const INTERVAL: u64 = 60;

/// How many reasons are distinguished.
const MOST: usize = 8;

/// The reasons that have a line in the log.
#[derive(Default)]
pub(crate) struct Outage(Mutex<Vec<Reason>>);

struct Reason {
    /// Without its numbers: they may be times.
    text: String,
    logged_at: UnixTime,
    /// How many failures since then are not in the log.
    unlogged: u64,
}

impl RealmCore {
    /// Logs in `line` why a request has failed.
    pub(crate) fn log_failure(&self, failure: &Unavailable, line: fmt::Arguments<'_>) {
        match failure {
            Unavailable::Revocation(_) | Unavailable::Registry(_) => {}
            // Each user and each route may have a reason of its own.
            Unavailable::Load(_) | Unavailable::Condition(_) => {
                error!("{line}");
                return;
            }
        }
        match self.outage.next(&failure.to_string(), self.clock.now()) {
            None => debug!("{line}"),
            Some(0) => error!("{line}"),
            Some(unlogged) => {
                error!(
                    "{line}; {unlogged} more requests have failed for this reason since the last such line"
                );
            }
        }
    }

    /// Logs that the list of ended logins can be asked again.
    pub(crate) fn log_recovery(&self) {
        let unlogged = self.outage.forget();
        if unlogged > 0 {
            warn!(
                "the list of ended logins answers again; {unlogged} more requests had failed since the last line about it"
            );
        }
    }
}

impl Outage {
    /// Counts a failure. If it is time for a line, returns how many came before it without one.
    fn next(&self, failure: &str, now: UnixTime) -> Option<u64> {
        let mut reasons = self.reasons();
        let text = failure.replace(|c: char| c.is_ascii_digit(), "");
        if let Some(reason) = reasons.iter_mut().find(|reason| reason.text == text) {
            let Reason {
                logged_at,
                unlogged,
                ..
            } = reason;
            // Also if the clock was set back.
            if (*logged_at..logged_at.plus(INTERVAL)).contains(&now) {
                *unlogged = unlogged.saturating_add(1);
                return None;
            }
            *logged_at = now;
            return Some(std::mem::take(unlogged));
        }
        if reasons.len() >= MOST {
            reasons.remove(0);
        }
        reasons.push(Reason {
            text,
            logged_at: now,
            unlogged: 0,
        });
        Some(0)
    }

    /// Forgets every reason, and returns how many failures are not in the log.
    fn forget(&self) -> u64 {
        let reasons = std::mem::take(&mut *self.reasons());
        let unlogged = reasons.iter().map(|reason| reason.unlogged);
        unlogged.fold(0, u64::saturating_add)
    }

    fn reasons(&self) -> MutexGuard<'_, Vec<Reason>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    #[test]
    fn each_reason_has_a_line_a_minute() {
        let outage = Outage::default();
        assert_eq!(outage.next("no answer for 2s", at(100)), Some(0));
        assert_eq!(outage.next("no answer for 3s", at(101)), None);
        assert_eq!(outage.next("no room", at(102)), Some(0));
        assert_eq!(outage.next("no answer for 61s", at(159)), None);
        assert_eq!(outage.next("no answer for 62s", at(160)), Some(2));
        // The clock was set back.
        assert_eq!(outage.next("no room", at(50)), Some(0));
        assert_eq!(outage.next("no room", at(51)), None);
        assert_eq!(outage.forget(), 1);
        assert_eq!(outage.next("no room", at(52)), Some(0));
    }

    #[test]
    fn reasons_are_not_kept_without_an_end() {
        let outage = Outage::default();
        for name in 'a'..='z' {
            assert_eq!(outage.next(&name.to_string(), at(100)), Some(0));
        }
        assert_eq!(outage.reasons().len(), MOST);
    }
}
