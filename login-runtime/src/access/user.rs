//! The guards that hand a handler its user: `&User` and `Fresh`.

use std::fmt::{self, Debug};
use std::ops::Deref;

use rocket::futures::future::BoxFuture;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use super::decide::{Place, decide};
use super::denial::GuardError;
use super::guard::RouteGuard;
use crate::app::user::UserMixin;
use crate::login::visit::Visit;
use crate::realm::Realm;
use crate::realm::registry::manager_is_missing;

/// The guard `&U`, which `#[derive(UserMixin)]` implements for the type.
pub fn user_guard<'a, 'r: 'a, U: UserMixin>(
    req: &'r Request<'_>,
) -> BoxFuture<'a, request::Outcome<&'r U, GuardError>> {
    Box::pin(async move {
        match user::<U>(RouteGuard::login(), req).await {
            Ok(user) => Outcome::Success(user),
            Err(error) => error.outcome(),
        }
    })
}

/// Decides as for a route, then returns the user.
async fn user<'r, U: UserMixin>(
    guard: RouteGuard,
    req: &'r Request<'_>,
) -> Result<&'r U, GuardError> {
    decide(&guard.user::<U>(), Place::Parameter, req).await?;
    let realm = Realm::<U>::of(req.rocket()).ok_or(GuardError::NoManager)?;
    let current = Visit::of(req).current(realm, req).await;
    // The decision has found the user; a listener may have ended the login since.
    current
        .map_err(GuardError::Failed)?
        .user
        .ok_or(GuardError::Denied(super::denial::Reason::Unauthorized))
}

/// The user of a fresh login; other requests are refused as by `#[fresh_login_required]`.
///
/// # Example
///
/// ```rust
/// # use rocket::post;
/// # use rocket_login::{Fresh, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64, name: String }
/// #[post("/close-account")]
/// fn close_account(user: Fresh<'_, User>) -> String {
///     format!("Good bye {}", user.name)
/// }
/// ```
pub struct Fresh<'r, U>(&'r U);

impl<U> Clone for Fresh<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for Fresh<'_, U> {}

impl<'r, U> Fresh<'r, U> {
    /// Returns the user for as long as the request lasts.
    #[must_use]
    pub fn into_inner(self) -> &'r U {
        self.0
    }
}

impl<U> Deref for Fresh<'_, U> {
    type Target = U;

    fn deref(&self) -> &U {
        self.0
    }
}

impl<U> Debug for Fresh<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fresh(..)")
    }
}

#[rocket::async_trait]
impl<'r, U: UserMixin> FromRequest<'r> for Fresh<'r, U> {
    type Error = GuardError;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, GuardError> {
        match user(RouteGuard::fresh_login(), req).await {
            Ok(user) => Outcome::Success(Fresh(user)),
            Err(error) => error.outcome(),
        }
    }
}

impl<U: UserMixin> Sentinel for Fresh<'_, U> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}
