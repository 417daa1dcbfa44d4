//! How much memory this process uses, server and clients together.

pub const KIB: u64 = 1 << 10;
pub const MIB: u64 = 1 << 20;

/// The resident bytes, if the system reports them.
pub fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * KIB)
}

/// What an ended session may need: 24 bytes and one byte of the hash table, in a table that is
/// filled between 7/16 and 7/8, and while it grows beside the one that it replaces.
pub const PER_ENDED: u64 = 96;

/// Asserts that the process uses no more than the list of ended sessions needs, plus some slack:
/// the allocator does not return all freed memory, and the clients keep their cookies.
pub fn assert_flat(before: Option<u64>, after: Option<u64>, ended: usize, slack: u64) {
    let (Some(before), Some(after)) = (before, after) else {
        return;
    };
    let grown = after.saturating_sub(before);
    let allowed = PER_ENDED * ended as u64 + slack;
    println!(
        "memory: {} KiB, then {} KiB; {ended} sessions have ended; {grown} bytes more, {allowed} are allowed",
        before / KIB,
        after / KIB
    );
    assert!(
        grown <= allowed,
        "{grown} bytes more, {allowed} are allowed"
    );
}
