#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[login_required]
#[get("/<__login>")]
fn dashboard(__login: u8) {}

fn main() {
    let _ = routes![dashboard];
}
