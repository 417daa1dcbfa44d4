#![deny(warnings)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
pub struct User {
    pub id: i64,
    #[user(session_hash = false)]
    pub password_hash: String,
    #[user(active = false)]
    pub is_active: bool,
}

#[derive(UserMixin)]
#[user(session_hash(login_version))]
pub struct Staff {
    pub id: i64,
    pub login_version: String,
    pub password_hash: String,
    #[user(active)]
    pub employed: bool,
    pub is_active: bool,
}

fn main() {}
