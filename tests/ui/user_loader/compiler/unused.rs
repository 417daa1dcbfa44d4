#![deny(dead_code)]

use rocket_login::{UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    Some(User { id })
}

fn main() {}
