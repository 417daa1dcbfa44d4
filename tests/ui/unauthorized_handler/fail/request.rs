#![allow(unused)]

use rocket::Request;
use rocket::http::Status;
use rocket_login::unauthorized_handler;

#[unauthorized_handler]
fn ask_to_log_in(request: &Request<'_>) -> Status {
    Status::Unauthorized
}

fn main() {}
