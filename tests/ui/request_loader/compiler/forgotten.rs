#![allow(unused)]

use rocket::http::uri::Host;
use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    None
}

fn load_by_host(host: &Host<'_>) -> Option<User> {
    None
}

fn main() {
    let _ = LoginManager::new(load_user).request_loader(load_by_host);
}
