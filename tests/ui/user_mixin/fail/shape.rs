#![allow(unused)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
enum Enum {
    A,
}

#[derive(UserMixin)]
struct Tuple(i64);

#[derive(UserMixin)]
struct Unit;

#[derive(UserMixin)]
union Union {
    id: i64,
}

#[derive(UserMixin)]
struct Borrowing<'a> {
    id: &'a str,
}

fn is_user<U: UserMixin>() {}

fn main() {
    is_user::<Enum>();
    is_user::<Tuple>();
    is_user::<Unit>();
    is_user::<Union>();
}
