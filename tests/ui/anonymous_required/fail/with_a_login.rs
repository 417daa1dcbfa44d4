#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{anonymous_required, fresh_login_required, login_required};

#[anonymous_required]
#[login_required]
#[get("/a")]
fn nobody_passes() {}

#[fresh_login_required]
#[anonymous_required]
#[get("/b")]
fn nobody_passes_either() {}

fn main() {
    let _ = routes![nobody_passes, nobody_passes_either];
}
