#![allow(unused)]

use rocket_login::login_required;

#[login_required]
pub struct Dashboard;

#[login_required]
mod dashboard {}

#[login_required]
const DASHBOARD: fn() = || {};

#[login_required]
static LIMIT: u8 = 0;

struct Pages;

#[login_required]
impl Pages {}

fn main() {}
