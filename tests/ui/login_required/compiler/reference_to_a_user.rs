#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{Fresh, UserMixin};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[get("/")]
fn dashboard(user: Fresh<'_, &User>) {}

fn main() {
    let _ = routes![dashboard];
}
