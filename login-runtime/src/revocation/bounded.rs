//! Calls the revocation list: the one in memory directly, the application's own contained.

use std::time::Duration;

use rocket::futures::future::BoxFuture;

use crate::app::contain::contain;
use crate::clock::UnixTime;
use crate::revocation::replicated::freshness::Trust;
use crate::revocation::replicated::{Health, News, Replicated};
use crate::revocation::{
    MemoryRevocations, RevocationError, RevocationList, RevokeRealm, RevokeSession, RevokeUser,
    Revoked, SessionRef, SessionStatus, UserRef, Wakes,
};
use crate::soon::Soon::{self, Now};

/// The list of ended logins of one manager.
pub(crate) enum Revocations {
    Memory(Box<MemoryRevocations>),
    /// A copy of a store.
    Replicated(Box<Replicated>),
    /// The application's own code, which can panic or hang.
    Shared {
        list: Box<dyn RevocationList>,
        timeout: Duration,
        wakes: Wakes,
    },
}

/// How often a stream looks at a list that wakes it, in case that the thread of a store has died or the machine was
/// suspended.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// How often a stream looks at a list of the application's, which does not say when another server has changed it.
const POLL: Duration = Duration::from_secs(5);

impl Revocations {
    pub(crate) async fn revoke(
        &self,
        ended: RevokeSession<'_>,
    ) -> Result<Revoked, RevocationError> {
        match self {
            Self::Memory(list) => Ok(list.end(ended)),
            Self::Replicated(list) => list.revoke(ended).await,
            Self::Shared {
                list,
                timeout,
                wakes,
            } => {
                let revoked = call(*timeout, || list.revoke(ended)).await;
                // Others are not worth a question each: the logins that have replaced this one are found by the next poll.
                wakes.login(ended.session.login_id);
                revoked
            }
        }
    }

    pub(crate) async fn revoke_user(
        &self,
        ended: RevokeUser<'_>,
    ) -> Result<Revoked, RevocationError> {
        match self {
            Self::Memory(list) => Ok(list.end_user(ended)),
            Self::Replicated(list) => list.revoke_user(ended).await,
            Self::Shared {
                list,
                timeout,
                wakes,
            } => {
                let revoked = call(*timeout, || list.revoke_user(ended)).await;
                wakes.everybody();
                revoked
            }
        }
    }

    pub(crate) async fn revoke_realm(&self, ended: RevokeRealm<'_>) -> Result<(), RevocationError> {
        match self {
            Self::Memory(list) => {
                list.end_realm(ended);
                Ok(())
            }
            Self::Replicated(list) => list.revoke_realm(ended).await,
            Self::Shared {
                list,
                timeout,
                wakes,
            } => {
                let revoked = call(*timeout, || list.revoke_realm(ended)).await;
                wakes.everybody();
                revoked
            }
        }
    }

    /// Returns the status of a session, and how far it can be trusted.
    pub(crate) fn status<'a>(
        &'a self,
        session: SessionRef<'a>,
        now: UnixTime,
    ) -> Soon<'a, Result<(SessionStatus, Trust), RevocationError>> {
        match self {
            Self::Memory(list) => Now(Ok((list.status_of(session, now), Trust::Fresh))),
            Self::Replicated(list) => list.status(session),
            Self::Shared { list, timeout, .. } => call(*timeout, || list.status(session, now))
                .map(|status| Ok((status?, Trust::Fresh))),
        }
    }

    /// Returns the time at which a new login of a user is dated.
    pub(crate) async fn date(
        &self,
        user: UserRef<'_>,
        now: UnixTime,
    ) -> Result<UnixTime, RevocationError> {
        match self {
            Self::Memory(list) => Ok(list.date_of(user, now)),
            Self::Replicated(list) => list.date(user).await,
            Self::Shared { list, timeout, .. } => call(*timeout, || list.date(user, now)).await,
        }
    }

    /// Returns what has happened to the store since the last call.
    pub(crate) fn news(&self) -> Vec<News> {
        match self {
            Self::Memory(_) | Self::Shared { .. } => Vec::new(),
            Self::Replicated(list) => list.news(),
        }
    }

    /// What wakes a stream when a login ends.
    pub(crate) fn wakes(&self) -> &Wakes {
        match self {
            Self::Memory(list) => list.wakes(),
            Self::Replicated(list) => list.wakes(),
            Self::Shared { wakes, .. } => wakes,
        }
    }

    /// How long a stream waits at most until it looks at the list again.
    pub(crate) fn look_again(&self) -> Duration {
        match self {
            Self::Memory(_) | Self::Replicated(_) => LOOK_AGAIN,
            Self::Shared { .. } => POLL,
        }
    }

    /// Returns how the copy of a store is doing, if there is one.
    pub(crate) fn health(&self) -> Option<Health> {
        match self {
            Self::Memory(_) | Self::Shared { .. } => None,
            Self::Replicated(list) => Some(list.health()),
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
