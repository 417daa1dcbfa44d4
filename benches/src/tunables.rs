//! Settings of the C library in a counted process, so that a count repeats.

/// The name of the environment variable.
pub(crate) const NAME: &str = "GLIBC_TUNABLES";

/// `rep movsb` would count one step for each byte. Space for freed memory keeps the allocator on its fast path;
/// otherwise it cleans up now and then, depending on what the process did before.
pub(crate) const VALUE: &str = "glibc.cpu.x86_rep_movsb_threshold=1000000000:\
                                glibc.cpu.x86_rep_stosb_threshold=1000000000:\
                                glibc.malloc.tcache_count=127";
