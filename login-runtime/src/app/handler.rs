//! The traits of the functions that `LoginManager` takes, and the function pointers that it keeps.
//!
//! Each attribute (`#[user_loader]`, `#[unauthorized_handler]`, ..) adds a constant that has the function's name and
//! whose type implements one of these traits. So the error for a function without the attribute names the attribute; an error
//! about mismatched function pointers could not.

use rocket::futures::future::BoxFuture;
use rocket::http::Status;
use rocket::{Request, Response};

use crate::app::event::LoginEvent;
use crate::app::id_type::IdType;
use crate::app::loader::LoadResult;

/// A user loader with its guards.
pub type UserLoader<U> = for<'r> fn(&'r str, &'r Request<'_>) -> BoxFuture<'r, LoadResult<U>>;

/// A request loader with its guards.
pub type RequestLoader<U> = for<'r> fn(&'r Request<'_>) -> BoxFuture<'r, LoadResult<U>>;

/// An event listener with its guards.
pub type EventListener<U> = for<'r> fn(&'r LoginEvent<'r, U>, &'r Request<'_>) -> BoxFuture<'r, ()>;

/// A handler for refused requests with its guards.
pub type AnswerFn = for<'r> fn(&'r Request<'_>) -> BoxFuture<'r, Answer<'r>>;

/// A callback that translates a flashed message into the language of the request.
pub(crate) type Localize = dyn Fn(&str, &Request<'_>) -> String + Send + Sync;

/// A handler's answer: a response, or a status for the catchers.
pub type Answer<'r> = Result<Response<'r>, Status>;

/// A function under `#[user_loader]`, for [`LoginManager::new`](crate::LoginManager::new).
///
/// The example of [`LoginManager::new`](crate::LoginManager::new) shows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user loader",
    label = "not a function under `#[user_loader]`",
    note = "write `#[user_loader]` above the function that finds a user by id"
)]
pub trait IntoUserLoader {
    /// The user type that it loads.
    type User;

    /// The type that it takes ids as.
    #[doc(hidden)]
    fn id_type(&self) -> IdType {
        IdType::text()
    }

    #[doc(hidden)]
    fn into_user_loader(self) -> UserLoader<Self::User>;
}

/// A function under `#[request_loader]`, for [`LoginManager::request_loader`](crate::LoginManager::request_loader) and
/// [`LoginManager::from_requests`](crate::LoginManager::from_requests).
///
/// The example of [`LoginManager::request_loader`](crate::LoginManager::request_loader) shows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a request loader",
    label = "not a function under `#[request_loader]`",
    note = "write `#[request_loader]` above the function that finds a user by the request"
)]
pub trait IntoRequestLoader {
    /// The user type that it loads.
    type User;

    #[doc(hidden)]
    fn into_request_loader(self) -> RequestLoader<Self::User>;
}

/// A function under `#[unauthorized_handler]`, for
/// [`LoginManager::unauthorized_handler`](crate::LoginManager::unauthorized_handler).
///
/// The example of [`LoginManager::unauthorized_handler`](crate::LoginManager::unauthorized_handler) shows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an unauthorized handler",
    label = "not a function under `#[unauthorized_handler]`",
    note = "write `#[unauthorized_handler]` above the function that answers when nobody is logged in"
)]
pub trait IntoUnauthorizedHandler {
    #[doc(hidden)]
    fn into_unauthorized_handler(self) -> AnswerFn;
}

/// A function under `#[needs_refresh_handler]`, for
/// [`LoginManager::needs_refresh_handler`](crate::LoginManager::needs_refresh_handler).
///
/// The example of [`LoginManager::needs_refresh_handler`](crate::LoginManager::needs_refresh_handler) shows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a needs-refresh handler",
    label = "not a function under `#[needs_refresh_handler]`",
    note = "write `#[needs_refresh_handler]` above the function that answers when the login is not fresh"
)]
pub trait IntoNeedsRefreshHandler {
    #[doc(hidden)]
    fn into_needs_refresh_handler(self) -> AnswerFn;
}

/// A function under `#[forbidden_handler]`, for
/// [`LoginManager::forbidden_handler`](crate::LoginManager::forbidden_handler).
///
/// The example of [`LoginManager::forbidden_handler`](crate::LoginManager::forbidden_handler) shows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a forbidden handler",
    label = "not a function under `#[forbidden_handler]`",
    note = "write `#[forbidden_handler]` above the function that answers when a route's condition does not hold"
)]
pub trait IntoForbiddenHandler {
    #[doc(hidden)]
    fn into_forbidden_handler(self) -> AnswerFn;
}

/// A function under `#[event_listener]`, for [`LoginManager::event_listener`](crate::LoginManager::event_listener).
///
/// The example of [`LoginManager::event_listener`](crate::LoginManager::event_listener) shows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event listener",
    label = "not a function under `#[event_listener]`",
    note = "write `#[event_listener]` above the function that takes a `&LoginEvent<'_, User>`"
)]
pub trait IntoEventListener {
    /// The user type of its events.
    type User;

    #[doc(hidden)]
    fn into_event_listener(self) -> EventListener<Self::User>;
}

/// The first parameter of an event listener.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an event listener cannot take `{Self}`",
    label = "not `&LoginEvent<'_, User>`",
    note = "write `event: &LoginEvent<'_, User>` as the first parameter"
)]
pub trait EventRef {
    type User;
}

impl<U> EventRef for &LoginEvent<'_, U> {
    type User = U;
}
