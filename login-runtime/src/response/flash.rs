//! Flashed messages on a response whose cookie jar is closed.

use rocket::http::Header;
use rocket::{Request, Response};

use crate::realm::message::FLASH;

/// Puts a flash cookie on the response. There is one message at a time: it replaces the one that a catcher set, and
/// Rocket's removal of the last one.
pub(crate) fn replace(flash: String, res: &mut Response<'_>) {
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

/// Sends a message that a handler has just flashed through the closed cookie jar.
pub(crate) fn carry(req: &Request<'_>, res: &mut Response<'_>) {
    let Some(flashed) = req.cookies().get_pending(FLASH) else {
        return;
    };
    let received = req.cookies().get(FLASH);
    if received.is_none_or(|received| received.value() != flashed.value()) {
        replace(flashed.encoded().to_string(), res);
    }
}
