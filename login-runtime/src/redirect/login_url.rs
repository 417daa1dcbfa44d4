//! Flask-Login's `login_url` and `make_next_param`: the URL of a login page that leads back to the wanted page.

use rocket::http::RawStr;

use crate::redirect::local::collapse_slashes;

/// Returns the URL of a login page, with the page to go to after the login.
///
/// `next_url` is shortened with [`make_next_param`] and added to the query as `next_field`; it replaces a field of that
/// name. The rest of the query and the fragment do not change. Without `next_url`, the URL is returned unchanged.
///
/// This function knows no manager. [`LoginSession::login_url`](crate::LoginSession::login_url) also follows the setting
/// `force_host_for_redirects`.
///
/// # Example
///
/// ```rust
/// use rocket_login::login_url;
///
/// assert_eq!(login_url("/login", None, "next"), "/login");
/// assert_eq!(
///     login_url("/login?lang=en#form", Some("/notes?page=2"), "next"),
///     "/login?lang=en&next=%2Fnotes%3Fpage%3D2#form",
/// );
/// ```
#[must_use]
pub fn login_url(login_view: &str, next_url: Option<&str>, next_field: &str) -> String {
    let Some(next_url) = next_url else {
        return login_view.to_owned();
    };
    with_field(
        login_view,
        next_field,
        &make_next_param(login_view, next_url),
    )
}

/// Puts a host in front of a path of this site; a URL that names its host stays as it is.
pub(crate) fn at_host(host: Option<&str>, url: String) -> String {
    match host {
        Some(host) if url.starts_with('/') && !url.starts_with("//") => format!("//{host}{url}"),
        _ => url,
    }
}

/// Returns the current URL in the shortest form that leads back from the login page.
///
/// If the login URL has the same scheme, host and port, or none, the result is the path and the query; otherwise it is
/// the whole URL. The shortened URL has no fragment, and repeated slashes become one, as in Rocket's routing:
/// `//evil.com` would be another host.
///
/// This function shortens and does not check. Read a `next` that a browser sends with the guard [`Next`](crate::Next).
///
/// # Example
///
/// ```rust
/// use rocket_login::redirect::make_next_param;
///
/// let current = "https://example.com/notes?page=2";
/// assert_eq!(make_next_param("/login", current), "/notes?page=2");
/// assert_eq!(make_next_param("https://accounts.example.com/login", current), current);
/// ```
#[must_use]
pub fn make_next_param(login_url: &str, current_url: &str) -> String {
    let (login, current) = (Parts::of(login_url), Parts::of(current_url));
    if !names_same(login.scheme, current.scheme) || !names_same(login.host, current.host) {
        return current_url.to_owned();
    }
    let (target, _) = split_before(current.rest, |c| c == '#');
    let (path, query) = split_before(target, |c| c == '?');
    collapse_slashes(path) + query
}

/// Returns the path and the query of a URL that names its scheme and host.
pub(crate) fn path_and_query(url: &str) -> Option<(&str, Option<&str>)> {
    let Parts { scheme, host, rest } = Parts::of(url);
    if scheme.is_empty() || host.is_empty() {
        return None;
    }
    let (target, _) = split_before(rest, |c| c == '#');
    Some(match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    })
}

/// Returns the host of a URL, or its scheme if it names none, unless it leads to one of our hosts.
pub(crate) fn other_site<'a>(url: &'a str, ours: &[&str]) -> Option<&'a str> {
    let Parts { scheme, host, .. } = Parts::of(url);
    let site = if host.is_empty() { scheme } else { host };
    let is_ours = ours.iter().any(|ours| ours.eq_ignore_ascii_case(site));
    (!site.is_empty() && !is_ours).then_some(site)
}

