#![allow(unused)]

use rocket::get;
use rocket_login::login_required;

struct User {
    staff: bool,
}

fn is_staff(user: &User) -> bool {
    user.staff
}

#[login_required(if = is_staff())]
#[get("/a")]
fn a() {}

#[login_required(if = User::is_staff(user))]
#[get("/b")]
fn b() {}

#[login_required(if = user.staff)]
#[get("/c")]
fn c() {}

fn main() {}
