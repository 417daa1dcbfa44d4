//! Every shape of function that a manager takes.

use std::fmt::Debug;

use rocket::State;
use rocket::http::Status;
use rocket::http::uri::Host;
use rocket::response::Responder;
use rocket_login::{LoadError, LoginEvent, LoginManager, UserMixin, event_listener, needs_refresh_handler, request_loader, unauthorized_handler, user_loader};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[derive(UserMixin)]
struct Tenant<T: Debug>
where
    T: Clone,
{
    #[user(id)]
    key: String,
    #[allow(dead_code)]
    extra: T,
}

type Found = Option<User>;

#[user_loader]
async fn load_user(id: i64, db: &State<u8>) -> Option<User> {
    std::future::ready((id > i64::from(*db.inner())).then_some(User { id })).await
}

#[user_loader]
fn by_text<'a>(id: &'a str, _host: &'a Host<'a>, mut _db: &State<u8>) -> Result<Found, &'a str> {
    Err(id)
}

#[user_loader()]
fn alias(id: u8) -> Found {
    Some(User { id: id.into() })
}

#[user_loader]
fn tenant(id: String) -> Option<Tenant<u8>> {
    Some(Tenant { key: id, extra: 0 })
}

#[request_loader]
async fn by_host(host: Option<&Host<'_>>) -> Result<Option<User>, LoadError> {
    host.map(|_| None)
        .ok_or_else(|| LoadError::with_status(Status::BadGateway, "no host"))
}

#[unauthorized_handler]
fn ask_to_log_in() -> (Status, &'static str) {
    (Status::Unauthorized, "log in")
}

#[unauthorized_handler]
fn opaque<'r>(host: &'r Host<'r>) -> impl Responder<'r, 'static> {
    host.port()
        .map_or(Status::Forbidden, |_| Status::Unauthorized)
}

#[needs_refresh_handler]
async fn ask_to_confirm<'r>(host: &'r Host<'r>) -> Result<&'r str, Status> {
    Ok(host.domain().as_str())
}

#[event_listener]
async fn audit(event: &LoginEvent<'_, User>, _db: &State<u8>) {
    let _ = event.kind;
}

#[event_listener]
fn count<'e>(event: &'e LoginEvent<'e, User>) {
    let _: Option<&'e User> = event.user;
}

fn main() {
    let _ = LoginManager::new(load_user)
        .request_loader(by_host)
        .unauthorized_handler(ask_to_log_in)
        .unauthorized_handler(opaque)
        .needs_refresh_handler(ask_to_confirm)
        .event_listener(audit)
        .event_listener(count);
    let _ = (
        LoginManager::new(by_text),
        LoginManager::new(alias),
        LoginManager::new(tenant),
    );
}
