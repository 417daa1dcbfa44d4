#![allow(unused)]

use rocket::{State, get};
use rocket_login::login_required;

#[login_required]
fn dashboard(limit: &State<u8>) {}

fn main() {}
