#![allow(unused)]

use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
unsafe fn load_user(id: i64) -> Option<User> {
    None
}

#[user_loader]
const fn load_const(id: i64) -> Option<User> {
    None
}

fn main() {
    let _ = (LoginManager::new(load_user), LoginManager::new(load_const));
}
