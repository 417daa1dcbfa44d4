#![allow(unused)]

use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

struct Db;

#[user_loader]
async fn load_user(id: User, db: Db) -> Option<User> {
    None
}

fn main() {
    let _ = LoginManager::new(load_user);
}
