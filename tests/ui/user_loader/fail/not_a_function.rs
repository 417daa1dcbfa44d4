#![allow(unused)]

use rocket_login::{UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
static LOADER: u8 = 0;

#[user_loader]
struct Loader;

fn main() {}
