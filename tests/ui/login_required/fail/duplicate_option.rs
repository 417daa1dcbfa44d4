#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[login_required(forward, if = a_condition, forward)]
#[get("/")]
fn dashboard() {}

fn main() {
    let _ = routes![dashboard];
}
