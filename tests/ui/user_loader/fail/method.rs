#![allow(unused)]

use rocket_login::{UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

struct Users;

impl Users {
    #[user_loader]
    fn load(&self, id: i64) -> Option<User> {
        None
    }
}

fn main() {}
