//! The guards that ask who is logged in: `&U`, `Fresh`, `CurrentUser`.

use std::fmt::{self, Debug};
use std::ops::Deref;
use std::sync::Arc;

use rocket::figment::value::{Dict, Value};
use rocket::futures::future::BoxFuture;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::access::denial::{Denied, Reason, Refusal};
use crate::access::rule::Need;
use crate::app::user::{UserMixin, id_of};
use crate::clock::UnixTime;
use crate::login::visit::{Soon, Standing, Visit};
use crate::realm::{AnyRealm, Realm, RealmCore, is_safe};
use crate::token::times;

/// Who is logged in, asked without refusing anybody.
///
/// Ask with this, and not with `Option<&User>`: an optional guard takes a failing loader for nobody,
/// and a handler's own 401 after it is answered like a refusal.
///
/// Anonymous visitors are `A`, made by its `Default`; Flask-Login's `current_user`. It fails only
/// where the user cannot be told, with the loader's 5xx: never is a failure mistaken for nobody.
///
/// For templates it serializes as the user's own fields (or the anonymous type's) and
/// `is_authenticated`, `is_active`, `is_anonymous` beside them, which win over fields of those
/// names: leave secrets out of the user type's `Serialize`.
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
/// ```
pub struct CurrentUser<'r, U, A = Anonymous> {
    user: Option<&'r U>,
    anonymous: A,
    auth_at: Option<UnixTime>,
    now: UnixTime,
    window: Option<u64>,
}

/// The anonymous user, unless the application has a type of its own for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Anonymous {}

impl<U, A: Clone> Clone for CurrentUser<'_, U, A> {
    fn clone(&self) -> Self {
        CurrentUser {
            anonymous: self.anonymous.clone(),
            ..*self
        }
    }
}

impl<U, A: Copy> Copy for CurrentUser<'_, U, A> {}

