#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
#[user(session_hash(pasword))]
struct Misspelt {
    id: i64,
    password: String,
}

#[derive(UserMixin)]
#[user(session_hash(password))]
struct Twice {
    id: i64,
    #[user(session_hash)]
    password: String,
}

#[derive(UserMixin)]
#[user(session_hash)]
struct OfNothing {
    id: i64,
}

#[derive(UserMixin)]
#[user(session_hash())]
struct Empty {
    id: i64,
}

#[derive(UserMixin)]
#[user(session_hash("password"))]
struct Quoted {
    id: i64,
    password: String,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<Misspelt>();
    is_user::<Twice>();
    is_user::<OfNothing>();
    is_user::<Empty>();
    is_user::<Quoted>();
}
