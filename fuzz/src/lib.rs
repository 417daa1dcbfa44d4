//! Code that several targets share.

/// Returns the values of one cookie in raw headers, by RFC 6265bis: split at `;`, then at the first `=`, and then trim
/// spaces and tabs, and nothing else.
#[must_use]
pub fn cookie_values<'a>(headers: &[&'a str], name: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    for header in headers {
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            if let Some(equals) = pair.iter().position(|byte| *byte == b'=')
                && trim(&pair[..equals]) == name.as_bytes()
            {
                let value = trim(&pair[equals + 1..]);
                values.extend(str::from_utf8(value));
            }
        }
    }
    values
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
