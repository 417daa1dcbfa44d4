//! Why a login was not changed.

use std::io;
use std::time::Duration;

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder};
use thiserror::Error;
use tracing::{debug, error, warn};

use crate::realm::unavailable::Unavailable;
use crate::revocation::RevocationError;
use crate::token::MAX_UID;

/// Why a login was not changed. As a responder it answers with its [`status`](Self::status).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The user is inactive; 403. `force` logs such a user in all the same.
    #[error("the user is inactive")]
    InactiveUser,
    /// The user's id prints as nothing; 500.
    #[error("the user's id is empty: a login needs one to find the user again")]
    EmptyId,
    /// The user's id prints as more than 256 bytes, this many; 500.
    #[error(
        "the user's id has {0} bytes, and a login can keep {MAX_UID}: return a shorter one from `get_id`"
    )]
    IdTooLong(usize),
    /// The duration is not between one second and 400 days; 500.
    #[error("a login cannot be remembered for {0:?}: give at least 1 second and at most 400 days")]
    BadDuration(Duration),
    /// The request comes from another site; 403.
    #[error(
        "the request comes from another site: if that one is yours, name it in `login.trusted_origins`"
    )]
    CrossSite,
    /// The request has a method that promises to change nothing, such as GET; 403.
    #[error(
        "a GET, HEAD or OPTIONS route may not change a login: make it a POST route, \
         or call `.allow_cross_site()` where another site leads back here, as in OAuth"
    )]
    SafeMethod,
    /// The user's `not_before` lies this many seconds ahead, because the clock was set back, or all
    /// logins of the user were ended very often within a second; 503.
    #[error(
        "all logins of the user were ended as of a time {0} seconds ahead: was the clock set back?"
    )]
    NotBefore(u64),
    /// Nobody is logged in by a session; 401.
    #[error("nobody is logged in by a session")]
    NotLoggedIn,
    /// Somebody else is logged in; 403.
    #[error("somebody else is logged in")]
    WrongUser,
    /// The current user could not be loaded, or the revocation list did not answer; 5xx.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The operating system gave no random bytes; 500.
    #[error("the operating system gave no random bytes: {0}")]
    Random(io::Error),
}

impl LoginError {
    /// Returns the status that the error answers with.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::InactiveUser | Self::CrossSite | Self::SafeMethod | Self::WrongUser => {
                Status::Forbidden
            }
            Self::NotLoggedIn => Status::Unauthorized,
            Self::EmptyId | Self::IdTooLong(_) | Self::BadDuration(_) | Self::Random(_) => {
                Status::InternalServerError
            }
            Self::NotBefore(_) => Status::ServiceUnavailable,
            Self::Unavailable(error) => error.status(),
        }
    }
}

impl<'r> Responder<'r, 'static> for LoginError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let status = self.status();
        match self {
            Self::CrossSite | Self::SafeMethod => warn!("a change of login was refused: {self}"),
            _ if status.code >= 500 => error!("a login could not be changed: {self}"),
            _ => debug!("a change of login was refused: {self}"),
        }
        Err(status)
    }
}

impl From<RevocationError> for LoginError {
    fn from(error: RevocationError) -> Self {
        Self::Unavailable(error.into())
    }
}
