//! rocket-login with its default settings: a signed cookie, and on each request checks of the session hash, the client,
//! both timeouts and the list of ended sessions (100,000). The response is marked as private.

use rocket::{Build, Rocket, State, get, post, routes};
use rocket_login::{LoginError, LoginManager, LoginSession, login_required, user_loader};

use crate::users::{ALICE, SECRET, User, Users};

pub(crate) fn application(rocket: Rocket<Build>) -> Rocket<Build> {
    let manager = LoginManager::new(load_user)
        .secret_key(SECRET)
        .login_view("/login");
    rocket
        .attach(manager)
        .mount("/", routes![login_page, login, logout, page])
}

#[user_loader]
fn load_user(id: i64, users: &State<Users>) -> Option<User> {
    users.get(&id).cloned()
}

#[get("/login")]
fn login_page() {}

#[post("/login")]
async fn login(session: LoginSession<'_, User>, users: &State<Users>) -> Result<(), LoginError> {
    session.login_user(&users[&ALICE]).await
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logout_user().await
}

#[login_required]
#[get("/page")]
fn page(user: &User) -> String {
    user.name.to_string()
}
