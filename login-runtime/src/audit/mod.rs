//! The audit: who may use each route of an application.

pub(crate) mod launch;

mod area;
mod doubts;
mod known;
mod looked;
mod pattern;
mod reach;
mod redirects;
mod views;
mod without_view;

use std::fmt;
use std::ptr;

use rocket::http::Method;
use rocket::{Phase, Rocket, Route};

use self::known::KnownRoute;
use self::reach::Site;
use crate::access::guard::{Need, RouteGuard};
use crate::realm::registry::require_ignition;

/// Who may use a route, according to its guards by attribute and by group.
///
/// The example of [`Audit::routes`] shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Neither guarded nor marked as public.
    Unguarded,
    /// Marked by `#[public]` or `.public()`.
    Public,
    /// Guarded, but the setting `exempt_methods` lets everybody in with this method.
    Exempt,
    /// Only visitors who are not logged in.
    Anonymous,
    /// Users who are logged in.
    Login,
    /// Users whose login is fresh.
    FreshLogin,
}

impl Access {
    fn of(guard: &RouteGuard, is_exempt: bool) -> Self {
        match guard.need {
            Need::Nothing => Self::Public,
            Need::Anonymous { .. } => Self::Anonymous,
            Need::Login | Need::FreshLogin if is_exempt => Self::Exempt,
            Need::Login => Self::Login,
            Need::FreshLogin => Self::FreshLogin,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unguarded => "unguarded",
            Self::Public => "public",
            Self::Exempt => "everybody, by `exempt_methods`",
            Self::Anonymous => "anonymous only",
            Self::Login => "login",
            Self::FreshLogin => "fresh login",
        })
    }
}

/// A route, and who may use it.
///
/// The example of [`Audit::routes`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditedRoute {
    /// The method.
    pub method: Method,
    /// The whole URI, mount point included.
    pub uri: String,
    /// The handler's name.
    pub name: Option<String>,
    /// Who may use it, by the strictest of its guards.
    pub access: Access,
    /// Whether a condition (`if = ..`) must hold as well.
    pub has_condition: bool,
    /// Whether the audit cannot determine the route's attribute: several routes with the same name, method and URI are
    /// mounted, and not all of them have an attribute. Such a route counts as unguarded unless its group is guarded.
    pub is_ambiguous: bool,
    /// The user types that its guards name, or may name where several attributes match.
    pub users: Vec<&'static str>,
    /// The source of its attribute, as `file:line`; `None` if several match.
    pub location: Option<&'static str>,
    /// Why the route may be open by accident, such as "the other routes below `/admin` are guarded".
    pub doubt: Option<String>,
}

/// The method and the URI: `GET /dashboard`.
impl fmt::Display for AuditedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri)
    }
}

/// Every route of an application and who may use it; returned by [`audit`].
///
/// The example of [`Audit::routes`] shows it.
#[derive(Clone, Debug)]
pub struct Audit {
    routes: Vec<AuditedRoute>,
}

impl Audit {
    /// Returns all routes.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::local::blocking::Client;
    /// # fn check(client: &Client) {
    /// let audit = rocket_login::audit(client.rocket());
    /// for route in audit.routes() {
    ///     println!("{route}: {}", route.access);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn routes(&self) -> &[AuditedRoute] {
        &self.routes
    }

    /// Returns the routes that require no login, as `GET /about`, sorted by URI.
    ///
    /// These are the unguarded and the public routes, those for visitors without a login, and the guarded ones whose
    /// method is in the setting `exempt_methods`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::local::blocking::Client;
    /// # fn check(client: &Client) {
    /// let audit = rocket_login::audit(client.rocket());
    /// assert_eq!(audit.open(), ["GET /about", "GET /login"]);
    /// # }
    /// ```
    #[must_use]
    pub fn open(&self) -> Vec<String> {
        self.with(|access| access <= Access::Anonymous)
    }

    /// Returns the routes that are neither guarded nor marked, as `GET /about`, sorted by URI.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::local::blocking::Client;
    /// # fn check(client: &Client) {
    /// let audit = rocket_login::audit(client.rocket());
    /// assert!(audit.unguarded().is_empty());
    /// # }
    /// ```
    #[must_use]
    pub fn unguarded(&self) -> Vec<String> {
        self.with(|access| access == Access::Unguarded)
    }

    fn with(&self, wanted: impl Fn(Access) -> bool) -> Vec<String> {
        let routes = self.routes.iter().filter(|route| wanted(route.access));
        routes.map(ToString::to_string).collect()
    }
}

