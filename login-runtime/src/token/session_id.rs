//! The id of a session.

use std::{fmt, io};

use crate::token::random;

/// The id of a session: 16 random bytes.
///
/// A remember token and the sessions that it restores share one id, so that one logout ends all of them. The id alone
/// gives no access, because cookies are signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub(crate) [u8; 16]);

impl SessionId {
    pub(crate) fn generate() -> io::Result<Self> {
        random::draw().map(Self)
    }

    /// Returns the bytes, for example as a key in the storage of a [`RevocationList`](crate::RevocationList).
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::revocation::SessionRef;
    /// fn key(session: SessionRef<'_>) -> Vec<u8> {
    ///     session.id.as_bytes().to_vec()
    /// }
    /// ```
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
    fn a_session_id_returns_its_bytes_and_prints_none() {
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
