#![allow(unused)]

use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    None
}

fn main() {
    let _ = LoginManager::new(load_user).mount_login_view("/api", None);
}
