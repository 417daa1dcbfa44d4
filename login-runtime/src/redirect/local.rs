//! The rule for `next`: which targets stay on this site.

use std::borrow::Cow;
use std::fmt::Write as _;

use rocket::http::RawStr;
use rocket::http::uri::Origin;

/// The longest target that is accepted or emitted, in bytes.
const MAX_LENGTH: usize = 2048;

/// Whether a target, decoded once, is a path of this site in every browser.
///
/// Intentionally stricter than a URI parser: `Origin::parse` accepts `//evil.com`, and browsers read `/\evil.com` as
/// `//evil.com`.
pub(crate) fn is_local(target: &str) -> bool {
    let (path, query) = split(target);
    (1..=MAX_LENGTH).contains(&target.len())
        && target.starts_with('/')
        && target.bytes().all(is_plain)
        && is_plain_path(path)
        && has_clean_escapes(path, b"\\%")
        && has_clean_escapes(query.unwrap_or_default(), b"")
        && Origin::parse(target).is_ok()
}

/// Returns the `next` to emit for a request: its path as Rocket routes it, and its query.
pub(crate) fn wanted(path: &str, query: Option<&str>) -> Option<String> {
    let mut target = collapse_slashes(path);
    if let Some(query) = query {
        let _ = write!(target, "?{query}");
    }
    is_local(&target).then_some(target)
}

/// Returns a target's path: everything before the `?`.
pub(crate) fn path_of(target: &str) -> &str {
    split(target).0
}

/// Whether Rocket routes two paths to the same place: it ignores empty segments and decodes the others.
pub(crate) fn same_path(a: &str, b: &str) -> bool {
    segments(a).eq(segments(b))
}

/// Whether a path is at or below a base, as Rocket routes them.
pub(crate) fn is_under(path: &str, base: &str) -> bool {
    let mut path = segments(path);
    segments(base).all(|segment| path.next() == Some(segment))
}

fn segments(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| RawStr::new(segment).percent_decode_lossy())
}

/// Replaces repeated slashes by one: Rocket routes `//private` as `/private`, but a browser reads it as a host.
pub(crate) fn collapse_slashes(path: &str) -> String {
    let mut collapsed = String::with_capacity(path.len());
    for char in path.chars() {
        if char != '/' || !collapsed.ends_with('/') {
            collapsed.push(char);
        }
    }
    collapsed
}

fn split(target: &str) -> (&str, Option<&str>) {
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// Browsers drop tabs and line breaks and turn `\` into `/`, so none of these characters is allowed.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'\\' && byte != b'#'
}

/// No empty segment except at the end, and no segment that a browser resolves, such as `..`.
fn is_plain_path(path: &str) -> bool {
    !path.as_bytes().windows(2).any(|pair| pair == b"//")
        && !path.split('/').any(is_dots)
        && !path
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("/%2f"))
}

/// Whether a segment is `.` or `..`, with escaped dots or not.
fn is_dots(segment: &str) -> bool {
    after_dot(segment).is_some_and(|rest| rest.is_empty() || after_dot(rest) == Some(""))
}

fn after_dot(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('.') {
        return Some(rest);
    }
    let (escape, rest) = text.split_at_checked(3)?;
    escape.eq_ignore_ascii_case("%2e").then_some(rest)
}

/// Every `%` starts an escape, and none hides a control character or one of `refused`.
fn has_clean_escapes(text: &str, refused: &[u8]) -> bool {
    // The text before the first `%` is not an escape.
    text.split('%').skip(1).all(|rest| {
        decode_pair(rest)
            .is_some_and(|decoded| !decoded.is_ascii_control() && !refused.contains(&decoded))
    })
}

