//! Exports for generated code only; anything here may change without notice.

pub use rocket::futures::future::BoxFuture;
pub use rocket::request::{FromRequest, Outcome};
pub use rocket::{Ignite, Request, Rocket, Sentinel};

use rocket::http::Status;
use rocket::response::Responder;
use tracing::error;

use crate::app::loader::LoaderId;
use crate::app::user::ActiveFlag;

pub use crate::access::argument::{
    GuardFor, NoUser, loader_guard, open_route, route_user, visitor_guard,
};
pub use crate::access::attribute::{Guarded, Policy};
pub use crate::access::condition::{Permission, Resolved, condition};
pub use crate::access::denial::GuardError;
pub use crate::access::guard::{RouteCondition, RouteGuard};
pub use crate::access::user::user_guard;
pub use crate::app::failure::LoadError;
pub use crate::app::handler::{
    Answer, AnswerFn, EventListener, EventRef, IntoEventListener, IntoForbiddenHandler,
    IntoNeedsRefreshHandler, IntoRequestLoader, IntoUnauthorizedHandler, IntoUserLoader,
    RequestLoader, UserLoader,
};
pub use crate::app::id_type::IdType;
pub use crate::app::loader::{IntoLoadResult, LoadResult, guard, handler_guard};
pub use crate::app::session_hash::SessionHasher;
pub use crate::app::user::{IdField, UserGuard, UserMixin, UserType};
pub use crate::config::{Setting, settings};
pub use crate::realm::registry::manager_is_missing;

/// `Box::pin`, so that generated code uses no name from the prelude.
pub fn pin<'a, T>(future: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    Box::pin(future)
}

/// Parses an id into the loader's own type; an id that does not parse belongs to nobody.
#[must_use]
pub fn parse_id<T: LoaderId>(id: &str) -> Option<T> {
    T::parse_id(id)
}

/// Returns the flag that says whether a user is active.
#[must_use]
pub fn active_flag<T: ActiveFlag>(flag: &T) -> bool {
    flag.is_active()
}

/// Turns a handler's return value into its answer.
///
/// # Errors
///
/// The status with which the responder failed.
pub fn respond<'r, 'o: 'r>(req: &'r Request<'_>, responder: impl Responder<'r, 'o>) -> Answer<'r> {
    responder.respond_to(req)
}

/// Logs that a listener was not called; nothing else depends on it.
pub fn listener_guard_failed(listener: &str, status: Status) {
    error!(
        "the event listener `{listener}` was not called: one of its guards failed with {status}"
    );
}
