#![allow(unused)]

use rocket_login::{UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn always(id: i64) -> User {
    User { id }
}

#[user_loader]
fn fallible(id: i64) -> Result<User, String> {
    Ok(User { id })
}

fn main() {}
