//! Routes whose guard is probably not what its author meant.

use std::ptr;

use rocket::Phase;

use super::AuditedRoute;
use super::area::exceptions;
use super::known::Identity;
use super::looked::Looked;
use super::pattern::{overlap, same_pattern};
use super::reach::Site;
use crate::request::cross_site::is_safe;

/// Returns the doubt about each route, if there is one.
pub(super) fn doubts<P: Phase>(
    site: &Site<'_, P>,
    audited: &[AuditedRoute],
) -> Vec<Option<String>> {
    let routes = site.routes.iter().zip(audited);
    let routes: Vec<_> = routes.map(|(known, it)| Looked::new(known, it)).collect();
    let exceptions = exceptions(site, &routes);
    let all = Routes(&routes);
    let looked = routes.iter().zip(exceptions);
    looked
        .map(|(route, exception)| {
            if !route.is_unmarked {
                return all.contradiction(route);
            }
            all.twin(route)
                .or_else(|| all.beside(route))
                .or_else(|| all.forwarding_to(route))
                .or_else(|| all.hidden_by(route))
                .or(exception)
        })
        .collect()
}

struct Routes<'a>(&'a [Looked<'a>]);

impl<'a> Routes<'a> {
    fn guarded(&self) -> impl Iterator<Item = &'a Looked<'a>> {
        self.0.iter().filter(|route| route.is_guarded())
    }

    /// A module is mounted again, without the guard that it has elsewhere.
    ///
    /// Another handler may have the same name and path. So all guarded routes of that mount must be here too, and one
    /// index is not enough.
    fn twin(&self, route: &Looked<'_>) -> Option<String> {
        let identity = route.identity.as_ref()?;
        let is_here = |wanted: &Identity<'_>| {
            let mut here = self.0.iter().filter(|other| other.base() == route.base());
            here.any(|other| other.identity.as_ref() == Some(wanted))
        };
        let mut guarded = self.guarded();
        let twin = guarded.find(|twin| {
            if twin.base() == route.base() || twin.identity.as_ref() != Some(identity) {
                return false;
            }
            let there = self.guarded().filter(|other| other.base() == twin.base());
            let there: Vec<_> = there.filter_map(|other| other.identity.as_ref()).collect();
            let is_only_an_index = identity.is_index() && there.len() == 1;
            !is_only_an_index && there.into_iter().all(is_here)
        })?;
        let twin = twin.known.shown();
        Some(format!("{twin}, a route of the same name, is guarded"))
    }

    /// A change is open, and a guarded route has the same address.
    fn beside(&self, route: &Looked<'_>) -> Option<String> {
        if is_safe(route.known.route.method) {
            return None;
        }
        let mut guarded = self.guarded();
        let beside = guarded.find(|other| same_pattern(other.path(), route.path()))?;
        let beside = beside.known.shown();
        Some(format!("{beside}, at the same address, is guarded"))
    }

    /// A guard forwards the requests that it refuses.
    fn forwarding_to(&self, route: &Looked<'_>) -> Option<String> {
        let mut forwarding = self.guarded().filter(|from| from.forwards());
        let from = forwarding.find(|from| {
            let next = self.next(from);
            next.is_some_and(|next| ptr::eq(next.known, route.known))
        })?;
        let from = from.known.shown();
        Some(format!("{from} forwards refused requests to it"))
    }

    /// The first route behind another one that may answer the same requests.
    fn next(&self, from: &Looked<'_>) -> Option<&'a Looked<'a>> {
        self.0.iter().find(|next| {
            let (first, second) = (from.known.route, next.known.route);
            first.method == second.method
                && first.rank < second.rank
                && overlap(from.path(), next.path())
        })
    }

    /// A guarded route is never asked, because an open one answers before it.
    fn hidden_by(&self, route: &Looked<'_>) -> Option<String> {
        let hidden = self.guarded().find(|guarded| route.hides(guarded))?;
        let hidden = hidden.known.shown();
        Some(format!("it answers before {hidden}, which is guarded"))
    }

    /// A part of a guard that has no effect.
    fn contradiction(&self, route: &Looked<'_>) -> Option<String> {
        let doubt = if route.is_public_in_vain() {
            "`#[public]` has no effect, because its group is guarded: mount it outside the group, or remove `#[public]`"
        } else if route.forwards() && self.next(route).is_none() {
            "`forward` has no effect, because no other route answers there: mount one with a higher rank, or remove \
             `forward`"
        } else {
            return None;
        };
        Some(doubt.to_owned())
    }
}
