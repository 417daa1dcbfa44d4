#![allow(unused)]

use std::str::FromStr;

use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user<I: FromStr>(id: I) -> Option<User> {
    None
}

fn main() {
    let _ = LoginManager::new(load_user);
}
