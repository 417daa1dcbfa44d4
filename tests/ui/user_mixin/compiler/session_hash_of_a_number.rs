#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct User {
    id: i64,
    #[user(session_hash)]
    version: u32,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
