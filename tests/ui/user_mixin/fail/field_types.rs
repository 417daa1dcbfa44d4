#![allow(unused)]

use rocket_login::UserMixin;

struct Opaque;

#[derive(UserMixin)]
struct User {
    id: Opaque,
    #[user(active)]
    enabled: i64,
    #[user(session_hash)]
    password: Opaque,
}

fn main() {}
