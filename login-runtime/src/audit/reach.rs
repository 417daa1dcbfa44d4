//! Who answers when a visitor is sent to a page, as far as attributes and groups say.

use rocket::http::Method;
use rocket::{Phase, Rocket};

use super::known::{Guard, KnownRoute};
use super::pattern::{answers, is_catch_all, same_pattern};
use crate::access::guard::{Need, RouteGuard};
use crate::realm::RealmCore;
use crate::realm::registry::Realms;
use crate::redirect::local::path_of;

/// Who is sent to a page.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Visitor {
    /// Nobody is logged in.
    Anonymous,
    /// A user whose login is not fresh.
    Stale,
    /// A user whose login is fresh.
    User,
}

impl Visitor {
    fn is_refused_by(self, need: Need) -> bool {
        match need {
            Need::Nothing => false,
            Need::Login => self == Self::Anonymous,
            Need::FreshLogin => self != Self::User,
            Need::Anonymous { .. } => self != Self::Anonymous,
        }
    }
}

/// What becomes of a visitor.
pub(super) enum Arrival<'k> {
    NoRoute,
    /// A route answers, or forwards for a reason of its own.
    Answered(&'k KnownRoute<'k>),
    Refused(&'k KnownRoute<'k>, Guard<'k>),
}

/// Every route of an application, in the order in which Rocket asks them.
pub(super) struct Site<'k, P: Phase> {
    pub(super) rocket: &'k Rocket<P>,
    pub(super) routes: &'k [KnownRoute<'k>],
}

impl<'k, P: Phase> Site<'k, P> {
    /// Returns the routes that match a page, such as `/login?lang=en`.
    pub(super) fn matching(
        &self,
        method: Method,
        page: &str,
    ) -> impl Iterator<Item = &'k KnownRoute<'k>> {
        let routes = self.routes.iter();
        routes.filter(move |known| known.route.method == method && answers(known.route, page))
    }

    /// Whether a guard of this route asks for the users of a realm.
    pub(super) fn is_of(
        &self,
        realm: &RealmCore,
        known: &KnownRoute<'_>,
        guard: &RouteGuard,
    ) -> bool {
        let of_guard = Realms::of_guard(self.rocket, guard.user_type);
        of_guard.is_some_and(|it| it.core().user_type == realm.user_type)
            && !known.is_exempt(self.rocket, guard)
    }

    /// Determines what becomes of a realm's visitor who is sent to the first of these routes.
    pub(super) fn arrival(
        &self,
        realm: &RealmCore,
        visitor: Visitor,
        routes: impl Iterator<Item = &'k KnownRoute<'k>>,
    ) -> Arrival<'k> {
        let refuses = |known: &KnownRoute<'_>, guard: &RouteGuard| {
            self.is_of(realm, known, guard) && visitor.is_refused_by(guard.need)
        };
        let mut arrival = Arrival::NoRoute;
        for known in routes {
            let Some(guard) = known.first(|guard| refuses(known, guard)) else {
                return Arrival::Answered(known);
            };
            // Where a guard forwards, the refusal stands if no other route answers.
            arrival = Arrival::Refused(known, guard);
            if !guard.rule().forward {
                break;
            }
        }
        arrival
    }
}

/// Says that no page is at an address, and what to do.
pub(super) fn absent<P: Phase>(site: &Site<'_, P>, page: &str, fix: &str) -> String {
    let mut routes = site.routes.iter();
    let other_method = routes.find(|known| {
        let route = known.route;
        route.method != Method::Get && !is_catch_all(route.uri.path()) && answers(route, page)
    });
    if let Some(other) = other_method {
        let other = other.shown();
        return format!("only {other} answers there: add a GET route for the page");
    }
    let path = path_of(page);
    elsewhere(site, page)
        .unwrap_or_else(|| format!("no route answers `GET {path}`: mount a page there, or {fix}"))
}

/// Says where a page is mounted, if only the mount point is missing in its address.
pub(super) fn elsewhere<P: Phase>(site: &Site<'_, P>, page: &str) -> Option<String> {
    let path = path_of(page);
    let KnownRoute { route, .. } = site.routes.iter().find(|known| {
        let unmounted = known.route.uri.unmounted_origin.path();
        known.route.method == Method::Get && same_pattern(unmounted.as_str(), path)
    })?;
    let (uri, base) = (&route.uri, route.uri.base());
    let name = route.name.as_deref().unwrap_or("page");
    Some(format!(
        "the page is mounted at `{uri}`: write that address, in code as `uri!({base:?}, {name})`"
    ))
}
