//! A message of the settings that is flashed before a login page.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rocket::Request;
use rocket::http::{Cookie, SameSite};
use rocket::time::Duration;
use tracing::error;

use crate::app::handler::Localize;

/// The name of the cookie in which `rocket::response::Flash` keeps its message.
pub(crate) const FLASH: &str = "_flash";

/// Marks the length of the category in our own messages. Rocket reads `07` as 7 and never writes it.
const MARK: char = '0';

/// A message, and the `Set-Cookie` that carries it, ready since the launch.
pub(crate) struct Message {
    text: String,
    category: String,
    secure: bool,
    cookie: String,
}

impl Message {
    pub(crate) fn new(text: String, category: String, secure: bool) -> Self {
        Message {
            cookie: cookie(&category, &text, secure),
            text,
            category,
            secure,
        }
    }

    /// Returns the `Set-Cookie`, in the request's language where there is a callback.
    pub(crate) fn cookie(&self, localize: Option<&Localize>, req: &Request<'_>) -> Cow<'_, str> {
        match localize.and_then(|localize| localized(localize, &self.text, req)) {
            Some(text) => cookie(&self.category, &text, self.secure).into(),
            None => self.cookie.as_str().into(),
        }
    }
}

/// Whether a flash cookie carries a message of the settings, in whatever language.
pub(crate) fn is_ours(flash: &Cookie<'_>) -> bool {
    flash
        .value()
        .strip_prefix(MARK)
        .is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
}

/// Returns the cookie that removes a message.
pub(crate) fn removal() -> String {
    let mut cookie = Cookie::build(FLASH).path("/").build();
    cookie.make_removal();
    cookie.to_string()
}

/// Writes a message as `rocket::response::Flash` does, whose cookie jar is closed when a denial is answered.
fn cookie(category: &str, message: &str, secure: bool) -> String {
    let content = format!("{MARK}{}:{category}{message}", category.len());
    let cookie = Cookie::build((FLASH, content))
        .path("/")
        .max_age(Duration::minutes(5))
        .http_only(true)
        .secure(secure)
        // Rocket's own `Strict` would hide the message after a link from another site.
        .same_site(SameSite::Lax)
        .build();
    cookie.encoded().to_string()
}

/// Returns the message in the request's language; `None` if the callback panics.
fn localized(localize: &Localize, message: &str, req: &Request<'_>) -> Option<String> {
    let localized = catch_unwind(AssertUnwindSafe(|| localize(message, req)));
    if localized.is_err() {
        error!("`localize_callback` panicked; the message stays as it is");
    }
    localized.ok()
}