impl<'r, U: UserMixin, A> CurrentUser<'r, U, A> {
    /// Returns the user, if one is logged in.
    ///
    /// A forced login of an inactive user is nobody here, see [`inactive`](Self::inactive).
    pub fn user(&self) -> Option<&'r U> {
        self.user.filter(|user| user.is_authenticated())
    }

    /// Returns the user of a forced login, who opens no door.
    pub fn inactive(&self) -> Option<&'r U> {
        self.user.filter(|user| !user.is_authenticated())
    }

    /// Returns the anonymous user's value, whoever is logged in.
    pub fn anonymous(&self) -> &A {
        &self.anonymous
    }

    /// Returns whether somebody is logged in.
    pub fn is_authenticated(&self) -> bool {
        self.user().is_some()
    }

    /// Returns whether somebody active is logged in.
    pub fn is_active(&self) -> bool {
        self.user.is_some_and(UserMixin::is_active)
    }

    /// Returns whether nobody is there.
    pub fn is_anonymous(&self) -> bool {
        self.user.is_none()
    }

    /// Returns whether somebody is logged in freshly, within the `fresh_lifetime`.
    pub fn is_fresh(&self) -> bool {
        self.is_authenticated() && times::is_fresh(self.auth_at, self.now, self.window)
    }

    /// Returns the user's id, as it stands in the cookies.
    pub fn get_id(&self) -> Option<String> {
        self.user.map(id_of)
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
        // As a table, so that a field of the user's with one of these names stands once.
        let mut fields = match fields.map_err(S::Error::custom)? {
            Value::Dict(_, fields) => fields,
            Value::Empty(..) => Dict::new(),
            _ => {
                return Err(S::Error::custom(
                    "a user has to serialize as a struct or a map",
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
    type Error = Refusal;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Refusal> {
        let Some(realm) = Realm::<U>::of(req.rocket()) else {
            return Refusal::NoManager.outcome();
        };
        match Visit::of(req).present(realm, req).await {
            Ok(present) => Outcome::Success(CurrentUser {
                auth_at: present.auth_at,
                user: present.user,
                anonymous: A::default(),
                now: realm.core.clock.now(),
                window: realm.core.config.fresh_lifetime,
            }),
            Err(error) => Refusal::Failed(error).outcome(),
        }
    }
}

impl<U: UserMixin, A> Sentinel for CurrentUser<'_, U, A> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}

/// The user, freshly logged in; anybody else is refused as by `#[fresh_login_required]`.
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
    type Error = Refusal;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Refusal> {
        let Some(realm) = Realm::<U>::of(req.rocket()) else {
            return Refusal::NoManager.outcome();
        };
        match require(realm, req, Need::Fresh { within: None }).await {
            Ok(user) => Outcome::Success(Fresh(user)),
            Err(refusal) => refusal.outcome(),
        }
    }
}

impl<U: UserMixin> Sentinel for Fresh<'_, U> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}

/// The guard `&U`, which `#[derive(UserMixin)]` makes a type's own.
pub fn user_guard<'a, 'r: 'a, U: UserMixin>(
    req: &'r Request<'_>,
) -> BoxFuture<'a, request::Outcome<&'r U, Refusal>> {
    Box::pin(async move {
        let Some(realm) = Realm::<U>::of(req.rocket()) else {
            return Refusal::NoManager.outcome();
        };
        match require(realm, req, Need::Login).await {
            Ok(user) => Outcome::Success(user),
            Err(refusal) => refusal.outcome(),
        }
    })
}

/// Whether the launch must stop because no manager for `U` is attached; says so in the log.
pub fn manager_is_missing<U: UserMixin>(rocket: &Rocket<Ignite>) -> bool {
    let missing = Realm::<U>::of(rocket).is_none();
    if missing {
        let name = std::any::type_name::<U>();
        tracing::error!(
            "a route asks for a `{name}`, but no `LoginManager` for that type is attached: \
             add `.attach(LoginManager::new(load_user))` with a `#[user_loader]` that returns `{name}`"
        );
    }
    missing
}

/// Whether the user of a request is who a route needs.
pub(crate) fn check(core: &RealmCore, standing: Standing, need: Need) -> Result<(), Reason> {
    let is_logged_in = standing != Standing::Anonymous;
    match need {
        Need::Anonymous { .. } if is_logged_in => Err(Reason::AlreadyLoggedIn),
        Need::Login | Need::Fresh { .. } if !is_logged_in => Err(Reason::Unauthorized),
        Need::Nothing | Need::Anonymous { .. } | Need::Login => Ok(()),
        Need::Fresh { within } => {
            let window = within.or(core.config.fresh_lifetime);
            if standing.is_fresh(core.clock.now(), window) {
                Ok(())
            } else {
                Err(Reason::NeedsRefresh)
            }
        }
    }
}

/// Whether a request of an unsafe method comes from another site.
pub(crate) fn check_site(core: &RealmCore, req: &Request<'_>) -> Result<(), Reason> {
    if is_safe(req.method()) || core.is_same_site(req) {
        Ok(())
    } else {
        Err(Reason::CrossSite)
    }
}

/// Records a refusal by a realm.
pub(crate) fn deny(realm: &dyn AnyRealm, req: &Request<'_>, denied: Denied) -> Refusal {
    let reason = denied.reason();
    realm.has_read(req);
    denied.record(req);
    Refusal::Denied(reason)
}

async fn require<'r, U: UserMixin>(
    realm: &'r Realm<U>,
    req: &'r Request<'_>,
    need: Need,
) -> Result<&'r U, Refusal> {
    let core = &realm.core;
    let deny = |reason| deny(realm, req, Denied::new(reason, core.user_type).maybe());
    check_site(core, req).map_err(deny)?;
    let present = Visit::of(req)
        .present(realm, req)
        .await
        .map_err(Refusal::Failed)?;
    check(core, present.standing(), need).map_err(deny)?;
    present.user.ok_or_else(|| deny(Reason::Unauthorized))
}

impl<U: UserMixin> AnyRealm for Realm<U> {
    fn core(&self) -> &RealmCore {
        &self.core
    }

    fn has_read(&self, req: &Request<'_>) {
        Visit::<U>::of(req).has_read();
    }

    fn has_failed(&self, req: &Request<'_>) {
        Visit::<U>::of(req).has_failed();
    }

    fn standing<'a>(&'a self, req: &'a Request<'_>) -> Soon<'a, Standing> {
        Visit::of(req).standing(self, req)
    }
}

/// The realm for a user type, type-erased.
pub(crate) fn erased<U: UserMixin>(realm: &Arc<Realm<U>>) -> Arc<dyn AnyRealm> {
    Arc::clone(realm) as Arc<dyn AnyRealm>
}
