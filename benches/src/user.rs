//! The users of all applications, here and in `benches/http`.

use std::collections::HashMap;
use std::sync::Arc;

use rocket_login::UserMixin;

/// The name of every user.
pub(crate) const NAME: &str = "Alice";

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

impl User {
    pub(crate) fn new(id: i64) -> Self {
        User {
            id,
            name: NAME.into(),
            password_hash: ARGON2.into(),
        }
    }
}

pub(crate) type Users = HashMap<i64, User>;
