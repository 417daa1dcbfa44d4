//! The guard argument that `#[login_required]` and its sisters add to a handler.

use std::fmt;
use std::marker::PhantomData;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};
use tracing::error;

use super::decide::{Place, decide};
use super::declared::{Declaration, Declared};
use super::denial::GuardError;
use super::guard::RouteGuard;
use super::launch;

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

#[rocket::async_trait]
impl<'r, P: Policy> FromRequest<'r> for Guarded<P> {
    type Error = GuardError;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, GuardError> {
        let guard = P::guard();
        match decide(&guard, Place::Route, req).await {
            Ok(()) => Outcome::Success(Guarded(PhantomData)),
            Err(error) if error.forwards(&guard) => Outcome::Forward(error.status()),
            Err(error) => error.outcome(),
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
