#![allow(unused)]

use rocket::request::FromRequest;
use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64, key: impl for<'r> FromRequest<'r>) -> Option<User> {
    None
}

#[user_loader]
fn load_any(id: i64) -> impl Sized {
    None::<User>
}

fn main() {
    let _ = LoginManager::new(load_user);
}
