#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[login_required]
#[get("/")]
const fn dashboard() {}

fn main() {
    let _ = routes![dashboard];
}
