#![allow(unused)]

use rocket_login::request_loader;

#[request_loader]
fn by_nothing() {}

fn main() {}
