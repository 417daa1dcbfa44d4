//! Runs the application's own code, and contains its panics and its hangs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rocket::futures::FutureExt as _;
use rocket::futures::future::{BoxFuture, Either, select};
use rocket::http::Status;
use rocket::tokio::task::unconstrained;
use rocket::tokio::time::sleep;
use thiserror::Error;

use crate::soon::Soon::{self, Later, Now};

/// Why the application's code returned no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Interrupted {
    #[error("it panicked")]
    Panicked,
    #[error("it took longer than {0:?} (setting `login.loader_timeout`)")]
    TimedOut(Duration),
}

impl Interrupted {
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Panicked => Status::InternalServerError,
            Self::TimedOut(_) => Status::ServiceUnavailable,
        }
    }
}

/// Runs application code for at most `limit`, and catches its panics.
///
/// The code is polled at once, and most code is ready then. Only code that waits gets a timer.
pub(crate) fn contain<'a, T: Send + 'a>(
    limit: Duration,
    code: impl FnOnce() -> BoxFuture<'a, T>,
) -> Soon<'a, Result<T, Interrupted>> {
    let mut context = Context::from_waker(Waker::noop());
    let begun = catch_unwind(AssertUnwindSafe(|| {
        let mut code = code();
        match code.as_mut().poll(&mut context) {
            Poll::Ready(answer) => Now(answer),
            Poll::Pending => Later(code),
        }
    }));
    match begun {
        Ok(Now(answer)) => Now(Ok(answer)),
        // The first poll of this future replaces the waker.
        Ok(Later(code)) => Later(Box::pin(contain_future(limit, code))),
        Err(_) => Now(Err(Interrupted::Panicked)),
    }
}

/// Waits for code for at most `limit`, and catches its panics.
pub(crate) async fn contain_future<T>(
    limit: Duration,
    code: impl Future<Output = T>,
) -> Result<T, Interrupted> {
    let code = pin!(AssertUnwindSafe(code).catch_unwind());
    // Unconstrained, because code that uses up tokio's budget for this task would otherwise block the timer too.
    let timer = pin!(unconstrained(sleep(limit)));
    match select(code, timer).await {
        Either::Left((answer, _)) => answer.map_err(|_| Interrupted::Panicked),
        Either::Right(((), _)) => Err(Interrupted::TimedOut(limit)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use std::future::{pending, ready};

    use rocket::tokio::task::yield_now;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(20);

    #[rocket::async_test]
    async fn an_answer_is_returned() {
        assert_eq!(contain(LIMIT, || Box::pin(ready(7))).await, Ok(7));
        let later = || async { yield_now().await }.boxed();
        assert_eq!(contain(LIMIT, later).await, Ok(()));
    }

    #[rocket::async_test]
    async fn a_panic_is_caught_before_and_during_the_future() {
        let at_once = || -> BoxFuture<'_, ()> { panic!("on purpose") };
        assert_eq!(contain(LIMIT, at_once).await, Err(Interrupted::Panicked));
        let later = || -> BoxFuture<'_, ()> {
            Box::pin(async {
                yield_now().await;
                panic!("on purpose")
            })
        };
        assert_eq!(contain(LIMIT, later).await, Err(Interrupted::Panicked));
    }

    #[rocket::async_test]
    async fn a_hang_ends_at_the_limit() {
        let hangs = || pending::<()>().boxed();
        let interrupted = Interrupted::TimedOut(LIMIT);
        assert_eq!(contain(LIMIT, hangs).await, Err(interrupted));
        assert_eq!(
            interrupted.to_string(),
            "it took longer than 20ms (setting `login.loader_timeout`)"
        );
    }
}
