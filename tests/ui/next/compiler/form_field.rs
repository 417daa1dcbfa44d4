#![allow(unused)]

use rocket::FromForm;
use rocket_login::Next;

#[derive(FromForm)]
struct Credentials<'r> {
    name: &'r str,
    next: Next,
}

fn main() {}
