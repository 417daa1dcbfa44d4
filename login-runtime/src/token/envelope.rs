//! The form of every signed text: version, kind, bytes specific to the kind, key id, payload and MAC, in base64url.

use data_encoding::BASE64URL_NOPAD;
use hmac::Mac as _;
use thiserror::Error;

use crate::token::digest::HmacSha256;
use crate::token::keys::{KeyRing, KeySet};

pub(super) const VERSION: u8 = 1;
pub(super) const TAG: usize = 32;

/// Why a text is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum EnvelopeError {
    /// Its length, encoding, version, kind or contents are wrong.
    #[error("it does not have the right format")]
    Malformed,
    #[error("it was signed with a key that is not in use, or no longer")]
    UnknownKey,
    #[error("its signature is wrong")]
    BadSignature,
}

/// Writes and signs a text with `key`, the key for its kind in `keys`.
pub(super) fn seal<const OWN: usize>(
    kind: u8,
    own: [u8; OWN],
    keys: &KeySet,
    key: HmacSha256,
    write_payload: impl FnOnce(&mut Vec<u8>),
) -> String {
    // More than any token needs.
    let mut bytes = Vec::with_capacity(512);
    bytes.extend([VERSION, kind]);
    bytes.extend(own);
    bytes.extend(keys.id);
    write_payload(&mut bytes);
    let tag = key.chain_update(&bytes).finalize().into_bytes();
    bytes.extend(tag);
    BASE64URL_NOPAD.encode(&bytes)
}

/// The contents of a genuine text.
pub(super) struct Opened<'b, 'k, const OWN: usize> {
    pub(super) own: [u8; OWN],
    pub(super) payload: &'b [u8],
    /// The keys that signed it.
    pub(super) keys: &'k KeySet,
}

/// Verifies a text with the key that `key_of` selects from each set of keys, and then reads it.
///
/// The text is decoded into `buffer`, whose length limits the text, so a forged text causes no allocation.
pub(super) fn open<'b, 'k, const OWN: usize>(
    text: &str,
    kind: u8,
    ring: &'k KeyRing,
    key_of: impl Fn(&KeySet) -> HmacSha256,
    buffer: &'b mut [u8],
) -> Result<Opened<'b, 'k, OWN>, EnvelopeError> {
    use EnvelopeError::{BadSignature, Malformed, UnknownKey};

    let bytes = decode(text, buffer).ok_or(Malformed)?;
    let (signed, tag) = bytes.split_last_chunk::<TAG>().ok_or(Malformed)?;
    let mut payload = signed;
    if take(&mut payload) != Some([VERSION, kind]) {
        return Err(Malformed);
    }
    let own = take(&mut payload).ok_or(Malformed)?;
    let id = take(&mut payload).ok_or(Malformed)?;

    let mut error = UnknownKey;
    for keys in ring.with_id(id) {
        if key_of(keys).chain_update(signed).verify_slice(tag).is_ok() {
            return Ok(Opened { own, payload, keys });
        }
        error = BadSignature;
    }
    Err(error)
}

#[expect(clippy::disallowed_methods, reason = "the one decoder of signed texts")]
fn decode<'b>(text: &str, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let length = BASE64URL_NOPAD.decode_len(text.len()).ok()?;
    let bytes = buffer.get_mut(..length)?;
    BASE64URL_NOPAD.decode_mut(text.as_bytes(), bytes).ok()?;
    Some(bytes)
}

/// Splits off the first bytes.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}
