//! Flask's session cookie: a payload, a date and an HMAC-SHA-1, as `URLSafeTimedSerializer` of itsdangerous writes them.

use data_encoding::BASE64URL_NOPAD;
use hmac::Mac as _;

use super::MAX_COOKIE;
use super::key::HmacSha1;
use super::payload;
use crate::clock::UnixTime;

/// A genuine session in which a user is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlaskSession {
    pub(crate) user_id: String,
    pub(crate) is_permanent: bool,
    pub(crate) client_id: Option<String>,
    /// When Flask last wrote the cookie.
    pub(crate) signed_at: UnixTime,
}

/// Returns the session; `None` if the cookie is not genuine, or nobody is logged in there.
///
/// Stricter than itsdangerous, which skips characters that are not base64: each session has one spelling.
#[expect(
    clippy::disallowed_methods,
    reason = "the dated second decoder, for Flask's cookies only"
)]
pub(crate) fn decode(value: &str, keys: &[HmacSha1]) -> Option<FlaskSession> {
    if value.len() > MAX_COOKIE {
        return None;
    }
    let (signed, tag) = value.rsplit_once('.')?;
    let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).ok()?;
    let has_signed = |key: &HmacSha1| key.clone().chain_update(signed).verify_slice(&tag).is_ok();
    if !keys.iter().any(has_signed) {
        return None;
    }
    let (payload, date) = signed.rsplit_once('.')?;
    let signed_at = seconds(&BASE64URL_NOPAD.decode(date.as_bytes()).ok()?)?;
    let payload = payload::read(payload)?;
    Some(FlaskSession {
        user_id: payload.user_id?.into_text()?,
        is_permanent: payload.permanent,
        client_id: payload.client_id,
        signed_at: UnixTime::from_secs(signed_at),
    })
}

/// Reads a number as itsdangerous writes it: from the highest byte that is not zero.
fn seconds(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}
