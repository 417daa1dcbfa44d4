#![allow(unused_variables)]
#![deny(unused_must_use)]

use rocket::post;
use rocket_login::{LoginSession, UserMixin};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[post("/login")]
fn login(session: LoginSession<'_, User>) {
    session.login_user(&User { id: 7 });
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) {
    session.logout_user();
}

#[post("/confirm")]
async fn confirm(session: LoginSession<'_, User>) {
    session.login_user(&User { id: 7 }).remember(true);
}

fn main() {}
