//! How Werkzeug writes a cookie's value: in quotes, with octal escapes, where it has odd characters.

use std::borrow::Cow;

/// Returns the value that Werkzeug wrote; `None` if it would not write the text like that.
pub(super) fn unquoted(text: &str) -> Option<Cow<'_, str>> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Some(Cow::Borrowed(text));
    };
    let mut rest = quoted.strip_suffix('"')?.as_bytes();
    let mut value = Vec::with_capacity(rest.len());
    loop {
        rest = match rest {
            [] => break,
            [
                b'\\',
                a @ b'0'..=b'3',
                b @ b'0'..=b'7',
                c @ b'0'..=b'7',
                rest @ ..,
            ] => {
                let digits = [a, b, c].map(|digit| digit & 7);
                let [a, b, c] = digits;
                value.push(a << 6 | b << 3 | c);
                rest
            }
            [b'\\', escaped @ (b'"' | b'\\'), rest @ ..] => {
                value.push(*escaped);
                rest
            }
            [b'\\' | b'"', ..] => return None,
            [plain, rest @ ..] => {
                value.push(*plain);
                rest
            }
        };
    }
    String::from_utf8(value).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_werkzeug_writes_them() {
        for (text, value) in [
            ("plain|a1", Some("plain|a1")),
            ("", Some("")),
            (r#""a b""#, Some("a b")),
            (r#""a\054b\073c""#, Some("a,b;c")),
            (r#""\303\274""#, Some("ü")),
            (r#""\"\\""#, Some(r#""\"#)),
            // Not UTF-8, cut off, or not an escape of Werkzeug.
            (r#""\377""#, None),
            (r#""\30""#, None),
            (r#""\400""#, None),
            (r#""\n""#, None),
            (r#""a"b""#, None),
            (r#""a\""#, None),
            ("\"", None),
            ("\"a", None),
        ] {
            assert_eq!(unquoted(text).as_deref(), value, "{text}");
        }
    }
}
