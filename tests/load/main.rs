//! The application under load: a real server, many connections, the release profile of Rocket.
//!
//! `LOAD_REQUESTS` sets how long it runs, `LOAD_SEED` repeats the choices of a run:
//! `LOAD_REQUESTS=1000000 cargo test --release --test load -- --nocapture`.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket decides the types of a handler's arguments"
)]
#![allow(unreachable_pub, reason = "a test binary has no public interface")]

#[path = "../common/mod.rs"]
mod common;

mod crowd;
mod dice;
mod gate;
mod list;
mod memory;
mod person;
mod race;
mod site;
mod traffic;

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// How many requests the mixed run makes at least; the other tests make a share of it.
fn requests() -> usize {
    let requests = number("LOAD_REQUESTS").unwrap_or(20_000);
    assert!(requests >= 10_000, "too few for everything to happen");
    requests
}

/// The seed of every choice.
fn seed() -> u64 {
    static PRINTED: Once = Once::new();
    let seed = number("LOAD_SEED").unwrap_or(1);
    PRINTED.call_once(|| println!("LOAD_SEED={seed}"));
    seed
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().ok().expect("a number"))
}

/// One test at a time: each needs the whole machine, and some measure this process.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
