#![allow(unused)]

use rocket::{post, routes};
use rocket_login::fresh_login_required;

#[post("/password")]
#[fresh_login_required]
fn change_password() {}

fn main() {
    let _ = routes![change_password];
}
