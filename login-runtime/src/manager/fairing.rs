//! When a manager acts: at ignition, at liftoff, and on every response.

use std::any::TypeId;
use std::fmt;
use std::sync::{Arc, PoisonError};

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::{Build, Orbit, Request, Response, Rocket};
use tracing::{error, warn};

use super::LoginManager;
use super::clash::clashes;
use crate::access::denial::Denied;
use crate::access::user::erased;
use crate::app::user::UserMixin;
use crate::audit::{self, audit};
use crate::config::Config;
use crate::login::visit::Visit;
use crate::realm::{Realm, Realms, peek};
use crate::response::{answer, cookies};

#[rocket::async_trait]
impl<U: UserMixin> Fairing for LoginManager<U> {
    fn info(&self) -> Info {
        Info {
            name: "Login Manager",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Response,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let plan = self
            .plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut plan) = plan else {
            error!("this `LoginManager` has been launched before; build a new one");
            return Err(rocket);
        };
        let rocket = match rocket.state::<Realms>() {
            Some(_) => rocket,
            None => rocket.manage(Realms::default()),
        };
        let settings = std::mem::take(&mut plan.settings);
        let realm = plan.realm.as_deref();
        let config = match Config::new(settings, rocket.figment(), realm, crate_of::<U>()) {
            Ok((config, warnings)) => {
                warn_once(&rocket, warnings);
                config
            }
            Err(mistakes) => {
                if let Some(realm) = realm {
                    error!("the settings of the realm `{realm}` are wrong:");
                }
                report(&mistakes);
                return Err(rocket);
            }
        };
        let clashes = clashes::<U>(&config, &rocket);
        if !clashes.is_empty() {
            report(&clashes);
            return Err(rocket);
        }
        let realm = Arc::new(plan.realm(config));
        let _ = self.realm.set(Arc::clone(&realm));
        if let Some(realms) = rocket.state::<Realms>() {
            realms.add(erased(&realm));
        }
        Ok(rocket.manage(realm))
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        // One audit for all managers, by the first of them.
        let first = Realms::all(rocket).into_iter().next();
        if first.is_some_and(|realm| realm.core().user_type == TypeId::of::<U>()) {
            let audit = audit(rocket);
            audit::print(&audit);
            for missing in audit::missing_views(rocket) {
                warn!("{missing}");
            }
            audit::stop(&audit::mistakes(rocket, &audit));
        }
    }

    async fn on_response<'r>(&self, req: &'r Request<'_>, res: &mut Response<'r>) {
        // Without a visit, the request did not ask for the user.
        let (Some(visit), Some(realm)) = (peek::<Visit<U>>(req), self.realm.get()) else {
            return;
        };
        let denied = Denied::of(req).filter(|denied| denied.realm == realm.core.user_type);
        let answered = match denied {
            // Boxed, so that the future of every other request stays small.
            Some(denied) => Box::pin(answer::answer(realm, req, res, denied)).await,
            None => false,
        };
        finish(realm, visit, res, answered);
    }
}

/// Writes the cookies and the caching headers of a response that depends on the user.
fn finish<U: UserMixin>(
    realm: &Realm<U>,
    visit: &Visit<U>,
    res: &mut Response<'_>,
    answered: bool,
) {
    let pending = visit.pending();
    // After a failure, only a change of the login that was accepted before is written.
    let writes = pending.writes() && (visit.has_changed() || !visit.failed());
    if writes {
        cookies::write(&realm.core, &pending, res);
    }
    if answered || writes || visit.consulted() {
        answer::keep_private(res);
    }
}

/// The crate that defines a type: the best guess of the application's name.
fn crate_of<U>() -> &'static str {
    let name = std::any::type_name::<U>();
    name.split_once("::").map_or(name, |(krate, _)| krate)
}

/// Warns of settings that are rarely intended; of those that several realms share, only once.
fn warn_once(rocket: &Rocket<Build>, warnings: Vec<String>) {
    for warning in warnings {
        if Realms::is_news(rocket, &warning) {
            warn!("{warning}");
        }
    }
}

/// Logs why the launch stops.
fn report(mistakes: &[impl fmt::Display]) {
    for mistake in mistakes {
        error!("{mistake}");
    }
}
