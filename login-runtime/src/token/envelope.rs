//! The form of every signed text: version, kind, bytes specific to the kind, key id, payload and MAC, in base64url.

use hmac::Mac as _;
use thiserror::Error;

use crate::token::base64url::{decode, encode};
use crate::token::digest::{HmacSha256, TAG, has_tag, truncate};
use crate::token::keys::{KeyRing, KeySet};
use crate::token::kind::is_cookie;

pub(super) const VERSION: u8 = 2;

/// Why a text is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum EnvelopeError {
    /// Its encoding, version, kind, flags or key id are not ours: it may be another application's.
    #[error("it is not from this application")]
    NotOurs,
    #[error("it does not have the right format")]
    Malformed,
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
    let tag: [u8; TAG] = truncate(key.chain_update(&bytes));
    bytes.extend(tag);
    encode(&bytes)
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
/// The text is decoded into `buffer`, whose length limits the text, so a forged text causes no allocation. `is_own`
/// says whether the bytes that belong to the kind can be ours.
pub(super) fn open<'b, 'k, const OWN: usize>(
    text: &str,
    kind: u8,
    is_own: impl FnOnce([u8; OWN]) -> bool,
    ring: &'k KeyRing,
    key_of: impl Fn(&KeySet) -> HmacSha256,
    buffer: &'b mut [u8],
) -> Result<Opened<'b, 'k, OWN>, EnvelopeError> {
    use EnvelopeError::{BadSignature, Malformed, NotOurs};

    let bytes = decode(text, buffer).ok_or(NotOurs)?;
    let mut payload = bytes;
    let [version, its_kind] = take(&mut payload).ok_or(NotOurs)?;
    let own = take(&mut payload).ok_or(NotOurs)?;
    let id = take(&mut payload).ok_or(NotOurs)?;
    let is_known = its_kind == kind || is_cookie(its_kind);
    if version != VERSION || !is_known || !is_own(own) {
        return Err(NotOurs);
    }
    let mut refusal = NotOurs;
    for keys in ring.with_id(id) {
        if its_kind != kind {
            return Err(Malformed);
        }
        let (signed, tag) = bytes.split_last_chunk::<TAG>().ok_or(Malformed)?;
        let (payload, _) = payload.split_last_chunk::<TAG>().ok_or(Malformed)?;
        if has_tag(key_of(keys).chain_update(signed), *tag) {
            return Ok(Opened { own, payload, keys });
        }
        refusal = BadSignature;
    }
    Err(refusal)
}

/// Splits off the first bytes.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}
