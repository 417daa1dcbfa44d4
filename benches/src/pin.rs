//! Keeps a thread and the process that it counts on one processor: each step wakes one of them and then the other, and
//! waking a sleeping processor takes longer than the step itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The id of this thread for `sched_setaffinity`.
const THIS: Pid = Pid::from_raw(0);

/// When dropped, allows this thread its previous processors again.
pub(crate) struct Pinned(CpuSet);

/// Keeps this thread and a single-threaded process on one processor; each call takes the next processor.
pub(crate) fn beside(process: Pid) -> Pinned {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let allowed = sched_getaffinity(THIS).expect("this thread's processors");
    let mut processors = (0..CpuSet::count())
        .filter(|processor| allowed.is_set(*processor) == Ok(true))
        .cycle()
        .skip(TURN.fetch_add(1, Ordering::Relaxed));
    let mut only = CpuSet::new();
    only.set(processors.next().expect("a processor"))
        .expect("one that there is");
    for pinned in [THIS, process] {
        sched_setaffinity(pinned, &only).expect("a process that may be pinned");
    }
    Pinned(allowed)
}

impl Drop for Pinned {
    fn drop(&mut self) {
        sched_setaffinity(THIS, &self.0).expect("a thread that was free before");
    }
}
