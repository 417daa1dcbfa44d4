#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{fresh_login_required, login_required};

#[login_required]
#[fresh_login_required]
#[get("/password")]
fn password() {}

#[fresh_login_required]
#[login_required]
#[get("/email")]
fn email() {}

fn main() {
    let _ = routes![password, email];
}
