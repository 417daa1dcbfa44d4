#![allow(unused)]

use rocket::{get, routes};
use rocket_login::anonymous_required;

#[anonymous_required(redirect)]
#[get("/a")]
fn missing() {}

#[anonymous_required(redirect = home)]
#[get("/b")]
fn no_text() {}

#[anonymous_required(redirect = "home")]
#[get("/c")]
fn relative() {}

#[anonymous_required(redirect = "https://example.org/")]
#[get("/d")]
fn absolute() {}

#[anonymous_required(redirect = "//example.org")]
#[get("/e")]
fn another_host() {}

#[anonymous_required(redirect = "/\\example.org")]
#[get("/f")]
fn another_host_to_browsers() {}

#[anonymous_required(redirect = "/my page")]
#[get("/g")]
fn space() {}

#[anonymous_required(redirect = "/login?again")]
#[get("/login?<next>")]
fn itself(next: Option<&str>) {}

fn main() {
    let _ = routes![
        missing,
        no_text,
        relative,
        absolute,
        another_host,
        another_host_to_browsers,
        space,
        itself
    ];
}
