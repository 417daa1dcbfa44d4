#![allow(unused)]

use rocket::http::{CookieJar, Status};
use rocket_login::{CurrentUser, UserMixin, unauthorized_handler};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[unauthorized_handler]
fn ask_to_log_in(jar: &CookieJar<'_>, user: &User) -> Status {
    Status::Unauthorized
}

#[unauthorized_handler]
fn welcome(jar: &CookieJar<'_>, user: CurrentUser<'_, User>) -> Status {
    Status::Unauthorized
}

fn main() {}
