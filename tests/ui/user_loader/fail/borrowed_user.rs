#![allow(unused)]

use rocket::State;
use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64, users: &State<Vec<User>>) -> Option<&User> {
    users.iter().find(|user| user.id == id)
}

fn main() {
    let _ = LoginManager::new(load_user);
}
