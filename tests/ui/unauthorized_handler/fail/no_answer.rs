#![allow(unused)]

use rocket_login::{needs_refresh_handler, unauthorized_handler};

#[unauthorized_handler]
fn ask_to_log_in() {}

#[needs_refresh_handler]
async fn ask_to_confirm() -> () {}

fn main() {
    let _ = (ask_to_log_in, ask_to_confirm);
}
