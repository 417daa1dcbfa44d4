#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
enum User {
    Known,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
