#![allow(unused)]

use rocket::State;
use rocket_login::{LoginManager, UserMixin};

#[derive(UserMixin)]
struct User {
    id: i64,
}

async fn load_user(id: i64, db: &State<u8>) -> Option<User> {
    None
}

fn main() {
    let _ = LoginManager::new(load_user);
}
