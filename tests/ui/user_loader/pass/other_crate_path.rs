//! `crate = ..` reaches every macro.

mod web {
    pub(crate) use rocket_login as login;
}

use web::login;

#[derive(login::UserMixin)]
#[user(crate = crate::web::login)]
struct User {
    id: i64,
}

#[login::user_loader(crate = "crate::web::login")]
fn load_user(id: i64) -> Option<User> {
    Some(User { id })
}

#[login::request_loader(crate = login)]
fn by_request() -> Option<User> {
    None
}

#[login::unauthorized_handler(crate = login)]
fn ask() -> &'static str {
    ""
}

#[login::event_listener(crate = login)]
fn audit(_: &login::LoginEvent<'_, User>) {}

#[login::login_required(User, crate = crate::web::login)]
#[rocket::get("/")]
fn dashboard() {}

fn main() {
    let _ = login::LoginManager::new(load_user)
        .request_loader(by_request)
        .unauthorized_handler(ask)
        .event_listener(audit);
    let _ = rocket::routes![dashboard];
}
