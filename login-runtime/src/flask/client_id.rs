//! How Flask-Login's session protection names a client.

use std::fmt::Write as _;
use std::net::IpAddr;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha512};

/// Returns the `_id` of a session that this client began: the SHA-512 of its address and its User-Agent.
pub(crate) fn client_id(ip: Option<IpAddr>, user_agent: Option<&str>) -> String {
    let address = ip.map(|ip| ip.to_string());
    let address = address.as_deref().map(|ip| python_bytes(ip.bytes()));
    // WSGI hands a header on as Latin-1, and Flask-Login encodes that as UTF-8.
    let latin_1 = |text: &str| text.bytes().map(char::from).collect::<String>();
    let user_agent = user_agent.map(|text| python_bytes(latin_1(text).bytes()));
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "None".to_owned());
    let base = format!("{}|{}", or_none(address), or_none(user_agent));
    HEXLOWER.encode(&Sha512::digest(base))
}

/// Writes bytes as Python's `repr` does, since Flask-Login formats them into a text: `b'..'`.
fn python_bytes(bytes: impl Iterator<Item = u8> + Clone) -> String {
    let has = |wanted| bytes.clone().any(|byte| byte == wanted);
    let quote = if has(b'\'') && !has(b'"') { '"' } else { '\'' };
    let mut text = format!("b{quote}");
    for byte in bytes {
        match char::from(byte) {
            '\\' => text.push_str(r"\\"),
            '\t' => text.push_str(r"\t"),
            '\n' => text.push_str(r"\n"),
            '\r' => text.push_str(r"\r"),
            char if char == quote => text.extend(['\\', quote]),
            char @ ' '..='~' => text.push(char),
            _ => {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push(quote);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_python_writes_them() {
        for (bytes, text) in [
            (&b"Firefox/1.0"[..], "b'Firefox/1.0'"),
            (b"it's", "b\"it's\""),
            (b"it's \"it\"", r#"b'it\'s "it"'"#),
            (b"a\\b\t\x00\x7f\xff", r"b'a\\b\t\x00\x7f\xff'"),
            (b"", "b''"),
        ] {
            assert_eq!(python_bytes(bytes.iter().copied()), text);
        }
    }
}
