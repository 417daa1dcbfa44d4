//! Where there is no `ptrace` with this processor's registers: nothing can be counted.

use crate::scene::Scene;

/// What one request costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) instructions: u64,
    pub(crate) allocations: u64,
}

pub(crate) fn count(_: Scene) -> Counted {
    panic!("instructions are counted on Linux for x86-64 only")
}

pub(crate) fn stop(_: Scene) {
    panic!("instructions are counted on Linux for x86-64 only")
}
