#![allow(unused)]

use std::str::FromStr;

use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
static LOADER: u8 = 0;

#[user_loader]
fn generic<I: FromStr>(id: I) -> Option<User> {
    None
}

#[user_loader]
unsafe fn dangerous(id: i64) -> Option<User> {
    None
}

#[user_loader(pool = 3)]
fn unknown(id: i64) -> Option<User> {
    None
}

fn main() {
    let _ = (LoginManager::new(generic), LoginManager::new(dangerous), LoginManager::new(unknown));
}
