//! One of several servers that share a store of ended logins. The tests configure it by the environment.

#[macro_use]
extern crate rocket;

use std::thread;
use std::time::Duration;

use rocket::http::Status;
use rocket_login::{
    GuardRoutes, LoginError, LoginManager, LoginSession, UserMixin, login_required, user_loader,
};

#[derive(UserMixin)]
struct User {
    id: String,
}

/// Everybody with a name is a user.
#[user_loader]
fn load_user(id: &str) -> Option<User> {
    (!id.is_empty()).then(|| User { id: id.to_owned() })
}

#[post("/login?<user>")]
async fn login(user: String, session: LoginSession<'_, User>) -> Result<Status, LoginError> {
    session.login_user(&User { id: user }).await?;
    Ok(Status::Ok)
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<Status, LoginError> {
    session.logout_user().await?;
    Ok(Status::Ok)
}

#[login_required]
#[get("/page")]
fn page(user: &User) -> &str {
    &user.id
}

/// Keeps a worker from doing anything else, as code that forgets `spawn_blocking` does.
#[post("/block")]
fn block() {
    thread::sleep(Duration::from_secs(4));
}

#[launch]
fn rocket() -> _ {
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
        .mount("/", routes![login, logout, block].public())
        .mount("/", routes![page])
}
