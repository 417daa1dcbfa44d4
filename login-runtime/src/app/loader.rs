//! Loaders: the application's functions that find its users.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use rocket::futures::future::BoxFuture;
use rocket::http::Status;
use rocket::request::Outcome;

use crate::app::contain::contain;
use crate::app::failure::LoadError;
use crate::soon::Soon;

/// The result of a loader: a user, nobody, or a failure.
pub type LoadResult<U> = Result<Option<U>, LoadError>;

/// What a loader function may return: `Option<U>` or `Result<Option<U>, E>`.
///
/// `E` is any error, a text, or a [`LoadError`], which keeps its status.
///
/// The example of [`LoadError`](crate::LoadError) shows it.
#[diagnostic::on_unimplemented(
    message = "a loader cannot return `{Self}`",
    label = "neither `Option<U>` nor `Result<Option<U>, E>`",
    note = "return `Option<User>`, or `Result<Option<User>, E>` where loading can fail and `E` is an error, \
            a text or a `LoadError`"
)]
pub trait IntoLoadResult {
    /// The application's user type.
    type User;

    /// Converts the value that the loader returned.
    ///
    /// # Errors
    ///
    /// The loader's own error.
    fn into_load_result(self) -> LoadResult<Self::User>;
}

impl<U> IntoLoadResult for Option<U> {
    type User = U;

    fn into_load_result(self) -> LoadResult<U> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<U, E: Into<Box<dyn Error + Send + Sync>>> IntoLoadResult for Result<Option<U>, E> {
    type User = U;

    fn into_load_result(self) -> LoadResult<U> {
        self.map_err(LoadError::new)
    }
}

/// The id that a user loader takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id that a user loader takes",
    label = "not an id that can be parsed",
    note = "the first parameter of a user loader is the id: `&str`, or a type that implements `FromStr`, such as `i64`, \
            `String` or a UUID, and no `Option`; request guards follow it"
)]
pub trait LoaderId: Sized {
    /// Parses the id; `None` if no user has it.
    fn parse_id(id: &str) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr> LoaderId for T {
    fn parse_id(id: &str) -> Option<Self> {
        id.parse().ok()
    }
}

/// Runs a loader: a panic becomes status 500, and a loader that takes longer than `limit` becomes 503.
pub(crate) fn run<'a, U: Send + 'a>(
    limit: Duration,
    loader: impl FnOnce() -> BoxFuture<'a, LoadResult<U>>,
) -> Soon<'a, LoadResult<U>> {
    contain(limit, loader)
        .map(|answer| answer.unwrap_or_else(|interrupted| Err(interrupted.into())))
}

/// Returns the value of a loader's guard.
///
/// # Errors
///
/// If the guard fails or forwards: this is a failure of the loader, and does not mean that nobody is logged in.
pub fn guard<T, E>(outcome: Outcome<T, E>) -> Result<T, LoadError> {
    handler_guard(outcome).map_err(|status| {
        let name = std::any::type_name::<T>();
        let cause = format!("the loader's guard `{name}` failed with {status}");
        LoadError::with_status(status, cause)
    })
}

/// Returns the value of a handler's or listener's guard.
///
/// # Errors
///
/// The status with which the guard fails or forwards.
pub fn handler_guard<T, E>(outcome: Outcome<T, E>) -> Result<T, Status> {
    match outcome {
        Outcome::Success(guard) => Ok(guard),
        Outcome::Error((status, _)) | Outcome::Forward(status) => Err(status),
    }
}
