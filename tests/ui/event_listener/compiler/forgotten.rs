#![allow(unused)]

use rocket_login::{LoginEvent, LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    None
}

fn audit(event: &LoginEvent<'_, User>) {}

fn main() {
    let _ = LoginManager::new(load_user).event_listener(audit);
}
