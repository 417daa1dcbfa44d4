//! Parses the raw `Cookie` header, because Rocket's jar decodes and trims names and browsers do not.

use std::iter::from_fn;

use memchr::memchr;

/// How often a request presents a cookie name, with the value if once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Presented<'a> {
    #[default]
    Absent,
    One(&'a str),
    /// Two or more, equal or not: another host of the domain may have set one of them.
    Many,
}

impl<'a> Extend<&'a str> for Presented<'a> {
    fn extend<I: IntoIterator<Item = &'a str>>(&mut self, values: I) {
        for value in values {
            *self = match self {
                Presented::Absent => Presented::One(value),
                _ => Presented::Many,
            };
        }
    }
}

/// Finds cookies by name in all `Cookie` headers of a request, in one pass.
///
/// The result for each name is [`Presented`], or a `Vec` of all values. Names and values are compared and returned byte
/// for byte, except for spaces and tabs around them: no decoding, no other case, and quotes belong to the value.
pub(crate) fn find<'a, T: Default + Extend<&'a str>, const N: usize>(
    headers: impl Iterator<Item = &'a str>,
    names: [&str; N],
) -> [T; N] {
    let mut found = [(); N].map(|()| T::default());
    for header in headers {
        scan(header, names, &mut found);
    }
    found
}

/// Adds the cookies of one more `Cookie` header to those that were [found](find).
pub(crate) fn scan<'a, T: Extend<&'a str>, const N: usize>(
    header: &'a str,
    names: [&str; N],
    found: &mut [T; N],
) {
    for pair in pairs(header) {
        for (name, found) in names.iter().zip(&mut *found) {
            found.extend(value_of(pair, name));
        }
    }
}

/// The pairs between the semicolons, without spaces and tabs before them.
///
/// `memchr` takes 256 instructions for three cookies, and `str::split` 640.
fn pairs(header: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(header);
    from_fn(move || {
        let header = rest?;
        let end = memchr(b';', header.as_bytes()).unwrap_or(header.len());
        let (pair, after) = header.split_at_checked(end)?;
        rest = after.strip_prefix(';');
        Some(pair.trim_start_matches(BLANK))
    })
}

const BLANK: [char; 2] = [' ', '\t'];

/// Returns the value of a pair with this name; `name` contains no `=`.
fn value_of<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let rest = pair.strip_prefix(name)?;
    let value = rest.trim_start_matches(BLANK).strip_prefix('=')?;
    Some(value.trim_matches(BLANK))
}

#[cfg(test)]
mod tests {
    use super::Presented::{Absent, Many, One};
    use super::*;

    const ID: &str = "__Host-id";

    fn find_id<'a>(headers: &[&'a str]) -> Presented<'a> {
        let [id] = find(headers.iter().copied(), [ID]);
        id
    }

    #[test]
    fn each_name_finds_its_own_value() {
        let headers = ["theme=dark; __Host-id=alice; __Host-rm=token", "lang=en"];
        let found: [Presented<'_>; 3] = find(headers.into_iter(), [ID, "__Host-rm", "login_next"]);
        assert_eq!(found, [One("alice"), One("token"), Absent]);
    }

    #[test]
    fn a_cookie_is_found_at_any_position_and_in_any_header() {
        assert_eq!(find_id(&["__Host-id=alice"]), One("alice"));
        assert_eq!(find_id(&["__Host-id=alice;a=b"]), One("alice"));
        assert_eq!(find_id(&["a=b;__Host-id=alice"]), One("alice"));
        assert_eq!(find_id(&["a=b", ";;", "__Host-id=alice;"]), One("alice"));
        assert_eq!(find_id(&["", "; ;a", "=b"]), Absent);
        assert_eq!(find_id(&[]), Absent);
    }

    #[test]
    fn names_that_only_decode_to_ours_are_not_ours() {
        for impostor in [
            "%5F%5FHost-id",
            "__Host%2Did",
            "__host-id",
            "__HOST-ID",
            "__Host-i",
            "__Host-id2",
            "x__Host-id",
            "__Host-id x",
            "\"__Host-id\"",
            "=__Host-id",
        ] {
            let alone = format!("{impostor}=bob");
            assert_eq!(find_id(&[&alone]), Absent, "{impostor:?}");
            for both in [
                format!("{impostor}=bob; __Host-id=alice"),
                format!("__Host-id=alice; {impostor}=bob"),
            ] {
                assert_eq!(find_id(&[&both]), One("alice"), "{impostor:?}");
            }
        }
    }

    #[test]
    fn only_space_and_tab_are_trimmed() {
        for blank in [
            "\u{a0}", "\u{85}", "\u{2000}", "\u{2028}", "\u{3000}", "\u{200b}", "\u{feff}", "\x0b",
            "\x0c", "\r", "\n", "\0",
        ] {
            for pair in [
                format!("{blank}__Host-id=bob"),
                format!("__Host-id{blank}=bob"),
            ] {
                assert_eq!(find_id(&[&pair]), Absent, "{pair:?}");
                let both = format!("__Host-id=alice; {pair}");
                assert_eq!(find_id(&[&both]), One("alice"), "{pair:?}");
            }
            let value = format!("{blank}bob{blank}");
            assert_eq!(find_id(&[&format!("__Host-id={value}")]), One(&value));
        }
        assert_eq!(
            find_id(&["a=b; \t __Host-id \t = \t alice \t ;c=d"]),
            One("alice")
        );
    }

    #[test]
    fn two_cookies_of_one_name_are_many_even_if_equal() {
        assert_eq!(find_id(&["__Host-id=alice; __Host-id=bob"]), Many);
        assert_eq!(find_id(&["__Host-id=alice; __Host-id=alice"]), Many);
        assert_eq!(find_id(&["__Host-id=alice", "a=b; __Host-id=alice"]), Many);
        assert_eq!(find_id(&["__Host-id=a; __Host-id=b; __Host-id=c"]), Many);
        assert_eq!(find_id(&["__Host-id=; __Host-id=alice"]), Many);
    }

    #[test]
    fn a_duplicate_cookie_does_not_affect_another() {
        let found: [Presented<'_>; 2] = find(
            ["__Host-id=a; __Host-rm=t; __Host-id=b"].into_iter(),
            [ID, "__Host-rm"],
        );
        assert_eq!(found, [Many, One("t")]);
    }

    #[test]
    fn the_value_is_verbatim() {
        assert_eq!(find_id(&["__Host-id=\"alice\""]), One("\"alice\""));
        assert_eq!(find_id(&["__Host-id=a%3Db=c=="]), One("a%3Db=c=="));
        assert_eq!(find_id(&["__Host-id="]), One(""));
        assert_eq!(
            find_id(&["$Version=1; __Host-id=\"alice\""]),
            One("\"alice\"")
        );
    }

    #[test]
    fn a_name_without_an_equals_sign_is_not_a_cookie() {
        assert_eq!(find_id(&["__Host-id"]), Absent);
        assert_eq!(find_id(&["__Host-id; __Host-id=alice"]), One("alice"));
    }

    #[test]
    fn thousands_of_cookies_hide_nothing() {
        let crumbs = "a=b; ".repeat(5_000);
        assert_eq!(
            find_id(&[&format!("{crumbs}__Host-id=alice; {crumbs}")]),
            One("alice")
        );
        assert_eq!(
            find_id(&[&format!("__Host-id=a; {crumbs}__Host-id=b")]),
            Many
        );
    }
}
