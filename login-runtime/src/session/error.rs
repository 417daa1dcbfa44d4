//! Why a login was not changed.

use std::io;
use std::time::Duration;

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder};
use thiserror::Error;

use crate::logins::RegistryError;
use crate::realm::id::IdError;
use crate::realm::unavailable::Unavailable;
use crate::revocation::RevocationError;

/// Why a login was not changed; as a responder it answers with its [`status`](Self::status).
///
/// # Example
///
/// ```rust
/// # use rocket_login::{LoginError, LoginSession, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<&'static str, LoginError> {
/// match session.login_user(&user).await {
///     Ok(()) => Ok("welcome"),
///     Err(LoginError::InactiveUser) => Ok("your account is closed"),
///     Err(error) => Err(error),
/// }
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The user is inactive; 403. [`Login::force`](super::Login::force) logs such a user in anyway.
    #[error("the user is inactive")]
    InactiveUser,
    /// The user's id cannot be in a cookie, or the next request could not load the user by it; 500.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The duration is not between one second and 400 days; 500.
    #[error("a login cannot be remembered for {0:?}: set a duration from 1 second to 400 days")]
    BadDuration(Duration),
    /// The login has a duration, and does not say whether to remember the user; 500.
    #[error(
        "a login with `.duration(..)` needs `.remember(true)`, because the duration is the one of the remember cookie; \
         a session that outlives the browser is `.permanent(true)`"
    )]
    DurationWithoutRemember,
    /// The request does not come from a page of this site; 403. The log says why, and names the setting.
    #[error("the request does not come from a page of this site: the log says why")]
    CrossSite,
    /// The request has a safe method such as GET, which must not change anything; 403.
    #[error(
        "a GET, HEAD or OPTIONS route may not change a login: make it a POST route, \
         or call `.allow_cross_site()` if another site redirects here, as in OAuth"
    )]
    SafeMethod,
    /// Nobody is logged in by a session cookie; 401.
    #[error("nobody is logged in by a session cookie")]
    NotLoggedIn,
    /// Another user is logged in; 403.
    #[error("another user is logged in")]
    WrongUser,
    /// The user has no login with this handle, or had one that ended some time ago; 404.
    #[error("the user has no such login")]
    NoSuchLogin,
    /// The login has just ended; 409.
    #[error("the login has just ended")]
    LoginEnded,
    /// The user has as many logins as the setting `max_logins_per_user` allows, and `at_login_limit` is `refuse`; 409.
    #[error("the user has as many logins as `login.max_logins_per_user` allows")]
    TooManyLogins,
    /// The manager has no registry of logins; 500.
    #[error(
        "there is no registry of logins: write `.login_registry(MemoryRegistry::new())` at the `LoginManager`"
    )]
    NoRegistry,
    /// The registry of logins failed; 503. With the setting `require_login_registry = false`, a login begins all the same.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The current user could not be loaded, or the revocation list did not answer; 5xx.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The response has been sent as far as its cookies, so the login cannot reach the browser; 500.
    ///
    /// A stream runs after its handler has returned.
    #[error(
        "the response is under way, and its cookies with it: change the login in the handler, before it returns a stream"
    )]
    TooLate,
    /// The operating system gave no random bytes; 500.
    #[error("the operating system gave no random bytes: {0}")]
    Random(io::Error),
}

impl LoginError {
    /// Returns the status of the response.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket::http::Status;
    /// use rocket_login::LoginError;
    ///
    /// assert_eq!(LoginError::InactiveUser.status(), Status::Forbidden);
    /// ```
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::InactiveUser | Self::CrossSite | Self::SafeMethod | Self::WrongUser => {
                Status::Forbidden
            }
            Self::NotLoggedIn => Status::Unauthorized,
            Self::NoSuchLogin => Status::NotFound,
            Self::LoginEnded | Self::TooManyLogins => Status::Conflict,
            Self::Registry(_) => Status::ServiceUnavailable,
            Self::Id(_)
            | Self::BadDuration(_)
            | Self::DurationWithoutRemember
            | Self::TooLate
            | Self::NoRegistry
            | Self::Random(_) => Status::InternalServerError,
            Self::Unavailable(error) => error.status(),
        }
    }
}

impl<'r> Responder<'r, 'static> for LoginError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Err(self.status())
    }
}

impl From<RevocationError> for LoginError {
    fn from(error: RevocationError) -> Self {
        Self::Unavailable(error.into())
    }
}
