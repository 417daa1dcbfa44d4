#![allow(unused)]

use rocket_login::user_loader;

#[user_loader]
fn load_user(id: i64) {}

fn main() {}
