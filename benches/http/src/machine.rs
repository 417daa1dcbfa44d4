//! The machine: its processor, and which core does what.

use std::fs;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The processor for the load: an index into those that this program may use.
pub(crate) const LOAD: usize = 0;

/// The processor for the server.
pub(crate) const SERVER: usize = 1;

/// Keeps this process and the threads that it starts later on one processor.
pub(crate) fn pin(which: usize) {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).expect("this process's processors");
    let mut allowed = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu) == Ok(true));
    let cpu = allowed.nth(which).expect("two processors");
    let mut only = CpuSet::new();
    only.set(cpu).expect("a processor");
    sched_setaffinity(this, &only).expect("a process that may be pinned");
}

/// Describes the processor in one line.
pub(crate) fn description() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").expect("Linux's account of the processor");
    let field = |name: &str| {
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(key, _)| key.trim() == name);
        found.map(|(_, value)| value.trim())
    };
    let model = field("model name").unwrap_or("a processor without a name");
    let features = field("flags").or(field("Features")).unwrap_or_default();
    let has_sha = features
        .split(' ')
        .any(|feature| ["sha_ni", "sha2"].contains(&feature));
    let sha = if has_sha { "with" } else { "without" };
    format!("{model}, {sha} SHA extensions")
}
