//! The guards that hand a handler its user: `&User` and `Fresh`.

use std::fmt::{self, Debug};
use std::future::ready;
use std::ops::Deref;

use rocket::futures::FutureExt as _;
use rocket::futures::future::BoxFuture;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use super::decide::{Place, decide_in};
use super::denial::{GuardError, Reason};
use super::guard::RouteGuard;
use crate::app::user::UserMixin;
use crate::login::visit::Visit;
use crate::realm::Realm;
use crate::realm::registry::manager_is_missing;
use crate::soon::Soon::{self, Later, Now};

/// The guard `&U`, which `#[derive(UserMixin)]` implements for the type.
pub fn user_guard<'a, 'r: 'a, U: UserMixin>(
    req: &'r Request<'_>,
) -> BoxFuture<'a, request::Outcome<&'r U, GuardError>> {
    let outcome = |user| match user {
        Ok(user) => Outcome::Success(user),
        Err(error) => GuardError::outcome(error),
    };
    match user::<U>(RouteGuard::login(), req) {
        Now(user) => Box::pin(ready(outcome(user))),
        Later(user) => Box::pin(user.map(outcome)),
    }
}

/// Decides as for a route, and returns the user.
fn user<'r, U: UserMixin>(
    guard: RouteGuard,
    req: &'r Request<'_>,
) -> Soon<'r, Result<&'r U, GuardError>> {
    let Some(realm) = Realm::<U>::of(req.rocket()) else {
        return Now(Err(GuardError::NoManager));
    };
    let visit = Visit::<U>::of(&realm.core, req);
    let find = move || {
        let current = visit.current(realm, req);
        current.map(|current| {
            let current = current?;
            Ok((current.standing(), current.user))
        })
    };
    let decision = decide_in(&**realm, visit, guard, Place::Parameter, req, find);
    decision.map(|user| user?.ok_or(GuardError::Denied(Reason::Unauthorized)))
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
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{Fresh, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// fn owner<'r>(user: Fresh<'r, User>) -> &'r User {
    ///     user.into_inner()
    /// }
    /// ```
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
