//! The rule for `next`: which targets stay on this site.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::iter::from_fn;

use rocket::http::RawStr;
use rocket::http::uri::Origin;

/// The longest target that is accepted or emitted, in bytes.
const MAX_LENGTH: usize = 2048;

/// Whether a target is a page of this site in every browser, as it is and however often its path is decoded.
///
/// Intentionally stricter than a URI parser: `Origin::parse` accepts `//evil.com`, and browsers read `/\evil.com` as
/// `//evil.com`. A query may contain any escape: proxies decode paths, but not queries.
pub(crate) fn is_local(target: &str) -> bool {
    let (path, _) = split(target);
    (1..=MAX_LENGTH).contains(&target.len())
        && target.starts_with('/')
        && target.bytes().all(is_plain)
        && is_plain_path(path)
        && has_whole_escapes(target)
        && stays_when_decoded(path)
        && Origin::parse(target).is_ok()
}

/// Returns the `next` to emit for a request: its path as Rocket routes it, and its query; only the path if both together
/// are too long.
pub(crate) fn wanted(path: &str, query: Option<&str>) -> Option<String> {
    // Most pages: what follows would change nothing, and take 1,600 instructions.
    if query.is_none() && is_simple(path) {
        return Some(path.to_owned());
    }
    let path = escape(&collapse_slashes(path), "");
    let whole = query.map(|query| format!("{path}?{}", escape(query, "?^`{|}")));
    whole.into_iter().chain([path]).find(|page| is_local(page))
}

/// Whether a path is only of letters, digits, `-` and `_` between single slashes.
fn is_simple(path: &str) -> bool {
    let is_simple = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let Some(rest) = path.as_bytes().strip_prefix(b"/") else {
        return false;
    };
    path.len() <= MAX_LENGTH
        && rest
            .split(|byte| *byte == b'/')
            .all(|segment| !segment.is_empty() && segment.iter().all(is_simple))
}

