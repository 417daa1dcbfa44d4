#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct User {
    id: i64,
    #[user(active)]
    enabled: Option<bool>,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
