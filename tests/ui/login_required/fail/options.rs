#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[login_required(within = "10m")]
#[get("/a")]
fn a() {}

#[login_required(krate = ::rocket_login)]
#[get("/b")]
fn b() {}

#[login_required(crate = 3)]
#[get("/c")]
fn c() {}

fn main() {
    let _ = routes![a, b, c];
}
