#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct User<'a> {
    id: &'a str,
}

fn is_user<U: UserMixin>() {}

fn main() {
}
