//! The launch of a manager that accepts Flask's cookies.

use rocket::{Build, Rocket};

use super::builder::Plan;
use crate::config::Config;
use crate::flask::Flask;
use crate::realm::registry::Realms;

/// Checks the Flask cookies of a manager; also returns warnings.
///
/// # Errors
///
/// All mistakes.
pub(super) fn checked<U>(
    plan: &mut Plan<U>,
    config: &Config,
    rocket: &Rocket<Build>,
) -> Result<(Option<Flask>, Vec<String>), Vec<String>> {
    let Some(cookies) = plan.flask.take() else {
        return Ok((None, Vec::new()));
    };
    if plan.id_type.is_none() {
        return Err(vec![
            "`accept_flask`: a `LoginManager::from_requests` has no user loader, so no login can come across; use \
             `LoginManager::new(load_user)`"
                .to_owned(),
        ]);
    }
    let (flask, warnings) = cookies.checked(config, plan.clock.now())?;
    for other in Realms::so_far(rocket) {
        let other = other.core();
        if other
            .flask
            .as_ref()
            .is_some_and(|other| flask.clashes_with(&other.cookies))
        {
            return Err(vec![format!(
                "`accept_flask`: the manager for `{}` reads the same cookies, so one user of Flask would be two users here; \
                 let `.convert_id(..)` of both accept their own users only",
                other.user_type.name
            )]);
        }
    }
    Ok((Some(flask), warnings))
}
