#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct User {
    #[user(id)]
    number: i64,
    #[user(id)]
    name: String,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
