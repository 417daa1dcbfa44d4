//! When a manager acts: at ignition, at liftoff, and on every response.

use std::any::TypeId;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::futures::future::BoxFuture;
use rocket::{Build, Orbit, Request, Response, Rocket};
use tracing::{error, warn};

use super::LoginManager;
use super::builder::name;
use super::clash::clashes;
use super::optional_user::{self, JudgedRoutes};
use super::store::mismatch;
use crate::access::declared::Declared;
use crate::access::denial::{Denied, Reason};
use crate::app::event::EventKind;
use crate::app::id_type::IdType;
use crate::app::user::UserMixin;
use crate::audit;
#[cfg(feature = "device-binding")]
use crate::binding;
use crate::config::Config;
use crate::login::visit::{Outcome, Visit};
use crate::realm::Realm;
use crate::realm::any::AnyRealm;
use crate::realm::registry::Realms;
use crate::request::cache::peek;
use crate::response::caching::{self, Keep};
#[cfg(feature = "device-binding")]
use crate::response::offer;
use crate::response::{answer, cookies, flash, off_site, retry, why};
use crate::soon::Soon::{self, Later, Now};
use crate::token::Token;

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
            error!("this `LoginManager` was already launched; create a new one");
            return Err(rocket);
        };
        let rocket = match rocket.state::<Realms>() {
            Some(_) => rocket,
            None => rocket
                .manage(Realms::default())
                .manage(Declared::default())
                .manage(Warned::default())
                .manage(JudgedRoutes::default()),
        };
        if let Some(mistake) = plan.id_type.and_then(IdType::mistake::<U>) {
            report(&[mistake]);
            return Err(rocket);
        }
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
        #[cfg(feature = "flask")]
        let flask = match super::flask::checked(&mut plan, &config, &rocket) {
            Ok((flask, warnings)) => {
                warn_once(&rocket, warnings);
                flask
            }
            Err(mistakes) => {
                report(&mistakes);
                return Err(rocket);
            }
        };
        let source = std::mem::take(&mut plan.revocations);
        let opened = source
            .open(&config, plan.clock.clone(), &name(&config), &rocket)
            .await;
        let revocations = match opened {
            Ok(revocations) => revocations,
            Err(mistake) => {
                report(&[mistake]);
                return Err(rocket);
            }
        };
        let registry = std::mem::take(&mut plan.registry);
        let registry = match registry
            .open(&config, plan.id_type.is_some(), &rocket)
            .await
        {
            Ok(registry) => registry,
            Err(mistakes) => {
                report(&mistakes);
                return Err(rocket);
            }
        };
        warn_once(&rocket, mismatch(registry.as_deref(), &revocations));
        let realm = plan.realm(config, revocations, registry);
        #[cfg(feature = "flask")]
        let realm = realm.accepting(flask);
        let realm = Arc::new(realm);
        let _ = self.realm.set(Arc::clone(&realm));
        let any: Arc<dyn AnyRealm> = Arc::<Realm<U>>::clone(&realm);
        let realms = rocket.state::<Realms>();
        if !realms.is_some_and(|realms| realms.add(any)) {
            error!(
                "a `LoginManager` was attached by another fairing, after the realms were first read: \
                 attach every `LoginManager` directly to the rocket"
            );
            return Err(rocket);
        }
        #[cfg(feature = "device-binding")]
        let rocket = match &realm.core.config.device {
            device if device.is_offered && realm.id_type.is_some() => {
                rocket.mount(device.path.as_str(), binding::routes::<U>())
            }
            _ => rocket,
        };
        Ok(rocket.manage(realm))
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        // The first manager audits for all of them.
        let first = Realms::all(rocket).first();
        if first.is_some_and(|realm| realm.core().user_type.id == TypeId::of::<U>()) {
            audit::launch::check(rocket);
        }
    }

    /// Written without `async`, so that a response that waits for nothing needs no future.
    fn on_response<'r, 's, 'q, 'w, 'f>(
        &'s self,
        req: &'r Request<'q>,
        res: &'w mut Response<'r>,
    ) -> BoxFuture<'f, ()>
    where
        'r: 'f,
        's: 'f,
        'q: 'f,
        'w: 'f,
        Self: 'f,
    {
        // Without a visit, nothing in this request asked for the user.
        let (Some(visit), Some(realm)) = (peek::<Visit<U>>(req), self.realm.get()) else {
            return Now(()).boxed();
        };
        let denied = Denied::of(req).filter(|denied| denied.realm == realm.core.user_type.id);
        let finished = match denied {
            None => finish(realm, visit, req, res, None),
            Some(denied) => Later(Box::pin(async move {
                let answered = answer::answer(realm, req, res, denied).await;
                finish(realm, visit, req, res, Some((denied, answered))).await;
            })),
        };
        finished.boxed()
    }
}

