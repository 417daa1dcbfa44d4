#![allow(unused)]

use rocket_login::{CurrentUser, Fresh, LoginManager, UserMixin, request_loader, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[user_loader]
fn load_user(id: i64, user: &User) -> Option<User> {
    None
}

#[request_loader]
async fn load_by_key(user: Option<CurrentUser<'_, User>>) -> Result<Option<User>, String> {
    Ok(None)
}

#[request_loader]
fn load_again(user: Fresh<'_, User>) -> Option<User> {
    None
}

fn main() {
    let manager = LoginManager::new(load_user);
    let _ = manager.request_loader(load_by_key).request_loader(load_again);
}
