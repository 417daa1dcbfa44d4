#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{fresh_login_required, login_required};

#[login_required]
#[login_required]
#[get("/")]
fn dashboard() {}

#[login_required]
#[fresh_login_required]
#[get("/password")]
fn password() {}

fn main() {
    let _ = routes![dashboard, password];
}
