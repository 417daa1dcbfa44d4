#![allow(unused)]

use rocket::{get, routes};
use rocket_login::login_required;

struct Settings;

#[login_required]
#[get("/")]
fn dashboard(settings: Settings) {}

fn main() {
    let _ = routes![dashboard];
}
