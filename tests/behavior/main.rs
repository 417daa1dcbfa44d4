//! The behavior that applications see, over Rocket's local client, with a clock that the test sets.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket decides the types of a handler's arguments"
)]
#![allow(
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "a test decides the signatures of its loaders, conditions and listeners"
)]

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod guards;
pub mod hygiene;
mod lints;
mod logins;
