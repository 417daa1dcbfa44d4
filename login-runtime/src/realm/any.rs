//! A realm whose user type is not known at compile time.

use std::any::Any;

use rocket::Request;

use super::RealmCore;
use crate::clock::UnixTime;
use crate::realm::unavailable::Unavailable;
use crate::request::cross_site::Refusal;
use crate::revocation::replicated::freshness::Trust;
use crate::soon::Soon;
use crate::token::times;

/// What a guard asks of a realm; implemented in `login::visit`, which knows the state of a request.
pub(crate) trait AnyRealm: Send + Sync {
    fn core(&self) -> &RealmCore;

    /// Returns the state of a request.
    fn visit<'r>(&self, req: &'r Request<'_>) -> &'r dyn AnyVisit;

    /// Returns the standing of the request's user, which a search finds out if the `visit` does not know it.
    fn standing<'r>(
        &'r self,
        visit: &'r dyn AnyVisit,
        req: &'r Request<'_>,
    ) -> Soon<'r, Result<Standing, Unavailable>>;
}

/// The state of a request for one realm.
pub(crate) trait AnyVisit: Any + Sync {
    /// Notes that the response depends on a cookie of the realm.
    fn has_read(&self);

    /// Notes that a condition on the user failed, so that no cookie is touched.
    fn has_failed(&self);

    /// Returns the result of [`RealmCore::check_site`], for the method that the request has now.
    fn site(&self, core: &RealmCore, req: &Request<'_>) -> Result<(), Refusal>;
}

/// What a guard needs to know about the user of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Anonymous,
    LoggedIn {
        /// When the credentials were given; `None` for a login that is not fresh.
        auth_at: Option<UnixTime>,
        /// How far the login can be trusted.
        trust: Trust,
    },
}

impl Standing {
    /// Whether the login was found by an old copy of the store.
    pub(crate) fn is_stale(self) -> bool {
        matches!(
            self,
            Self::LoggedIn {
                trust: Trust::Stale,
                ..
            }
        )
    }

    /// Whether the login is fresh, within a window in seconds.
    pub(crate) fn is_fresh(self, now: UnixTime, window: Option<u64>) -> bool {
        match self {
            Self::Anonymous => false,
            Self::LoggedIn { auth_at, .. } => times::is_fresh(auth_at, now, window),
        }
    }
}
