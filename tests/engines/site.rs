//! The smallest application with a registry: one user, who logs in by `POST /login`.

use rocket::local::asynchronous::Client;
use rocket::{post, routes};
use rocket_login::logins::LoginRegistry;
use rocket_login::{LoginError, LoginManager, LoginSession, UserMixin, user_loader};

#[derive(UserMixin)]
struct User {
    id: u8,
}

#[allow(clippy::unnecessary_wraps, reason = "a loader's type is fixed")]
#[user_loader]
fn load_user(id: u8) -> Option<User> {
    Some(User { id })
}

#[post("/login")]
async fn login(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.login_user(&User { id: 1 }).await
}

/// Starts the application, without a server.
///
/// # Panics
///
/// If it does not launch.
pub async fn with_registry(registry: impl LoginRegistry) -> Client {
    let figment = rocket::Config::figment().merge(("log_level", "off"));
    let rocket = rocket::custom(figment)
        .attach(LoginManager::new(load_user).login_registry(registry))
        .mount("/", routes![login]);
    Client::untracked(rocket).await.unwrap()
}
