#![allow(unused)]

use rocket::{get, routes};
use rocket_login::public;

#[public(User)]
#[get("/a")]
fn user_type() {}

#[public(forward)]
#[get("/b")]
fn of_another() {}

fn main() {
    let _ = routes![user_type, of_another];
}
