//! The flashed message, in the format of Rocket's own `FlashMessage`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rocket::http::{Cookie, Header, SameSite};
use rocket::time::Duration;
use rocket::{Request, Response};
use tracing::error;

use crate::manager::Localize;

/// The name under which `rocket::response::Flash` keeps its message.
const FLASH: &str = "_flash";

/// A message of the settings, and the `Set-Cookie` that carries it as it stands.
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

    /// Flashes the message, in the request's language where there is a callback.
    pub(crate) fn flash(
        &self,
        localize: Option<&Localize>,
        req: &Request<'_>,
        res: &mut Response<'_>,
    ) {
        let cookie = match localize.and_then(|localize| localized(localize, &self.text, req)) {
            Some(text) => cookie(&self.category, &text, self.secure),
            None => self.cookie.clone(),
        };
        replace(cookie, res);
    }
}

/// The message as `rocket::response::Flash` writes it, whose cookie jar is closed by now.
fn cookie(category: &str, message: &str, secure: bool) -> String {
    let content = format!("{}:{category}{message}", category.len());
    let cookie = Cookie::build((FLASH, content))
        .path("/")
        .max_age(Duration::minutes(5))
        .http_only(true)
        .secure(secure)
        // Strict, which Rocket would take, hides the message after a link from another site.
        .same_site(SameSite::Lax)
        .build();
    cookie.encoded().to_string()
}

/// One message at a time: the catcher's own, or its removal of the last one, gives way.
fn replace(flash: String, res: &mut Response<'_>) {
    if res.headers().contains("Set-Cookie") {
        let others: Vec<String> = res
            .headers()
            .get("Set-Cookie")
            .filter(|cookie| cookie.split('=').next() != Some(FLASH))
            .map(str::to_owned)
            .collect();
        res.remove_header("Set-Cookie");
        for other in others {
            res.adjoin_header(Header::new("Set-Cookie", other));
        }
    }
    res.adjoin_header(Header::new("Set-Cookie", flash));
}

/// Sends on a message that a handler has just flashed through the closed cookie jar.
pub(crate) fn carry(req: &Request<'_>, res: &mut Response<'_>) {
    let Some(flashed) = req.cookies().get_pending(FLASH) else {
        return;
    };
    let received = req.cookies().get(FLASH);
    if received.is_none_or(|received| received.value() != flashed.value()) {
        replace(flashed.encoded().to_string(), res);
    }
}

/// The message in the request's language; none where the callback panics.
fn localized(localize: &Localize, message: &str, req: &Request<'_>) -> Option<String> {
    let localized = catch_unwind(AssertUnwindSafe(|| localize(message, req)));
    if localized.is_err() {
        error!("`localize_callback` panicked; the message stays as it is");
    }
    localized.ok()
}
