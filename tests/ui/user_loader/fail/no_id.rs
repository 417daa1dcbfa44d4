#![allow(unused)]

use rocket::State;
use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn nobody() -> Option<User> {
    None
}

#[user_loader]
fn swapped(db: &State<u8>, id: i64) -> Option<User> {
    None
}

fn main() {
    let _ = (LoginManager::new(nobody), LoginManager::new(swapped));
}
