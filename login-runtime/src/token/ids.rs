//! The ids of a login and of its sessions.

use std::{fmt, io};

use crate::token::random;

/// The id of a login: 16 random bytes.
///
/// `login_user` makes it. The session, its remember token, every session that is restored from it, and every
/// confirmation of the login keep it, so that one logout ends them all. The bytes alone log nobody in: a cookie is
/// signed as well.
///
/// The example of [`LoginId::as_bytes`](LoginId::as_bytes) shows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoginId(pub(crate) [u8; 16]);

impl LoginId {
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
    ///     session.login_id.as_bytes().to_vec()
    /// }
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginId([redacted])")
    }
}

/// The id of a session, unique within its login: 8 bytes.
///
/// A confirmation of the login replaces it, and so does binding the login to a device, which ends every copy of the
/// cookies from before.
///
/// The example of [`SessionId::as_bytes`](SessionId::as_bytes) shows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub(crate) [u8; 8]);

/// The bit that says whether the session is bound to a device.
const BOUND: u8 = 1 << 7;

/// How many bytes of the id of a bound session say what it is bound to. A confirmation keeps them.
const BINDING: usize = 4;

impl SessionId {
    /// Stands for the session that a login goes on with, where its id is not known. No session has this id.
    pub const ANY: Self = Self([0xff; 8]);

    /// Draws the id of a session that is not bound to a device.
    pub(crate) fn generate() -> io::Result<Self> {
        let mut id: [u8; 8] = random::draw()?;
        let [first, ..] = &mut id;
        *first &= !BOUND;
        Ok(Self(id))
    }

    /// Makes the id of a session that is bound to a device, from a digest of the binding.
    #[cfg(any(test, feature = "device-binding"))]
    pub(crate) fn of_binding(mut digest: [u8; 8]) -> Self {
        let [first, ..] = &mut digest;
        *first |= BOUND;
        Self(digest)
    }

    /// Draws the id that a confirmation puts in the place of this one. A bound session stays bound to the same device.
    pub(crate) fn confirmed(self) -> io::Result<Self> {
        let mut new = Self::generate()?;
        if self.is_bound()
            && let (Some(binding), Some(start)) = (self.0.first_chunk(), new.0.first_chunk_mut())
        {
            let start: &mut [u8; BINDING] = start;
            *start = *binding;
        }
        Ok(new)
    }

    /// Whether the session is bound to a device.
    pub(crate) fn is_bound(self) -> bool {
        let [first, ..] = self.0;
        first & BOUND != 0 && self != Self::ANY
    }

    /// Whether both sessions are bound to the same key, by the same registration.
    pub(crate) fn has_binding_of(self, other: Self) -> bool {
        let binding = |id: Self| id.0.first_chunk::<BINDING>().copied();
        self.is_bound() && binding(self) == binding(other)
    }

    /// Returns the bytes, for example for the storage of a [`RevocationList`](crate::RevocationList).
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::revocation::SessionRef;
    /// fn value(session: SessionRef<'_>) -> Vec<u8> {
    ///     session.session_id.as_bytes().to_vec()
    /// }
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 8] {
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
    fn an_id_gives_its_bytes_and_prints_none() {
        let login = LoginId([7; 16]);
        assert_eq!(login.as_bytes(), &[7; 16]);
        assert_eq!(format!("{login:?}"), "LoginId([redacted])");
        let session = SessionId([7; 8]);
        assert_eq!(session.as_bytes(), &[7; 8]);
        assert_eq!(format!("{session:?}"), "SessionId([redacted])");
    }

    #[test]
    fn a_confirmation_keeps_the_binding_and_changes_the_id() {
        let bound = SessionId::of_binding([0; 8]);
        assert!(bound.is_bound());
        let confirmed = bound.confirmed().unwrap();
        assert!(confirmed != bound && confirmed.has_binding_of(bound));
        let other = SessionId::of_binding([0, 0, 0, 1, 0, 0, 0, 0]);
        assert!(!other.has_binding_of(bound));
        let unbound = SessionId::generate().unwrap();
        assert!(!unbound.is_bound() && !unbound.confirmed().unwrap().is_bound());
        assert!(!unbound.has_binding_of(unbound));
    }

    // R8
    #[test]
    fn login_ids_do_not_repeat() {
        let ids: HashSet<_> = (0..1_000_000)
            .map(|_| LoginId::generate().unwrap())
            .collect();
        assert_eq!(ids.len(), 1_000_000);
    }
}
