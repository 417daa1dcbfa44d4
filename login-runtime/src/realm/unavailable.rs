//! Why a request cannot be answered.

use rocket::http::Status;
use thiserror::Error;

use crate::app::failure::{ConditionError, LoadError};
use crate::logins::RegistryError;
use crate::revocation::RevocationError;

/// Who is logged in, or whether they may pass, could not be determined.
///
/// The request fails with [`status`](Self::status); it logs nobody in or out.
///
/// # Example
///
/// ```rust
/// use rocket::http::Status;
/// use rocket_login::LoginError;
///
/// fn answer(error: &LoginError) -> Status {
///     match error {
///         LoginError::Unavailable(unavailable) => unavailable.status(),
///         _ => Status::Forbidden,
///     }
/// }
/// ```
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// A loader failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The revocation list failed.
    #[error(transparent)]
    Revocation(#[from] RevocationError),
    /// The registry of logins failed. The setting `require_login_registry` requires it for a restore and for a login that comes
    /// from Flask.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A route's condition failed.
    #[error(transparent)]
    Condition(#[from] ConditionError),
}

impl Unavailable {
    /// Returns the status that the request is answered with, always 5xx.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Load(error) => error.status(),
            Self::Revocation(error) => error.status(),
            Self::Registry(_) => Status::ServiceUnavailable,
            Self::Condition(error) => error.status(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_failed() {
        for (error, text) in [
            (
                Unavailable::from(LoadError::new("timeout")),
                "the user could not be loaded: timeout",
            ),
            (
                RevocationError::new("timeout").into(),
                "the revocation list failed: timeout",
            ),
            (
                RegistryError::new("timeout").into(),
                "the registry of logins failed: timeout",
            ),
            (
                ConditionError::new("timeout").into(),
                "the condition failed: timeout",
            ),
        ] {
            assert_eq!(error.to_string(), text);
            assert_eq!(error.status(), Status::ServiceUnavailable);
        }
    }
}
