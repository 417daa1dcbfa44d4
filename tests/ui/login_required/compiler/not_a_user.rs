#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

struct Settings;

#[login_required(Settings)]
#[get("/")]
fn dashboard() {}

fn main() {
    let _ = routes![dashboard];
}