/// Lists the routes of an application that is ignited, and who may use them.
///
/// The audit knows guards by attribute and by group. A handler that only takes a `&User` counts as unguarded: write the
/// attribute as well. Rocket reveals no more about a route than its name, method and URI, so an attribute is found by
/// these, and by the order of the routes if several share all three and each has its own attribute. Otherwise (one handler
/// mounted twice, for example) none of them counts as guarded unless its group is guarded. The guard of a group counts only if no handler of the
/// application is around it.
///
/// The audit cannot see what happens to a `Route` by hand. If you change its name, another route of the old name may be
/// listed as guarded; if you exchange the handler of a route that has an attribute, the route is listed as guarded
/// and is open. Guard such routes as a group, after the change.
///
/// # Panics
///
/// If the rocket is not ignited: the guards of attributes are then not known.
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
#[track_caller]
pub fn audit<P: Phase>(rocket: &Rocket<P>) -> Audit {
    require_ignition(rocket);
    let routes = known::routes(rocket);
    of_site(&Site {
        rocket,
        routes: &routes,
    })
}

fn of_site<P: Phase>(site: &Site<'_, P>) -> Audit {
    let routes = site.routes.iter();
    let mut routes: Vec<_> = routes.map(|route| audited(site.rocket, route)).collect();
    let doubts = doubts::doubts(site, &routes);
    for (route, doubt) in routes.iter_mut().zip(doubts) {
        route.doubt = doubt;
    }
    routes.sort_by(|a, b| (&a.uri, a.method.as_str()).cmp(&(&b.uri, b.method.as_str())));
    Audit { routes }
}

/// Whether nothing guards a route of this application or marks it as public.
pub(crate) fn is_unguarded<P: Phase>(rocket: &Rocket<P>, route: &Route) -> bool {
    let routes = known::routes(rocket);
    let mut routes = routes.iter().filter(|known| ptr::eq(known.route, route));
    routes.any(|known| audited(rocket, known).access == Access::Unguarded && !known.is_ambiguous)
}

fn audited<P: Phase>(rocket: &Rocket<P>, known: &KnownRoute<'_>) -> AuditedRoute {
    let is_exempt = |guard: &RouteGuard| known.is_exempt(rocket, guard);
    let access = |guard: &RouteGuard| Access::of(guard, is_exempt(guard));
    let groups = &known.groups.outer;
    let attributes = || known.attributes.iter().map(|attribute| &attribute.guard);
    let mut users: Vec<_> = groups
        .iter()
        .chain(attributes())
        .filter_map(|guard| Some(guard.user_type?.name))
        .collect();
    users.sort_unstable();
    users.dedup();
    AuditedRoute {
        method: known.route.method,
        uri: known.route.uri.as_str().to_owned(),
        name: known.route.name.as_ref().map(ToString::to_string),
        access: groups
            .iter()
            .map(access)
            .max()
            .max(attributes().map(access).min())
            .unwrap_or(Access::Unguarded),
        has_condition: known.any(|guard| guard.condition.is_some() && !is_exempt(guard)),
        is_ambiguous: known.is_ambiguous,
        users,
        location: match &known.attributes[..] {
            [declaration] => Some(declaration.location),
            _ => None,
        },
        doubt: None,
    }
}
