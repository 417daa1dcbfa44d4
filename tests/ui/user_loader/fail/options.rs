#![allow(unused)]

use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader(crat = ::rocket_login)]
fn misspelt(id: i64) -> Option<User> {
    None
}

#[user_loader(pool = 3)]
fn unheard_of(id: i64) -> Option<User> {
    None
}

#[user_loader(crate = ::rocket_login, crate = ::rocket_login)]
fn twice(id: i64) -> Option<User> {
    None
}

fn main() {
    let _ = (LoginManager::new(misspelt), LoginManager::new(unheard_of), LoginManager::new(twice));
}
