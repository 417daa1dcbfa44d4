#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct NoId {
    name: String,
}

#[derive(UserMixin)]
struct TwoIds {
    #[user(id)]
    a: i64,
    #[user(id)]
    b: i64,
}

#[derive(UserMixin)]
struct TwoActives {
    id: i64,
    #[user(active)]
    a: bool,
    #[user(active)]
    b: bool,
}

#[derive(UserMixin)]
struct UnknownKey {
    #[user(ide)]
    id: i64,
}

#[derive(UserMixin)]
#[user(session_hash(pasword), crate = ::rocket_login, crate = ::rocket_login)]
struct DuplicateKey {
    id: i64,
}

#[derive(UserMixin)]
#[user(session_hash(pasword, id))]
struct Hash {
    #[user(session_hash)]
    id: i64,
    password: String,
}

#[derive(UserMixin)]
#[user(session_hash)]
struct HashOfNothing {
    id: i64,
}

#[derive(UserMixin)]
#[user(session_hash())]
struct EmptyHash {
    id: i64,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<NoId>();
    is_user::<TwoIds>();
    is_user::<TwoActives>();
    is_user::<UnknownKey>();
    is_user::<DuplicateKey>();
    is_user::<Hash>();
    is_user::<HashOfNothing>();
    is_user::<EmptyHash>();
}
