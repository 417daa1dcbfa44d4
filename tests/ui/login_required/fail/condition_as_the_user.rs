#![allow(unused)]

use rocket::get;
use rocket_login::login_required;

#[login_required(is_staff)]
#[get("/a")]
fn a() {}

#[login_required(auth::is_staff, forward)]
#[get("/b")]
fn b() {}

fn main() {}
