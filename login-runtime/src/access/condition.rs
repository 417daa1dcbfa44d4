//! Conditions: a function of the user, and of any request guards, that says who may use a route.
//!
//! [`Condition`] fits a function by the number of its parameters only. The user type, each guard and the return type
//! have bounds of their own in [`condition`], so the compiler names the one that is wrong.

use std::error::Error;
use std::fmt::{self, Debug};

use rocket::Request;
use rocket::futures::future::BoxFuture;
use rocket::request::{FromRequest, Outcome};

use crate::app::failure::ConditionError;
use crate::app::loader::handler_guard;
use crate::app::user::{UserMixin, UserType};
use crate::login::visit::Visit;
use crate::realm::Realm;
use crate::realm::unavailable::Unavailable;

/// What a condition says about the current user.
#[derive(Clone, Debug)]
pub enum Permission {
    /// The user may use the route.
    Granted,
    /// The user may not use the route.
    Refused,
    /// Nobody is logged in whom the condition could judge.
    Nobody,
    /// The condition, or the search for the user, failed.
    Failed(Unavailable),
}

/// A function for `if = ..` and [`condition!`](crate::condition!).
///
/// It takes the user by reference, then up to six request guards. It may be async, and returns a `bool` or a
/// `Result<bool, E>`.
///
/// The example of [`condition!`](crate::condition!) shows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot decide who may use a route",
    label = "not a function of the user",
    note = "`if = ..` takes a function such as `fn is_staff(user: &User) -> bool`; it may be `async`, \
            take request guards after the user, and return `Result<bool, E>`"
)]
pub trait Condition<'r, Args>: Send + 'r {
    /// The user type that the condition judges.
    type User: 'r;
    /// The request guards that it takes, as a tuple.
    type Guards;
    /// What it returns.
    type Verdict;

    /// Asks the condition.
    fn ask(self, user: &'r Self::User, guards: Self::Guards) -> Self::Verdict;
}

/// The request guards of a condition, as a tuple.
///
/// The example of [`condition!`](crate::condition!) shows it.
pub trait ConditionGuards<'r>: Sized + Send {
    /// Runs the guards, from left to right.
    fn ask(req: &'r Request<'_>) -> impl Future<Output = Result<Self, ConditionError>> + Send;
}

/// A request guard that a condition may take: any that can be sent to another thread.
///
/// The example of [`condition!`](crate::condition!) shows it.
#[diagnostic::on_unimplemented(
    message = "a condition cannot take `{Self}`",
    label = "not a request guard",
    note = "a condition takes the user and then request guards, but no parameter of the path, the query or the body: \
            compare that one with the user in the handler"
)]
pub trait ConditionGuard<'r>: FromRequest<'r> + Send {}

#[diagnostic::do_not_recommend]
impl<'r, G: FromRequest<'r> + Send> ConditionGuard<'r> for G {}

/// What a condition may return.
///
/// The example of [`condition!`](crate::condition!) shows it.
#[diagnostic::on_unimplemented(
    message = "a condition cannot return `{Self}`",
    label = "neither `bool` nor `Result<bool, E>`",
    note = "return `bool`, or `Result<bool, E>` if the condition can fail, where `E` is an error, a text or a \
            `ConditionError`"
)]
pub trait IntoVerdict<Kind> {
    /// Waits for the verdict.
    fn into_verdict(self) -> impl Future<Output = Result<bool, ConditionError>> + Send;
}

/// Marks a verdict that is there at once.
#[derive(Debug)]
pub struct Now(());

/// Marks a verdict that comes from a future.
#[derive(Debug)]
pub struct Later<Kind>(std::marker::PhantomData<Kind>);

