#![allow(unused)]

use rocket_login::{EventKind, event_listener};

#[event_listener]
fn audit(kind: &EventKind) {}

fn main() {}
