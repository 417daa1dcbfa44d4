//! The flashed message, in the format of Rocket's own `FlashMessage`.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rocket::http::{Cookie, Header, SameSite};
use rocket::time::Duration;
use rocket::{Request, Response};
use tracing::error;

use crate::config::CookieSpec;
use crate::manager::Localize;

/// The name under which `rocket::response::Flash` keeps its message.
const FLASH: &str = "_flash";

/// Writes the message as `rocket::response::Flash` does, whose cookie jar is closed by now.
pub(crate) fn set(spec: &CookieSpec, category: &str, message: &str, res: &mut Response<'_>) {
    let content = format!("{}:{category}{message}", category.len());
    let cookie = Cookie::build((FLASH, content))
        .path("/")
        .max_age(Duration::minutes(5))
        .http_only(true)
        .secure(spec.secure)
        // Strict, which Rocket would take, hides the message after a link from another site.
        .same_site(SameSite::Lax)
        .build();
    replace(Header::from(cookie), res);
}

/// One message at a time: the catcher's own, or its removal of the last one, gives way.
fn replace(flash: Header<'static>, res: &mut Response<'_>) {
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
    res.adjoin_header(flash);
}

/// Sends on a message that a handler has just flashed through the closed cookie jar.
pub(crate) fn carry(req: &Request<'_>, res: &mut Response<'_>) {
    let Some(flashed) = req.cookies().get_pending(FLASH) else {
        return;
    };
    let received = req.cookies().get(FLASH);
    if received.is_none_or(|received| received.value() != flashed.value()) {
        replace(Header::from(flashed), res);
    }
}

/// The message in the request's language; the original where the callback panics.
pub(crate) fn localized<'m>(
    localize: &Localize,
    message: &'m str,
    req: &Request<'_>,
) -> Cow<'m, str> {
    match catch_unwind(AssertUnwindSafe(|| localize(message, req))) {
        Ok(localized) => Cow::Owned(localized),
        Err(_) => {
            error!("`localize_callback` panicked; the message stays as it is");
            Cow::Borrowed(message)
        }
    }
}
