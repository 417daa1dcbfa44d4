//! Who sent a request, and so how they can be sent elsewhere.

use rocket::Request;
use rocket::http::{ContentType, MediaType};

use crate::request::cross_site::is_sent_by_browsers;
use crate::request::headers;

/// Who sent a request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Asker {
    /// A person's browser, for a page in a window.
    Person,
    /// A person's browser, for a page in a frame of another page.
    Frame,
    /// htmx, for a part of a page.
    Htmx,
    /// A script, for data: it is not redirected.
    Script,
}

impl Asker {
    pub(crate) fn of(req: &Request<'_>) -> Self {
        let (mut mode, mut dest, mut htmx, mut by) = (None, None, None, None);
        let (mut is_in_advance, mut is_upgrade) = (false, false);
        headers::each(req, |name, value| {
            if name.is("sec-fetch-mode") {
                mode.get_or_insert(value);
            } else if name.is("sec-fetch-dest") {
                dest.get_or_insert(value);
            } else if name.is("hx-request") {
                htmx.get_or_insert(value);
            } else if name.is("x-requested-with") {
                by.get_or_insert(value);
            } else if name.is("upgrade") {
                is_upgrade = true;
            } else if IN_ADVANCE.iter().any(|purpose| name.is(purpose)) {
                is_in_advance |= value.starts_with("prefetch") || value == "preview";
            }
        });
        match (mode, dest) {
            // Nobody has gone there yet. A browser drops a page that it failed to get in advance, and asks again.
            _ if is_in_advance => Self::Script,
            // A WebSocket, which follows no redirect.
            _ if is_upgrade => Self::Script,
            (Some("navigate"), Some("document") | None) => Self::Person,
            (Some("navigate"), Some(_)) => Self::Frame,
            // After the mode, since htmx never navigates.
            _ if htmx == Some("true") => Self::Htmx,
            (None, _) if !is_script(by) && !is_from_a_program(req) && prefers_a_page(req) => {
                Self::Person
            }
            _ => Self::Script,
        }
    }
}

/// The headers by which browsers say that they ask for a page that the person may open later.
const IN_ADVANCE: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Whether a request is a boosted link of htmx, which loads a whole page.
pub(crate) fn is_boosted(req: &Request<'_>) -> bool {
    req.headers().get_one("HX-Boosted") == Some("true")
}

fn is_script(requested_with: Option<&str>) -> bool {
    requested_with.is_some_and(|by| by.eq_ignore_ascii_case("XMLHttpRequest"))
}

/// Whether a request has what a browser does not send when it opens a page: JSON, or a key in `Authorization`.
fn is_from_a_program(req: &Request<'_>) -> bool {
    let is_json =
        |body: &ContentType| body.sub() == "json" || body.sub().as_str().ends_with("+json");
    let mut keys = req.headers().get("Authorization");
    // Every browser sends `Accept`.
    let is_program = |key| req.accept().is_none() || !is_sent_by_browsers(key);
    req.content_type().is_some_and(is_json) || keys.any(is_program)
}

/// Whether a client that does not send its mode asked for a page, and not for data.
fn prefers_a_page(req: &Request<'_>) -> bool {
    req.accept()
        .is_none_or(|accept| is_page(accept.preferred().media_type()))
}

/// No browser opens a page with `*/*`; programs, and scripts of a page, send nothing else.
fn is_page(media_type: &MediaType) -> bool {
    media_type.is_html()
        || media_type.top() == "text" && media_type.sub() == "*"
        || media_type.top() == "application" && media_type.sub() == "xhtml+xml"
}

#[cfg(test)]
mod tests {
    use rocket::http::Accept;

    use super::*;

    fn prefers(accept: &str) -> bool {
        is_page(accept.parse::<Accept>().unwrap().preferred().media_type())
    }

    #[test]
    fn browsers_prefer_pages() {
        assert!(prefers(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        ));
        assert!(prefers(
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
             image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
        ));
        assert!(prefers("text/*"));
        assert!(prefers("application/json;q=0.5, text/html"));
    }

    #[test]
    fn scripts_prefer_data() {
        assert!(!prefers("application/json"));
        assert!(!prefers("application/json, text/plain, */*"));
        assert!(!prefers("text/html;q=0.5, application/json"));
        assert!(!prefers("image/png"));
        assert!(!prefers("*/*"));
    }
}
