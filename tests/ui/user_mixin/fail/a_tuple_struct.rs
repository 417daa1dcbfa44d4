#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct User(i64);

#[derive(UserMixin)]
struct Unit;

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<User>();
    is_user::<Unit>();
}
