#![allow(unused)]

use rocket::http::Status;
use rocket_login::{LoginManager, UserMixin, unauthorized_handler, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    None
}

#[unauthorized_handler]
fn ask_to_log_in() -> Status {
    Status::Unauthorized
}

fn main() {
    let _ = LoginManager::new(load_user).request_loader(ask_to_log_in);
}
