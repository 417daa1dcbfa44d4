//! The audit: which routes ask for a login, which for a fresh one, and which for none.

use std::collections::HashMap;
use std::fmt;

use rocket::http::Method;
use rocket::{Orbit, Phase, Rocket, Route};
use tracing::{error, info};

use crate::access::attribute::{Policy, RealmChoice as _, misfits};
use crate::access::group::{RouteCondition, guards_of};
use crate::access::rule::{Need, Rule};
use crate::config::realms;
use crate::realm::Realms;
use crate::redirect::local::is_local;

/// What an attribute said of a route, entered by the route's sentinel at launch.
#[derive(Clone)]
pub(crate) struct PolicyEntry {
    pub(crate) name: &'static str,
    pub(crate) location: &'static str,
    method: &'static str,
    uri: &'static str,
    pub(crate) rule: Rule,
    has_condition: bool,
    user_type: Option<&'static str>,
}

impl PolicyEntry {
    pub(crate) fn of<P: Policy>() -> Self {
        PolicyEntry {
            name: P::NAME,
            location: P::LOCATION,
            method: P::METHOD,
            uri: P::URI,
            rule: P::RULE,
            has_condition: P::HAS_CONDITION,
            user_type: P::Realm::user_type().map(|(_, name)| name),
        }
    }

    fn identity(&self) -> Identity<'_> {
        let (path, query) = match self.uri.split_once('?') {
            Some((path, query)) => (path, Some(query).filter(|query| !query.is_empty())),
            None => (self.uri, None),
        };
        Identity {
            name: self.name,
            method: self.method,
            path: segments(path).collect(),
            query,
        }
    }
}

/// All that an attribute and a mounted route both tell: the one may stand on the other where it is
/// the same.
#[derive(PartialEq, Eq, Hash)]
struct Identity<'a> {
    name: &'a str,
    method: &'a str,
    /// Without the mount point.
    path: Vec<&'a str>,
    query: Option<&'a str>,
}

impl<'a> Identity<'a> {
    fn of(route: &'a Route) -> Option<Self> {
        let mut path = segments(route.uri.path());
        let is_below_base = segments(route.uri.base()).all(|base| path.next() == Some(base));
        is_below_base.then_some(Identity {
            name: route.name.as_deref()?,
            method: route.method.as_str(),
            path: path.collect(),
            query: route.uri.query(),
        })
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// The attributes of one identity, and how many routes are mounted that they may stand on.
#[derive(Default)]
struct Alike<'a> {
    entries: Vec<&'a PolicyEntry>,
    routes: usize,
}

impl Alike<'_> {
    /// Each attribute is mounted at least once: with as many routes, each has its own.
    fn is_ambiguous(&self) -> bool {
        self.routes > self.entries.len()
    }
}

/// Who may use a route, as far as guards by attribute and by group say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Neither guarded nor marked: nobody has said that it may be open.
    Unguarded,
    /// Marked by `#[public]` or `.public()`.
    Public,
    /// For those who are not logged in.
    Anonymous,
    /// For the logged in.
    Login,
    /// For the freshly logged in.
    FreshLogin,
}

impl From<Rule> for Access {
    fn from(rule: Rule) -> Self {
        match rule.need {
            Need::Nothing => Self::Public,
            Need::Anonymous { .. } => Self::Anonymous,
            Need::Login => Self::Login,
            Need::Fresh { .. } => Self::FreshLogin,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unguarded => "unguarded",
            Self::Public => "public",
            Self::Anonymous => "anonymous only",
            Self::Login => "login",
            Self::FreshLogin => "fresh login",
        })
    }
}

/// A route, and who may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditedRoute {
    /// The method.
    pub method: Method,
    /// The whole URI, mount point included.
    pub uri: String,
    /// The handler's name.
    pub name: Option<String>,
    /// Who may use it: the strictest of its guards.
    pub access: Access,
    /// Whether a condition (`if = ..`) has to hold besides.
    pub has_condition: bool,
    /// Whether it could not be told: several routes of one name, method and URI are mounted, and
    /// not all have an attribute. Such a route counts as unguarded, unless its group is guarded.
    pub is_ambiguous: bool,
    /// The user types that its guards name, or may name where several attributes fit.
    pub users: Vec<&'static str>,
    /// Where its attribute stands, as `file:line`; none where several fit.
    pub location: Option<&'static str>,
}

/// The method and the URI: `GET /dashboard`.
impl fmt::Display for AuditedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri)
    }
}

/// Every route of an application, and who may use it; made by [`audit`].
#[derive(Clone, Debug)]
pub struct Audit {
    routes: Vec<AuditedRoute>,
}

