//! What the paths of routes match, as far as Rocket reveals it.

use std::borrow::Cow;

use rocket::Route;
use rocket::http::RawStr;

/// Returns the segments of a path, or of a route's path.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Whether a route's path and query match a page of this site, such as `/login?lang=en`.
pub(super) fn answers(route: &Route, page: &str) -> bool {
    let page = page.split_once('#').map_or(page, |(page, _)| page);
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    covers(route.uri.path(), path) && has_static_fields(route, query)
}

/// Whether a query has all fields that the route requires: `?kind=a`, but not `?<kind>`.
fn has_static_fields(route: &Route, query: &str) -> bool {
    let fields = |query| str::split(query, '&').filter(|field| !field.is_empty());
    let mut required = fields(route.uri.query().unwrap_or_default());
    required
        .all(|required| is_dynamic(required) || fields(query).any(|field| same(field, required)))
}

/// Whether a route has a field in its query that a request must have.
pub(super) fn has_static_query(route: &Route) -> bool {
    !has_static_fields(route, "")
}

/// Whether a route's path matches every path that the other one matches.
pub(super) fn covers(route: &str, other: &str) -> bool {
    let mut others = segments(other);
    for segment in segments(route) {
        if is_trailing(segment) {
            return true;
        }
        match others.next() {
            Some(other) if is_trailing(other) => return false,
            Some(other) if is_dynamic(segment) || same(segment, other) => {}
            _ => return false,
        }
    }
    others.next().is_none()
}

/// Whether two routes match the same paths.
pub(super) fn same_pattern(a: &str, b: &str) -> bool {
    covers(a, b) && covers(b, a)
}

/// Whether there is a path that both routes match.
pub(super) fn overlap(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (segments(a), segments(b));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(segment), _) | (_, Some(segment)) if is_trailing(segment) => return true,
            (_, Some(segment)) if is_trailing(segment) => return true,
            (Some(a), Some(b)) if is_dynamic(a) || is_dynamic(b) || same(a, b) => {}
            _ => return false,
        }
    }
}

/// Whether a route may match a path below a base, or the base itself.
pub(super) fn reaches_below(route: &str, base: &str) -> bool {
    let mut route = segments(route);
    for base in segments(base) {
        match route.next() {
            Some(segment) if is_trailing(segment) => return true,
            Some(segment) if is_dynamic(segment) || same(segment, base) => {}
            _ => return false,
        }
    }
    true
}

/// Whether a route's path has a last part that matches any number of segments: `/<path..>`.
pub(super) fn is_catch_all(route: &str) -> bool {
    segments(route).last().is_some_and(is_trailing)
}

/// Whether no part of a route's path is dynamic.
pub(super) fn is_static(route: &str) -> bool {
    !segments(route).any(is_dynamic)
}

fn is_dynamic(segment: &str) -> bool {
    segment.starts_with('<') && segment.ends_with('>')
}

fn is_trailing(segment: &str) -> bool {
    segment.starts_with('<') && segment.ends_with("..>")
}

fn same(a: &str, b: &str) -> bool {
    let decode = |text| -> Cow<'_, str> { RawStr::new(text).percent_decode_lossy() };
    decode(a) == decode(b)
}

#[cfg(test)]
mod tests {
    use rocket::http::Method;
    use rocket::route::dummy_handler;

    use super::*;

    fn is_answered(route: &str, page: &str) -> bool {
        answers(&Route::new(Method::Get, route, dummy_handler), page)
    }

    #[test]
    fn a_page_is_answered_by_its_route_or_by_a_dynamic_one() {
        for (route, page) in [
            ("/login", "/login"),
            ("/login", "/login?lang=en#form"),
            ("/login", "/log%69n"),
            ("/login?<lang>", "/login"),
            ("/login?staff&<lang>", "/login?lang=en&staff"),
            ("/<lang>/login", "/de/login"),
            ("/<path..>", "/any/page"),
            ("/staff/<path..>", "/staff"),
        ] {
            assert!(is_answered(route, page), "{route} {page}");
        }
        for (route, page) in [
            ("/account/confirm", "/confirm"),
            ("/login", "/login/again"),
            ("/login/again", "/login"),
            ("/login?staff", "/login"),
            ("/login?staff", "/login?lang=en"),
        ] {
            assert!(!is_answered(route, page), "{route} {page}");
        }
    }

    #[test]
    fn a_route_covers_what_it_always_matches_first() {
        for (route, other) in [
            ("/<_..>", "/"),
            ("/<_..>", "/a/<b>"),
            ("/<_..>", "/a/<b..>"),
            ("/<a>", "/b"),
            ("/a/<b..>", "/a"),
        ] {
            assert!(covers(route, other), "{route} {other}");
            assert!(overlap(route, other) && overlap(other, route));
        }
        for (route, other) in [("/a", "/<b>"), ("/<a>", "/<b..>"), ("/a/<b..>", "/<c..>")] {
            assert!(!covers(route, other), "{route} {other}");
            assert!(overlap(route, other) && overlap(other, route));
        }
        for (route, other) in [("/a", "/b"), ("/<a>", "/b/c"), ("/a/<b..>", "/c/<d..>")] {
            assert!(!covers(route, other), "{route} {other}");
            assert!(!overlap(route, other) && !overlap(other, route));
        }
    }

    #[test]
    fn a_route_reaches_below_a_base_that_it_may_match() {
        for route in ["/shop", "/shop/cart", "/<tenant>/cart", "/<path..>"] {
            assert!(reaches_below(route, "/shop"), "{route}");
        }
        for route in ["/", "/shopping", "/a/shop"] {
            assert!(!reaches_below(route, "/shop"), "{route}");
        }
    }
}
