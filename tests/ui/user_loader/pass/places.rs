//! A loader stands in another module, behind an attribute, or beside variables of other names.

#![deny(warnings, missing_debug_implementations, missing_docs)]

use rocket_login::{LoginManager, UserMixin};

mod users {
    use rocket_login::{UserMixin, user_loader};

    #[derive(UserMixin)]
    pub(crate) struct User {
        id: i64,
    }

    /// Finds a user.
    #[user_loader]
    pub(crate) fn load_user(id: i64) -> Option<User> {
        Some(User { id })
    }

    #[user_loader]
    #[cfg(any())]
    pub(crate) fn left_out(id: NoSuchType) -> NoSuchType {}

    #[cfg(any())]
    #[user_loader]
    pub(crate) fn left_out(id: NoSuchType) -> NoSuchType {}

    #[user_loader]
    #[deprecated]
    #[allow(dead_code)]
    pub(crate) fn old(id: i64) -> Option<User> {
        Some(User { id })
    }

    #[user_loader]
    #[cfg(not(any()))]
    pub(super) fn kept(id: i64) -> Option<User> {
        Some(User { id })
    }
}

/// A public user.
#[derive(Debug, UserMixin)]
pub struct Member {
    id: i64,
}

/// A public loader.
#[rocket_login::user_loader]
pub fn load_member(id: i64) -> Option<Member> {
    Some(Member { id })
}

fn main() {
    use users::load_user;

    let _ = LoginManager::new(load_user);
    let _ = LoginManager::new(users::kept);
    let _ = LoginManager::new(load_member);
    let _ = LoginManager::new({
        #[rocket_login::user_loader]
        fn local(id: i64) -> Option<Member> {
            Some(Member { id })
        }
        local
    });
}
