//! The guard that gives the current user, if any, and refuses nobody.

use std::fmt::{self, Debug};

use rocket::figment::value::{Dict, Value};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::access::argument::UserOf;
use crate::access::denial::GuardError;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::login::visit::Visit;
use crate::realm::Realm;
use crate::realm::registry::manager_is_missing;
use crate::realm::unavailable::Unavailable;
use crate::token::times;

/// The guard that gives the current user, if any, and refuses nobody; Flask-Login's `current_user`.
///
/// It fails only if the user cannot be determined, with the loader's 5xx: a failure never counts as "nobody". Prefer it
/// to `Option<&User>`, which turns a failed loader into `None`, and with which a 401 of your handler is answered as if a
/// guard had refused the request.
///
/// Visitors without a login are an `A`, made by its `Default`.
///
/// For templates it serializes as the fields of the user (or of the anonymous type) with `is_authenticated`,
/// `is_active` and `is_anonymous` beside them. These three replace fields with the same names. Leave secrets out of the
/// user type's `Serialize`.
///
/// # Example
///
/// ```rust
/// # use rocket::get;
/// # use rocket_login::{CurrentUser, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64, name: String }
/// #[get("/")]
/// fn index(user: CurrentUser<'_, User>) -> String {
///     match user.user() {
///         Some(user) => format!("Hello {}", user.name),
///         None => "Hello stranger".into(),
///     }
/// }
///
/// #[get("/state")]
/// fn state(user: CurrentUser<'_, User>) -> String {
///     let id = user.get_id().unwrap_or_default();
///     let (fresh, active) = (user.is_fresh(), user.is_active());
///     let (logged_in, visitor) = (user.is_authenticated(), user.is_anonymous());
///     format!("user {id}: fresh {fresh}, active {active}, logged in {logged_in}, visitor {visitor}")
/// }
/// ```
pub struct CurrentUser<'r, U, A = Anonymous> {
    user: Option<&'r U>,
    anonymous: A,
    auth_at: Option<UnixTime>,
    now: UnixTime,
    window: Option<u64>,
}

/// The default type for visitors without a login.
///
/// The example of [`CurrentUser::anonymous`](CurrentUser::anonymous) shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Anonymous {}

impl<U, A> UserOf for CurrentUser<'_, U, A> {
    type User = U;
}

impl<U, A: Clone> Clone for CurrentUser<'_, U, A> {
    fn clone(&self) -> Self {
        CurrentUser {
            anonymous: self.anonymous.clone(),
            ..*self
        }
    }
}

impl<U, A: Copy> Copy for CurrentUser<'_, U, A> {}

impl<'r, U: UserMixin, A: Default> CurrentUser<'r, U, A> {
    /// Finds the user who is logged in now.
    pub(super) async fn of(realm: &'r Realm<U>, req: &'r Request<'_>) -> Result<Self, Unavailable> {
        let current = Visit::of(&realm.core, req).current(realm, req).await?;
        Ok(CurrentUser {
            user: current.user,
            anonymous: A::default(),
            auth_at: current.auth_at,
            now: realm.core.clock.now(),
            window: realm.core.config.fresh_lifetime,
        })
    }
}

impl<'r, U: UserMixin, A> CurrentUser<'r, U, A> {
    /// Returns the user who is logged in.
    ///
    /// The user of a forced login who is inactive does not count; see [`inactive`](Self::inactive).
    pub fn user(&self) -> Option<&'r U> {
        self.user.filter(|user| user.is_authenticated())
    }

    /// Returns the user of a forced login who is inactive, whom every guard refuses.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket_login::{CurrentUser, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64, name: String }
    /// #[get("/reopen")]
    /// fn reopen(current: CurrentUser<'_, User>) -> Option<String> {
    ///     let user = current.inactive()?;
    ///     Some(format!("open the account of {} again", user.name))
    /// }
    /// ```
    pub fn inactive(&self) -> Option<&'r U> {
        self.user.filter(|user| !user.is_authenticated())
    }

    /// Returns the user, active or not: [`user`](Self::user) or else [`inactive`](Self::inactive).
    ///
    /// For a page such as "your account is closed". Do not protect anything with it.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket_login::{CurrentUser, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64, name: String }
    /// #[get("/account-state")]
    /// fn account_state(current: CurrentUser<'_, User>) -> String {
    ///     match current.active_or_not() {
    ///         Some(user) if current.is_active() => format!("{} is active", user.name),
    ///         Some(user) => format!("{} is closed", user.name),
    ///         None => "no account".into(),
    ///     }
    /// }
    /// ```
    pub fn active_or_not(&self) -> Option<&'r U> {
        self.user
    }

    /// Returns the value for visitors without a login; it is there even if a user is logged in.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket_login::{CurrentUser, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// struct Guest { name: &'static str }
    ///
    /// impl Default for Guest {
    ///     fn default() -> Self {
    ///         Guest { name: "guest" }
    ///     }
    /// }
    ///
    /// #[get("/")]
    /// fn index(current: CurrentUser<'_, User, Guest>) -> &'static str {
    ///     current.anonymous().name
    /// }
    /// ```
    #[doc(alias("anonymous_user", "AnonymousUserMixin"))]
    pub fn anonymous(&self) -> &A {
        &self.anonymous
    }

    /// Returns whether a user is logged in.
    pub fn is_authenticated(&self) -> bool {
        self.user().is_some()
    }

    /// Returns whether an active user is logged in.
    pub fn is_active(&self) -> bool {
        self.user.is_some_and(UserMixin::is_active)
    }

    /// Returns whether there is no user, active or not.
    pub fn is_anonymous(&self) -> bool {
        self.user.is_none()
    }

    /// Returns whether the login is fresh: made with credentials, within the `fresh_lifetime`.
    pub fn is_fresh(&self) -> bool {
        self.is_authenticated() && times::is_fresh(self.auth_at, self.now, self.window)
    }

    /// Returns the user's id, as it is in the cookies.
    pub fn get_id(&self) -> Option<String> {
        self.user.map(|user| user.get_id().to_string())
    }
}

impl<U: UserMixin, A> Debug for CurrentUser<'_, U, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentUser")
            .field("is_authenticated", &self.is_authenticated())
            .finish_non_exhaustive()
    }
}

impl<U: UserMixin + Serialize, A: Serialize> Serialize for CurrentUser<'_, U, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = match self.user {
            Some(user) => Value::serialize(user),
            None => Value::serialize(&self.anonymous),
        };
        // As a table, so that a user's own field with one of these names is replaced and not written twice.
        let mut fields = match fields.map_err(S::Error::custom)? {
            Value::Dict(_, fields) => fields,
            Value::Empty(..) => Dict::new(),
            _ => {
                return Err(S::Error::custom(
                    "a user must serialize as a struct or a map",
                ));
            }
        };
        for (name, answer) in [
            ("is_authenticated", self.is_authenticated()),
            ("is_active", self.is_active()),
            ("is_anonymous", self.is_anonymous()),
        ] {
            fields.insert(name.into(), answer.into());
        }
        fields.serialize(serializer)
    }
}

#[rocket::async_trait]
impl<'r, U: UserMixin, A: Default> FromRequest<'r> for CurrentUser<'r, U, A> {
    type Error = GuardError;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, GuardError> {
        let Some(realm) = Realm::<U>::of(req.rocket()) else {
            return GuardError::NoManager.outcome();
        };
        match CurrentUser::of(realm, req).await {
            Ok(current) => Outcome::Success(current),
            Err(error) => GuardError::Failed(error).outcome(),
        }
    }
}

impl<U: UserMixin, A> Sentinel for CurrentUser<'_, U, A> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}
