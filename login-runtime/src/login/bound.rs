//! Logins that are bound to a device: how the unbound session ends, of which somebody may have a copy.

use crate::clock::UnixTime;
use crate::realm::RealmCore;
use crate::revocation::{
    RevocationError, RevokeSession, Revoked, SessionRef, SessionStatus, Successor,
};
use crate::token::{SessionId, Token, times};

/// For how many seconds an unbound session is accepted after a bound one has taken its place: requests may be under way.
const GRACE: u64 = 30;

/// Whether a session holds: it is open, or was bound to a device a moment ago.
pub(crate) fn holds(token: &Token, status: SessionStatus, now: UnixTime) -> bool {
    match status {
        SessionStatus::Open => true,
        SessionStatus::Replaced { at, by: Some(by) } => {
            by.is_bound() && !token.session_id.is_bound() && now < at.plus(GRACE)
        }
        SessionStatus::Replaced { .. } | SessionStatus::Ended => false,
    }
}

/// What came of the end of an unbound session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// The bound session is the one that goes on.
    Holds,
    /// The login has ended, or was confirmed meanwhile.
    Lost,
    /// Another device had bound the same session. The login has ended, because one of the two has stolen it.
    TwoDevices,
}

/// Ends the unbound session that a bound one replaces, now that a request has shown that the bound one has arrived.
pub(crate) async fn claim(
    core: &RealmCore,
    token: &Token,
    unbound: SessionId,
    now: UnixTime,
) -> Result<Claim, RevocationError> {
    let old = SessionRef {
        session_id: unbound,
        ..core.session(token)
    };
    let replace = RevokeSession {
        session: old,
        successor: Some(Successor::Session(token.session_id)),
        now,
        until: times::dead_until(token, core.config.longest_session()),
    };
    match core.revocations.revoke(replace).await? {
        Revoked::Now => Ok(Claim::Holds),
        // The list was full, so all logins of the user have ended, and this one is among them.
        Revoked::WithUser { .. } => Ok(Claim::Lost),
        Revoked::Before => match core.revocations.status(old, now).await?.0 {
            // Another request of the same browser was faster.
            SessionStatus::Replaced { by, .. } if by == Some(token.session_id) => Ok(Claim::Holds),
            SessionStatus::Replaced { by: Some(by), .. } if by.is_bound() => {
                core.end(token, now).await?;
                Ok(Claim::TwoDevices)
            }
            _ => Ok(Claim::Lost),
        },
    }
}
