//! Calls the revocation list: the one in memory directly, the application's own contained.

use std::time::Duration;

use rocket::futures::future::BoxFuture;

use crate::app::contain::contain;
use crate::clock::UnixTime;
use crate::revocation::{
    MemoryRevocations, RevocationError, RevocationList, RevokeSession, RevokeUser, Revoked,
    SessionRef, SessionStatus, UserRef,
};

/// The list of ended logins of one manager.
pub(crate) enum Revocations {
    Memory(Box<MemoryRevocations>),
    /// The application's own code, which can panic or hang.
    Shared {
        list: Box<dyn RevocationList>,
        timeout: Duration,
    },
}

impl Revocations {
    pub(crate) async fn revoke(
        &self,
        ended: RevokeSession<'_>,
    ) -> Result<Revoked, RevocationError> {
        match self {
            Self::Memory(list) => Ok(list.end(ended)),
            Self::Shared { list, timeout } => call(*timeout, || list.revoke(ended)).await,
        }
    }

    pub(crate) async fn revoke_user(&self, ended: RevokeUser<'_>) -> Result<(), RevocationError> {
        match self {
            Self::Memory(list) => {
                list.end_user(ended);
                Ok(())
            }
            Self::Shared { list, timeout } => call(*timeout, || list.revoke_user(ended)).await,
        }
    }

    /// Returns the status of a session if nothing waits for it; otherwise [`status`](Self::status) must be awaited.
    ///
    /// The usual guarded request gets its answer here, without a future.
    pub(crate) fn known_status(
        &self,
        session: SessionRef<'_>,
        now: UnixTime,
    ) -> Option<SessionStatus> {
        match self {
            Self::Memory(list) => Some(list.status_of(session, now)),
            Self::Shared { .. } => None,
        }
    }

    pub(crate) async fn status(
        &self,
        session: SessionRef<'_>,
        now: UnixTime,
    ) -> Result<SessionStatus, RevocationError> {
        match self {
            Self::Memory(list) => Ok(list.status_of(session, now)),
            Self::Shared { list, timeout } => call(*timeout, || list.status(session, now)).await,
        }
    }

    pub(crate) async fn not_before(
        &self,
        user: UserRef<'_>,
        now: UnixTime,
    ) -> Result<Option<UnixTime>, RevocationError> {
        match self {
            Self::Memory(list) => Ok(list.not_before_of(user, now)),
            Self::Shared { list, timeout } => call(*timeout, || list.not_before(user, now)).await,
        }
    }
}

async fn call<'a, T>(
    timeout: Duration,
    method: impl FnOnce() -> BoxFuture<'a, Result<T, RevocationError>>,
) -> Result<T, RevocationError> {
    contain(timeout, method)
        .await
        .unwrap_or_else(|interrupted| Err(RevocationError::new(interrupted)))
}
