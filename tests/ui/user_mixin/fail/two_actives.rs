#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct User {
    id: i64,
    #[user(active)]
    enabled: bool,
    #[user(active)]
    confirmed: bool,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