impl Audit {
    /// Returns every route.
    #[must_use]
    pub fn routes(&self) -> &[AuditedRoute] {
        &self.routes
    }

    /// Returns the routes that anybody may use, marked or not, as `GET /about`, in order.
    #[must_use]
    pub fn open(&self) -> Vec<String> {
        self.with(|access| access <= Access::Anonymous)
    }

    /// Returns the routes that are neither guarded nor marked, as `GET /about`, in order.
    #[must_use]
    pub fn unguarded(&self) -> Vec<String> {
        self.with(|access| access == Access::Unguarded)
    }

    fn with(&self, wanted: impl Fn(Access) -> bool) -> Vec<String> {
        let routes = self.routes.iter().filter(|route| wanted(route.access));
        routes.map(ToString::to_string).collect()
    }
}

/// Finds out which routes of a launched application ask for a login.
///
/// It knows the guards by attribute and by group. A handler that is protected by a `&User` alone
/// counts as unguarded: write the attribute too. An attribute is known by the handler's name, the
/// method and the URI, since Rocket tells no more: of several routes that share all three, one
/// handler mounted twice included, none counts as guarded unless each has an attribute of its own
/// or a group's guard; and a `Route` whose fields were changed by hand is not found again.
///
/// # Example
///
/// The test that every application should have:
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// # use rocket::local::blocking::Client;
/// # use rocket_login::{login_required, public, user_loader, LoginManager, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
/// # #[public] #[get("/login")] fn login_page() {}
/// # #[login_required] #[get("/")] fn index() {}
/// # fn rocket() -> rocket::Rocket<rocket::Build> {
/// #     rocket::build().attach(LoginManager::new(load_user)).mount("/", routes![login_page, index])
/// # }
/// # fn main() {
/// let client = Client::untracked(rocket()).unwrap();
/// let audit = rocket_login::audit(client.rocket());
/// assert_eq!(audit.open(), ["GET /login"]);
/// # }
/// ```
pub fn audit<P: Phase>(rocket: &Rocket<P>) -> Audit {
    let entries = Realms::entries(rocket);
    let mut alike: HashMap<Identity<'_>, Alike<'_>> = HashMap::new();
    for entry in &entries {
        alike
            .entry(entry.identity())
            .or_default()
            .entries
            .push(entry);
    }
    let identities: Vec<_> = rocket.routes().map(Identity::of).collect();
    for identity in identities.iter().flatten() {
        if let Some(alike) = alike.get_mut(identity) {
            alike.routes = alike.routes.saturating_add(1);
        }
    }
    let mut routes: Vec<AuditedRoute> = rocket
        .routes()
        .zip(&identities)
        .map(|(route, identity)| audited(route, identity.as_ref().and_then(|it| alike.get(it))))
        .collect();
    routes.sort_by(|a, b| (&a.uri, a.method.as_str()).cmp(&(&b.uri, b.method.as_str())));
    Audit { routes }
}

fn audited(route: &Route, alike: Option<&Alike<'_>>) -> AuditedRoute {
    let groups = guards_of(route);
    let is_ambiguous = alike.is_some_and(Alike::is_ambiguous);
    // Which of several is its own cannot be told: it asks for no less than the least of them.
    let attributes = match alike {
        Some(alike) if !is_ambiguous => alike.entries.as_slice(),
        _ => &[],
    };
    let group_access = groups.iter().map(|guard| Access::from(guard.rule)).max();
    let attribute_access = attributes
        .iter()
        .map(|entry| Access::from(entry.rule))
        .min();
    let mut users: Vec<_> = groups
        .iter()
        .filter_map(|guard| guard.user_type.map(|(_, name)| name))
        .chain(attributes.iter().filter_map(|entry| entry.user_type))
        .collect();
    users.sort_unstable();
    users.dedup();
    AuditedRoute {
        method: route.method,
        uri: route.uri.as_str().to_owned(),
        name: route.name.as_ref().map(ToString::to_string),
        access: group_access
            .max(attribute_access)
            .unwrap_or(Access::Unguarded),
        has_condition: groups.iter().any(|guard| guard.condition.is_some())
            || !attributes.is_empty() && attributes.iter().all(|entry| entry.has_condition),
        is_ambiguous,
        users,
        location: match attributes {
            [entry] => Some(entry.location),
            _ => None,
        },
    }
}

