//! Flashed messages on a response whose cookie jar is closed.

use rocket::http::{Cookie, Header};
use rocket::{Request, Response};

use crate::realm::Realm;
use crate::realm::message::{self, FLASH, Message, is_ours};

/// Flashes a message of the settings, unless the application has flashed one that nobody has seen yet: Rocket has
/// room for one, and theirs would be lost.
pub(crate) fn announce<U>(
    realm: &Realm<U>,
    message: &Message,
    req: &Request<'_>,
    res: &mut Response<'_>,
) {
    // A catcher may have read the message, and the redirect has dropped the catcher's page.
    if !take_removal(res) {
        return;
    }
    if req.cookies().get(FLASH).is_none_or(is_ours) {
        let cookie = message.cookie(realm.localize.as_deref(), req).into_owned();
        res.adjoin_header(Header::new("Set-Cookie", cookie));
    }
}

/// Takes back a message of the settings that nobody has seen: it asks for the login that has just happened.
pub(crate) fn take_back(req: &Request<'_>, res: &mut Response<'_>) {
    if req.cookies().get(FLASH).is_some_and(is_ours) && take_removal(res) {
        res.adjoin_header(Header::new("Set-Cookie", message::removal()));
    }
}

/// Sends a message that a handler has just flashed through the closed cookie jar.
pub(crate) fn carry(req: &Request<'_>, res: &mut Response<'_>) {
    let Some(flashed) = req.cookies().get_pending(FLASH) else {
        return;
    };
    let received = req.cookies().get(FLASH);
    if received.is_none_or(|received| received.value() != flashed.value()) {
        remove(res);
        res.adjoin_header(Header::new("Set-Cookie", flashed.encoded().to_string()));
    }
}

/// Takes the removal of a message out of the response; `false` if the application flashes a message with it.
fn take_removal(res: &mut Response<'_>) -> bool {
    let (mut removes, mut flashes) = (false, false);
    // The response seldom sets any cookie. Then a pass over its headers takes 600 instructions fewer than to look them up.
    res.headers().iter().for_each(|header| {
        if header.name == "Set-Cookie" && is_flash(&header.value) {
            let flash = Cookie::parse(&*header.value);
            removes = true;
            flashes |= flash.is_ok_and(|flash| !flash.value().is_empty());
        }
    });
    if removes && !flashes {
        remove(res);
    }
    !flashes
}

/// Removes every flash cookie, and the removal of one, from the response.
fn remove(res: &mut Response<'_>) {
    let others: Vec<String> = res
        .headers()
        .get("Set-Cookie")
        .filter(|cookie| !is_flash(cookie))
        .map(str::to_owned)
        .collect();
    res.remove_header("Set-Cookie");
    for other in others {
        res.adjoin_header(Header::new("Set-Cookie", other));
    }
}

fn is_flash(cookie: &str) -> bool {
    cookie.split('=').next() == Some(FLASH)
}
