//! Flask-Login's remember cookie: the user's id, a bar, and the HMAC-SHA-512 of the id in hexadecimal.
//!
//! The token has no date and is the same at every login of a user.

use data_encoding::HEXLOWER;
use hmac::Mac as _;

use super::MAX_COOKIE;
use super::key::HmacSha512;
use super::werkzeug::unquoted;

/// Returns the user's id; `None` if the cookie is not genuine.
#[expect(
    clippy::disallowed_methods,
    reason = "the dated second decoder, for Flask's cookies only"
)]
pub(crate) fn decode(value: &str, key: &HmacSha512) -> Option<String> {
    if value.len() > MAX_COOKIE {
        return None;
    }
    let value = unquoted(value)?;
    let (id, tag) = value.rsplit_once('|')?;
    let tag = HEXLOWER.decode(tag.as_bytes()).ok()?;
    let mac = key.clone().chain_update(id);
    mac.verify_slice(&tag).ok()?;
    Some(id.to_owned())
}
