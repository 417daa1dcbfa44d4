//! The guard that the attributes put before all others, and the decision that it shares with groups.

use std::any::TypeId;
use std::fmt;
use std::future::ready;
use std::marker::PhantomData;

use rocket::futures::future::BoxFuture;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Phase, Request, Rocket, Sentinel};
use tracing::error;

use crate::access::condition::{ConditionRealm, Permission};
use crate::access::denial::{Denied, Reason, Refusal};
use crate::access::rule::{Need, Rule};
use crate::access::user;
use crate::app::contain::contain;
use crate::app::failure::ConditionError;
use crate::app::user::{UserMixin, UserType};
use crate::audit::PolicyEntry;
use crate::realm::{AnyRealm, Realms};

/// What a route's attribute says; implemented for a marker type that the attribute generates.
pub trait Policy: Send + Sync + 'static {
    /// Whose logins count.
    type Realm: RealmChoice;
    /// The handler's name.
    const NAME: &'static str;
    /// Where the handler stands, as `file:line`.
    const LOCATION: &'static str;
    /// The method of the route attribute.
    const METHOD: &'static str;
    /// The URI of the route attribute, as written.
    const URI: &'static str;
    /// What is asked of whoever comes.
    const RULE: Rule;
    /// Whether `if = ..` stands there.
    const HAS_CONDITION: bool = false;

    /// Asks the condition.
    fn permit<'r>(req: &'r Request<'_>) -> BoxFuture<'r, Permission> {
        let _ = req;
        Box::pin(ready(Permission::Granted))
    }

    /// Whom the condition judges.
    #[must_use]
    fn condition_realm() -> ConditionRealm {
        UserType::of::<()>()
    }
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

/// The realm that a choice of user type means, where it is clear.
pub(crate) fn realm_of<'r, R: Phase>(
    rocket: &'r Rocket<R>,
    user_type: Option<(TypeId, &'static str)>,
) -> Option<&'r dyn AnyRealm> {
    match user_type {
        Some((user_type, _)) => Realms::find(rocket, user_type),
        None => Realms::sole(rocket),
    }
}

/// Why there is no such realm, and the mend.
fn no_realm<R: Phase>(
    rocket: &Rocket<R>,
    route: &str,
    user_type: Option<(TypeId, &'static str)>,
    mend: &str,
) -> String {
    match user_type {
        Some((_, user_type)) => format!(
            "{route} asks for the login of a `{user_type}`, but no `LoginManager` for that type is attached: \
             add `.attach(LoginManager::new(..))` with its `#[user_loader]`"
        ),
        None if Realms::all(rocket).is_empty() => format!(
            "{route} asks for a login, but no `LoginManager` is attached: \
             add `.attach(LoginManager::new(load_user))` to the rocket"
        ),
        None => format!(
            "{route} asks for a login, but several `LoginManager`s are attached: \
             say whose, as in `{mend}`"
        ),
    }
}

/// How a condition is asked.
pub(crate) type PermitFn = for<'r> fn(&'r Request<'_>) -> BoxFuture<'r, Permission>;

/// Whether a rule lets a request through: cross-site, who, how fresh, condition, in this order.
pub(crate) async fn decide(
    user_type: Option<(TypeId, &'static str)>,
    req: &Request<'_>,
    rule: Rule,
    condition: Option<PermitFn>,
) -> Result<(), Refusal> {
    if rule.need == Need::Nothing {
        return Ok(());
    }
    let realm = realm_of(req.rocket(), user_type).ok_or(Refusal::NoManager)?;
    let core = realm.core();
    let is_for_users = !matches!(rule.need, Need::Anonymous { .. });
    if is_for_users && core.config.exempt_methods.contains(&req.method()) {
        return Ok(());
    }
    let deny = |reason| {
        let mut denied = Denied::new(reason, core.user_type);
        if let Need::Anonymous { redirect } = rule.need {
            denied = denied.redirect(redirect);
        }
        if rule.forward {
            denied = denied.maybe();
        }
        user::deny(realm, req, denied)
    };
    user::check_site(core, req).map_err(deny)?;
    let standing = realm.standing(req).await.map_err(Refusal::Failed)?;
    user::check(core, standing, rule.need).map_err(deny)?;
    let Some(condition) = condition else {
        return Ok(());
    };
    let permission = match contain(core.config.loader_timeout, || condition(req)).await {
        Ok(permission) => permission,
        Err(interrupted) => Permission::Failed(ConditionError::from(interrupted).into()),
    };
    match permission {
        Permission::Granted => Ok(()),
        Permission::Refused => Err(deny(Reason::Forbidden)),
        Permission::Nobody => Err(deny(Reason::Unauthorized)),
        Permission::Failed(error) => {
            error!("{error}");
            realm.has_failed(req);
            Err(Refusal::Failed(error))
        }
    }
}

/// Why a route's choices of user type cannot be meant: no manager, or a condition on other users.
pub(crate) fn misfits<R: Phase>(
    rocket: &Rocket<R>,
    route: &str,
    user_type: Option<(TypeId, &'static str)>,
    condition: Option<ConditionRealm>,
    mend: &str,
) -> Vec<String> {
    let Some(realm) = realm_of(rocket, user_type) else {
        return vec![no_realm(rocket, route, user_type, mend)];
    };
    match condition {
        Some(judged) if judged.id != realm.core().user_type => vec![format!(
            "{route} asks for the login of a `{}`, but its condition judges a `{}`: \
             both have to be of one user type",
            realm.core().user_type_name,
            judged.name
        )],
        _ => Vec::new(),
    }
}

#[rocket::async_trait]
impl<'r, P: Policy> FromRequest<'r> for Guarded<P> {
    type Error = Refusal;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Refusal> {
        let condition = P::HAS_CONDITION.then_some(P::permit as PermitFn);
        let outcome = ask(P::Realm::user_type(), req, P::RULE, condition).await;
        outcome.map(|()| Guarded(PhantomData))
    }
}

/// The guard, but for its type: compiled once, and not for each route.
async fn ask(
    user_type: Option<(TypeId, &'static str)>,
    req: &Request<'_>,
    rule: Rule,
    condition: Option<PermitFn>,
) -> request::Outcome<(), Refusal> {
    match decide(user_type, req, rule, condition).await {
        Ok(()) => Outcome::Success(()),
        Err(refusal) if refusal.forwards(rule) => Outcome::Forward(refusal.status()),
        Err(refusal) => refusal.outcome(),
    }
}

impl<P: Policy> Sentinel for Guarded<P> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let condition = P::HAS_CONDITION.then(P::condition_realm);
        aborts(
            rocket,
            PolicyEntry::of::<P>(),
            P::Realm::user_type(),
            condition,
        )
    }
}

/// Enters a policy for the audit, and says whether it cannot be meant.
fn aborts(
    rocket: &Rocket<Ignite>,
    entry: PolicyEntry,
    user_type: Option<(TypeId, &'static str)>,
    condition: Option<ConditionRealm>,
) -> bool {
    let route = format!("`{}` ({})", entry.name, entry.location);
    let is_open = entry.rule.need == Need::Nothing;
    Realms::enter(rocket, entry);
    if is_open {
        return false;
    }
    let misfits = misfits(
        rocket,
        &route,
        user_type,
        condition,
        "#[login_required(User)]",
    );
    for misfit in &misfits {
        error!("{misfit}");
    }
    !misfits.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_generated_code_holds_prints_its_name() {
        assert_eq!(format!("{:?}", Guarded::<()>(PhantomData)), "Guarded");
        assert_eq!(format!("{:?}", RealmOf::<()>(PhantomData)), "RealmOf");
    }
}
