//! Every option, and none.

use rocket::{get, routes};
use rocket_login::{UserMixin, anonymous_required};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[anonymous_required]
#[get("/a")]
fn none() {}

#[anonymous_required(User, redirect = "/home?tab=1#top", forward, crate = ::rocket_login)]
#[get("/b")]
fn all() {}

fn main() {
    let _ = routes![none, all];
}
