#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{Fresh, UserMixin, anonymous_required};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[anonymous_required]
#[get("/login")]
fn login(user: &User) {}

#[anonymous_required(User)]
#[get("/register")]
fn register(user: Fresh<'_, User>) {}

fn main() {
    let _ = routes![login, register];
}
