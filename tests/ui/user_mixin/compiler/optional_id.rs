#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct User {
    id: Option<i64>,
}

fn main() {}
