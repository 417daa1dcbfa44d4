//! `Next`: the page to go to after a login, always a page of this site.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use rocket::form::{DataField, FromForm, FromFormField, Options, Result as FormResult, ValueField};
use rocket::http::Status;
use rocket::http::uri::Reference;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::{self, Redirect, Responder, Response};
use rocket::{Ignite, Request, Rocket, Sentinel, async_trait};
use serde::{Serialize, Serializer};
use tracing::error;

use crate::app::user::{UserMixin, UserType};
use crate::realm::registry::{Realms, manager_is_missing};
use crate::response::asker::Asker;
use crate::response::wanted::{Target, Wanted};

/// The page that the visitor wanted before the login, if it is safe to go there.
///
/// It comes from the query field `next`, or with the setting `use_session_for_next` from a cookie. It can only hold a
/// path of this site that is not a login page; any other value is dropped, and the default applies. If `next` occurs
/// several times, each value must pass. (OWASP, Unvalidated Redirects and Forwards.)
///
/// A login form without an `action` posts to its own address, which still contains `next`. If the form has `next` as a
/// field, add a [`NextField`] to the form and use [`prefer`](Self::prefer).
///
/// A handler of a login page that answers a failed login by a redirect to a login page, such as
/// `Flash::error(Redirect::to(uri!(login_page)), "wrong password")`, needs to do nothing: the redirect gets the query field.
///
/// The page is an escaped address without quotes, `<` and `>`, so a template can write it into an attribute. It may be
/// any page, also one that needs a POST, such as `/logout`: going there by GET changes nothing.
///
/// With several managers, `Next<Staff>` reads the cookie of the manager for `Staff`. The launch stops if a manager keeps
/// pages in a cookie and `Next` names no user type.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket_login::{Next, NextRedirect};
///
/// #[get("/")]
/// fn index() {}
///
/// #[post("/login")]
/// fn login(next: Next) -> NextRedirect {
///     // .. the visitor has logged in ..
///     next.or(uri!(index))
/// }
/// # fn main() {}
/// ```
///
/// A provider that answers by a POST from its own site, such as Apple's `form_post`, does not bring back the query or
/// the cookie. Let it carry the page, signed by a [`Signer`](crate::Signer), in its `state`:
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// # use std::time::Duration;
/// # use rocket::response::Redirect;
/// # use rocket_login::{Next, Signer, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # fn provider(state: &str) -> String { state.into() }
/// #[get("/login/provider")]
/// fn leave(next: Next, signer: Signer<'_, User>) -> Option<Redirect> {
///     let page = next.path().unwrap_or("/");
///     let state = signer.sign("page after the login", page, Duration::from_secs(600))?;
///     Some(Redirect::to(provider(&state))) // next to the random value that belongs to this browser
/// }
///
/// # fn come_back(state: &str, signer: Signer<'_, User>) -> Redirect {
/// // when the provider has come back, and the user is logged in
/// let page = signer.verify("page after the login", state);
/// Redirect::to(page.unwrap_or("/".to_owned()))
/// # }
/// # fn main() {}
/// ```
pub struct Next<U = OnlyManager> {
    wanted: Wanted,
    realm: PhantomData<fn() -> U>,
}

/// Stands for the user type of an application's only manager, in [`Next`].
#[derive(Clone, Copy, Debug)]
pub enum OnlyManager {}

/// Whose login a [`Next`] follows: a user type, or [`OnlyManager`].
pub trait NextOf: 'static {
    #[doc(hidden)]
    fn user_type() -> Option<UserType>;

    /// Returns whether the launch must stop, and logs the fix.
    #[doc(hidden)]
    fn aborts(rocket: &Rocket<Ignite>) -> bool;
}

impl<U: UserMixin> NextOf for U {
    fn user_type() -> Option<UserType> {
        Some(UserType::of::<U>())
    }

    fn aborts(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}

impl NextOf for OnlyManager {
    fn user_type() -> Option<UserType> {
        None
    }

    fn aborts(rocket: &Rocket<Ignite>) -> bool {
        let realms = Realms::all(rocket);
        let mut keeping = realms
            .iter()
            .map(|realm| realm.core())
            .filter(|core| core.config.use_session_for_next);
        let Some(core) = keeping.next().filter(|_| realms.len() > 1) else {
            return false;
        };
        error!(
            "a route uses `Next`, but several `LoginManager`s are attached, and the one for `{}` keeps the wanted page in \
             a cookie: name the user type, as in `Next<User>`",
            core.user_type.name
        );
        true
    }
}

/// A redirect to the page after a login; returned by [`Next::or`].
///
/// It is a 303. For htmx, which would put the page into a part of the current one, it is a 200 with `HX-Redirect`.
///
/// The example of [`Next::or`](Next::or) shows it.
#[derive(Debug)]
#[must_use = "nobody is redirected until the handler returns it"]
pub struct NextRedirect(Redirect);

impl<'r> Responder<'r, 'static> for NextRedirect {
    fn respond_to(self, req: &'r Request<'_>) -> response::Result<'static> {
        let redirect = self.0.respond_to(req)?;
        match (Asker::of(req), redirect.headers().get_one("Location")) {
            (Asker::Htmx, Some(location)) => Response::build()
                .status(Status::Ok)
                .raw_header("HX-Redirect", location.to_owned())
                .ok(),
            _ => Ok(redirect),
        }
    }
}

