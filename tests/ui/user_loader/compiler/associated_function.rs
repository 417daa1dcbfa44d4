#![allow(unused)]

use rocket_login::{UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

impl User {
    #[user_loader]
    fn load(id: i64) -> Option<User> {
        None
    }
}

fn main() {}
