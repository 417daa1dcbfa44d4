//! A members' club: a complete application with logins, to copy from.
//!
//! Start with `users` and `sessions`. `tests/routes.rs` lists the open routes.

#[macro_use]
extern crate rocket;

mod account;
mod api;
mod attempts;
mod board;
mod database;
mod error;
mod headers;
mod links;
mod logins;
mod mail;
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

/// Builds the application. `figment` is Rocket's configuration, and `send` sends a text to an e-mail address; tests
/// change both.
#[must_use]
pub fn rocket(
    figment: Figment,
    send: impl Fn(&str, &str) + Send + Sync + 'static,
) -> Rocket<Build> {
    // Three kinds of users. The login of one kind is not valid for another. Their logouts are kept in a database, so
    // they hold after a restart and on other servers, and so is the list of a member's logins.
    let members = LoginManager::new(users::load_member)
        .revocation_store(login_sqlx::from_url)
        .login_registry_from(login_sqlx::registry_from_url)
        .login_view(uri!(sessions::login_page))
        .refresh_view(uri!("/account", account::confirm_page));
    let staff = LoginManager::new(staff::load_staff)
        .realm("staff")
        .revocation_store(login_sqlx::from_url)
        .login_view(uri!("/staff", staff::login_page));
    let api = LoginManager::from_requests(api::load_by_key).realm("api");

    rocket::custom(figment)
        .manage(password::Hasher::new())
        .manage(attempts::Limits::new())
        .manage(board::News::default())
        .attach(headers::fairing())
        .attach(database::stage())
        .attach(mail::stage(send))
        .attach(Template::fairing())
        .attach(members)
        .attach(staff)
        .attach(api)
        .attach(database::first_users())
        .mount("/", pages::routes())
        .mount("/", board::routes())
        .mount("/", sessions::routes())
        .mount("/", links::routes())
        .mount("/account", account::routes())
        .mount("/account/logins", logins::routes())
        .mount("/staff", staff::routes())
        .mount("/staff/members", logins::staff_routes())
        .mount("/api", api::routes())
        .mount("/static", FileServer::from("static").public())
        .register("/", error::catchers())
        .register("/api", api::catchers())
}