/// Returns a URL whose query has the field exactly once: where it first occurred, or else at the end.
pub(crate) fn with_field(url: &str, field: &str, value: &str) -> String {
    let (url, fragment) = split_before(url, |c| c == '#');
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let encode = |text| RawStr::new(text).percent_encode();
    let mut new = Some((encode(field), encode(value)));
    let mut result = String::with_capacity(url.len().saturating_add(value.len()).saturating_mul(2));
    result.push_str(path);
    let mut separator = '?';
    let mut push = |pair: &[&str]| {
        result.push(separator);
        result.extend(pair.iter().copied());
        separator = '&';
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
        if RawStr::new(name).url_decode_lossy() != field {
            push(&[pair]);
        } else if let Some((field, value)) = new.take() {
            push(&[field.as_str(), "=", value.as_str()]);
        }
    }
    if let Some((field, value)) = new {
        push(&[field.as_str(), "=", value.as_str()]);
    }
    result.push_str(fragment);
    result
}

/// The scheme and the host of a URL, empty if it has none, and the rest.
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let (scheme, rest) = match url.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest),
            _ => ("", url),
        };
        let (host, rest) = match rest.strip_prefix("//") {
            Some(rest) => split_before(rest, |c| "/?#".contains(c)),
            None => ("", rest),
        };
        Parts { scheme, host, rest }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether the login URL has the current scheme or host, or none.
fn names_same(login: &str, current: &str) -> bool {
    login.is_empty() || login.eq_ignore_ascii_case(current)
}

