//! Loaders: the functions by which the application finds its own users, and how they are run.

use std::error::Error;
use std::fmt::{self, Debug};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use rocket::Request;
use rocket::futures::FutureExt as _;
use rocket::futures::future::BoxFuture;
use rocket::http::Status;
use rocket::tokio::task::unconstrained;
use rocket::tokio::time::sleep;

use crate::printable::Printable;

/// Finds a user by id; what `#[user_loader]` makes of a function.
pub type UserLoader<U> = for<'r> fn(&'r str, &'r Request<'_>) -> BoxFuture<'r, LoadResult<U>>;

/// Finds a user by the request itself, such as by an API key; what `#[request_loader]` makes of a function.
pub type RequestLoader<U> = for<'r> fn(&'r Request<'_>) -> BoxFuture<'r, LoadResult<U>>;

/// What a loader answers: somebody, nobody, or that it failed.
pub type LoadResult<U> = Result<Option<U>, LoadError>;

/// A loader that could not tell who the user is.
///
/// The request fails with [`status`](Self::status); nobody is logged in or out by it.
#[derive(Clone, PartialEq, Eq)]
pub struct LoadError {
    status: Status,
    message: String,
}

impl LoadError {
    /// Creates an error that answers 503 and logs `cause`.
    pub fn new(cause: impl Debug) -> Self {
        Self::with_status(Status::ServiceUnavailable, format!("{cause:?}"))
    }

    /// Creates an error that answers `status`; one below 500 becomes 500.
    pub fn with_status(status: Status, message: impl Into<String>) -> Self {
        LoadError {
            status: if status.code < 500 {
                Status::InternalServerError
            } else {
                status
            },
            message: message.into(),
        }
    }

    /// Returns the status that the request is answered with, always 5xx.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the user could not be loaded: {}",
            Printable(&self.message)
        )
    }
}

impl Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoadError({})", self.status)
    }
}

impl Error for LoadError {}

/// What a loader function may return: `Option<U>` or `Result<Option<U>, E>`.
#[diagnostic::on_unimplemented(
    message = "a loader cannot return `{Self}`",
    label = "neither `Option<U>` nor `Result<Option<U>, E>`",
    note = "return `Option<User>`, or `Result<Option<User>, E>` where loading can fail and `E: Debug`"
)]
pub trait IntoLoadResult {
    /// The application's user type.
    type User;

    /// Converts into what the library works with.
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

impl<U, E: Debug> IntoLoadResult for Result<Option<U>, E> {
    type User = U;

    fn into_load_result(self) -> LoadResult<U> {
        self.map_err(LoadError::new)
    }
}

/// Runs a loader: a panic becomes 500, an answer that takes longer than `limit` 503.
pub(crate) fn run<'a, U>(
    limit: Duration,
    loader: impl FnOnce() -> BoxFuture<'a, LoadResult<U>>,
) -> impl Future<Output = LoadResult<U>> {
    guarded(limit, loader)
        .map(|answer| answer.unwrap_or_else(|interrupted| Err(interrupted.into())))
}

/// Why user code gave no answer.
#[derive(Clone, Copy)]
pub(crate) enum Interrupted {
    Panicked,
    TimedOut,
}

impl From<Interrupted> for LoadError {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Panicked => {
                LoadError::with_status(Status::InternalServerError, "it panicked")
            }
            Interrupted::TimedOut => LoadError::with_status(
                Status::ServiceUnavailable,
                "it took too long (setting `login.loader_timeout`)",
            ),
        }
    }
}

/// Runs user code so that a panic or a hang in it stays its own.
///
/// No timer is made for what is ready at once.
pub(crate) fn guarded<'a, T>(
    limit: Duration,
    code: impl FnOnce() -> BoxFuture<'a, T>,
) -> impl Future<Output = Result<T, Interrupted>> {
    let mut code = catch_unwind(AssertUnwindSafe(code))
        .map(|code| AssertUnwindSafe(code).catch_unwind())
        .map_err(|_| Interrupted::Panicked);
    let mut timer = None;
    poll_fn(move |context| {
        let code = code.as_mut().map_err(|interrupted| *interrupted)?;
        if let Poll::Ready(answer) = code.poll_unpin(context) {
            return Poll::Ready(answer.map_err(|_| Interrupted::Panicked));
        }
        // Unconstrained, or code that uses up its task's budget would stop its own clock.
        let timer = timer.get_or_insert_with(|| Box::pin(unconstrained(sleep(limit))));
        timer
            .as_mut()
            .poll(context)
            .map(|()| Err(Interrupted::TimedOut))
    })
}
