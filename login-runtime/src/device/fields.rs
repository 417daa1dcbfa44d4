//! The header fields of the protocol, which are structured fields (RFC 9651).

use std::borrow::Cow;

use sfv::{BareItem, Item, ItemSerializer, KeyRef, ListSerializer, Parser, StringRef, TokenRef};

/// The one algorithm that a device may sign with.
pub(crate) const ALGORITHM: &str = "ES256";

pub(crate) const REGISTRATION: &str = "Secure-Session-Registration";
pub(crate) const CHALLENGE: &str = "Secure-Session-Challenge";

// Those that a browser sends, in lower case, as `headers::each` compares names.
pub(crate) const RESPONSE: &str = "secure-session-response";
pub(crate) const SESSION_ID: &str = "sec-secure-session-id";
pub(crate) const SKIPPED: &str = "secure-session-skipped";

/// Returns the text of a field, which the draft puts in quotes and Chromium sends bare; `None` for anything else.
pub(crate) fn text(field: &str) -> Option<Cow<'_, str>> {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !field.is_empty() && field.bytes().all(is_bare) {
        return Some(field.into());
    }
    match Parser::new(field).parse::<Item>().ok()?.bare_item {
        BareItem::String(text) => Some(String::from(text).into()),
        _ => None,
    }
}

/// Returns why a browser did not prove its device, for the log: one of the reasons of the draft.
pub(crate) fn skipped(field: &str) -> Option<&'static str> {
    let given = field.split(';').next();
    let reasons = ["unreachable", "server_error", "quota_exceeded"];
    reasons.into_iter().find(|reason| given == Some(reason))
}

/// Writes the offer of a registration; `None` if the path or the challenge is no text of a structured field.
pub(crate) fn registration(path: &str, challenge: &str) -> Option<String> {
    let mut list = ListSerializer::new();
    let mut algorithms = list.inner_list();
    let _ = algorithms.bare_item(TokenRef::from_str(ALGORITHM).ok()?);
    let _ = algorithms
        .finish()
        .parameter(
            KeyRef::from_str("path").ok()?,
            StringRef::from_str(path).ok()?,
        )
        .parameter(
            KeyRef::from_str("challenge").ok()?,
            StringRef::from_str(challenge).ok()?,
        );
    list.finish()
}

/// Writes a challenge for the session with this identifier.
pub(crate) fn challenge(challenge: &str, identifier: &str) -> Option<String> {
    let item = ItemSerializer::new().bare_item(StringRef::from_str(challenge).ok()?);
    let id = StringRef::from_str(identifier).ok()?;
    Some(item.parameter(KeyRef::from_str("id").ok()?, id).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_with_and_without_quotes() {
        for field in ["eyJ.eyJ.-_9", "\"eyJ.eyJ.-_9\"", "\"eyJ.eyJ.-_9\";x=1"] {
            assert_eq!(text(field).as_deref(), Some("eyJ.eyJ.-_9"), "{field}");
        }
        assert_eq!(text(r#""a\"b""#).as_deref(), Some("a\"b"));
        let wrong = [
            "",
            " ",
            "a b",
            "a;x=1",
            "a,b",
            "\"a",
            "a\"",
            "\"a\", \"b\"",
            "\"é\"",
            "é",
            ":YQ==:",
            "?1",
            "a\0",
        ];
        for field in wrong {
            assert_eq!(text(field), None, "{field:?}");
        }
    }

    #[test]
    fn a_reason_for_a_skipped_refresh_is_one_of_the_draft() {
        let field = r#"quota_exceeded;session_identifier="S", unreachable;session_identifier="T""#;
        assert_eq!(skipped(field), Some("quota_exceeded"));
        assert_eq!(skipped("unreachable"), Some("unreachable"));
        for field in ["", "quota_exceeded_", " unreachable", "S;unreachable"] {
            assert_eq!(skipped(field), None, "{field:?}");
        }
    }

    #[test]
    fn the_offer_is_the_one_of_the_draft() {
        assert_eq!(
            registration("/login-device/register", "C-_1").as_deref(),
            Some(r#"(ES256);path="/login-device/register";challenge="C-_1""#)
        );
        assert_eq!(challenge("C2", "S").as_deref(), Some(r#""C2";id="S""#));
    }

    #[test]
    fn nothing_can_be_added_to_a_field() {
        assert_eq!(registration("/é", "C"), None);
        assert_eq!(registration("/a\r\nSet-Cookie: x=1", "C"), None);
        assert_eq!(challenge("C\n", "S"), None);
        assert_eq!(
            challenge("C\";id=\"T", "S").as_deref(),
            Some(r#""C\";id=\"T";id="S""#)
        );
    }
}
