//! A realm whose user type is not known at compile time.

use rocket::Request;
use rocket::futures::future::BoxFuture;

use super::RealmCore;
use crate::clock::UnixTime;
use crate::realm::unavailable::Unavailable;
use crate::token::times;

/// What a guard asks of a realm; implemented in `login::visit`, which knows the state of a request.
pub(crate) trait AnyRealm: Send + Sync {
    fn core(&self) -> &RealmCore;

    /// Notes that the response depends on a cookie of this realm.
    fn has_read(&self, req: &Request<'_>);

    /// Notes that a condition on the user failed, so that no cookie is touched.
    fn has_failed(&self, req: &Request<'_>);

    /// Returns the standing of the request's user, if it is known already.
    ///
    /// Apart from [`find_standing`](Self::find_standing), so that the second guard of a request allocates nothing.
    fn known_standing(&self, req: &Request<'_>) -> Option<Result<Standing, Unavailable>>;

    /// Finds out the standing of the request's user.
    fn find_standing<'a>(
        &'a self,
        req: &'a Request<'_>,
    ) -> BoxFuture<'a, Result<Standing, Unavailable>>;
}

/// What a guard needs to know about the user of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Anonymous,
    LoggedIn {
        /// When the credentials were given; `None` for a login that is not fresh.
        auth_at: Option<UnixTime>,
    },
}

impl Standing {
    /// Whether the login is fresh, within a window in seconds.
    pub(crate) fn is_fresh(self, now: UnixTime, window: Option<u64>) -> bool {
        match self {
            Self::Anonymous => false,
            Self::LoggedIn { auth_at } => times::is_fresh(auth_at, now, window),
        }
    }
}
