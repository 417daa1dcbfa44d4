#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{UserMixin, login_required};

#[derive(UserMixin)]
struct User {
    id: i64,
    staff: bool,
}

struct Settings;

fn of_nobody() -> bool {
    true
}

#[login_required(if = of_nobody)]
#[get("/a")]
fn a() {}

fn by_value(user: User) -> bool {
    user.staff
}

#[login_required(if = by_value)]
#[get("/b")]
fn b() {}

fn opinion(user: &User) -> &'static str {
    "yes"
}

#[login_required(if = opinion)]
#[get("/c")]
fn c() {}

fn with_settings(user: &User, settings: Settings) -> bool {
    user.staff
}

#[login_required(if = with_settings)]
#[get("/d")]
fn d() {}

fn of_settings(settings: &Settings) -> bool {
    true
}

#[login_required(if = of_settings)]
#[get("/e")]
fn e() {}

#[login_required(if = User::is_stuff)]
#[get("/g")]
fn g() {}

#[login_required(if = may_edit)]
#[get("/h")]
fn h() {}

fn main() {
    let _ = routes![a, b, c, d, e, g, h];
}
