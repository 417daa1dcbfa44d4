//! What the C library is told in a process that is counted, so that a count repeats.

/// The name of the environment's variable.
pub(crate) const NAME: &str = "GLIBC_TUNABLES";

/// `rep movsb` would count as one step for each byte. Room for what is freed keeps the allocator on its fast path:
/// else it tidies up now and then, by what the process has done before.
pub(crate) const VALUE: &str = "glibc.cpu.x86_rep_movsb_threshold=1000000000:\
                                glibc.cpu.x86_rep_stosb_threshold=1000000000:\
                                glibc.malloc.tcache_count=127";
