#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
#[user(session_hash(pasword))]
struct User {
    #[user(id)]
    number: i64,
    #[user(id)]
    name: String,
    #[user(active)]
    enabled: bool,
    #[user(active)]
    confirmed: bool,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
}
