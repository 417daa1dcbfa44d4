//! Why a login was not changed.

use std::time::Duration;
use std::{fmt, io};

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder};
use tracing::{debug, error, warn};

use crate::app::loader::LoadError;
use crate::revocation::RevocationError;
use crate::token::MAX_UID;

/// Why a login was not changed. As a responder it answers with its [`status`](Self::status).
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginError {
    /// The user is inactive; 403. `force` logs such a user in all the same.
    InactiveUser,
    /// The user's id prints as nothing; 500.
    EmptyId,
    /// The user's id prints as more than 256 bytes, this many; 500.
    IdTooLong(usize),
    /// The duration is not between one second and 400 days; 500.
    BadDuration(Duration),
    /// The request comes from another site; 403.
    CrossSite,
    /// The request has a method that promises to change nothing, such as GET; 403.
    SafeMethod,
    /// Every login of the user was ended as of a time that is still this many seconds away, because
    /// the clock was set back, or very often within a second; 503.
    NotBefore(u64),
    /// Nobody is logged in by a session; 401.
    NotLoggedIn,
    /// Somebody else is logged in; 403.
    WrongUser,
    /// The current user could not be loaded; 5xx.
    Load(LoadError),
    /// The revocation list did not answer; 503.
    Revocation(RevocationError),
    /// The operating system gave no random bytes; 500.
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
            Self::Load(error) => error.status(),
            Self::NotBefore(_) | Self::Revocation(_) => Status::ServiceUnavailable,
        }
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InactiveUser => f.write_str("the user is inactive"),
            Self::EmptyId => f.write_str("the user's id is empty: a login needs one to find the user again"),
            Self::IdTooLong(bytes) => write!(
                f,
                "the user's id has {bytes} bytes, and a login can keep {MAX_UID}: return a shorter one from `get_id`"
            ),
            Self::BadDuration(duration) => write!(
                f,
                "a login cannot be remembered for {duration:?}: give at least 1 second and at most 400 days"
            ),
            Self::CrossSite => f.write_str(
                "the request comes from another site: if that one is yours, name it in `login.trusted_origins`",
            ),
            Self::SafeMethod => f.write_str(
                "a GET, HEAD or OPTIONS route may not change a login: make it a POST route, \
                 or call `.allow_cross_site()` where another site leads back here, as in OAuth",
            ),
            Self::NotBefore(seconds) => write!(
                f,
                "all logins of the user were ended as of a time {seconds} seconds ahead: was the clock set back?"
            ),
            Self::NotLoggedIn => f.write_str("nobody is logged in by a session"),
            Self::WrongUser => f.write_str("somebody else is logged in"),
            Self::Load(error) => error.fmt(f),
            Self::Revocation(error) => error.fmt(f),
            Self::Random(error) => write!(f, "no random bytes: {error}"),
        }
    }
}

impl std::error::Error for LoginError {}

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

impl From<LoadError> for LoginError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl From<RevocationError> for LoginError {
    fn from(error: RevocationError) -> Self {
        Self::Revocation(error)
    }
}
