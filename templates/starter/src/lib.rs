//! An application with users who register, log in and log out.

#[macro_use]
extern crate rocket;

mod account;
mod database;
mod error;
mod headers;
mod pages;
mod password;
mod sessions;
pub mod users;

use rocket::figment::Figment;
use rocket::fs::FileServer;
use rocket::{Build, Rocket};
use rocket_dyn_templates::Template;
use rocket_login::{GuardRoutes, LoginManager};
use sqlx::SqlitePool;
use users::User;

/// Who is logged in, and for how long.
pub fn logins() -> LoginManager<User> {
    LoginManager::new(users::load_user)
        .revocation_store(login_sqlx::from_pool::<SqlitePool>) // a logout holds after a restart
        .login_view(uri!(sessions::login_page))
        .refresh_view(uri!("/account", account::confirm_page))
}

/// Builds the application. Tests change Rocket's configuration, and the clock of the logins.
pub fn rocket(figment: Figment, logins: LoginManager<User>) -> Rocket<Build> {
    rocket::custom(figment)
        .manage(password::Hasher::new())
        .attach(headers::stage())
        .attach(database::stage()) // before the logins, which use its pool
        .attach(Template::fairing())
        .attach(logins)
        .mount("/", pages::routes())
        .mount("/", sessions::routes())
        .mount("/account", account::routes())
        .mount("/static", FileServer::from("static").public())
        .register("/", error::catchers())
}
