#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[login_required]
#[login_required]
#[get("/")]
fn dashboard() {}

fn main() {
    let _ = routes![dashboard];
}
