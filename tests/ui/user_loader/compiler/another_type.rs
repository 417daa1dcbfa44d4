#![allow(unused)]

use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[derive(UserMixin)]
struct Staff {
    id: i64,
}

#[user_loader]
fn load_staff(id: i64) -> Option<Staff> {
    None
}

fn main() {
    let _ = LoginManager::<User>::new(load_staff);
}
