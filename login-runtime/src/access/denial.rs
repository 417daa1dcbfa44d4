//! Denials: why a request was refused.

use std::any::TypeId;
use std::fmt;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use rocket::Request;
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::{self, Responder};

use super::guard::RouteGuard;
use crate::app::event::EventKind;
use crate::realm::unavailable::Unavailable;
use crate::request::cache::peek;

/// Why a request was refused; for catchers.
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
#[derive(Clone, Copy, Debug)]
pub struct Denied {
    pub(crate) reason: Reason,
    pub(crate) realm: TypeId,
    /// Where users are sent from a page for visitors without a login.
    pub(crate) redirect: Option<&'static str>,
    /// Whether the request ends with this denial. An optional guard may be ignored, and a route that forwards may have
    /// another route answer.
    pub(crate) certain: bool,
    /// Whether a handler's parameter refused, such as `&User`. The handler may have taken the refusal for an answer.
    pub(crate) by_parameter: bool,
    /// Whether the event has been emitted already.
    pub(crate) emitted: bool,
    /// The address in memory of the route that was refused, which identifies it.
    pub(crate) route: Option<usize>,
}

/// Why a request was refused.
///
/// The example of [`Denied`] shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody is logged in; 401.
    Unauthorized,
    /// The login is not fresh; 401.
    NeedsRefresh,
    /// Another site sent a request that would change something; 403.
    CrossSite,
    /// The route's condition does not hold for the user; 403.
    Forbidden,
    /// The route is for visitors without a login, and a user is logged in; 403.
    AlreadyLoggedIn,
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

    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Unauthorized => "nobody is logged in",
            Self::NeedsRefresh => "the login is not fresh",
            Self::CrossSite => "the request comes from another site",
            Self::Forbidden => "the user may not use this route",
            Self::AlreadyLoggedIn => "a user is logged in already",
        }
    }

    /// Whether a known user was refused.
    pub(crate) fn is_of_a_user(self) -> bool {
        matches!(
            self,
            Self::NeedsRefresh | Self::Forbidden | Self::AlreadyLoggedIn
        )
    }
}

/// The latest denial of a request: a guard may have been optional, or may have forwarded, before another one refused.
#[derive(Default)]
struct Latest(Mutex<Option<Denied>>);

impl Denied {
    pub(crate) fn new(reason: Reason, realm: TypeId) -> Self {
        Denied {
            reason,
            realm,
            redirect: None,
            certain: true,
            by_parameter: false,
            emitted: false,
            route: None,
        }
    }

    pub(crate) fn record(self, req: &Request<'_>) {
        let Latest(latest) = req.local_cache(Latest::default);
        let denied = Denied {
            route: address_of_route(req),
            ..self
        };
        *latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(denied);
    }

    /// Whether another route was asked after the one that was refused.
    pub(crate) fn is_overtaken(self, req: &Request<'_>) -> bool {
        !self.certain && self.route != address_of_route(req)
    }

    /// Returns the latest denial of this request, by a guard or by [`LoginSession`](crate::LoginSession).
    #[must_use]
    pub fn of(req: &Request<'_>) -> Option<Denied> {
        let Latest(latest) = peek(req)?;
        *latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns why the request was refused.
    #[must_use]
    pub fn reason(self) -> Reason {
        self.reason
    }
}

fn address_of_route(req: &Request<'_>) -> Option<usize> {
    req.route().map(|route| ptr::from_ref(route).addr())
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Denied {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        match Denied::of(req) {
            Some(denied) => Outcome::Success(denied),
            None => Outcome::Forward(Status::NotFound),
        }
    }
}

/// Why a guard of this library failed.
///
/// # Example
///
/// ```rust
/// # use rocket::{get, http::Status};
/// # use rocket_login::{access::GuardError, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64, name: String }
/// #[get("/")]
/// fn index(user: Result<&User, GuardError>) -> (Status, String) {
///     match user {
///         Ok(user) => (Status::Ok, format!("Hello {}", user.name)),
///         Err(error) => (error.status(), error.to_string()),
///     }
/// }
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The request was refused.
    #[error("{}", .0.sentence())]
    Denied(Reason),
    /// The user or the result of the route's condition could not be determined.
    #[error(transparent)]
    Failed(Unavailable),
    /// No `LoginManager` for the user type is attached; the launch stops before this can happen, except for a group of
    /// routes in an application without any manager.
    #[error("no `LoginManager` is attached for this user type")]
    NoManager,
}

/// The same sentence, since Rocket logs the error of a guard with `Debug`.
impl fmt::Debug for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl GuardError {
    /// Returns the status that the guard fails with.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Denied(reason) => reason.status(),
            Self::Failed(error) => error.status(),
            Self::NoManager => Status::InternalServerError,
        }
    }

    /// Whether the next route that matches is asked: never after a failure, and never for a request from another site.
    pub(crate) fn forwards(&self, guard: &RouteGuard) -> bool {
        let may_forward = matches!(self, Self::Denied(reason) if *reason != Reason::CrossSite);
        guard.forward && may_forward
    }

    pub(crate) fn outcome<T>(self) -> request::Outcome<T, GuardError> {
        Outcome::Error((self.status(), self))
    }
}

/// A responder that refuses a request as a guard does.
///
/// Made by [`LoginSession::unauthorized`](crate::LoginSession::unauthorized) and
/// [`needs_refresh`](crate::LoginSession::needs_refresh).
///
/// The example of [`LoginSession::unauthorized`](crate::LoginSession::unauthorized) shows it.
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is refused until the handler returns it"]
pub struct Deny(pub(crate) Denied);

impl<'r> Responder<'r, 'static> for Deny {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        self.0.record(req);
        Err(self.0.reason.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_guard_says_why() {
        for (reason, why) in [
            (Reason::Unauthorized, "nobody is logged in"),
            (Reason::NeedsRefresh, "the login is not fresh"),
            (Reason::CrossSite, "the request comes from another site"),
            (Reason::Forbidden, "the user may not use this route"),
            (Reason::AlreadyLoggedIn, "a user is logged in already"),
        ] {
            assert_eq!(GuardError::Denied(reason).to_string(), why);
            assert_eq!(format!("{:?}", GuardError::Denied(reason)), why);
        }
        assert_eq!(
            GuardError::NoManager.to_string(),
            "no `LoginManager` is attached for this user type"
        );
    }
}
