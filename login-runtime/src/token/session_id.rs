//! The id of a session.

use std::{fmt, io};

use crate::token::random;

/// The id of a login: 16 random bytes.
///
/// A remember token and the sessions restored from it share one id, so that one logout ends them
/// all. The bytes alone log nobody in: a cookie is signed as well.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub(crate) [u8; 16]);

impl SessionId {
    pub(crate) fn generate() -> io::Result<Self> {
        random::draw().map(Self)
    }

    /// Returns the bytes, as the key of an entry in a [`RevocationList`](crate::RevocationList).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_session_id_gives_its_bytes_and_prints_none() {
        let id = SessionId([7; 16]);
        assert_eq!(id.as_bytes(), &[7; 16]);
        assert_eq!(format!("{id:?}"), "SessionId([redacted])");
    }

    // R8
    #[test]
    fn session_ids_do_not_repeat() {
        let ids: HashSet<_> = (0..1_000_000)
            .map(|_| SessionId::generate().unwrap())
            .collect();
        assert_eq!(ids.len(), 1_000_000);
    }
}
