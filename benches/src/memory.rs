//! The memory and the time that ended sessions take.

use std::fs;
use std::time::Instant;

use crate::stage::Stage;

/// The cost of ending some sessions.
pub(crate) struct Ended {
    pub(crate) seconds: f64,
    pub(crate) bytes: usize,
}

/// Ends the first sessions of a stage, and measures the memory that they take.
pub(crate) fn end(stage: &Stage, sessions: usize) -> Ended {
    let (before, start) = (resident(), Instant::now());
    stage.end(0..sessions);
    Ended {
        seconds: start.elapsed().as_secs_f64(),
        bytes: resident().saturating_sub(before),
    }
}

/// The process's memory in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux's account of the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: usize = kilobytes.and_then(|kb| kb.parse().ok()).expect("a size");
    kilobytes * 1024
}
