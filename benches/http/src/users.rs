//! The users that every application has.

use std::collections::HashMap;
use std::sync::Arc;

use rocket_login::UserMixin;

/// Who logs in and asks.
pub(crate) const ALICE: i64 = 7;

/// What every page answers.
pub(crate) const NAME: &str = "Alice";

/// The secret of every application, of the 64 bytes that actix-web and tower-sessions ask for.
pub(crate) const SECRET: &str = "benches: this secret is not secret, 0123456789 0123456789 012345";

const ARGON2: &str = "$argon2id$v=19$m=19456,t=2,p=1$YmVuY2hlcy1zYWx0LTEyMw\
                      $0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

/// A user of the application.
#[derive(Clone, Debug, UserMixin)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: Arc<str>,
    #[user(session_hash)]
    pub(crate) password_hash: Arc<str>,
}

pub(crate) type Users = HashMap<i64, User>;

pub(crate) fn users() -> Users {
    let user = |id| User {
        id,
        name: NAME.into(),
        password_hash: ARGON2.into(),
    };
    (1..=1_000).map(|id| (id, user(id))).collect()
}
