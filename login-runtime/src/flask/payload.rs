//! What a session cookie of Flask carries: tagged JSON in base64, after a dot if it is compressed.

use data_encoding::BASE64URL_NOPAD;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::Deserialize;

/// The largest session that is unpacked, in bytes. A cookie of 4 KB could otherwise unpack to 4 MB.
const MAX_JSON: usize = 64 * 1024;

/// The part of a session that Flask and Flask-Login write themselves.
#[derive(Deserialize)]
pub(super) struct Payload {
    #[serde(rename = "_user_id", default)]
    pub(super) user_id: Option<UserId>,
    /// The client that Flask-Login's session protection has bound the session to.
    #[serde(rename = "_id", default)]
    pub(super) client_id: Option<String>,
    #[serde(rename = "_permanent", default)]
    pub(super) permanent: bool,
}

/// What `get_id` returned: text as a rule, but Flask stores whatever its tagged JSON can write.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum UserId {
    Text(String),
    Number(serde_json::Number),
    /// 32 hexadecimal digits.
    Uuid {
        #[serde(rename = " u")]
        hex: String,
    },
}

impl UserId {
    /// Returns the id as Python's `str` writes it.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => (!number.is_f64()).then(|| number.to_string()),
            Self::Uuid { hex } => {
                let is_hex =
                    |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                (hex.len() == 32 && is_hex(&hex)).then_some(())?;
                let parts = [
                    hex.get(..8)?,
                    hex.get(8..12)?,
                    hex.get(12..16)?,
                    hex.get(16..20)?,
                ];
                Some([&parts[..], &[hex.get(20..)?]].concat().join("-"))
            }
        }
    }
}

/// Reads a payload, whose signature must have been checked before.
#[expect(
    clippy::disallowed_methods,
    reason = "the dated second decoder, for Flask's cookies only"
)]
pub(super) fn read(text: &str) -> Option<Payload> {
    let (text, is_compressed) = match text.strip_prefix('.') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut json = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    if is_compressed {
        json = decompress_to_vec_zlib_with_limit(&json, MAX_JSON).ok()?;
    }
    // An array would be read as the fields in their order.
    json.starts_with(b"{").then_some(())?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::*;

    fn id(json: &str) -> Option<String> {
        let payload = read(&BASE64URL_NOPAD.encode(json.as_bytes()))?;
        payload.user_id?.into_text()
    }

    #[test]
    fn an_id_is_text_or_a_number_or_a_uuid() {
        for (json, text) in [
            (r#"{"_user_id":"7"}"#, Some("7")),
            (r#"{"_user_id":"\u00fc\ud83d\ude00"}"#, Some("ü😀")),
            (r#"{"_user_id":7}"#, Some("7")),
            (r#"{"_user_id":-7}"#, Some("-7")),
            (
                r#"{"_user_id":18446744073709551615}"#,
                Some("18446744073709551615"),
            ),
            (
                r#"{"_user_id":{" u":"6f9619ff8b86d011b42d00c04fc964ff"}}"#,
                Some("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
            ),
            (r#"{"_user_id":{" u":"6f9619ff"}}"#, None),
            (
                r#"{"_user_id":{" u":"ü6f9619ff8b86d011b42d00c04fc964f"}}"#,
                None,
            ),
            (r#"{"_user_id":null}"#, None),
            (r#"{"_user_id":true}"#, None),
            (r#"{"_user_id":7.5}"#, None),
            (r#"{"_user_id":["7"]}"#, None),
            (r#"{"_user_id":"7","_user_id":"8"}"#, None),
            (
                r#"{"cart":{" t":[1,2]},"_user_id":"7","_flashes":[{" t":["message","hi"]}]}"#,
                Some("7"),
            ),
            (r#"{"_user_id":"\ud83d"}"#, None),
            (r#"["_user_id"]"#, None),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(id(json).as_deref(), text, "{json}");
        }
    }

    #[test]
    fn a_compressed_session_unpacks_up_to_the_limit() {
        let compressed = |padding: usize| {
            let json = format!(r#"{{"_user_id":"7","x":"{}"}}"#, "a".repeat(padding));
            let bytes = compress_to_vec_zlib(json.as_bytes(), 9);
            format!(".{}", BASE64URL_NOPAD.encode(&bytes))
        };
        let frame = r#"{"_user_id":"7","x":""}"#.len();
        assert!(read(&compressed(MAX_JSON - frame)).is_some());
        assert!(read(&compressed(MAX_JSON - frame + 1)).is_none());
        let bomb = compressed(4_000_000);
        assert!(bomb.len() < 6_000);
        assert!(read(&bomb).is_none());
    }

    #[test]
    fn deeply_nested_json_of_the_application_is_skipped() {
        let nested = format!(
            r#"{{"_user_id":"7","x":{}{}}}"#,
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        assert_eq!(id(&nested).as_deref(), Some("7"));
    }
}
