//! Checks at compile time: which guards the functions of an application may take, for generated code.

use std::marker::PhantomData;

use super::user::Fresh;
use crate::app::user::UserMixin;

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
