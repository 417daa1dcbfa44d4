// These are warnings.
#![deny(deprecated)]

use rocket_login::UserMixin;

#[derive(UserMixin)]
pub struct User {
    id: i64,
    pub password_hash: String,
    pub is_active: bool,
}

fn main() {}
