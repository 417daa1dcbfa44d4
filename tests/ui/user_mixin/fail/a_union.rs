#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
union User {
    id: i64,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
