#![allow(unused)]

use rocket::get;
use rocket_login::login_required;

#[login_required(if = |u| u.admin)]
#[get("/a")]
fn a() {}

#[login_required(if = async |user: &User, db| db.is_admin(user).await)]
#[get("/b")]
fn b() {}

#[login_required(if = || true)]
#[get("/c")]
fn c() {}

fn main() {}
