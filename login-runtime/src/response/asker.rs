//! Who sent a request, and so how they can be sent elsewhere.

use rocket::Request;
use rocket::http::MediaType;

/// Who sent a request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Asker {
    /// A person's browser, for a page.
    Person,
    /// htmx, for a part of a page.
    Htmx,
    /// A script, for data: it is not redirected.
    Script,
}

impl Asker {
    pub(crate) fn of(req: &Request<'_>) -> Self {
        let headers = req.headers();
        // First, since every current browser sends it, and htmx never navigates.
        let mode = headers.get_one("Sec-Fetch-Mode");
        if mode == Some("navigate") {
            Self::Person
        } else if headers.get_one("HX-Request") == Some("true") {
            Self::Htmx
        } else if mode.is_none() && prefers_a_page(req) {
            Self::Person
        } else {
            Self::Script
        }
    }
}

/// Whether a client that does not send its mode asked for a page, and not for data.
fn prefers_a_page(req: &Request<'_>) -> bool {
    let scripted = req
        .headers()
        .get_one("X-Requested-With")
        .is_some_and(|by| by.eq_ignore_ascii_case("XMLHttpRequest"));
    !scripted
        && req
            .accept()
            .is_none_or(|accept| is_page(accept.preferred().media_type()))
}

fn is_page(media_type: &MediaType) -> bool {
    media_type.is_html()
        || media_type.is_any()
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
        assert!(prefers("*/*"));
        assert!(prefers("text/*"));
        assert!(prefers("application/json;q=0.5, text/html"));
    }

    #[test]
    fn scripts_prefer_data() {
        assert!(!prefers("application/json"));
        assert!(!prefers("application/json, text/plain, */*"));
        assert!(!prefers("text/html;q=0.5, application/json"));
        assert!(!prefers("image/png"));
    }
}
