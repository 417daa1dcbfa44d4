#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{anonymous_required, login_required, public};

#[public]
#[login_required]
#[get("/a")]
fn open_or_not() {}

#[anonymous_required]
#[public]
#[get("/b")]
fn for_all_or_some() {}

fn main() {
    let _ = routes![open_or_not, for_all_or_some];
}
