//! Mistakes that need several managers: two for one user type, or one cookie name for two realms.

use rocket::{Build, Rocket};

use crate::app::user::{UserMixin, UserType};
use crate::config::Config;
use crate::realm::registry::Realms;

/// Compares a manager with those that were attached before it.
pub(super) fn clashes<U: UserMixin>(config: &Config, rocket: &Rocket<Build>) -> Vec<String> {
    let mut clashes = Vec::new();
    for other in Realms::so_far(rocket) {
        let other = other.core();
        if other.user_type == UserType::of::<U>() {
            clashes.push(format!(
                "two `LoginManager`s for `{}` are attached; attach one",
                other.user_type.name
            ));
            continue;
        }
        if let Some(realm) = &config.realm
            && other.config.realm.as_ref() == Some(realm)
        {
            clashes.push(format!(
                "the managers for `{}` and `{}` are both of the realm `{realm}`; give one of them another name with \
                 `.realm(..)`",
                other.user_type.name,
                UserType::of::<U>().name,
            ));
            continue;
        }
        let cookies = |config: &Config| {
            [
                ("session_cookie_name", config.session_cookie.name.clone()),
                ("remember_cookie_name", config.remember_cookie.name.clone()),
                ("realm", config.next_cookie.name.clone()),
            ]
        };
        let both_keep_next = config.use_session_for_next && other.config.use_session_for_next;
        let theirs = cookies(&other.config);
        let is_shared = |(setting, name): &(&str, String)| {
            theirs.iter().any(|(taken_by, taken)| {
                taken == name && (setting != taken_by || *setting != "realm" || both_keep_next)
            })
        };
        let shared: Vec<_> = cookies(config).into_iter().filter(is_shared).collect();
        let [own, others] = [UserType::of::<U>(), other.user_type].map(|it| it.name);
        let has_realm = config.realm.is_some() || other.config.realm.is_some();
        if !has_realm && !shared.is_empty() && shared.iter().all(|it| theirs.contains(it)) {
            let names: Vec<_> = shared.iter().map(|(_, name)| format!("`{name}`")).collect();
            let realm = realm_for(own);
            clashes.push(format!(
                "the managers for `{others}` and `{own}` both use the cookies {}: write `.realm({realm:?})` on the manager \
                 for `{own}`, which gives it cookies and keys of its own",
                names.join(" and "),
            ));
            continue;
        }
        for (setting, name) in shared {
            clashes.push(format!(
                "`{setting}`: the managers for `{others}` and `{own}` both use the cookie `{name}`; give one of them \
                 another name with `.{setting}(..)`",
            ));
        }
    }
    clashes
}

/// Suggests the name of a realm for a user type: `staff` for `app::Staff`.
fn realm_for(user_type: &str) -> String {
    let generic = user_type.split('<').next().unwrap_or(user_type);
    let name = generic.rsplit("::").next().unwrap_or(generic);
    name.to_ascii_lowercase()
}
