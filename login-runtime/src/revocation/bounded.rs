//! Calls the revocation list: the one in memory directly, the application's own contained.

use std::time::Duration;

use rocket::futures::future::BoxFuture;

use crate::app::contain::contain;
use crate::clock::UnixTime;
use crate::revocation::{
    MemoryRevocations, RevocationError, RevocationList, RevokeSession, RevokeUser, Revoked,
    SessionRef, SessionStatus, UserRef,
};
use crate::soon::Soon::{self, Now};

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

    pub(crate) fn status<'a>(
        &'a self,
        session: SessionRef<'a>,
        now: UnixTime,
    ) -> Soon<'a, Result<SessionStatus, RevocationError>> {
        match self {
            Self::Memory(list) => Now(Ok(list.status_of(session, now))),
            Self::Shared { list, timeout } => call(*timeout, || list.status(session, now)),
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

fn call<'a, T: Send + 'a>(
    timeout: Duration,
    method: impl FnOnce() -> BoxFuture<'a, Result<T, RevocationError>>,
) -> Soon<'a, Result<T, RevocationError>> {
    contain(timeout, method)
        .map(|answer| answer.unwrap_or_else(|interrupted| Err(RevocationError::new(interrupted))))
}