impl IntoVerdict<Now> for bool {
    async fn into_verdict(self) -> Result<bool, ConditionError> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn Error + Send + Sync>>> IntoVerdict<Now> for Result<bool, E> {
    fn into_verdict(self) -> impl Future<Output = Result<bool, ConditionError>> + Send {
        std::future::ready(self.map_err(ConditionError::new))
    }
}

impl<F> IntoVerdict<Later<Now>> for F
where
    F: Future<Output: IntoVerdict<Now> + Send> + Send,
{
    async fn into_verdict(self) -> Result<bool, ConditionError> {
        self.await.into_verdict().await
    }
}

macro_rules! conditions {
    ($($($guard:ident)*;)*) => {$(
        impl<'r, F, U: 'r, R, $($guard),*> Condition<'r, (U, R, $($guard),*)> for F
        where
            F: FnOnce(&'r U, $($guard),*) -> R + Send + 'r,
        {
            type User = U;
            type Guards = ($($guard,)*);
            type Verdict = R;

            #[allow(non_snake_case, reason = "the types name the variables")]
            fn ask(self, user: &'r U, ($($guard,)*): Self::Guards) -> R {
                self(user, $($guard),*)
            }
        }

        impl<'r, $($guard: ConditionGuard<'r>),*> ConditionGuards<'r> for ($($guard,)*) {
            #[allow(unused_variables, reason = "one macro for none and for many")]
            async fn ask(req: &'r Request<'_>) -> Result<Self, ConditionError> {
                Ok(($(guard($guard::from_request(req).await)?,)*))
            }
        }
    )*};
}

conditions! {
    ;
    G1;
    G1 G2;
    G1 G2 G3;
    G1 G2 G3 G4;
    G1 G2 G3 G4 G5;
    G1 G2 G3 G4 G5 G6;
}

fn guard<T, E>(outcome: Outcome<T, E>) -> Result<T, ConditionError> {
    handler_guard(outcome).map_err(|status| {
        let name = std::any::type_name::<T>();
        ConditionError::with_status(status, format!("its guard `{name}` failed with {status}"))
    })
}

/// A condition, and the user type that it judges.
///
/// One function makes it for the launch and for each request, so that an expression that is no condition gives one
/// compile error.
pub fn condition<'r, C, Args, U, G, R, Kind>(condition: C) -> Resolved<'r, C>
where
    C: Condition<'r, Args, User = U, Guards = G, Verdict = R>,
    U: UserMixin,
    G: ConditionGuards<'r> + 'r,
    R: IntoVerdict<Kind> + Send + 'r,
    Args: 'r,
    Kind: 'r,
{
    Resolved {
        condition,
        permit: permit::<C, Args, U, G, R, Kind>,
        judges: UserType::of::<U>(),
    }
}

/// What [`condition`] returns.
pub struct Resolved<'r, C> {
    condition: C,
    permit: for<'a> fn(C, &'r Request<'a>) -> BoxFuture<'r, Permission>,
    judges: UserType,
}

impl<C> Debug for Resolved<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("judges", &self.judges)
            .finish_non_exhaustive()
    }
}

impl<'r, C> Resolved<'r, C> {
    /// Asks the condition about the current user.
    pub fn permit(self, req: &'r Request<'_>) -> BoxFuture<'r, Permission> {
        (self.permit)(self.condition, req)
    }

    /// Returns the user type that the condition judges.
    #[must_use]
    pub fn judges(&self) -> UserType {
        self.judges
    }
}

fn permit<'r, C, Args, U, G, R, Kind>(
    condition: C,
    req: &'r Request<'_>,
) -> BoxFuture<'r, Permission>
where
    C: Condition<'r, Args, User = U, Guards = G, Verdict = R>,
    U: UserMixin,
    G: ConditionGuards<'r> + 'r,
    R: IntoVerdict<Kind> + Send + 'r,
    Args: 'r,
    Kind: 'r,
{
    Box::pin(async move {
        let Some(realm) = Realm::<U>::of(req.rocket()) else {
            let cause = format!(
                "no `LoginManager` for its user type `{}` is attached",
                UserType::of::<U>().name
            );
            return Permission::Failed(ConditionError::new(cause).into());
        };
        let user = match Visit::of(&realm.core, req).current(realm, req).await {
            Ok(current) => current.user,
            Err(error) => return Permission::Failed(error),
        };
        match user.filter(|user| user.is_authenticated()) {
            None => Permission::Nobody,
            Some(user) => match verdict(condition, user, req).await {
                Ok(true) => Permission::Granted,
                Ok(false) => Permission::Refused,
                Err(error) => Permission::Failed(error.into()),
            },
        }
    })
}

async fn verdict<'r, C, Args, U, G, R, Kind>(
    condition: C,
    user: &'r U,
    req: &'r Request<'_>,
) -> Result<bool, ConditionError>
where
    C: Condition<'r, Args, User = U, Guards = G, Verdict = R>,
    G: ConditionGuards<'r>,
    R: IntoVerdict<Kind>,
{
    let guards = G::ask(req).await?;
    condition.ask(user, guards).into_verdict().await
}