/// Writes the cookies and the caching headers of a response that depends on the user, and logs why a login is gone.
///
/// `denied` also says whether the response is the answer to the denial.
fn finish<'f, U: UserMixin>(
    realm: &'f Realm<U>,
    visit: &Visit<U>,
    req: &'f Request<'_>,
    res: &mut Response<'_>,
    denied: Option<(Denied, bool)>,
) -> Soon<'f, ()> {
    let Outcome {
        pending,
        depends_on_user,
        undone,
        fates,
    } = visit.take_outcome(res.status().class().is_server_error());
    let answered = matches!(denied, Some((_, true)));
    // Not by a fairing, which asks before there is a route.
    let is_optional =
        |it: Denied| it.by_parameter && it.reason == Reason::Unauthorized && !it.is_overtaken(req);
    if matches!(denied, Some((denied, false)) if is_optional(denied)) {
        optional_user::warn_once(req, res);
    }
    if pending.logged_in {
        flash::take_back(req, res);
        off_site::check(&realm.core, req, res);
    } else if !answered {
        retry::keep_next(&realm.core, req, res);
    }
    if !pending.is_empty() {
        cookies::write(&realm.core, req, &pending, res);
        #[cfg(feature = "device-binding")]
        offer::offer(&realm.core, &pending, res);
    }
    if answered || !pending.is_empty() {
        caching::keep_private(Keep::Never, res);
    } else if depends_on_user {
        caching::keep_private(Keep::Privately, res);
    }
    let denied = denied.filter(|(denied, answered)| *answered || denied.certain);
    if denied.is_some() || !fates.is_empty() {
        let denied = denied.map(|(denied, _)| denied);
        why::log(realm, visit, req, res, denied, fates);
    }
    match undone {
        Some(session) => Later(Box::pin(undo(realm, req, session))),
        None => Now(()),
    }
}

/// Ends a login whose cookies do not go out. If the list fails, nobody has a token of the login all the same.
async fn undo<U: UserMixin>(realm: &Realm<U>, req: &Request<'_>, session: Arc<Token>) {
    let core = &realm.core;
    warn!("a login was undone, because the response is a server error");
    if let Err(error) = core.end(&session, core.clock.now()).await {
        error!("the login that was undone could not be listed as ended: {error}");
    }
    let login = Some(session.login_id);
    realm.emit(req, EventKind::LoggedOut, None, login).await;
}

/// The crate that defines a type: the best guess for the application's name.
fn crate_of<U>() -> &'static str {
    let name = std::any::type_name::<U>();
    name.split_once("::").map_or(name, |(krate, _)| krate)
}

/// The warnings that were logged already, because several managers may share a setting.
#[derive(Default)]
struct Warned(Mutex<Vec<String>>);

/// Logs each warning about settings once.
fn warn_once(rocket: &Rocket<Build>, warnings: impl IntoIterator<Item = String>) {
    let Some(Warned(given)) = rocket.state() else {
        return;
    };
    let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
    for warning in warnings {
        if !given.contains(&warning) {
            warn!("{warning}");
            given.push(warning);
        }
    }
}

/// Logs why the launch stops.
fn report(mistakes: &[impl fmt::Display]) {
    for mistake in mistakes {
        error!("{mistake}");
    }
}
