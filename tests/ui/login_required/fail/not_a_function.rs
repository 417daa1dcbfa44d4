#![allow(unused)]

use rocket_login::login_required;

#[login_required]
pub struct Dashboard;

#[login_required]
mod dashboard {}

fn main() {}
