//! The guards that hand a handler its user: `&User` and `Fresh`.

use std::fmt::{self, Debug};
use std::future::ready;
use std::marker::PhantomData;
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

/// Decides as for a route, then returns the user.
fn user<'r, U: UserMixin>(
    guard: RouteGuard,
    req: &'r Request<'_>,
) -> Soon<'r, Result<&'r U, GuardError>> {
    let Some(realm) = Realm::<U>::of(req.rocket()) else {
        return Now(Err(GuardError::NoManager));
    };
    let visit = Visit::<U>::of(&realm.core, req);
    decide_in(&**realm, visit, guard, Place::Parameter, req)
        .and_then(move |()| {
            let current = visit.current(realm, req);
            current.map(|current| current.map_err(GuardError::Failed))
        })
        // The decision has found the user; a listener may have ended the login since.
        .map(|current| {
            current?
                .user
                .ok_or(GuardError::Denied(Reason::Unauthorized))
        })
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

/// A guard that hands over a user of one type.
pub trait UserOf {
    /// The user type.
    type User;
}

impl<U: UserMixin> UserOf for &U {
    type User = U;
}

impl<U> UserOf for Fresh<'_, U> {
    type User = U;
}

impl<G: UserOf> UserOf for Option<G> {
    type User = G::User;
}

impl<G: UserOf, E> UserOf for Result<G, E> {
    type User = G::User;
}

/// A guard `G` beside the user type `U`, for generated code.
///
/// An inherent constant hides the constant of [`NoUser`] where its bounds hold, so the constants tell whether they do.
#[derive(Debug)]
pub struct GuardFor<G, U>(PhantomData<fn() -> (G, U)>);

impl<G: UserOf, U> GuardFor<G, U> {
    /// Whether the guard hands over a user.
    pub const IS_USER: bool = true;
}

impl<G: UserOf<User = U>, U> GuardFor<G, U> {
    /// Whether the guard hands over a user of the type `U`.
    pub const IS_SAME: bool = true;
}

/// What [`GuardFor`] says about all other guards.
pub trait NoUser {
    /// Whether the guard hands over a user.
    const IS_USER: bool = false;
    /// Whether the guard hands over a user of the type `U`.
    const IS_SAME: bool = false;
}

impl<T> NoUser for T {}

/// Whether a parameter is wrong, as a type.
#[derive(Debug)]
pub struct Wrong<const WRONG: bool>;

/// Lets a loader take every guard that does not ask the loader itself.
#[diagnostic::on_unimplemented(
    message = "a loader cannot take the user that it loads",
    label = "the loader would call itself",
    note = "take what identifies the user, such as the id or a header, and request guards such as `&State<Db>`"
)]
pub trait AsksNoLoader {}

#[diagnostic::do_not_recommend]
impl AsksNoLoader for Wrong<false> {}

/// Compiles if a loader may take the guard.
pub const fn loader_guard<const ASKS: bool>()
where
    Wrong<ASKS>: AsksNoLoader,
{
}

/// Lets a handler take users of the type that its attribute names.
#[diagnostic::on_unimplemented(
    message = "this user is of another type than the one that the attribute names",
    label = "another user type",
    note = "name this type in the attribute, as in `#[login_required(Staff)]` above `staff: &Staff`; a route that \
            requires both logins takes both users"
)]
pub trait IsOfTheRoute {}

#[diagnostic::do_not_recommend]
impl IsOfTheRoute for Wrong<false> {}

/// Compiles if the handler may take the argument.
pub const fn route_user<const OTHER: bool>()
where
    Wrong<OTHER>: IsOfTheRoute,
{
}

/// Lets the handler of an open route take every guard that does not require a login.
#[diagnostic::on_unimplemented(
    message = "this route is for visitors without a login, and its handler requires one",
    label = "refuses visitors without a login",
    note = "take `CurrentUser<'_, User>`, which is there for every visitor, or guard the route with `#[login_required]`"
)]
pub trait AdmitsVisitors {}

#[diagnostic::do_not_recommend]
impl AdmitsVisitors for Wrong<false> {}

/// Compiles if the handler of an open route may take the argument.
pub const fn open_route<const REFUSES: bool>()
where
    Wrong<REFUSES>: AdmitsVisitors,
{
}

/// Lets an unauthorized handler take every guard that does not require a login.
#[diagnostic::on_unimplemented(
    message = "nobody is logged in where an unauthorized handler answers",
    label = "this guard always refuses",
    note = "leave it out, or take `CurrentUser<'_, User>`, which is there for every visitor"
)]
pub trait MeetsVisitors {}

#[diagnostic::do_not_recommend]
impl MeetsVisitors for Wrong<false> {}

/// Compiles if an unauthorized handler may take the guard.
pub const fn visitor_guard<const REFUSES: bool>()
where
    Wrong<REFUSES>: MeetsVisitors,
{
}
