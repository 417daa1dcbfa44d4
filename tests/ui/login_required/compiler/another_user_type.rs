#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{Fresh, UserMixin, login_required};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[derive(UserMixin)]
struct Staff {
    id: i64,
}

#[login_required(User)]
#[get("/reports")]
fn reports(staff: &Staff) {}

#[login_required(User)]
#[get("/payments")]
fn payments(staff: Fresh<'_, Staff>) {}

fn main() {
    let _ = routes![reports, payments];
}
