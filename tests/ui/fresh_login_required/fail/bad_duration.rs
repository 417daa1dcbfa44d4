#![allow(unused)]

use rocket::{get, routes};
use rocket_login::fresh_login_required;

#[fresh_login_required(within)]
#[get("/a")]
fn missing() {}

#[fresh_login_required(within = "soon")]
#[get("/b")]
fn no_time() {}

#[fresh_login_required(within = "10")]
#[get("/c")]
fn no_unit() {}

#[fresh_login_required(within = "500ms")]
#[get("/d")]
fn too_fine() {}

#[fresh_login_required(within = 0)]
#[get("/e")]
fn zero() {}

#[fresh_login_required(within = -1)]
#[get("/f")]
fn negative() {}

#[fresh_login_required(within = true)]
#[get("/g")]
fn truth() {}

fn main() {
    let _ = routes![missing, no_time, no_unit, too_fine, zero, negative, truth];
}
