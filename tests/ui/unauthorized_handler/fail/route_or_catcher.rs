#![allow(unused)]

use rocket::http::Status;
use rocket::{catch, get};
use rocket_login::{LoginManager, UserMixin, unauthorized_handler, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
#[get("/users/<id>")]
fn load_user(id: i64) -> Option<User> {
    None
}

#[unauthorized_handler]
#[catch(401)]
fn ask_to_log_in() -> Status {
    Status::Unauthorized
}

fn main() {
    let _ = LoginManager::new(load_user).unauthorized_handler(ask_to_log_in);
}
