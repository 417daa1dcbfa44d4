#![allow(unused)]

use rocket::response::Redirect;
use rocket::{post, routes};
use rocket_login::Next;

#[post("/login")]
fn login(next: Next) -> Redirect {
    Redirect::to(next)
}

fn main() {
    let _ = routes![login];
}