/// Prints the audit in Rocket's own style.
pub(crate) fn print(audit: &Audit) {
    info!(target: "rocket::launch", "Logins:");
    for route in audit.routes() {
        let name = route.name.as_deref().unwrap_or("-");
        let users: Vec<_> = route.users.iter().map(|name| short(name)).collect();
        let users = if users.is_empty() || route.access < Access::Login {
            String::new()
        } else {
            format!(" of {}", users.join(" or "))
        };
        let condition = if route.has_condition {
            ", if its condition holds"
        } else {
            ""
        };
        let ambiguous = if route.is_ambiguous {
            " (several routes are called so: rename the handler, or guard the group)"
        } else {
            ""
        };
        info!(
            target: "rocket::launch::_",
            "({name}) {route}: {}{users}{condition}{ambiguous}", route.access
        );
    }
}

/// A type's name without its path.
fn short(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

/// The login and refresh views to which no route of this application answers.
pub(crate) fn missing_views<P: Phase>(rocket: &Rocket<P>) -> Vec<String> {
    let mut missing = Vec::new();
    for realm in Realms::all(rocket) {
        for view in realm.core().config.login_paths() {
            let mut routes = rocket.routes();
            let is_there =
                routes.any(|route| route.method == Method::Get && answers(route.uri.path(), view));
            if !is_there {
                missing.push(format!(
                    "browsers are sent to `{view}` to log in, but no GET route answers there: \
                     `uri!` wants the mount point first, as in `uri!(\"/base\", page)`"
                ));
            }
        }
    }
    missing
}

/// Whether a route's path, dynamic segments included, is that of a page.
fn answers(route: &str, page: &str) -> bool {
    let mut page = segments(page);
    for segment in segments(route) {
        if segment.ends_with("..>") {
            return true;
        }
        match page.next() {
            Some(wanted) if segment == wanted || segment.starts_with('<') => {}
            _ => return false,
        }
    }
    page.next().is_none()
}

/// What is wrong with the routes of an application, for the launch to stop.
pub(crate) fn mistakes(rocket: &Rocket<Orbit>, audit: &Audit) -> Vec<String> {
    let mut mistakes = Vec::new();
    for route in rocket.routes() {
        let name = format!("`{} {}`", route.method, route.uri);
        for guard in guards_of(route) {
            match guard.rule.need {
                Need::Nothing => continue,
                Need::Anonymous { redirect } if !is_local(redirect) => mistakes.push(format!(
                    "{name} sends the logged in to `{}`, which is no path of this site",
                    redirect.escape_debug()
                )),
                _ => {}
            }
            let condition = guard.condition.map(RouteCondition::realm);
            let mend = "RouteGuard::login().user::<User>()";
            mistakes.extend(misfits(rocket, &name, guard.user_type, condition, mend));
        }
    }
    let attached: Vec<_> = Realms::all(rocket)
        .iter()
        .filter_map(|realm| realm.core().config.realm.clone())
        .collect();
    for realm in realms(rocket.figment()) {
        if !attached.contains(&realm) {
            mistakes.push(format!(
                "`login.realms.{realm}`: no `LoginManager` is called so; write `.realm({realm:?})` or mend the name"
            ));
        }
    }
    let denies = Realms::all(rocket)
        .iter()
        .any(|realm| realm.core().config.unguarded_routes == crate::UnguardedRoutes::Deny);
    if denies {
        let routes = audit.routes().iter();
        for route in routes.filter(|route| route.access == Access::Unguarded) {
            let mend = if route.is_ambiguous {
                "several routes of its name, method and URI are mounted, and which of them has the attribute \
                 cannot be told: rename its handler, or guard its group"
            } else {
                "put `#[login_required]` or `#[public]` above it"
            };
            mistakes.push(format!(
                "`{route}` is neither guarded nor marked, and `login.unguarded_routes` is `deny`: {mend}"
            ));
        }
    }
    mistakes
}

/// Stops a launch for which Rocket has no other way left.
#[expect(
    clippy::panic,
    reason = "as Rocket itself ends a launch that has failed"
)]
pub(crate) fn stop(mistakes: &[String]) {
    if mistakes.is_empty() {
        return;
    }
    for mistake in mistakes {
        error!("{mistake}");
    }
    panic!("aborting due to mistakes in routes or realms");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_answered_by_its_route_or_by_a_dynamic_one() {
        assert!(answers("/login", "/login"));
        assert!(answers("/<lang>/login", "/de/login"));
        assert!(answers("/<path..>", "/any/page"));
        assert!(answers("/staff/<path..>", "/staff"));
        assert!(!answers("/account/confirm", "/confirm"));
        assert!(!answers("/login", "/login/again"));
        assert!(!answers("/login/again", "/login"));
    }

    #[test]
    fn a_type_is_called_by_its_last_name() {
        assert_eq!(short("members::users::Member"), "Member");
        assert_eq!(short("Member"), "Member");
    }
}
