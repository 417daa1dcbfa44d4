#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[login_required(if = "User::is_staff")]
#[get("/a")]
fn text() {}

#[login_required(if)]
#[get("/b")]
fn missing() {}

#[login_required(if =)]
#[get("/c")]
fn cut_off() {}

#[login_required(if User::is_staff)]
#[get("/d")]
fn without_equals() {}

#[login_required(User::is_staff)]
#[get("/e")]
fn without_if() {}

fn main() {
    let _ = routes![text, missing, cut_off, without_equals, without_if];
}
