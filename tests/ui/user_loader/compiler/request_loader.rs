#![allow(unused)]

use rocket_login::{LoginManager, UserMixin, request_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[request_loader]
fn load_by_key() -> Option<User> {
    None
}

fn main() {
    let _ = LoginManager::new(load_by_key);
}
