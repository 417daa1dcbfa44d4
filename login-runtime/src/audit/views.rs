//! The login and refresh views at launch: whether those who are sent there can see a page.

use rocket::http::Method;
use rocket::{Phase, Rocket, Route};

use super::{Guards, for_each_route, is_exempt, segments};
use crate::access::guard::{Need, RouteGuard};
use crate::config::View;
use crate::realm::RealmCore;
use crate::realm::registry::Realms;
use crate::redirect::local::path_of;

/// Who is sent to a view.
#[derive(Clone, Copy)]
enum Visitor {
    /// Nobody is logged in.
    Anonymous,
    /// A user whose login is not fresh.
    Stale,
}

/// What a route does with a visitor, as far as its attribute and its groups say.
#[derive(Clone, Copy, PartialEq)]
enum Reaction {
    Answers,
    /// Asks the next route that matches.
    Forwards,
    Refuses,
}

/// Returns a warning for each view of this application that no route answers, or only a route that refuses those who
/// are sent there.
///
/// A handler's own `&User` is not known here; `response::answer` notices it at the first request.
pub(super) fn warnings<P: Phase>(rocket: &Rocket<P>) -> Vec<String> {
    let mut warnings = Vec::new();
    for realm in Realms::all(rocket) {
        let core = realm.core();
        let config = &core.config;
        let mounted = config
            .mount_login_views
            .iter()
            .filter_map(|(_, view)| view.as_ref());
        let logins = mounted.chain(&config.login_view);
        let logins = logins.map(|view| (view, Visitor::Anonymous));
        let refreshes = config
            .refresh_view
            .iter()
            .map(|view| (view, Visitor::Stale));
        for (view, visitor) in logins.chain(refreshes) {
            if let View::Local(view) = view {
                warnings.extend(warning(rocket, core, path_of(view), visitor));
            }
        }
    }
    warnings
}

fn warning<P: Phase>(
    rocket: &Rocket<P>,
    realm: &RealmCore,
    view: &str,
    visitor: Visitor,
) -> Option<String> {
    let reactions = for_each_route(rocket, |route, guards| {
        let is_there = route.method == Method::Get && answers(route.uri.path(), view);
        is_there.then(|| (route.rank, reaction(rocket, realm, visitor, route, guards)))
    });
    let reactions: Vec<_> = reactions.into_iter().flatten().collect();
    if reactions.is_empty() {
        return Some(format!(
            "browsers are sent to `{view}` to log in, but no GET route answers there: \
             `uri!` needs the mount point first, as in `uri!(\"/base\", page)`"
        ));
    }
    let deciding = reactions.iter().filter(|(_, it)| *it != Reaction::Forwards);
    let first = deciding.clone().map(|(rank, _)| *rank).min();
    let mut deciding = deciding.filter(|(rank, _)| Some(*rank) == first);
    deciding
        .all(|(_, reaction)| *reaction == Reaction::Refuses)
        .then(|| {
            let who = match visitor {
                Visitor::Anonymous => {
                    "browsers are sent to `{view}` to log in, but its guard requires a login, so that nobody can log in"
                }
                Visitor::Stale => {
                    "users whose login is not fresh are sent to `{view}`, but its guard refuses them, so that no login \
                     becomes fresh again"
                }
            };
            let fix = "remove the guard, or take the route out of the guarded group";
            format!("{}: {fix}", who.replace("{view}", view))
        })
}

fn reaction<P: Phase>(
    rocket: &Rocket<P>,
    realm: &RealmCore,
    visitor: Visitor,
    route: &Route,
    guards: &Guards<'_>,
) -> Reaction {
    let hits = |guard: &RouteGuard| {
        let is_of_realm = Realms::of_guard(rocket, guard.user_type)
            .is_some_and(|of_guard| of_guard.core().user_type == realm.user_type);
        let is_refused = match (guard.need, visitor) {
            (Need::Nothing, _) => false,
            (Need::Login, visitor) => matches!(visitor, Visitor::Anonymous),
            (Need::FreshLogin, _) => true,
            (Need::Anonymous { .. }, visitor) => matches!(visitor, Visitor::Stale),
        };
        is_of_realm && is_refused && !is_exempt(rocket, route, guard)
    };
    if guards.any(|guard| hits(guard) && !guard.forward) {
        Reaction::Refuses
    } else if guards.any(hits) {
        Reaction::Forwards
    } else {
        Reaction::Answers
    }
}

/// Whether a route's path, dynamic segments included, matches a page.
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
}
