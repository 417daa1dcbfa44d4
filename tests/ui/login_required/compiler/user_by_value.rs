#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{UserMixin, login_required};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[login_required]
#[get("/")]
fn dashboard(user: User) {}

fn main() {
    let _ = routes![dashboard];
}
