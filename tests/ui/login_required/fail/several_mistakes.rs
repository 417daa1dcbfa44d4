#![allow(unused)]

use rocket::{get, routes};
use rocket_login::{login_required, public};

#[login_required(forwrad, crate = 3)]
#[public]
#[get("/<__login>")]
async fn dashboard(__login: u8) {}

fn main() {
    let _ = routes![dashboard];
}
