#![allow(unused)]

use rocket_login::unauthorized_handler;

struct Page;

#[unauthorized_handler]
fn ask_to_log_in() -> Page {
    Page
}

fn main() {}
