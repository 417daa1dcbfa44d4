#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{UserMixin, public};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[public]
#[get("/about")]
fn about(user: &User) {}

fn main() {
    let _ = routes![about];
}
