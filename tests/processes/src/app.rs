//! The application of each server.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "Rocket and the macros decide the types"
)]

use std::thread;
use std::time::Duration;

use rocket::http::Status;
use rocket::{Build, Rocket};
use rocket_login::store::StoreHealth;
use rocket_login::{
    GuardRoutes, LoginError, LoginManager, LoginSession, UserMixin, fresh_login_required,
    login_required, user_loader,
};

#[derive(UserMixin)]
pub(crate) struct User {
    id: u64,
}

/// Everybody is a user.
#[user_loader]
pub(crate) fn load_user(id: u64) -> Option<User> {
    Some(User { id })
}

#[post("/login/<id>")]
pub(crate) async fn login(id: u64, session: LoginSession<'_, User>) -> Result<Status, LoginError> {
    session.login_user(&User { id }).await?;
    Ok(Status::Ok)
}

#[post("/remember/<id>")]
async fn remember(id: u64, session: LoginSession<'_, User>) -> Result<Status, LoginError> {
    session.login_user(&User { id }).remember(true).await?;
    Ok(Status::Ok)
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<Status, LoginError> {
    session.logout_user().await?;
    Ok(Status::Ok)
}

#[post("/everywhere")]
async fn everywhere(session: LoginSession<'_, User>) -> Result<Status, LoginError> {
    session.logout_everywhere().await?;
    Ok(Status::Ok)
}

/// The path stands for checked credentials.
#[post("/confirm/<id>")]
async fn confirm(id: u64, session: LoginSession<'_, User>) -> Result<Status, LoginError> {
    session.confirm_login(&User { id }).await?;
    Ok(Status::Ok)
}

#[login_required]
#[get("/page")]
fn page(user: &User) -> String {
    user.id.to_string()
}

#[fresh_login_required]
#[get("/fresh")]
fn fresh(user: &User) -> String {
    user.id.to_string()
}

#[get("/health")]
fn health(store: StoreHealth) -> (Status, String) {
    let status = if store.is_fresh() {
        Status::Ok
    } else {
        Status::ServiceUnavailable
    };
    let (entries, losses) = (store.entries(), store.losses());
    (status, format!("entries={entries} losses={losses}"))
}

/// Keeps a worker from everything else, as code that forgets `spawn_blocking` does.
#[post("/block/<milliseconds>")]
fn block(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

/// Builds the application; `ROCKET_LOGIN` names its store.
pub fn rocket() -> Rocket<Build> {
    let figment = rocket::Config::figment();
    let url: String = figment.extract_inner("login.store.url").unwrap_or_default();
    let manager = LoginManager::new(load_user);
    let manager = if url.starts_with("redis") {
        manager.revocation_store(login_redis::from_url)
    } else {
        manager.revocation_store(login_sqlx::from_url)
    };
    rocket::custom(figment)
        .attach(manager)
        .mount(
            "/",
            routes![login, remember, logout, everywhere, confirm, health, block].public(),
        )
        .mount("/", routes![page, fresh])
}
