//! A members' club: a complete application with logins, to copy from.
//!
//! Start with `users` and `sessions`. `tests/routes.rs` lists the open routes.

#[macro_use]
extern crate rocket;

mod account;
mod api;
mod database;
mod error;
mod headers;
mod pages;
mod password;
mod sessions;
mod staff;
mod users;

use rocket::figment::Figment;
use rocket::fs::FileServer;
use rocket::{Build, Rocket};
use rocket_dyn_templates::Template;
use rocket_login::{GuardRoutes, LoginManager};
use sqlx::SqlitePool;

/// Builds the application. `figment` is Rocket's configuration; tests change it.
#[must_use]
pub fn rocket(figment: Figment) -> Rocket<Build> {
    // Three kinds of users. The login of one kind is not valid for another. Their logouts are kept in the database, so
    // they hold after a restart.
    let members = LoginManager::new(users::load_member)
        .revocation_store(login_sqlx::from_pool::<SqlitePool>)
        .login_view(uri!(sessions::login_page))
        .refresh_view(uri!("/account", account::confirm_page));
    let staff = LoginManager::new(staff::load_staff)
        .realm("staff")
        .revocation_store(login_sqlx::from_pool::<SqlitePool>)
        .login_view(uri!("/staff", staff::login_page));
    let api = LoginManager::from_requests(api::load_by_key).realm("api");

    rocket::custom(figment)
        .manage(password::Hasher::new())
        .attach(headers::fairing())
        .attach(database::stage())
        .attach(Template::fairing())
        .attach(members)
        .attach(staff)
        .attach(api)
        .attach(database::first_users())
        .mount("/", pages::routes())
        .mount("/", sessions::routes())
        .mount("/account", account::routes())
        .mount("/staff", staff::routes())
        .mount("/api", api::routes())
        .mount("/static", FileServer::from("static").public())
        .register("/", error::catchers())
        .register("/api", api::catchers())
}
