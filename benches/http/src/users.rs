//! The users of all applications.

pub(crate) use crate::user::{NAME, User, Users};

/// The user who logs in and requests pages.
pub(crate) const ALICE: i64 = 7;

/// The secret of every application, with the 64 bytes that actix-web and tower-sessions require.
pub(crate) const SECRET: &str = "benches: this secret is not secret, 0123456789 0123456789 012345";

pub(crate) fn users() -> Users {
    (1..=1_000).map(|id| (id, User::new(id))).collect()
}