/// Escapes what a URI cannot contain, and `'`, so that the page is safe in an attribute with either quote.
///
/// What is escaped already stays so. A `%` that begins no escape becomes `%25`; both decode to the same text.
fn escape(text: &str, also_plain: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric()
            || b"/-._~!$&()*+,;=:@[]".contains(&byte)
            || also_plain.as_bytes().contains(&byte)
            || byte == b'%' && text.get(at..).and_then(decode_escape).is_some();
        if is_plain {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Returns a target's path: everything before the `?` and the `#`.
pub(crate) fn path_of(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or(target)
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

/// Returns the segments that are not empty, decoded.
fn segments(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(path);
    // Segments are short, so a loop over their bytes takes fewer instructions than `str::split` and `memchr`: 1,000 for
    // each denial.
    let segments = from_fn(move || {
        let path = rest?;
        let end = path.bytes().position(|byte| byte == b'/');
        let (segment, after) = path.split_at_checked(end.unwrap_or(path.len()))?;
        rest = after.strip_prefix('/');
        Some(segment)
    });
    segments
        .filter(|segment| !segment.is_empty())
        .map(|segment| {
            if segment.bytes().any(|byte| byte == b'%') {
                RawStr::new(segment).percent_decode_lossy()
            } else {
                Cow::Borrowed(segment)
            }
        })
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
    !path.as_bytes().windows(2).any(|pair| pair == b"//") && !path.split('/').any(is_dots)
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

/// Whether every `%` starts an escape.
fn has_whole_escapes(text: &str) -> bool {
    text.match_indices('%')
        .all(|(at, _)| text.get(at..).and_then(decode_escape).is_some())
}

/// Whether a path leads to a page of this site, however often a proxy decodes it.
fn stays_when_decoded(path: &str) -> bool {
    let decoded = decode_fully(path);
    let leaves = matches!(decoded.as_slice(), [_, b'/' | b'\\', ..]);
    let mut segments = decoded.split(|byte| b"/\\".contains(byte));
    !leaves
        && !decoded.iter().any(u8::is_ascii_control)
        && !segments.any(|segment| segment == b"." || segment == b"..")
}

/// Decodes until no escape is left, also those that decoding produces.
fn decode_fully(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        decoded.push(byte);
        while let [rest @ .., b'%', high, low] = decoded.as_slice()
            && let Some(byte) = decode_digits(*high, *low)
        {
            decoded.truncate(rest.len());
            decoded.push(byte);
        }
    }
    decoded
}

/// The byte that the escape at the front of `text` stands for.
fn decode_escape(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [b'%', high, low, ..] => decode_digits(*high, *low),
        _ => None,
    }
}

fn decode_digits(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    let value = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
    u8::try_from(value).ok()
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
    fn an_escape_is_two_hexadecimal_digits_and_hides_no_control_character_in_a_path() {
        for target in [
            "/%4",
            "/%+1",
            "/%-1",
            "/% 1",
            "/a%%41",
            "/?%",
            "/?%zz",
            "/?%é",
            "/%00",
            "/%1f",
            "/%7f",
            "/a%0ab",
            "/a%250ab",
            "/a%25%30%61b",
        ] {
            assert!(!is_local(target), "{target}");
        }
        for target in [
            "/%41",
            "/a%2fb",
            "/a%5Cb",
            "/tags/100%25",
            "/%C3%A9",
            "/?x=%5c",
            "/?x=100%25",
            "/?x=%2f%2f",
            "/?x=%0d%0a%00%7F",
        ] {
            assert!(is_local(target), "{target}");
        }
    }

    #[test]
    fn no_number_of_decodings_makes_another_site_of_a_path() {
        for target in [
            "/%2Fevil.com",
            "/%5cevil.com",
            "/%252fevil.com",
            "/%25%32%66evil.com",
            "/%255Cevil.com",
            "/%2e%2e%2f%2fevil.com",
            "/a/%252e%252e",
            "/a%5c..",
        ] {
            assert!(!is_local(target), "{target}");
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
        assert_eq!(wanted("/%0d%0a", Some("x")), None);
        assert_eq!(wanted("", None), None);
    }

    #[test]
    fn a_query_that_is_too_long_leaves_the_path() {
        let query = |length| "x".repeat(length);
        assert_eq!(wanted("/a", Some(&query(2046))).as_deref(), Some("/a"));
        assert_ne!(wanted("/a", Some(&query(2045))).as_deref(), Some("/a"));
        assert_eq!(wanted(&format!("/{}", query(2048)), Some("a")), None);
    }

    #[test]
    fn next_decodes_to_the_text_that_was_sent() {
        for (path, query, next) in [
            ("/search", "q=SELECT%0AFROM", "/search?q=SELECT%0AFROM"),
            ("/a", "x=%0d%0aSet-Cookie:x=1", "/a?x=%0d%0aSet-Cookie:x=1"),
            ("/a[1]", "b[]={1}|^`", "/a[1]?b[]={1}|^`"),
            ("/tags/100%25", "a=%25", "/tags/100%25?a=%25"),
            // What a browser sends as it is, though a URI cannot contain it.
            ("/100%", "q=50%&r=a\\b", "/100%25?q=50%25&r=a%5Cb"),
            ("/O'Brien|{x}", "'", "/O%27Brien%7C%7Bx%7D?%27"),
            ("/é", "\"<>", "/%C3%A9?%22%3C%3E"),
        ] {
            assert_eq!(wanted(path, Some(query)).as_deref(), Some(next));
            let [sent, back] = [format!("{path}?{query}"), next.to_owned()]
                .map(|text| RawStr::new(&text).percent_decode_lossy().into_owned());
            assert_eq!(sent, back);
        }
    }

    #[test]
    fn the_path_ends_at_the_first_question_mark() {
        assert_eq!(path_of("/a?b?c"), "/a");
        assert_eq!(path_of("/a"), "/a");
        assert_eq!(path_of("/?"), "/");
        assert_eq!(path_of("/a#b?c"), "/a");
        assert_eq!(path_of("/a?b#c"), "/a");
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
            if is_simple(&target) {
                prop_assert_eq!(&escape(&collapse_slashes(&target), ""), &target);
            }
            for target in emitted
                .iter()
                .chain(Some(&target))
                .filter(|target| is_local(target))
            {
                accepted.set(accepted.get() + 1);
                let path = path_of(target);
                let reached = browser_path(target);
                prop_assert_eq!(reached.as_deref(), Some(path));
                // A proxy may decode the path that it forwards, and the next proxy once more.
                let mut decoded = path.to_owned();
                while let Cow::Owned(again) = RawStr::new(&decoded).percent_decode_lossy() {
                    prop_assert!(browser_path(&again).is_some());
                    prop_assert!(!again.contains(|char: char| char.is_ascii_control()));
                    if again == decoded {
                        break;
                    }
                    decoded = again;
                }
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
