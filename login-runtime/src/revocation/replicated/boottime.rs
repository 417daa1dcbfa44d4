//! A clock that nobody sets, and that goes on while the machine is suspended.

#[cfg(test)]
use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Milliseconds since the machine was started, or since some other moment in the past.
#[derive(Clone, Default)]
pub(super) enum Boottime {
    #[default]
    System,
    /// A clock that a test moves.
    #[cfg(test)]
    Manual(Arc<AtomicU64>),
}

impl Boottime {
    pub(super) fn now(&self) -> u64 {
        match self {
            Self::System => milliseconds(since_boot()),
            #[cfg(test)]
            Self::Manual(time) => time.load(Ordering::SeqCst),
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `Instant` stands still while the machine is suspended, so a copy of the list would wake up as fresh as it was.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.try_into().unwrap_or_default()
}

/// Elsewhere a machine that was suspended may trust its copy until the next answer of the store.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since_boot() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    // Never 0, which stands for "not yet".
    START.elapsed().saturating_add(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_on() {
        let clock = Boottime::default();
        let before = clock.now();
        std::thread::sleep(Duration::from_millis(20));
        let passed = clock.now() - before;
        assert!((15..10_000).contains(&passed), "{passed}");
    }
}
