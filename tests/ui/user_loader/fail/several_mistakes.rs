#![allow(unused)]

use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader(pool)]
const unsafe fn load_user<I>() {}

fn main() {}
