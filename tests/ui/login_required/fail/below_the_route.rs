#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[get("/")]
#[login_required]
fn dashboard() {}

fn main() {
    let _ = routes![dashboard];
}
