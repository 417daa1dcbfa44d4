#![allow(unused)]

use rocket_login::public;

#[public]
fn helper() {}

#[public]
struct Page;

fn main() {}
