#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{CurrentUser, login_required};

struct User {
    id: i64,
}

#[login_required]
#[get("/")]
fn dashboard(user: &User) {}

#[get("/open")]
fn open(user: CurrentUser<'_, User>) {}

fn main() {
    let _ = routes![dashboard, open];
}
