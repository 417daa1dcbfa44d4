//! Denials: that a request was refused, and why.

use std::any::TypeId;
use std::fmt;

use rocket::Request;
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::{self, Responder};

use crate::access::rule::Rule;
use crate::app::event::EventKind;
use crate::chain::Chain;
use crate::login::unavailable::Unavailable;
use crate::realm::peek;

/// That a request was refused, and why; for catchers.
///
/// # Example
///
/// ```rust
/// use rocket::{catch, Request};
/// use rocket_login::{Denied, Reason};
///
/// #[catch(401)]
/// fn unauthorized(req: &Request<'_>) -> &'static str {
///     match Denied::of(req).map(Denied::reason) {
///         Some(Reason::NeedsRefresh) => "please confirm your password",
///         _ => "please log in",
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Denied {
    pub(crate) reason: Reason,
    pub(crate) realm: TypeId,
    /// Where the logged in are sent instead.
    pub(crate) redirect: Option<&'static str>,
    /// Whether the request was refused for sure, and not only asked by an optional guard.
    pub(crate) certain: bool,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody is logged in; 401.
    Unauthorized,
    /// Somebody is logged in, but not freshly; 401.
    NeedsRefresh,
    /// Another site sent a request that would change something; 403.
    CrossSite,
    /// Somebody is logged in, but the route's condition does not hold; 403.
    Forbidden,
    /// Somebody is logged in, and the route is for those who are not; 403.
    AlreadyLoggedIn,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized => "nobody is logged in",
            Self::NeedsRefresh => "the login is not fresh",
            Self::CrossSite => "the request comes from another site",
            Self::Forbidden => "the user may not do this",
            Self::AlreadyLoggedIn => "somebody is logged in",
        })
    }
}

impl Reason {
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Unauthorized | Self::NeedsRefresh => Status::Unauthorized,
            Self::CrossSite | Self::Forbidden | Self::AlreadyLoggedIn => Status::Forbidden,
        }
    }

    pub(crate) fn event(self) -> Option<EventKind> {
        match self {
            Self::Unauthorized => Some(EventKind::Unauthorized),
            Self::NeedsRefresh => Some(EventKind::NeedsRefresh),
            Self::CrossSite => Some(EventKind::CrossSite),
            Self::Forbidden => Some(EventKind::Forbidden),
            Self::AlreadyLoggedIn => None,
        }
    }

    /// Whether it is somebody known who was refused.
    pub(crate) fn is_of_a_user(self) -> bool {
        matches!(
            self,
            Self::NeedsRefresh | Self::Forbidden | Self::AlreadyLoggedIn
        )
    }
}

/// A request's denials, in order: guards may have been optional or have forwarded before one
/// refused.
type Denials = Chain<Denied>;

impl Denied {
    pub(crate) fn new(reason: Reason, realm: TypeId) -> Self {
        Denied {
            reason,
            realm,
            redirect: None,
            certain: true,
        }
    }

    /// Says that the guard may have been optional, or may forward.
    pub(crate) fn maybe(self) -> Self {
        Denied {
            certain: false,
            ..self
        }
    }

    /// Says where the logged in are sent instead.
    pub(crate) fn redirect(self, redirect: &'static str) -> Self {
        Denied {
            redirect: Some(redirect),
            ..self
        }
    }

    pub(crate) fn record(self, req: &Request<'_>) {
        req.local_cache(Denials::default).push(self);
    }

    /// Returns the latest denial of this request.
    #[must_use]
    pub fn of<'r>(req: &'r Request<'_>) -> Option<&'r Denied> {
        peek::<Denials>(req)?.iter().last()
    }

    /// Returns why the request was refused.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Denied {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        match Denied::of(req) {
            Some(denied) => Outcome::Success(denied),
            None => Outcome::Forward(Status::NotFound),
        }
    }
}

/// Why a guard of this library failed.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request was refused.
    #[error("{0}")]
    Denied(Reason),
    /// Who is logged in, or whether they may pass, could not be determined.
    #[error(transparent)]
    Failed(#[from] Unavailable),
    /// No `LoginManager` for the user type is attached; its sentinel stops the launch before.
    #[error("no `LoginManager` is attached for this user type")]
    NoManager,
}

impl Refusal {
    /// Returns the status that the guard fails with.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Denied(reason) => reason.status(),
            Self::Failed(error) => error.status(),
            Self::NoManager => Status::InternalServerError,
        }
    }

    /// Whether the next route that matches is asked: never for a failure, and never for a request
    /// from another site.
    pub(crate) fn forwards(&self, rule: Rule) -> bool {
        let is_forwarded = matches!(self, Self::Denied(reason) if *reason != Reason::CrossSite);
        rule.forward && is_forwarded
    }

    pub(crate) fn outcome<T>(self) -> request::Outcome<T, Refusal> {
        Outcome::Error((self.status(), self))
    }
}

/// A refusal by hand: a responder that does what a guard's refusal does.
///
/// Made by [`LoginSession::unauthorized`](crate::LoginSession::unauthorized) and
/// [`needs_refresh`](crate::LoginSession::needs_refresh).
#[derive(Clone, Debug)]
#[must_use = "a refusal does nothing until the handler returns it"]
pub struct Refuse {
    pub(crate) reason: Reason,
    pub(crate) realm: TypeId,
}

impl<'r> Responder<'r, 'static> for Refuse {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        Denied::new(self.reason, self.realm).record(req);
        Err(self.reason.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::failure::LoadError;

    #[test]
    fn a_refusal_says_why() {
        for (reason, why) in [
            (Reason::Unauthorized, "nobody is logged in"),
            (Reason::NeedsRefresh, "the login is not fresh"),
            (Reason::CrossSite, "the request comes from another site"),
            (Reason::Forbidden, "the user may not do this"),
            (Reason::AlreadyLoggedIn, "somebody is logged in"),
        ] {
            assert_eq!(Refusal::Denied(reason).to_string(), why);
        }
        let failed = Unavailable::from(LoadError::with_status(Status::BadGateway, "it is down"));
        assert_eq!(
            Refusal::Failed(failed.clone()).to_string(),
            failed.to_string()
        );
        assert_eq!(
            Refusal::NoManager.to_string(),
            "no `LoginManager` is attached for this user type"
        );
    }
}
