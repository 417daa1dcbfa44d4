//! Rocket with its release settings: no log, and otherwise the defaults.

pub(crate) mod by_hand;
pub(crate) mod flex_session;
pub(crate) mod login;

use rocket::config::{Config, LogLevel, SecretKey};
use rocket::{Build, Rocket, get, routes};

use super::block_on;
use crate::users::{NAME, SECRET, users};

/// No login.
pub(crate) fn plain(port: u16) {
    serve(port, |rocket| rocket.mount("/", routes![page]));
}

#[get("/page")]
fn page() -> &'static str {
    NAME
}

fn serve(port: u16, application: impl FnOnce(Rocket<Build>) -> Rocket<Build>) {
    let config = Config {
        port,
        workers: 1,
        log_level: LogLevel::Off,
        secret_key: SecretKey::derive_from(SECRET.as_bytes()),
        ..Config::release_default()
    };
    let rocket = application(rocket::custom(config).manage(users()));
    block_on(rocket.launch()).expect("Rocket serves");
}
