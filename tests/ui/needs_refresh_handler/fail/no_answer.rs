#![allow(unused)]

use rocket_login::needs_refresh_handler;

#[needs_refresh_handler]
async fn ask_to_confirm() {}

fn main() {
    let _ = ask_to_confirm;
}