/// Decodes the two hexadecimal digits at the start of `text`.
fn decode_pair(text: &str) -> Option<u8> {
    let digits = text.get(..2)?;
    // `from_str_radix` also accepts a sign.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )]

    use std::cell::Cell;

    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::TestRunner;
    use url::Url;

    use super::*;

    use super::super::next_values::{ACCEPTED, REFUSED};

    fn encode(text: &str) -> String {
        let mut encoded = String::new();
        for byte in text.bytes() {
            write!(encoded, "%{byte:02x}").unwrap();
        }
        encoded
    }

    /// The path that a browser on the site opens, or `None` if it leaves the site.
    fn browser_path(target: &str) -> Option<String> {
        let base = Url::parse("https://app.example/").unwrap();
        let url = base.join(target).ok()?;
        (url.origin() == base.origin() && url.username().is_empty()).then(|| url.path().to_owned())
    }

    #[test]
    fn a_target_that_leaves_the_site_is_refused_however_often_encoded() {
        for target in REFUSED {
            assert!(!is_local(target), "{target:?}");
            let once = encode(target);
            assert!(!is_local(&once), "{once:?}");
            assert!(!is_local(&encode(&once)), "{target:?} twice");
        }
    }

    #[test]
    fn an_encoded_slash_after_a_plain_one_is_refused() {
        for hidden in [
            "/evil.com",
            "\\evil.com",
            "\t/evil.com",
            "\\/evil.com",
            "%2f/evil.com",
        ] {
            let once = encode(hidden);
            assert!(!is_local(&format!("/{once}")), "{hidden:?}");
            assert!(
                !is_local(&format!("/{}", once.to_uppercase())),
                "{hidden:?}"
            );
            assert!(
                !is_local(&format!("/{}", encode(&once))),
                "{hidden:?} twice"
            );
        }
    }

    #[test]
    fn paths_of_this_site_are_accepted() {
        for target in ACCEPTED {
            assert!(is_local(target), "{target:?}");
            assert_eq!(browser_path(target).as_deref(), Some(path_of(target)));
        }
    }

    #[test]
    fn a_target_has_at_most_2048_bytes() {
        assert!(is_local(&format!("/{}", "a".repeat(2047))));
        assert!(!is_local(&format!("/{}", "a".repeat(2048))));
    }

    #[test]
    fn dot_segments_are_refused_and_other_dots_are_not() {
        for target in [
            "/.",
            "/..",
            "/a/.",
            "/a/./b",
            "/a/..",
            "/%2e",
            "/%2E%2e/x",
            "/.%2e",
            "/a/%2E./b",
        ] {
            assert!(!is_local(target), "{target}");
        }
        for target in [
            "/...",
            "/.well-known/x",
            "/a.b",
            "/..a",
            "/?x=/../y",
            "/%2ewell-known",
        ] {
            assert!(is_local(target), "{target}");
        }
    }

    #[test]
    fn an_escape_is_two_hexadecimal_digits_and_hides_no_control_character() {
        for target in [
            "/%4", "/%+1", "/%-1", "/% 1", "/a%%41", "/?%", "/?%zz", "/?%é", "/%00", "/%1f",
            "/%7f", "/?x=%0a", "/?x=%7F", "/a%5cb", "/a%5Cb", "/a%25b",
        ] {
            assert!(!is_local(target), "{target}");
        }
        for target in [
            "/%41",
            "/a%2fb",
            "/%C3%A9",
            "/?x=%5c",
            "/?x=100%25",
            "/?x=%2f%2f",
        ] {
            assert!(is_local(target), "{target}");
        }
    }

    #[test]
    fn backslashes_and_fragments_are_refused_in_the_query_too() {
        for target in ["/?\\evil.com", "/a?x=\\", "/a?x#y", "/a#"] {
            assert!(!is_local(target), "{target}");
        }
    }

    #[test]
    fn a_target_that_rocket_cannot_parse_is_refused() {
        for target in ["/<a>", "/\"", "/a|b", "/?<"] {
            assert!(!is_local(target), "{target}");
        }
    }

    #[test]
    fn next_is_the_path_that_rocket_routes_with_its_query() {
        assert_eq!(wanted("/a", None).as_deref(), Some("/a"));
        assert_eq!(wanted("/a", Some("b=//c")).as_deref(), Some("/a?b=//c"));
        assert_eq!(wanted("//private", None).as_deref(), Some("/private"));
        assert_eq!(wanted("///a//b///", None).as_deref(), Some("/a/b/"));
        assert_eq!(wanted("//", Some("")).as_deref(), Some("/?"));
    }

    #[test]
    fn a_next_that_would_be_refused_is_not_emitted() {
        assert_eq!(wanted("/\\evil.com", None), None);
        assert_eq!(wanted("/%2f/evil.com", None), None);
        assert_eq!(wanted("/a", Some("x=%0d%0a")), None);
        assert_eq!(wanted("/a", Some(&"x".repeat(2046))), None);
        assert!(wanted("/a", Some(&"x".repeat(2045))).is_some());
        assert_eq!(wanted("", None), None);
    }

    #[test]
    fn the_path_ends_at_the_first_question_mark() {
        assert_eq!(path_of("/a?b?c"), "/a");
        assert_eq!(path_of("/a"), "/a");
        assert_eq!(path_of("/?"), "/");
    }

    #[test]
    fn paths_are_the_same_if_rocket_routes_them_alike() {
        let paths = [
            "/",
            "//",
            "/login",
            "/login/",
            "//login",
            "/log%69n",
            "/Login",
            "/login/x",
            "/%2flogin",
            "/login%2f",
            "/log%25in",
            "/a/b",
            "/a//b",
            "/a%2fb",
            "/%ff",
            "/%FF",
            "/\u{fffd}",
        ];
        for a in paths {
            for b in paths {
                let [left, right] = [a, b].map(|path| Origin::path_only(path.to_owned()));
                let routed = left.path().segments().eq(right.path().segments());
                assert_eq!(same_path(a, b), routed, "{a} {b}");
            }
        }
        assert!(same_path("//log%69n/", "/login"));
        assert!(!same_path("/login", "/Login"));
    }

    #[test]
    fn no_accepted_string_leaves_the_site() {
        const ALPHABET: &[&str] = &[
            "/",
            "/",
            "/",
            "\\",
            ".",
            "..",
            "?",
            "#",
            "@",
            ":",
            ";",
            "&",
            "=",
            "%",
            "%2f",
            "%2F",
            "%2e",
            "%5c",
            "%25",
            "%09",
            "%0a",
            "%00",
            "%3a",
            "%40",
            "%3f",
            "\t",
            "\n",
            "\r",
            "\0",
            " ",
            "\u{a0}",
            "\u{3002}",
            "\u{ff0f}",
            "é",
            "[",
            "]",
            "[::1]",
            "http",
            "https:",
            "javascript:",
            "evil.com",
            "app.example",
            "a",
            "2",
            "f",
            "e",
            "-",
            "|",
            "<",
        ];
        let hostile = (option::of(Just("/")), vec(select(ALPHABET), 0..9))
            .prop_map(|(slash, parts)| slash.into_iter().chain(parts).collect::<String>());
        let mut config = crate::properties::config();
        config.cases = config.cases.saturating_mul(100);
        let accepted = Cell::new(0);
        let result = TestRunner::new(config).run(&hostile, |target| {
            let emitted = wanted(&target, None);
            prop_assert!(emitted.iter().all(|target| is_local(target)));
            for target in emitted
                .iter()
                .chain(Some(&target))
                .filter(|target| is_local(target))
            {
                accepted.set(accepted.get() + 1);
                let path = path_of(target);
                let reached = browser_path(target);
                prop_assert_eq!(reached.as_deref(), Some(path));
                // A proxy may decode what it forwards.
                let decoded = RawStr::new(path).percent_decode_lossy();
                prop_assert!(browser_path(&decoded).is_some());
            }
            Ok(())
        });
        result.unwrap_or_else(|failure| panic!("{failure}"));
        let accepted = accepted.get();
        assert!(
            accepted > 1_000,
            "only {accepted} were accepted, too few to prove anything"
        );
    }

    #[test]
    fn a_base_covers_whole_segments_only() {
        assert!(is_under("/staff/users", "/staff"));
        assert!(is_under("/staff", "/staff"));
        assert!(is_under("//staff//users", "/staff/"));
        assert!(is_under("/%73taff/users", "/staff"));
        assert!(is_under("/anything", "/"));
        assert!(!is_under("/staffing", "/staff"));
        assert!(!is_under("/", "/staff"));
    }
}
