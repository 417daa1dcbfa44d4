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

struct Cause;

#[user_loader]
fn failing(id: i64) -> Result<Option<User>, Cause> {
    Err(Cause)
}

fn main() {}
