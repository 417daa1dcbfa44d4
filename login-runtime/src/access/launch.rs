//! Why a launch stops because of a route's guard.

use rocket::{Phase, Rocket};

use super::group::guards_of;
use super::guard::{Need, RouteGuard};
use crate::app::user::UserType;
use crate::realm::registry::Realms;

/// Returns what is wrong with a guard, by itself or with the managers that are attached.
///
/// `fix` is how the route's own kind of guard names a user type.
pub(crate) fn mistakes<P: Phase>(
    rocket: &Rocket<P>,
    route: &str,
    guard: &RouteGuard,
    fix: &str,
) -> Vec<String> {
    let mut mistakes: Vec<_> = guard
        .mistakes()
        .into_iter()
        .map(|mistake| format!("{route}: {mistake}"))
        .collect();
    if guard.need == Need::Nothing {
        return mistakes;
    }
    match (Realms::of_guard(rocket, guard.user_type), guard.condition) {
        (None, _) => mistakes.push(no_realm(rocket, route, guard.user_type, fix)),
        (Some(realm), Some(condition)) if condition.judges() != realm.core().user_type => {
            mistakes.push(format!(
                "{route} requires the login of a `{}`, but its condition judges a `{}`: \
                 use one user type for both",
                realm.core().user_type.name,
                condition.judges().name,
            ));
        }
        _ => {}
    }
    mistakes
}

/// Returns a mistake for a guarded group in an application without any manager.
///
/// No fairing of this library runs there, but the attributes of its handlers do.
pub(crate) fn group_without_any_manager<P: Phase>(rocket: &Rocket<P>) -> Option<String> {
    if !Realms::all(rocket).is_empty() {
        return None;
    }
    rocket.routes().find_map(|route| {
        let guards = guards_of(route);
        let mut guards = guards.outer.iter().chain(&guards.inner);
        let guard = guards.find(|guard| guard.need != Need::Nothing)?;
        let route = format!("`{} {}`", route.method, route.uri);
        Some(no_realm(rocket, &route, guard.user_type, ""))
    })
}

fn no_realm<P: Phase>(
    rocket: &Rocket<P>,
    route: &str,
    user_type: Option<UserType>,
    fix: &str,
) -> String {
    match user_type {
        Some(UserType { name, .. }) => format!(
            "{route} requires the login of a `{name}`, but no `LoginManager` for that type is attached: \
             add `.attach(LoginManager::new(..))` with its `#[user_loader]`"
        ),
        None if Realms::all(rocket).is_empty() => format!(
            "{route} requires a login, but no `LoginManager` is attached: \
             add `.attach(LoginManager::new(load_user))` to the rocket"
        ),
        None => format!(
            "{route} requires a login, but several `LoginManager`s are attached: \
             name the user type, as in `{fix}`"
        ),
    }
}
