//! What happens when the operating system gives no random bytes.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::fmt::Display;

use rocket::http::{Cookie, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{get, post, routes};

use crate::app::handler::UserLoader;
use crate::token::outage;
use crate::{
    CurrentUser, IntoUserLoader, LoginError, LoginManager, LoginSession, UserGuard, UserMixin,
};

struct User(String);

impl UserGuard for User {}

impl UserMixin for User {
    fn get_id(&self) -> impl Display {
        &self.0
    }
}

struct LoadUser;

impl IntoUserLoader for LoadUser {
    type User = User;

    fn into_user_loader(self) -> UserLoader<User> {
        |id, _| Box::pin(async move { Ok(Some(User(id.to_owned()))) })
    }
}

#[post("/login/<id>")]
async fn login(id: &str, session: LoginSession<'_, User>) -> Result<(), LoginError> {
    let user = User(id.into());
    session.login_user(&user).remember(true).await
}

#[post("/confirm/<id>")]
async fn confirm(id: &str, session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.confirm_login(&User(id.into())).await
}

#[get("/me")]
fn me(user: CurrentUser<'_, User>) -> String {
    user.get_id().unwrap_or_default()
}

fn cookies(response: &LocalResponse<'_>) -> Vec<Cookie<'static>> {
    let cookies = response.cookies().iter();
    cookies.map(|cookie| cookie.clone().into_owned()).collect()
}

// R8: there is no fallback, and no login changes.
#[test]
fn without_random_bytes_nobody_is_logged_in_and_nobody_out() {
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("secret_key", "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E="));
    let manager = LoginManager::new(LoadUser);
    let rocket = rocket::custom(figment)
        .attach(manager)
        .mount("/", routes![login, confirm, me]);
    let client = Client::untracked(rocket).unwrap();
    let login = cookies(&client.post("/login/alice").dispatch());
    assert_eq!(login.len(), 2);

    for held in [&[][..], &login] {
        for path in ["/login/alice", "/login/bob", "/confirm/alice"] {
            let request = client.post(path).cookies(held.to_vec());
            let response = outage::during(|| request.dispatch());
            let expected = match (path, held) {
                ("/confirm/alice", []) => Status::Unauthorized,
                _ => Status::InternalServerError,
            };
            assert_eq!(response.status(), expected, "{path}");
            assert!(cookies(&response).is_empty(), "{path}");
        }
    }
    for held in [&login[..1], &login[1..], &login] {
        let response = client.get("/me").cookies(held.to_vec()).dispatch();
        assert_eq!(response.into_string().unwrap(), "alice");
    }
}
