#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{UserMixin, login_required};

#[derive(UserMixin)]
struct User {
    id: i64,
}

fn owns(user: &User, note: i64) -> bool {
    user.id == note
}

#[login_required(if = owns)]
#[get("/notes/<note>")]
fn note(note: i64) {}

fn main() {
    let _ = routes![note];
}
