//! The guard argument that `#[login_required]` and its sisters add to a handler.

use std::fmt;
use std::future::{poll_fn, ready};
use std::marker::PhantomData;
use std::task::Poll;

use rocket::futures::FutureExt as _;
use rocket::futures::future::BoxFuture;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};
use tracing::error;

use super::decide::{Place, decide};
use super::declared::{Declaration, Declared};
use super::denial::GuardError;
use super::guard::RouteGuard;
use super::launch;
use crate::soon::Soon::{Later, Now};

/// What an attribute says about its route; implemented for a marker type that the attribute generates.
pub trait Policy: Send + Sync + 'static {
    /// The handler's name.
    const NAME: &'static str;
    /// The source of the handler, as `file:line`.
    const LOCATION: &'static str;
    /// The method of the route attribute.
    const METHOD: &'static str;
    /// The URI of the route attribute, as written.
    const URI: &'static str;

    /// Returns who may use the route.
    fn guard() -> RouteGuard;
}

/// Proof that the policy `P` let this request through.
pub struct Guarded<P>(PhantomData<fn() -> P>);

impl<P> fmt::Debug for Guarded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded")
    }
}

/// Written without `async`, so that a request that may pass and waits for nothing needs no future.
impl<'r, P: Policy> FromRequest<'r> for Guarded<P> {
    type Error = GuardError;

    fn from_request<'q, 'f>(
        req: &'r Request<'q>,
    ) -> BoxFuture<'f, request::Outcome<Self, GuardError>>
    where
        'r: 'f,
        'q: 'f,
        Self: 'f,
    {
        let guard = P::guard();
        let outcome = move |decision: Result<(), GuardError>| match decision {
            Ok(()) => Outcome::Success(Guarded(PhantomData)),
            Err(error) if error.forwards(&guard) => Outcome::Forward(error.status()),
            Err(error) => error.outcome(),
        };
        match decide(guard, Place::Route, req) {
            // It captures nothing, so its box costs no allocation.
            Now(Ok(())) => Box::pin(poll_fn(|_| {
                Poll::Ready(Outcome::Success(Guarded(PhantomData)))
            })),
            Now(decision) => Box::pin(ready(outcome(decision))),
            Later(decision) => Box::pin(decision.map(outcome)),
        }
    }
}

impl<P: Policy> Sentinel for Guarded<P> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let declaration = Declaration {
            name: P::NAME,
            location: P::LOCATION,
            method: P::METHOD,
            uri: P::URI,
            guard: P::guard(),
        };
        aborts(rocket, declaration)
    }
}

/// Keeps a declaration for the audit, and returns whether it cannot work.
fn aborts(rocket: &Rocket<Ignite>, declaration: Declaration) -> bool {
    let route = format!("`{}` ({})", declaration.name, declaration.location);
    let fix = "#[login_required(User)]";
    let mut mistakes = launch::mistakes(rocket, &route, &declaration.guard, fix);
    if mistakes.is_empty() {
        mistakes.extend(launch::group_without_any_manager(rocket));
    }
    for mistake in &mistakes {
        error!("{mistake}");
    }
    Declared::add(rocket, declaration);
    !mistakes.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_generated_code_holds_prints_its_name() {
        assert_eq!(format!("{:?}", Guarded::<()>(PhantomData)), "Guarded");
    }
}
