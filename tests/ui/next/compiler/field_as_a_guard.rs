#![allow(unused)]

use rocket::{post, routes};
use rocket_login::NextField;

#[post("/login")]
fn login(next: NextField) {}

fn main() {
    let _ = routes![login];
}
