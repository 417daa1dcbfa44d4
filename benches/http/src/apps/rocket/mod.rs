//! Rocket with its release settings: no log, and otherwise the defaults.

pub(crate) mod by_hand;
pub(crate) mod flex_session;
pub(crate) mod login;

use rocket::config::{Config, LogLevel, SecretKey};
use rocket::{Build, Rocket, get, routes};

use super::block_on;
use crate::users::{NAME, SECRET, users};

/// No login.
pub(crate) fn plain(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket.mount("/", routes![page])
}

#[get("/page")]
fn page() -> &'static str {
    NAME
}

/// What an application adds to a Rocket.
pub(crate) type Extend = fn(Rocket<Build>) -> Rocket<Build>;

pub(crate) fn serve(port: u16, extend: Extend) {
    block_on(rocket(port, extend).launch()).expect("Rocket serves");
}

/// The application, not launched yet.
pub(crate) fn rocket(port: u16, extend: Extend) -> Rocket<Build> {
    let config = Config {
        port,
        workers: 1,
        log_level: LogLevel::Off,
        secret_key: SecretKey::derive_from(SECRET.as_bytes()),
        ..Config::release_default()
    };
    extend(rocket::custom(config).manage(users()))
}