/// Splits before the first character that matches; without one, the second half is empty.
fn split_before(text: &str, pattern: impl FnMut(char) -> bool) -> (&str, &str) {
    text.find(pattern)
        .and_then(|at| text.split_at_checked(at))
        .unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_site_is_known_by_its_host_or_else_by_its_scheme() {
        let other = |url| other_site(url, &["app.example:8000", ""]);
        for url in [
            "",
            "/",
            "/a?b=//c.example",
            "a/b",
            "?a",
            "//App.example:8000/a",
            "http://app.example:8000",
        ] {
            assert_eq!(other(url), None, "{url}");
        }
        for (url, site) in [
            ("//evil.example", "evil.example"),
            ("https://app.example:8443/a", "app.example:8443"),
            (
                "https://app.example:8000@evil.example",
                "app.example:8000@evil.example",
            ),
            ("https:evil.example", "https"),
            ("javascript:alert(1)", "javascript"),
        ] {
            assert_eq!(other(url), Some(site), "{url}");
        }
    }

    const PROTECTED: Option<&str> = Some("http://localhost/protected");

    #[test]
    fn without_a_next_url_the_view_is_unchanged() {
        for view in [
            "/foo",
            "/foo?",
            "/foo?a=&next=1#x",
            "https://auth.localhost/login",
        ] {
            assert_eq!(login_url(view, None, "next"), view);
        }
    }

    #[test]
    fn next_is_added_as_flask_login_does() {
        assert_eq!(login_url("/login", PROTECTED, "n"), "/login?n=%2Fprotected");
        assert_eq!(
            login_url("/login", PROTECTED, "next"),
            "/login?next=%2Fprotected"
        );
        assert_eq!(
            login_url("/login", Some("/protected"), "next"),
            "/login?next=%2Fprotected"
        );
        assert_eq!(
            login_url("/login?affil=cgnu", PROTECTED, "next"),
            "/login?affil=cgnu&next=%2Fprotected"
        );
        // Flask-Login writes `%3A`, but a colon needs no escape in a query.
        assert_eq!(
            login_url("https://auth.localhost/login", PROTECTED, "next"),
            "https://auth.localhost/login?next=http:%2F%2Flocalhost%2Fprotected"
        );
    }

    #[test]
    fn the_query_of_the_view_is_kept() {
        let url = |view| login_url(view, Some("/p"), "next");
        assert_eq!(
            url("/login?b=&a&b=2&a=%20+x"),
            "/login?b=&a&b=2&a=%20+x&next=%2Fp"
        );
        assert_eq!(url("/login?"), "/login?next=%2Fp");
        assert_eq!(url("/login?a=1&&b=2&"), "/login?a=1&b=2&next=%2Fp");
        assert_eq!(url("/login?a=b=c?d"), "/login?a=b=c?d&next=%2Fp");
    }

    #[test]
    fn the_field_occurs_once_where_it_first_occurred() {
        let url = |view| login_url(view, Some("/p"), "next");
        assert_eq!(url("/login?a=1&next=/old&b=2"), "/login?a=1&next=%2Fp&b=2");
        assert_eq!(
            url("/login?next=//evil.com&a=1&next="),
            "/login?next=%2Fp&a=1"
        );
        assert_eq!(url("/login?%6eext=/old&next"), "/login?next=%2Fp");
        assert_eq!(
            url("/login?nexts=1&Next=2"),
            "/login?nexts=1&Next=2&next=%2Fp"
        );
    }

    #[test]
    fn the_fragment_stays_at_the_end() {
        let url = |view| login_url(view, Some("/p"), "next");
        assert_eq!(url("/login#form"), "/login?next=%2Fp#form");
        assert_eq!(
            url("/login?a=1#form?next=x&y#z"),
            "/login?a=1&next=%2Fp#form?next=x&y#z"
        );
    }

    #[test]
    fn next_survives_the_round_trip_through_the_query() {
        for next in [
            "/a b",
            "/a?b=c&d=e%26",
            "/a+b",
            "/é%C3%A9",
            "/a;b='\"<>",
            "//",
            "/a?x=1&next=2",
        ] {
            let url = login_url("/login", Some(next), "the next&=");
            let (_, query) = url.split_once('?').unwrap_or_default();
            let (name, value) = query.split_once('=').unwrap_or_default();
            assert!(!value.contains(['&', '#', '=', ' ', '+']), "{url}");
            assert_eq!(RawStr::new(name).url_decode_lossy(), "the next&=");
            let expected = make_next_param("/login", next);
            assert_eq!(RawStr::new(value).url_decode_lossy(), expected, "{url}");
        }
    }

    #[test]
    fn a_url_of_the_same_site_is_shortened() {
        for (login, current, next) in [
            ("/login", "http://localhost/profile", "/profile"),
            ("/login", "/profile?a=b", "/profile?a=b"),
            ("login", "http://localhost/a?b=c&d#e?f", "/a?b=c&d"),
            ("/login?to=http://other/", "http://localhost/a", "/a"),
            ("http://localhost/login", "http://localhost/a", "/a"),
            ("HTTP://LocalHost/login", "http://localhost/a", "/a"),
            ("//localhost/login", "https://localhost/a", "/a"),
            (
                "http://localhost:8000/login",
                "http://localhost:8000/a",
                "/a",
            ),
            ("/login", "/a?b=http://other/", "/a?b=http://other/"),
            ("/login", "http://localhost", ""),
            ("/login", "http://localhost?a", "?a"),
        ] {
            assert_eq!(make_next_param(login, current), next, "{login} {current}");
        }
    }

    #[test]
    fn a_url_of_another_site_is_not_shortened() {
        for (login, current) in [
            ("https://localhost/login", "http://localhost/profile"),
            (
                "http://accounts.localhost/login",
                "http://localhost/profile",
            ),
            ("http://localhost:8000/login", "http://localhost/a?b#c"),
            ("//accounts.localhost/login", "http://localhost/a"),
            ("http://localhost/login", "/a#b"),
        ] {
            assert_eq!(make_next_param(login, current), current, "{login}");
        }
    }

    #[test]
    fn a_shortened_url_names_no_other_host() {
        for current in [
            "http://localhost//evil.com/",
            "http://localhost////evil.com/",
        ] {
            assert_eq!(make_next_param("/login", current), "/evil.com/");
        }
        assert_eq!(make_next_param("/login", "http://localhost/?//x"), "/?//x");
    }
}
