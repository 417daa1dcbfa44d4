//! `Next`: the page to go to after a login, always a page of this site.

use std::fmt;

use rocket::form::{DataField, FromForm, Options, Result as FormResult, ValueField};
use rocket::http::uri::Reference;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::Redirect;
use rocket::{Request, async_trait};
use serde::{Serialize, Serializer};

use crate::realm::registry::Realms;
use crate::redirect::local::{is_local, path_of, same_path};
use crate::request::cookie_header::Presented;
use crate::request::cookies;
use crate::response::cookies::NEXT_PURPOSE;
use crate::token::value;

/// The page that the visitor wanted before the login, if it is safe to go there.
///
/// It comes from the query field `next`, or with the setting `use_session_for_next` from a cookie. It can only hold a
/// path of this site that is not a login page; any other value is dropped, and the default applies. If `next` occurs
/// several times, each value must pass. (OWASP, Unvalidated Redirects and Forwards.)
///
/// A login form without an `action` posts to its own address, which still contains `next`. If the form has `next` as a
/// field, add a [`NextField`] to the form and use [`prefer`](Self::prefer).
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket::response::Redirect;
/// use rocket_login::Next;
///
/// #[get("/")]
/// fn index() {}
///
/// #[post("/login")]
/// fn login(next: Next) -> Redirect {
///     // .. the visitor has logged in ..
///     next.or(uri!(index))
/// }
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Next {
    target: Target,
    avoid: Vec<String>,
}

/// The field `next` of a login form; [`Next::prefer`] combines it with the guard [`Next`].
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket::form::Form;
/// use rocket::response::Redirect;
/// use rocket_login::{Next, NextField};
///
/// #[derive(FromForm)]
/// struct LoginForm<'r> {
///     name: &'r str,
///     next: NextField,
/// }
///
/// # #[get("/")] fn index() {}
/// #[post("/login", data = "<form>")]
/// fn login(form: Form<LoginForm<'_>>, next: Next) -> Redirect {
///     // .. the visitor has logged in ..
///     next.prefer(&form.next).or(uri!(index))
/// }
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct NextField(Target);

#[derive(Clone, PartialEq, Eq)]
enum Target {
    Absent,
    Refused,
    Path(String),
}

impl Target {
    /// Adds a value: the first one counts, but all of them must pass.
    fn take(self, value: &str) -> Self {
        match self {
            _ if !is_local(value) => Self::Refused,
            Self::Absent => Self::Path(value.to_owned()),
            taken => taken,
        }
    }

    /// Refuses a value that leads to a login page.
    fn away_from(self, avoid: &[String], value: &str) -> Self {
        if avoid.iter().any(|login| same_path(login, path_of(value))) {
            Self::Refused
        } else {
            self
        }
    }

    fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path),
            Self::Absent | Self::Refused => None,
        }
    }
}

impl Next {
    /// Returns a redirect (303) to the wanted page, or else to `default`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::response::Redirect;
    /// # use rocket_login::Next;
    /// # fn login(next: Next) -> Redirect {
    /// next.or("/dashboard")
    /// # }
    /// ```
    pub fn or<U: TryInto<Reference<'static>>>(self, default: U) -> Redirect {
        match self.target {
            Target::Path(path) => Redirect::to(path),
            Target::Absent | Target::Refused => Redirect::to(default),
        }
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
        self.target.path()
    }

    /// Uses the form's field if it has a value; if either value is unsafe, neither counts.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::response::Redirect;
    /// # use rocket_login::{Next, NextField};
    /// # fn login(field: NextField, next: Next) -> Redirect {
    /// next.prefer(&field).or("/dashboard")
    /// # }
    /// ```
    #[must_use]
    pub fn prefer(self, field: &NextField) -> Self {
        let target = match (self.target, &field.0) {
            (Target::Refused, _) | (_, Target::Refused) => Target::Refused,
            (_, Target::Path(path)) => Target::Path(path.clone()).away_from(&self.avoid, path),
            (query, Target::Absent) => query,
        };
        Next {
            target,
            avoid: self.avoid,
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Next").field(&self.path()).finish()
    }
}

/// Prints the wanted page, or nothing.
impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path().unwrap_or_default())
    }
}

impl Serialize for Next {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.path().serialize(serializer)
    }
}

#[async_trait]
impl<'r> FromRequest<'r> for Next {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        let realms = Realms::all(req.rocket());
        let mut avoid = vec![req.uri().path().to_string()];
        for realm in realms {
            avoid.extend(realm.core().config.login_paths().map(str::to_owned));
        }
        let mut target = Target::Absent;
        if let Some(query) = req.uri().query() {
            for (name, value) in query.segments() {
                if name == "next" {
                    target = target.take(value).away_from(&avoid, value);
                }
            }
        }
        for realm in realms {
            let core = realm.core();
            if target == Target::Absent && core.config.use_session_for_next {
                realm.has_read(req);
                if let [Presented::One(value)] =
                    cookies::presented(req, [core.config.next_cookie.name.as_str()])
                    && let Some(path) =
                        value::decode(&core.ring, NEXT_PURPOSE, value, core.clock.now())
                {
                    target = target.take(&path).away_from(&avoid, &path);
                }
            }
        }
        Outcome::Success(Next { target, avoid })
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
