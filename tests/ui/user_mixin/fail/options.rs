#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
struct UnknownOption {
    #[user(ide)]
    id: i64,
}

#[derive(UserMixin)]
#[user(id)]
struct OptionOfAField {
    id: i64,
}

#[derive(UserMixin)]
#[user(crate = ::rocket_login, crate = ::rocket_login)]
struct Duplicate {
    id: i64,
}

#[derive(UserMixin)]
struct WithValue {
    #[user(id = "key")]
    key: i64,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<UnknownOption>();
    is_user::<OptionOfAField>();
    is_user::<Duplicate>();
    is_user::<WithValue>();
}
