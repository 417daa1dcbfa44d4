//! The clock that decides every expiry, and its points in time.

#![cfg_attr(
    not(feature = "testing"),
    allow(unreachable_pub, reason = "public with the feature `testing` only")
)]

#[cfg(feature = "testing")]
use std::sync::Arc;
#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// A point in time, in whole seconds since 1970 (Unix time).
///
/// # Example
///
/// ```rust
/// use std::time::Duration;
/// use rocket_login::revocation::UnixTime;
///
/// let login = UnixTime::from_secs(1_800_000_000);
/// let logout = login.saturating_add(Duration::from_secs(60));
/// assert!(login < logout);
/// assert_eq!(logout.as_secs(), 1_800_000_060);
/// assert_eq!(logout.saturating_duration_since(login), Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// Returns the time that is this many seconds after the start of 1970.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Returns the seconds since the start of 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Returns the time that is `duration` later; a fraction of a second is dropped.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        self.plus(duration.as_secs())
    }

    /// Returns the time that has passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.since(earlier))
    }

    /// Returns the time this many seconds later.
    #[must_use]
    pub(crate) const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Returns the seconds that have passed since `earlier`.
    #[must_use]
    pub(crate) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The clock of a manager, in whole seconds.
///
/// The default is the system's clock. Instead of sleeping, a test gives the manager a [`Clock::manual`] and moves it;
/// clones of a manual clock move together.
///
/// # Example
///
/// ```rust
/// use std::time::Duration;
/// use rocket_login::revocation::UnixTime;
/// use rocket_login::testing::Clock;
///
/// let clock = Clock::manual(1_800_000_000);
/// let managers = clock.clone();
/// clock.advance(Duration::from_secs(60 * 60));
/// assert_eq!(managers.now(), UnixTime::from_secs(1_800_003_600));
/// clock.set(1_800_000_000);
/// assert_eq!(managers.now(), UnixTime::from_secs(1_800_000_000));
/// assert!(Clock::system().now() > UnixTime::from_secs(0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    #[cfg(feature = "testing")]
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// Returns the system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Returns how long to wait for a time, at most, before another look at the clock.
    pub(crate) fn wait_for(&self, time: UnixTime) -> Duration {
        match &self.0 {
            Source::System => Duration::from_secs(time.since(self.now())),
            #[cfg(feature = "testing")]
            Source::Manual(_) => Duration::from_millis(10),
        }
    }

    /// Returns the current time; 0 if the system's clock is set before 1970.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        UnixTime(match &self.0 {
            Source::System => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            #[cfg(feature = "testing")]
            Source::Manual(time) => time.load(Ordering::SeqCst),
        })
    }
}

#[cfg(feature = "testing")]
impl Clock {
    /// Returns a clock that stands still at `unix_seconds` until it is moved.
    #[must_use]
    pub fn manual(unix_seconds: u64) -> Self {
        Self(Source::Manual(Arc::new(AtomicU64::new(unix_seconds))))
    }

    /// Sets a manual clock, forwards or backwards; the system's clock does not change, and a warning is logged.
    pub fn set(&self, unix_seconds: u64) {
        self.change(|_| unix_seconds);
    }

    /// Moves a manual clock forwards by whole seconds; the system's clock does not change, and a warning is logged.
    pub fn advance(&self, by: Duration) {
        self.change(|time| time.saturating_add(by.as_secs()));
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        match &self.0 {
            Source::System => {
                tracing::warn!("the system's clock cannot be moved; use `Clock::manual` in tests");
            }
            Source::Manual(time) => {
                let _ = time.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |time| {
                    Some(change(time))
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = Clock::manual(100);
        assert_eq!(clock.now(), UnixTime(100));
        clock.set(50);
        assert_eq!(clock.now(), UnixTime(50));
        clock.advance(Duration::from_millis(2_999));
        assert_eq!(clock.now(), UnixTime(52));
    }

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual(0);
        clock.clone().advance(Duration::from_secs(7));
        assert_eq!(clock.now(), UnixTime(7));
    }

    #[test]
    fn a_manual_clock_stops_at_the_end_of_time() {
        let clock = Clock::manual(u64::MAX - 1);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), UnixTime(u64::MAX));
    }

    #[test]
    fn a_time_neither_overflows_nor_turns_negative() {
        let (first, last) = (UnixTime::from_secs(0), UnixTime::from_secs(u64::MAX));
        assert_eq!(last.saturating_add(Duration::MAX), last);
        assert_eq!(first.saturating_duration_since(last), Duration::ZERO);
        assert_eq!(
            first.saturating_add(Duration::from_millis(1_999)).as_secs(),
            1
        );
    }

    #[test]
    fn the_system_clock_cannot_be_moved() {
        let clock = Clock::default();
        clock.set(0);
        clock.advance(Duration::from_secs(1 << 40));
        assert!((1_700_000_000..1 << 40).contains(&clock.now().as_secs()));
    }
}