/// The field `next` of a login form; [`Next::prefer`] combines it with the guard [`Next`].
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket::form::Form;
/// use rocket_login::{Next, NextField, NextRedirect};
///
/// #[derive(FromForm)]
/// struct LoginForm<'r> {
///     name: &'r str,
///     next: NextField,
/// }
///
/// # #[get("/")] fn index() {}
/// #[post("/login", data = "<form>")]
/// fn login(form: Form<LoginForm<'_>>, next: Next) -> NextRedirect {
///     // .. the visitor has logged in ..
///     next.prefer(&form.next).or(uri!(index))
/// }
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct NextField(Target);

impl<U> Next<U> {
    /// Returns a redirect (303) to the wanted page, or else to `default`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{Next, NextRedirect};
    /// # fn login(next: Next) -> NextRedirect {
    /// next.or("/dashboard")
    /// # }
    /// ```
    pub fn or<D: TryInto<Reference<'static>>>(self, default: D) -> NextRedirect {
        NextRedirect(match self.wanted.target {
            Target::Path(path) => Redirect::to(path),
            Target::Absent | Target::Refused => Redirect::to(default),
        })
    }

    /// Returns the wanted page, for a hidden field or a link.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::{get, uri};
    /// # use rocket_login::Next;
    /// #[get("/login")]
    /// fn login_page(next: Next) -> String {
    ///     format!("after the login you will see {}", next.path().unwrap_or("/"))
    /// }
    /// ```
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.wanted.target.path()
    }

    /// Uses the form's field if it has a value; if either value is unsafe, neither counts.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{Next, NextField, NextRedirect};
    /// # fn login(field: NextField, next: Next) -> NextRedirect {
    /// next.prefer(&field).or("/dashboard")
    /// # }
    /// ```
    #[must_use]
    pub fn prefer(mut self, field: &NextField) -> Self {
        let Wanted { target, avoid } = &mut self.wanted;
        match &field.0 {
            _ if *target == Target::Refused => {}
            Target::Refused => *target = Target::Refused,
            Target::Path(path) => *target = Target::Path(path.clone()).away_from(avoid, path),
            Target::Absent => {}
        }
        self
    }
}

impl<U> Clone for Next<U> {
    fn clone(&self) -> Self {
        Next {
            wanted: self.wanted.clone(),
            realm: PhantomData,
        }
    }
}

impl<U> fmt::Debug for Next<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Next").field(&self.path()).finish()
    }
}

/// Prints the wanted page, or nothing.
impl<U> fmt::Display for Next<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path().unwrap_or_default())
    }
}

impl<U> Serialize for Next<U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.path().serialize(serializer)
    }
}

#[async_trait]
impl<'r, U: NextOf> FromRequest<'r> for Next<U> {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        let realm = Realms::of_guard(req.rocket(), U::user_type());
        Outcome::Success(Next {
            wanted: Wanted::of(req, realm),
            realm: PhantomData,
        })
    }
}

impl<U: NextOf> Sentinel for Next<U> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        U::aborts(rocket)
    }
}

/// Names the fix where [`Next`] is used as a field of a form. No type implements it.
///
/// It is a bound on the user type, because the compiler would not show this message for a bound on `Next` itself.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`Next` is a request guard, and cannot be a field of a form",
    label = "not a form field",
    note = "write `next: NextField` in the form and `next: Next` in the handler, which combines the two: \
            `next.prefer(&form.next).or(\"/\")`"
)]
pub trait NextIsAFormField {}

/// Never holds; only for the message of the compiler.
#[doc(hidden)]
impl<U> FromFormField<'_> for Next<U> where U: NextIsAFormField {}

/// As [`NextIsAFormField`], for `Redirect::to(next)`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`Next` is not a URI",
    label = "not a URI, since the visitor may have wanted no page",
    note = "write `next.or(\"/\")`, which is the redirect, a `NextRedirect`, and names the page for all other visitors"
)]
pub trait NextIsAUri {
    fn uri(next: Next<Self>) -> Reference<'static>
    where
        Self: Sized;
}

/// As [`NextIsAFormField`], for a [`NextField`] as a parameter of a handler.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`NextField` is a field of a form, and cannot be a parameter of a handler",
    label = "not a request guard",
    note = "write `next: Next`, which reads the address of the request"
)]
pub trait NextFieldIsAGuard<'r> {
    fn guard(req: &'r Request<'_>) -> request::Outcome<NextField, Infallible>;
}

/// Never holds; only for the message of the compiler.
#[doc(hidden)]
#[async_trait]
impl<'r> FromRequest<'r> for NextField
where
    &'r (): NextFieldIsAGuard<'r>,
{
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        <&'r ()>::guard(req)
    }
}

/// Never holds; only for the message of the compiler.
#[doc(hidden)]
impl<U> From<Next<U>> for Reference<'static>
where
    U: NextIsAUri,
{
    fn from(next: Next<U>) -> Self {
        U::uri(next)
    }
}

impl fmt::Debug for NextField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NextField").field(&self.0.path()).finish()
    }
}

#[async_trait]
impl<'r> FromForm<'r> for NextField {
    type Context = NextField;

    fn init(_: Options) -> NextField {
        NextField(Target::Absent)
    }

    fn push_value(context: &mut NextField, field: ValueField<'r>) {
        // A template without a next page renders an empty hidden field.
        if !field.value.is_empty() {
            context.0 = context.0.clone().take(field.value);
        }
    }

    async fn push_data(context: &mut NextField, _: DataField<'r, '_>) {
        context.0 = Target::Refused;
    }

    fn finalize(context: NextField) -> FormResult<'r, Self> {
        Ok(context)
    }
}
