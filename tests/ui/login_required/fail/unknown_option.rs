#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

#[login_required(forwrad)]
#[get("/a")]
fn misspelt() {}

#[login_required(krate = ::rocket_login)]
#[get("/b")]
fn nearly() {}

#[login_required(role = "admin")]
#[get("/c")]
fn unheard_of() {}

#[login_required("admin")]
#[get("/d")]
fn nameless() {}

#[login_required(within = "10m")]
#[get("/e")]
fn of_another() {}

#[login_required(forward, Admin)]
#[get("/f")]
fn user_type_last() {}

fn main() {
    let _ = routes![misspelt, nearly, unheard_of, nameless, of_another, user_type_last];
}
