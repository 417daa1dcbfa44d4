//! Generated code gives nobody's lints anything to say.

#![deny(
    warnings,
    unused,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    elided_lifetimes_in_paths,
    single_use_lifetimes,
    unused_lifetimes,
    unreachable_pub,
    unused_qualifications
)]

use rocket::{State, get, routes};
use rocket_login::{
    LoginEvent, LoginManager, UserMixin, event_listener, fresh_login_required, request_loader,
    unauthorized_handler, user_loader,
};

/// A user.
#[derive(Debug, UserMixin)]
pub struct User {
    id: i64,
    #[user(active)]
    enabled: bool,
    #[user(session_hash)]
    password: String,
}

/// A page.
#[fresh_login_required(within = "10m")]
#[get("/")]
pub fn page(user: &User) -> String {
    user.password.clone()
}

/// Finds a user.
#[user_loader]
pub async fn load_user(id: i64, _db: &State<u8>) -> Option<User> {
    Some(User {
        id,
        enabled: true,
        password: String::new(),
    })
}

#[request_loader]
#[allow(non_snake_case)]
fn by_Request() -> Option<User> {
    None
}

#[unauthorized_handler]
fn ask(_db: &State<u8>) -> &'static str {
    ""
}

#[event_listener]
fn audit(event: &LoginEvent<'_, User>) {
    let _ = event.kind;
}

fn main() {
    let _ = LoginManager::new(load_user)
        .request_loader(by_Request)
        .unauthorized_handler(ask)
        .event_listener(audit);
    let _ = routes![page];
}
