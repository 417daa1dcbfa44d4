#![allow(unused)]

use rocket::{get, routes};
use rocket_login::fresh_login_required;

#[fresh_login_required(wihtin = "10m")]
#[get("/a")]
fn misspelt() {}

#[fresh_login_required(within = "10m", within = 600)]
#[get("/b")]
fn twice() {}

#[fresh_login_required(redirect = "/")]
#[get("/c")]
fn of_another() {}

fn main() {
    let _ = routes![misspelt, twice, of_another];
}
