//! A link from another site or host, to a browser whose bound session must be proven again.
//!
//! Browsers prove a session for requests of its own origin's pages only. So a click in a mail, minutes after the last
//! page, comes without the session cookie. A page of this origin that loads the same address once more gets it proven.

use std::io::Cursor;

use rocket::http::{ContentType, Method, SameSite, Status};
use rocket::{Request, Response};

use super::asker::Asker;
use super::body::empty;
use crate::realm::RealmCore;
use crate::redirect::local;
use crate::request::cookie_header::Presented;
use crate::token::Kind;

/// Answers a link from another origin that came without a session, where logins are bound to devices. Returns whether
/// it did.
///
/// The second request comes from this origin, so it is answered as ever.
pub(super) fn load_again(core: &RealmCore, req: &Request<'_>, res: &mut Response<'_>) -> bool {
    if !core.config.device.is_offered || req.method() != Method::Get {
        return false;
    }
    let client = core.client(req);
    let site = client.sec_fetch_site;
    let is_link = match site.value {
        // The second request would bring the cookies that the browser keeps from other sites.
        Some("cross-site") => !has_strict_cookies(core),
        Some("same-site") => true,
        _ => false,
    };
    let has_session = client.cookie(Kind::Session) != Presented::Absent;
    if !is_link || site.disagrees || has_session || Asker::of(req) != Asker::Person {
        return false;
    }
    let query = req.uri().query().map(|query| query.as_str());
    let Some(here) = local::wanted(req.uri().path().as_str(), query) else {
        return false;
    };
    let page = format!(
        "<!DOCTYPE html><meta charset=utf-8><meta http-equiv=refresh content=\"0;url={here}\"><title>..</title>",
        here = escaped(&here)
    );
    empty(res);
    res.set_status(Status::Ok);
    res.set_header(ContentType::HTML);
    res.set_sized_body(page.len(), Cursor::new(page));
    true
}

fn has_strict_cookies(core: &RealmCore) -> bool {
    [Kind::Session, Kind::Remember]
        .iter()
        .any(|kind| core.config.cookie(*kind).same_site == SameSite::Strict)
}

/// Writes a text for an attribute of HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_leave_its_attribute() {
        assert_eq!(
            escaped("/a?b=\"><script>&c='"),
            "/a?b=&quot;&gt;&lt;script&gt;&amp;c=&#39;"
        );
    }
}
