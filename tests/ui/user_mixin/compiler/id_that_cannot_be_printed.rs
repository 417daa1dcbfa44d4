#![allow(unused)]

use rocket_login::UserMixin;

struct Key;

#[derive(UserMixin)]
struct User {
    id: Key,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
