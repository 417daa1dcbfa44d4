#![allow(unused)]

use rocket::{catch, catchers};
use rocket_login::login_required;

#[login_required]
#[catch(404)]
fn not_found() {}

fn main() {
    let _ = catchers![not_found];
}
