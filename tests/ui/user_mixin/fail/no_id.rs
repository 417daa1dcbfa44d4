#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct User {
    name: String,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
