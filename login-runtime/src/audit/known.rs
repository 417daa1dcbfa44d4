//! What the launch knows about each mounted route: its guards by group, and its guard by attribute.

use std::collections::HashMap;

use rocket::{Phase, Rocket, Route};

use super::pattern::segments;
use crate::access::declared::{Declaration, Declared};
use crate::access::group::{GroupGuards, guards_of};
use crate::access::guard::{Need, RouteGuard};
use crate::realm::registry::Realms;

/// A mounted route and its guards.
pub(super) struct KnownRoute<'r> {
    pub(super) route: &'r Route,
    /// The guards of its groups.
    pub(super) groups: GroupGuards,
    /// Its attribute, or several if it cannot be determined which one is its own.
    pub(super) attributes: Vec<Declaration>,
    /// Whether its attribute, if it has one, cannot be determined.
    pub(super) is_ambiguous: bool,
}

/// A guard that a request meets, and how it got there.
#[derive(Clone, Copy)]
pub(super) enum Guard<'a> {
    OfGroup(&'a RouteGuard),
    OfAttribute(&'a RouteGuard),
}

impl<'a> Guard<'a> {
    pub(super) fn rule(self) -> &'a RouteGuard {
        match self {
            Self::OfGroup(rule) | Self::OfAttribute(rule) => rule,
        }
    }
}

impl KnownRoute<'_> {
    /// Returns the first guard before the route that has this property, in the order in which a request meets them.
    pub(super) fn first(&self, has: impl Fn(&RouteGuard) -> bool) -> Option<Guard<'_>> {
        let mut groups = self.groups.outer.iter();
        if let Some(group) = groups.find(|guard| has(guard)) {
            return Some(Guard::OfGroup(group));
        }
        // If several attributes match, we cannot determine which one belongs to this route: assume the weakest.
        let (first, others) = self.attributes.split_first()?;
        let all = has(&first.guard) && others.iter().all(|other| has(&other.guard));
        all.then_some(Guard::OfAttribute(&first.guard))
    }

    /// Whether a guard with this property stands before the route.
    pub(super) fn any(&self, has: impl Fn(&RouteGuard) -> bool) -> bool {
        self.first(has).is_some()
    }

    /// Whether the setting `exempt_methods` opens the route in spite of this guard.
    pub(super) fn is_exempt<P: Phase>(&self, rocket: &Rocket<P>, guard: &RouteGuard) -> bool {
        Realms::of_guard(rocket, guard.user_type)
            .is_some_and(|realm| guard.is_exempt(&realm.core().config, self.route.method))
    }

    /// Whether an attribute or a group marks the route as open on purpose.
    pub(super) fn is_public(&self) -> bool {
        self.any(|guard| guard.need == Need::Nothing)
    }

    /// Whether the route is one of Rocket's `FileServer`, which forwards what is no file.
    pub(super) fn is_file_server(&self) -> bool {
        let name = self.route.name.as_deref();
        name.is_some_and(|name| name.starts_with("FileServer"))
    }

    /// The method and the URI, for messages: `GET /dashboard`.
    pub(super) fn shown(&self) -> String {
        format!("`{} {}`", self.route.method, self.route.uri)
    }
}

/// Returns every mounted route, in the order in which Rocket asks them.
pub(super) fn routes<P: Phase>(rocket: &Rocket<P>) -> Vec<KnownRoute<'_>> {
    let declarations = Declared::all(rocket);
    let mut alike: HashMap<Identity<'_>, Alike<'_>> = HashMap::new();
    for declaration in &declarations {
        let alike = alike.entry(Identity::of_declaration(declaration));
        alike.or_default().declarations.push(declaration);
    }
    let identities: Vec<_> = rocket.routes().map(Identity::of_route).collect();
    for identity in identities.iter().flatten() {
        if let Some(alike) = alike.get_mut(identity) {
            alike.routes = alike.routes.saturating_add(1);
        }
    }
    // Rocket asks the attributes in the order of its routes, but does not promise it.
    let mut mounted = identities.iter().flatten();
    let are_in_order = declarations
        .iter()
        .map(Identity::of_declaration)
        .all(|declared| mounted.any(|identity| *identity == declared));
    let mut known = Vec::with_capacity(identities.len());
    for (route, identity) in rocket.routes().zip(&identities) {
        let alike = identity
            .as_ref()
            .and_then(|identity| alike.get_mut(identity));
        known.push(KnownRoute {
            route,
            groups: guards_of(route),
            is_ambiguous: alike.as_ref().is_some_and(|alike| alike.is_ambiguous()),
            attributes: alike.map_or_else(Vec::new, |alike| alike.next(are_in_order)),
        });
    }
    known.sort_by_key(|KnownRoute { route, .. }| {
        (route.rank, route.uri.to_string(), route.method.as_str())
    });
    known
}

/// What an attribute and a mounted route have in common; where it is equal, the attribute may belong to the route.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Identity<'a> {
    name: &'a str,
    method: &'a str,
    /// Without the mount point.
    path: Vec<&'a str>,
    query: Option<&'a str>,
}

impl<'a> Identity<'a> {
    fn of_declaration(declaration: &'a Declaration) -> Self {
        let uri = declaration.uri;
        let (path, query) = match uri.split_once('?') {
            Some((path, query)) => (path, Some(query).filter(|query| !query.is_empty())),
            None => (uri, None),
        };
        Identity {
            name: declaration.name,
            method: declaration.method,
            path: segments(path).collect(),
            query,
        }
    }

    pub(super) fn of_route(route: &'a Route) -> Option<Self> {
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

impl Identity<'_> {
    /// Whether the route is the index of its mount point.
    pub(super) fn is_index(&self) -> bool {
        self.path.is_empty()
    }
}

/// The attributes of one identity, and how many mounted routes they may belong to.
#[derive(Default)]
struct Alike<'a> {
    declarations: Vec<&'a Declaration>,
    routes: usize,
    /// How many of the routes have been given their declaration.
    known: usize,
}

impl Alike<'_> {
    /// Each attribute is mounted at least once, so with as many attributes as routes each route has its own.
    fn is_ambiguous(&self) -> bool {
        self.routes > self.declarations.len()
    }

    /// Returns the attribute of the next route, or all that may be its own.
    fn next(&mut self, are_in_order: bool) -> Vec<Declaration> {
        if self.is_ambiguous() {
            return Vec::new();
        }
        let number = self.known;
        self.known = number.saturating_add(1);
        let has_own = are_in_order && self.routes == self.declarations.len();
        let own = self
            .declarations
            .get(number..=number)
            .filter(|_| has_own)
            .unwrap_or(&self.declarations);
        own.iter().copied().cloned().collect()
    }
}
