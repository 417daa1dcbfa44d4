#![allow(unused)]

use rocket::{get, routes};
use rocket_login::fresh_login_required;

#[fresh_login_required(wihtin = "10m")]
#[get("/a")]
fn a() {}

#[fresh_login_required(within = "10m", within = 600)]
#[get("/b")]
fn b() {}

#[fresh_login_required(within)]
#[get("/c")]
fn c() {}

#[fresh_login_required(within = "soon")]
#[get("/d")]
fn d() {}

#[fresh_login_required(within = "500ms")]
#[get("/e")]
fn e() {}

#[fresh_login_required(within = 0)]
#[get("/f")]
fn f() {}

#[fresh_login_required(within = -1)]
#[get("/g")]
fn g() {}

#[fresh_login_required(within = true)]
#[get("/h")]
fn h() {}

fn main() {
    let _ = routes![a, b, c, d, e, f, g, h];
}
