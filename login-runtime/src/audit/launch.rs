//! The audit at launch: the printed table, the warnings, and the mistakes that stop the launch.

use rocket::{Orbit, Rocket};
use tracing::{error, info, warn};

use super::known::KnownRoute;
use super::reach::Site;
use super::{Access, Audit, known, of_site, redirects, views, without_view};
use crate::access;
use crate::access::group::guards_of;
use crate::access::guard::Need;
use crate::config::{UnguardedRoutes, realm_mistakes, unread_settings};
use crate::realm::registry::Realms;

/// Prints the audit, warns, and stops the launch if a route's guard cannot work.
pub(crate) fn check(rocket: &Rocket<Orbit>) {
    let routes = known::routes(rocket);
    let site = Site {
        rocket,
        routes: &routes,
    };
    let audit = of_site(&site);
    print(&audit);
    let denies = denies_unguarded_routes(rocket);
    let mut warnings = views::warnings(&site);
    warnings.extend(without_view::warnings(&site));
    warnings.extend(doubtful_routes(&audit, denies));
    let realms: Vec<_> = Realms::all(rocket)
        .iter()
        .map(|realm| realm.core().config.realm.as_deref())
        .collect();
    warnings.extend(unread_settings(rocket.figment(), &realms));
    warnings.extend(unreached_pages(&site));
    for warning in warnings {
        warn!("{warning}");
    }
    let mut mistakes = group_mistakes(rocket);
    mistakes.extend(realm_mistakes(rocket.figment(), &realms));
    mistakes.extend(views::mistakes(&site));
    mistakes.extend(redirects::mistakes(&site));
    if denies {
        mistakes.extend(unguarded_routes(&audit));
    }
    stop(&mistakes);
}

/// Prints the audit in Rocket's own style.
fn print(audit: &Audit) {
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
            " (several routes have this name: rename the handler, or guard the group)"
        } else {
            ""
        };
        let doubt = route.doubt.as_ref();
        let doubt = doubt.map_or_else(String::new, |doubt| format!(" <- check this: {doubt}"));
        info!(
            target: "rocket::launch::_",
            "({name}) {route}: {}{users}{condition}{ambiguous}{doubt}", route.access
        );
    }
}

/// Returns a type's name without its path.
fn short(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

/// Returns warnings about the routes whose guard is doubtful. All that may be open are in one.
///
/// Where unguarded routes are denied, they stop the launch, and need no warning.
fn doubtful_routes(audit: &Audit, denies: bool) -> Vec<String> {
    let mut open = Vec::new();
    let mut warnings = Vec::new();
    for route in audit.routes() {
        match (&route.doubt, route.access) {
            (Some(doubt), Access::Unguarded) => open.push(format!("`{route}` ({doubt})")),
            (Some(doubt), _) => warnings.push(format!("`{route}`: {doubt}")),
            (None, _) => {}
        }
    }
    if !open.is_empty() && !denies {
        warnings.push(format!(
            "these routes may be open by accident: {}. Write `#[login_required]` or `#[public]` above each, also if its \
             handler takes a `&User`. With `login.unguarded_routes = \"deny\"`, a route without either stops the launch",
            open.join(", ")
        ));
    }
    warnings
}

/// Returns the mistakes in the guards of groups; those of attributes have stopped the launch before.
fn group_mistakes(rocket: &Rocket<Orbit>) -> Vec<String> {
    let fix = "RouteGuard::login().user::<User>()";
    let mut mistakes = Vec::new();
    for route in rocket.routes() {
        let name = format!("`{} {}`", route.method, route.uri);
        let guards = guards_of(route);
        for guard in guards.outer.iter().chain(&guards.inner) {
            mistakes.extend(access::launch::mistakes(rocket, &name, guard, fix));
        }
    }
    mistakes
}

/// Returns a warning for each login cookie that browsers do not send to a login page or a guarded route.
fn unreached_pages(site: &Site<'_, Orbit>) -> Vec<String> {
    let warnings = Realms::all(site.rocket).iter().flat_map(|realm| {
        let core = realm.core();
        let needs_login = |known: &KnownRoute<'_>| {
            known.any(|guard| {
                matches!(guard.need, Need::Login | Need::FreshLogin)
                    && site.is_of(core, known, guard)
            })
        };
        let guarded = site.routes.iter().filter(|known| needs_login(known));
        let mut pages: Vec<_> = core.config.login_paths(None).collect();
        pages.extend(guarded.map(|known| known.route.uri.path()));
        core.config.unreached(&pages)
    });
    warnings.collect()
}

fn denies_unguarded_routes(rocket: &Rocket<Orbit>) -> bool {
    let mut realms = Realms::all(rocket).iter();
    realms.any(|realm| realm.core().config.unguarded_routes == UnguardedRoutes::Deny)
}

fn unguarded_routes(audit: &Audit) -> Vec<String> {
    let routes = audit.routes().iter();
    routes
        .filter_map(|route| {
            let (mistake, fix) = match route.access {
                Access::Unguarded if route.is_ambiguous => (
                    "is neither guarded nor marked as public",
                    "several routes with its name, method and URI are mounted, and Rocket does not reveal whether all of \
                     them have an attribute: if one handler is mounted twice, guard its group, as in \
                     `routes![..].login_required()`; otherwise rename a handler",
                ),
                Access::Unguarded => (
                    "is neither guarded nor marked as public",
                    "write `#[login_required]` or `#[public]` above it",
                ),
                Access::Exempt => (
                    "has a guard that `login.exempt_methods` opens to everybody",
                    "remove the method from that setting, or write `#[public]` instead of the guard",
                ),
                _ => return None,
            };
            Some(format!("`{route}` {mistake}, and `login.unguarded_routes` is `deny`: {fix}"))
        })
        .collect()
}

/// Stops the launch. At liftoff a fairing can no longer fail, so a panic is the only way, as Rocket itself does.
#[expect(clippy::panic, reason = "the only way to stop a launch at liftoff")]
fn stop(mistakes: &[String]) {
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
    fn a_type_is_called_by_its_last_name() {
        assert_eq!(short("members::users::Member"), "Member");
        assert_eq!(short("Member"), "Member");
    }
}
