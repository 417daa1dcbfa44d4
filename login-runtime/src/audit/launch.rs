//! The audit at launch: the printed table, the warnings, and the mistakes that stop the launch.

use rocket::http::Method;
use rocket::{Orbit, Phase, Rocket};
use tracing::{error, info, warn};

use super::{Access, Audit, audit, segments};
use crate::access;
use crate::access::group::guards_of;
use crate::config::{UnguardedRoutes, realms};
use crate::realm::registry::Realms;

/// Prints the audit, warns, and stops the launch if a route's guard cannot work.
pub(crate) fn check(rocket: &Rocket<Orbit>) {
    let audit = audit(rocket);
    print(&audit);
    for warning in missing_views(rocket) {
        warn!("{warning}");
    }
    let mut mistakes = group_mistakes(rocket);
    mistakes.extend(unknown_realms(rocket));
    if denies_unguarded_routes(rocket) {
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
        info!(
            target: "rocket::launch::_",
            "({name}) {route}: {}{users}{condition}{ambiguous}", route.access
        );
    }
}

/// Returns a type's name without its path.
fn short(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

/// Returns a warning for each login or refresh view that no route of this application answers.
fn missing_views<P: Phase>(rocket: &Rocket<P>) -> Vec<String> {
    let mut missing = Vec::new();
    for realm in Realms::all(rocket) {
        for view in realm.core().config.login_paths() {
            let mut routes = rocket.routes();
            let is_there =
                routes.any(|route| route.method == Method::Get && answers(route.uri.path(), view));
            if !is_there {
                missing.push(format!(
                    "browsers are sent to `{view}` to log in, but no GET route answers there: \
                     `uri!` needs the mount point first, as in `uri!(\"/base\", page)`"
                ));
            }
        }
    }
    missing
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

/// Returns a mistake for each realm that has settings but no manager.
fn unknown_realms(rocket: &Rocket<Orbit>) -> Vec<String> {
    let attached = Realms::all(rocket);
    let mut mistakes = Vec::new();
    for realm in realms(rocket.figment()) {
        let mut names = attached.iter().map(|realm| &realm.core().config.realm);
        if names.all(|name| name.as_ref() != Some(&realm)) {
            mistakes.push(format!(
                "`login.realms.{realm}`: no `LoginManager` has this name; write `.realm({realm:?})`, or correct the name"
            ));
        }
    }
    mistakes
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
                    "several routes with its name, method and URI are mounted, and not all of them have an attribute: \
                     rename its handler, or guard its group",
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
