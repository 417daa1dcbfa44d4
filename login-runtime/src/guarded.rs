//! The guard that `#[login_required]` and `#[fresh_login_required]` put before all others.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Phase, Request, Rocket, Sentinel};
use tracing::error;

use crate::denial::Refusal;
use crate::guards::{self, Need};
use crate::realm::{AnyRealm, Realms};
use crate::user::UserMixin;

/// What a route's attribute says; implemented for a marker type that the attribute generates.
pub trait Policy: Send + Sync + 'static {
    /// Whose logins count.
    type Realm: RealmChoice;
    /// The handler's name.
    const NAME: &'static str;
    /// Where the handler stands, as `file:line`.
    const LOCATION: &'static str;
    /// Whether the login must be fresh.
    const FRESH: bool;
    /// For how long a login counts as fresh here, in seconds; the `fresh_lifetime` where `None`.
    const WITHIN: Option<u64>;
}

/// The choice of a manager by a route.
pub trait RealmChoice: Send + Sync + 'static {
    /// The user type that the route names, if it names one.
    fn user_type() -> Option<(TypeId, &'static str)>;
}

/// The one manager that is attached.
#[derive(Debug)]
pub struct DefaultRealm(());

impl RealmChoice for DefaultRealm {
    fn user_type() -> Option<(TypeId, &'static str)> {
        None
    }
}

/// The manager for a user type.
pub struct RealmOf<U>(PhantomData<fn() -> U>);

impl<U> fmt::Debug for RealmOf<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RealmOf")
    }
}

impl<U: UserMixin> RealmChoice for RealmOf<U> {
    fn user_type() -> Option<(TypeId, &'static str)> {
        Some((TypeId::of::<U>(), std::any::type_name::<U>()))
    }
}

/// Proof that the policy `P` let this request through.
pub struct Guarded<P>(PhantomData<fn() -> P>);

impl<P> fmt::Debug for Guarded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded")
    }
}

fn realm_of<P: Policy, R: Phase>(rocket: &Rocket<R>) -> Option<Arc<dyn AnyRealm>> {
    match P::Realm::user_type() {
        Some((user_type, _)) => Realms::find(rocket, user_type),
        None => Realms::sole(rocket),
    }
}

#[rocket::async_trait]
impl<'r, P: Policy> FromRequest<'r> for Guarded<P> {
    type Error = Refusal;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Refusal> {
        let Some(realm) = realm_of::<P, _>(req.rocket()) else {
            return Refusal::NoManager.outcome();
        };
        let core = realm.core();
        if core.config.exempt_methods.contains(&req.method()) {
            return Outcome::Success(Guarded(PhantomData));
        }
        if let Err(reason) = guards::check_site(core, req) {
            return guards::deny(&*realm, req, reason, true).outcome();
        }
        let need = if P::FRESH {
            Need::Fresh {
                window: P::WITHIN.or(core.config.fresh_lifetime),
            }
        } else {
            Need::Login
        };
        match realm.standing(req).await {
            Ok(standing) => match guards::check(core, standing, need) {
                Ok(()) => Outcome::Success(Guarded(PhantomData)),
                Err(reason) => guards::deny(&*realm, req, reason, true).outcome(),
            },
            Err(error) => Refusal::Failed(error).outcome(),
        }
    }
}

impl<P: Policy> Sentinel for Guarded<P> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        if realm_of::<P, _>(rocket).is_some() {
            return false;
        }
        let (name, location) = (P::NAME, P::LOCATION);
        match P::Realm::user_type() {
            Some((_, user_type)) => error!(
                "`{name}` ({location}) requires a login of a `{user_type}`, but no `LoginManager` for \
                 that type is attached: add `.attach(LoginManager::new(..))` with its `#[user_loader]`"
            ),
            None if Realms::all(rocket).is_empty() => error!(
                "`{name}` ({location}) requires a login, but no `LoginManager` is attached: \
                 add `.attach(LoginManager::new(load_user))` to the rocket"
            ),
            None => error!(
                "`{name}` ({location}) requires a login, but several `LoginManager`s are attached: \
                 say whose, as in `#[login_required(User)]`"
            ),
        }
        true
    }
}
