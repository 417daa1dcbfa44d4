//! Whether a user's id can be signed, and the user loaded by it again.

use smol_str::SmolStr;
use thiserror::Error;

use super::Realm;
use crate::app::user::{UserMixin, id_of};
use crate::token::MAX_UID;

/// Why nobody can log in with a user's id, and nothing can be signed for the user; 500.
///
/// # Example
///
/// ```rust
/// use rocket_login::LoginError;
///
/// fn is_mistake_of_the_user_type(error: &LoginError) -> bool {
///     matches!(error, LoginError::Id(_))
/// }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdError {
    /// It is empty.
    #[error("the user's id is empty: return a unique id from `get_id`")]
    Empty,
    /// It has this many bytes, more than 256.
    #[error("the user's id has {0} bytes, more than {MAX_UID}: return a shorter one from `get_id`")]
    TooLong(usize),
    /// The next request could not load the user: the user loader takes ids as another type, or there is none.
    #[error("{0}")]
    Unloadable(String),
}

impl<U: UserMixin> Realm<U> {
    /// Returns the id of a user whom the next request can load by it.
    pub(crate) fn id_of(&self, user: &U) -> Result<SmolStr, IdError> {
        let id = id_of(user);
        self.check_id(&id)?;
        Ok(id)
    }

    /// Checks an id by which the next request must load its user.
    pub(crate) fn check_id(&self, id: &str) -> Result<(), IdError> {
        match id.len() {
            0 => return Err(IdError::Empty),
            1..=MAX_UID => {}
            bytes => return Err(IdError::TooLong(bytes)),
        }
        let checked = match self.id_type {
            Some(id_type) => id_type.check::<U>(id),
            None => Err(
                "a `LoginManager::from_requests` has no user loader, so nobody can log in: use \
                 `LoginManager::new(load_user)`, and `.request_loader(..)` beside it"
                    .into(),
            ),
        };
        checked.map_err(IdError::Unloadable)
    }
}
