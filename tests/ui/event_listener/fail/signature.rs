#![allow(unused)]

use rocket_login::{LoginEvent, UserMixin, event_listener};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[event_listener]
fn nothing() {}

#[event_listener]
fn by_value(event: LoginEvent<'_, User>) {}

#[event_listener]
fn opinionated(event: &LoginEvent<'_, User>) -> bool {
    true
}

fn main() {}
