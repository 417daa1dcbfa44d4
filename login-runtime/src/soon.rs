//! An answer that is there at once, or that must be awaited.

use std::future::{IntoFuture, Ready, poll_fn, ready};
use std::task::Poll;

use rocket::futures::future::{BoxFuture, Either};

/// An answer that is there now, or later.
///
/// Nothing in the usual request waits. So each step of a decision is a function of the answer before it, and is written
/// once: where all answers are there, the steps are plain calls, and only a step that waits creates a future.
#[must_use = "the answer may still have to be awaited"]
pub(crate) enum Soon<'a, T> {
    Now(T),
    Later(BoxFuture<'a, T>),
}

impl<'a, T: Send + 'a> Soon<'a, T> {
    /// Continues with the answer.
    #[inline]
    pub(crate) fn then<R: Send + 'a>(
        self,
        next: impl FnOnce(T) -> Soon<'a, R> + Send + 'a,
    ) -> Soon<'a, R> {
        match self {
            Soon::Now(answer) => next(answer),
            Soon::Later(answer) => Soon::Later(Box::pin(async { next(answer.await).await })),
        }
    }

    /// Changes the answer.
    #[inline]
    pub(crate) fn map<R: Send + 'a>(self, change: impl FnOnce(T) -> R + Send + 'a) -> Soon<'a, R> {
        self.then(|answer| Soon::Now(change(answer)))
    }
}

impl<'a, T: Send + 'a, E: Send + 'a> Soon<'a, Result<T, E>> {
    /// Continues with the answer, unless it is an error.
    #[inline]
    pub(crate) fn and_then<R: Send + 'a>(
        self,
        next: impl FnOnce(T) -> Soon<'a, Result<R, E>> + Send + 'a,
    ) -> Soon<'a, Result<R, E>> {
        self.then(|answer| match answer {
            Ok(answer) => next(answer),
            Err(error) => Soon::Now(Err(error)),
        })
    }
}

impl<'a> Soon<'a, ()> {
    /// Returns a future, which is not allocated if there is nothing to wait for.
    pub(crate) fn boxed(self) -> BoxFuture<'a, ()> {
        match self {
            // It captures nothing, so its box costs no allocation.
            Soon::Now(()) => Box::pin(poll_fn(|_| Poll::Ready(()))),
            Soon::Later(answer) => answer,
        }
    }
}

impl<'a, T: Send + 'a> IntoFuture for Soon<'a, T> {
    type Output = T;
    type IntoFuture = Either<Ready<T>, BoxFuture<'a, T>>;

    fn into_future(self) -> Self::IntoFuture {
        match self {
            Soon::Now(answer) => Either::Left(ready(answer)),
            Soon::Later(answer) => Either::Right(answer),
        }
    }
}
