//! Random bytes from the operating system, with no fallback.

use std::io;

/// Returns `N` random bytes, or an error if the operating system gives none.
pub(crate) fn draw<const N: usize>() -> io::Result<[u8; N]> {
    #[cfg(test)]
    outage::check()?;
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Simulates an operating system without random bytes, for one thread of a test.
#[cfg(test)]
pub(crate) mod outage {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static IS_OUT: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn check() -> io::Result<()> {
        if IS_OUT.get() {
            return Err(io::Error::other("the test's outage"));
        }
        Ok(())
    }

    /// Runs a part of a test without random bytes.
    pub(crate) fn during<T>(run: impl FnOnce() -> T) -> T {
        IS_OUT.set(true);
        let result = run();
        IS_OUT.set(false);
        result
    }
}
