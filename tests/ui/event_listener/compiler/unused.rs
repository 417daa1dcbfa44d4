#![deny(dead_code)]

use rocket_login::{LoginEvent, UserMixin, event_listener};

#[derive(UserMixin)]
pub struct User {
    id: i64,
}

#[event_listener]
async fn audit(event: &LoginEvent<'_, User>) {
    println!("{event:?}");
}

fn main() {}
