//! What the log says about a request: why it has no login, and what went wrong without an error.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket decides the types of a handler's arguments"
)]
#![allow(clippy::unnecessary_wraps, reason = "a loader's type is fixed")]

#[path = "../common/mod.rs"]
mod common;

mod device;
mod outage;
#[path = "../flask/signed.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod signed;
mod thrown_away;
mod why;

use common::log::{Level, captured};

/// Our lines at this level, while `run` sends its requests.
fn ours(level: Level, run: impl FnOnce()) -> Vec<String> {
    let ((), lines) = captured(run);
    let ours = lines
        .into_iter()
        .filter(|line| line.is_ours() && line.level == level);
    ours.map(|line| line.text).collect()
}
