#![allow(unused)]

use rocket_login::{LoginManager, UserMixin};

#[derive(UserMixin)]
struct User {
    id: i64,
}

async fn forgotten(id: i64) -> Option<User> {
    None
}

fn main() {
    let _ = LoginManager::new(forgotten);
}
