#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[login_required(crate = 3)]
#[get("/a")]
fn a() {}

#[login_required(crate)]
#[get("/b")]
fn b() {}

#[login_required(forward = true)]
#[get("/c")]
fn c() {}

fn main() {
    let _ = routes![a, b, c];
}
