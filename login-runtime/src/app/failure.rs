//! The errors of the application's own code.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rocket::http::Status;

use crate::app::contain::Interrupted;
use crate::printable::Printable;

/// A loader could not determine the user, for example because the database is down.
///
/// The request fails with its [`status`](Self::status); nobody is logged in or out.
///
/// # Example
///
/// ```rust
/// # use rocket::http::Status;
/// # use rocket_login::{LoadError, UserMixin, user_loader};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// #[user_loader]
/// fn load_user(id: i64) -> Result<Option<User>, LoadError> {
///     Err(LoadError::with_status(Status::BadGateway, "the directory does not answer"))
/// }
/// ```
#[derive(Clone)]
pub struct LoadError(Failure);

/// A condition could not determine whether the user may use the route.
///
/// The request fails with its [`status`](Self::status).
///
/// # Example
///
/// ```rust
/// # use rocket_login::{access::ConditionError, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// fn may_edit(user: &User) -> Result<bool, ConditionError> {
///     Err(ConditionError::new("the list of editors cannot be read"))
/// }
/// ```
#[derive(Clone)]
pub struct ConditionError(Failure);

/// The status of the response, and the cause for the log.
#[derive(Clone)]
struct Failure {
    status: Status,
    cause: Arc<dyn Error + Send + Sync>,
}

macro_rules! failures {
    ($($failure:ident: $what:literal;)*) => {$(
        impl $failure {
            /// Creates an error with status 503; `cause` is logged. If `cause` is already an error of this type, it is
            /// returned unchanged.
            pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
                match cause.into().downcast::<Self>() {
                    Ok(error) => *error,
                    Err(cause) => Self::with_status(Status::ServiceUnavailable, cause),
                }
            }

            /// Creates an error with this status; `cause` is logged. A status below 500 becomes 500.
            pub fn with_status(
                status: Status,
                cause: impl Into<Box<dyn Error + Send + Sync>>,
            ) -> Self {
                let is_failure = status.code >= 500;
                Self(Failure {
                    status: if is_failure { status } else { Status::InternalServerError },
                    cause: cause.into().into(),
                })
            }

            /// Returns the status of the response, always 5xx.
            #[must_use]
            pub fn status(&self) -> Status {
                self.0.status
            }
        }

        impl fmt::Display for $failure {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}: {}", $what, Printable(&self.0.cause))
            }
        }

        /// Omits the cause, which may contain personal data.
        impl fmt::Debug for $failure {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($failure), self.0.status)
            }
        }

        impl Error for $failure {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                self.0.cause.source()
            }
        }

        impl From<Interrupted> for $failure {
            fn from(interrupted: Interrupted) -> Self {
                Self::with_status(interrupted.status(), interrupted)
            }
        }
    )*};
}

failures! {
    LoadError: "the user could not be loaded";
    ConditionError: "the condition failed";
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;

    /// An error that has a cause.
    #[derive(Debug, thiserror::Error)]
    #[error("timeout")]
    struct Timeout(#[source] fmt::Error);

    #[test]
    fn an_error_keeps_its_status_and_message_when_it_is_wrapped_again() {
        let error = LoadError::new(LoadError::with_status(Status::BadGateway, "no directory"));
        assert_eq!(error.status(), Status::BadGateway);
        assert_eq!(
            error.to_string(),
            "the user could not be loaded: no directory"
        );
        let error = ConditionError::new(ConditionError::with_status(Status::BadGateway, "no"));
        assert_eq!(error.status(), Status::BadGateway);
        assert_eq!(error.to_string(), "the condition failed: no");
    }

    #[test]
    fn any_error_and_any_text_is_a_cause() {
        let refused = io::Error::other("connection refused");
        for error in [
            LoadError::new("connection refused"),
            LoadError::new(String::from("connection refused")),
            LoadError::new(refused),
        ] {
            assert_eq!(error.status(), Status::ServiceUnavailable);
            assert_eq!(
                error.to_string(),
                "the user could not be loaded: connection refused"
            );
            assert!(error.source().is_none());
        }
        let error = LoadError::new(Timeout(fmt::Error));
        assert!(matches!(error.source(), Some(source) if source.is::<fmt::Error>()));
    }

    #[test]
    fn a_failure_has_a_status_of_at_least_500() {
        for (given, status) in [(200, 500), (404, 500), (499, 500), (500, 500), (504, 504)] {
            let error = LoadError::with_status(Status::new(given), "");
            assert_eq!(error.status().code, status);
        }
    }

    #[test]
    fn an_interruption_says_why() {
        let error = LoadError::from(Interrupted::Panicked);
        assert_eq!(error.status(), Status::InternalServerError);
        assert_eq!(
            error.to_string(),
            "the user could not be loaded: it panicked"
        );
        let error = ConditionError::from(Interrupted::TimedOut(Duration::from_secs(5)));
        assert_eq!(error.status(), Status::ServiceUnavailable);
        assert_eq!(
            error.to_string(),
            "the condition failed: it took longer than 5s (setting `login.loader_timeout`)"
        );
    }

    #[test]
    fn a_cause_cannot_start_a_log_line_and_is_not_in_debug() {
        let error = LoadError::new("no user alice\nError: forged");
        assert_eq!(
            error.to_string(),
            "the user could not be loaded: no user alice\\nError: forged"
        );
        assert_eq!(format!("{error:?}"), "LoadError(503 Service Unavailable)");
    }
}
