//! The door for generated code; nothing here is for hand-written code, and all of it may change.

use std::str::FromStr;

pub use rocket::futures::future::BoxFuture;
pub use rocket::request::{FromRequest, Outcome};
pub use rocket::{Ignite, Request, Rocket, Sentinel};

use rocket::http::Status;
use rocket::response::Responder;
use tracing::error;

pub use crate::access::attribute::{Guarded, Policy};
pub use crate::access::condition::{Permission, condition};
pub use crate::access::denial::GuardError;
pub use crate::access::guard::{RouteCondition, RouteGuard};
pub use crate::access::user::user_guard;
pub use crate::app::failure::LoadError;
pub use crate::app::handler::{
    Answer, AnswerFn, EventListener, EventRef, IntoEventListener, IntoForbiddenHandler,
    IntoNeedsRefreshHandler, IntoRequestLoader, IntoUnauthorizedHandler, IntoUserLoader,
    RequestLoader, UserLoader,
};
pub use crate::app::loader::{IntoLoadResult, LoadResult, guard, handler_guard};
pub use crate::app::session_hash::SessionHasher;
pub use crate::app::user::{UserMixin, UserType};
pub use crate::config::{Setting, settings};
pub use crate::realm::registry::manager_is_missing;

/// `Box::pin`, without a name from the prelude.
pub fn pin<'a, T>(future: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(future)
}

/// An id of the loader's own type; one that does not parse is nobody's.
#[must_use]
pub fn parse_id<T: FromStr>(id: &str) -> Option<T> {
    id.parse().ok()
}

/// A handler's answer.
///
/// # Errors
///
/// The status with which the responder failed.
pub fn respond<'r, 'o: 'r>(req: &'r Request<'_>, responder: impl Responder<'r, 'o>) -> Answer<'r> {
    responder.respond_to(req)
}

/// A listener that cannot be told, which changes nothing.
pub fn listener_guard_failed(listener: &str, status: Status) {
    error!("the event listener `{listener}` was not told: one of its guards failed with {status}");
}
