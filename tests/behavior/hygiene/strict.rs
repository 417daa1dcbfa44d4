//! Generated code triggers no lint of the application. `cargo clippy --tests` checks this file as well.

#![deny(
    warnings,
    unused,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    elided_lifetimes_in_paths,
    single_use_lifetimes,
    unused_lifetimes,
    unused_qualifications,
    clippy::pedantic
)]

use rocket::{State, get, post, routes};
use rocket_login::{
    LoginEvent, LoginManager, UserMixin, anonymous_required, event_listener, fresh_login_required,
    login_required, needs_refresh_handler, public, request_loader, unauthorized_handler,
    user_loader,
};

/// A user.
#[derive(Debug, UserMixin)]
#[user(session_hash(email))]
pub struct User {
    id: i64,
    #[user(active)]
    enabled: bool,
    #[user(session_hash)]
    password: String,
    email: Option<String>,
}

impl User {
    /// Whether this is one of us.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.id == 1
    }
}

async fn may_edit(user: &User, limit: &State<i64>) -> Result<bool, String> {
    rocket::tokio::task::yield_now().await;
    Ok(user.id < **limit)
}

/// A page for all who are logged in.
#[login_required]
#[get("/page")]
#[must_use]
pub fn page(user: &User) -> String {
    user.password.clone()
}

#[login_required(User, if = User::is_staff, forward)]
#[get("/staff")]
async fn staff() {
    rocket::tokio::task::yield_now().await;
}

#[fresh_login_required(if = may_edit, within = "10m")]
#[post("/edit")]
fn edit() {}

#[fresh_login_required(if = |user: &User| user.enabled)]
#[get("/closure")]
fn closure() {}

/// The login page.
#[anonymous_required(redirect = "/page")]
#[get("/login")]
pub fn login() {}

#[public]
#[get("/imprint")]
fn imprint() {}

/// Finds a user.
#[user_loader]
pub fn load_user(id: i64, _limit: &State<i64>) -> Option<User> {
    (id > 0).then(|| User {
        id,
        enabled: true,
        password: "secret".into(),
        email: None,
    })
}

#[request_loader]
#[allow(non_snake_case)]
fn by_Request() -> Option<User> {
    None
}

#[unauthorized_handler]
fn ask(_limit: &State<i64>) -> &'static str {
    ""
}

#[needs_refresh_handler]
async fn ask_again() -> &'static str {
    rocket::tokio::task::yield_now().await;
    ""
}

#[event_listener]
fn audit(event: &LoginEvent<'_, User>) {
    let _ = event.kind;
}

#[test]
fn an_application_with_strict_lints_compiles_and_runs() {
    let rocket = rocket::custom(super::config())
        .manage(5_i64)
        .attach(
            LoginManager::new(load_user)
                .request_loader(by_Request)
                .unauthorized_handler(ask)
                .needs_refresh_handler(ask_again)
                .event_listener(audit),
        )
        .mount("/", routes![page, staff, edit, closure, login, imprint]);
    let client = super::launch(rocket);
    let user = User {
        id: 1,
        enabled: true,
        password: "secret".into(),
        email: None,
    };
    let page = super::get(&client, "/page", Some(&user));
    assert_eq!(page.as_deref(), Ok("secret"));
}
