//! The responses: refusals and their redirects, events, failures, caching.

mod caching;
mod cross_site;
mod current_user;
mod denial;
mod events;
mod expansions;
mod failures;
mod flash;
mod handlers;
mod login_views;
mod next;
mod request_loader;

use rocket::http::RawStr;
use rocket_login::LoginManager;
use rocket_login::handler::IntoUserLoader;

use crate::common::{App, Reply, User};

/// An application whose manager has this loader, and no view.
fn app_with(loader: impl IntoUserLoader<User = User>) -> App {
    let app = App::new();
    let clock = app.clock.clone();
    app.with(|_| LoginManager::new(loader).clock(clock))
}

/// The kind and the text of the message that a reply flashes, as Rocket's own guard reads them.
fn flashed(reply: &Reply) -> Option<(String, String)> {
    let cookie = reply.cookie("_flash")?;
    let value = RawStr::new(cookie.value()).percent_decode().unwrap();
    let (length, content) = value.split_once(':').unwrap();
    let (kind, message) = content.split_at(length.parse().unwrap());
    Some((kind.into(), message.into()))
}

/// The message to compare with [`flashed`].
fn flash(kind: &str, message: &str) -> Option<(String, String)> {
    Some((kind.into(), message.into()))
}
