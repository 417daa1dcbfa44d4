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
        for (setting, name) in cookies(config) {
            let is_taken = |(taken_by, taken): &(&str, String)| {
                *taken == name && (setting != *taken_by || setting != "realm" || both_keep_next)
            };
            if theirs.iter().any(is_taken) {
                clashes.push(format!(
                    "`{setting}`: the managers for `{}` and `{}` both use the cookie `{name}`; \
                     give one of them another name with `.{setting}(..)`",
                    other.user_type.name,
                    UserType::of::<U>().name,
                ));
            }
        }
    }
    clashes
}
