#![allow(unused)]

use rocket::{get, routes};
use rocket_login::anonymous_required;

#[anonymous_required(redirct = "/")]
#[get("/a")]
fn misspelt() {}

#[anonymous_required(redirect = "/", redirect = "/home")]
#[get("/b")]
fn twice() {}

#[anonymous_required(if = User::is_staff)]
#[get("/c")]
fn of_another() {}

fn main() {
    let _ = routes![misspelt, twice, of_another];
}
