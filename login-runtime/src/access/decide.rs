//! The decision: whether a guard lets a request through.
//!
//! Attributes, groups of routes, `&User` and `Fresh` all ask [`decide`]; the verbs of `LoginSession` share
//! [`check_site`].

use rocket::Request;
use tracing::{error, warn};

use super::condition::Permission;
use super::denial::{Denied, GuardError, Reason};
use super::guard::{Need, RouteGuard};
use crate::app::contain::contain;
use crate::app::failure::ConditionError;
use crate::realm::RealmCore;
use crate::realm::any::{AnyRealm, Standing};
use crate::realm::registry::Realms;
use crate::realm::unavailable::Unavailable;
use crate::request::cross_site::{self, Refusal, Signals, value_of};

/// Where a guard is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before a whole route, by an attribute or by a group.
    Route,
    /// In a handler's parameters, where `Option<&User>` may take a refusal for an answer.
    Parameter,
}

/// Decides in this order: cross-site, who, how fresh, condition.
pub(crate) async fn decide(
    guard: &RouteGuard,
    place: Place,
    req: &Request<'_>,
) -> Result<(), GuardError> {
    // Open on purpose: no cookie is read, so the response does not depend on the user.
    if guard.need == Need::Nothing {
        return Ok(());
    }
    // Fails closed: without a manager, or with several and none named, no user can be known. The launch refuses such a
    // guard, except in an application that has no manager at all.
    let Some(realm) = Realms::of_guard(req.rocket(), guard.user_type) else {
        return Err(GuardError::NoManager);
    };
    let core = realm.core();
    // May pass: the setting `exempt_methods` opens guarded routes. It is empty by default. A parameter cannot be
    // exempt, since its handler needs a user.
    if place == Place::Route && guard.is_exempt(&core.config, req.method()) {
        return Ok(());
    }
    let deny = |reason| {
        let certain = place == Place::Route && !guard.forward;
        let redirect = match guard.need {
            Need::Anonymous { redirect } => Some(redirect),
            _ => None,
        };
        deny(
            realm,
            req,
            Denied {
                redirect,
                certain,
                by_parameter: place == Place::Parameter,
                ..Denied::new(reason, core.user_type.id)
            },
        )
    };
    let site = check_site(core, req);
    let deny_site = |refusal: Refusal| {
        warn!("a request to a guarded route was refused: {refusal}");
        deny(Reason::CrossSite)
    };
    // Before any look at the user: another site's page must not act with the visitor's cookies, logged in or not.
    if let Err(refusal) = site
        && may_be_by_browser(req)
    {
        return Err(deny_site(refusal));
    }
    // Fails closed: when the loader or the revocation list fails, nobody knows who this is. The answer is 5xx, and
    // no cookie is touched.
    let standing = match realm.known_standing(req) {
        Some(standing) => standing,
        None => realm.find_standing(req).await,
    };
    let standing = standing.map_err(GuardError::Failed)?;
    // May pass: whom the request loader knows by something that another site's page cannot have a browser send.
    if let Err(refusal) = site
        && standing == Standing::Anonymous
    {
        return Err(deny_site(refusal));
    }
    match guard.need {
        // May pass: a page such as the login form is for visitors without a login.
        Need::Anonymous { .. } if standing == Standing::Anonymous => return Ok(()),
        Need::Anonymous { .. } => return Err(deny(Reason::AlreadyLoggedIn)),
        _ if standing == Standing::Anonymous => return Err(deny(Reason::Unauthorized)),
        // Remembered, moved to another client, or too long ago: the credentials must be given again.
        Need::FreshLogin
            if !standing.is_fresh(core.clock.now(), guard.window(&core.config, req.method())) =>
        {
            return Err(deny(Reason::NeedsRefresh));
        }
        Need::Nothing | Need::Login | Need::FreshLogin => {}
    }
    // May pass: a user who is logged in as required, on a route without a condition.
    let Some(condition) = guard.condition else {
        return Ok(());
    };
    match contain(core.config.loader_timeout, || condition.permit(req)).await {
        Ok(Permission::Granted) => Ok(()),
        Ok(Permission::Refused) => Err(deny(Reason::Forbidden)),
        // The condition judges another user type than the guard, whose user is not logged in.
        Ok(Permission::Nobody) => Err(deny(Reason::Unauthorized)),
        // Fails closed: a condition that panics, hangs or returns an error has not agreed.
        Ok(Permission::Failed(error)) => Err(fail(realm, req, error)),
        Err(interrupted) => Err(fail(realm, req, ConditionError::from(interrupted).into())),
    }
}

/// Checks that a request that may change something comes from this site's own pages, or from no page at all.
///
/// Safe methods pass: they change nothing (RFC 9110, section 9.2.1), and links from other sites use them. The
/// handshake of a WebSocket is a GET as well, but no link, and what follows it may change everything (ASVS 4.4.2).
pub(crate) fn check_site(core: &RealmCore, req: &Request<'_>) -> Result<(), Refusal> {
    let is_link = cross_site::is_safe(req.method()) && !req.headers().contains("Upgrade");
    if is_link {
        Ok(())
    } else {
        check_source(core, req)
    }
}

/// Whether the request may have credentials that a browser adds by itself, whichever page has caused the request.
fn may_be_by_browser(req: &Request<'_>) -> bool {
    // Only Rocket's local client sends cookies without a header.
    let has_cookies = req.headers().contains("Cookie") || req.cookies().iter().next().is_some();
    has_cookies
        || req
            .headers()
            .get("Authorization")
            .any(cross_site::is_sent_by_browsers)
}

fn check_source(core: &RealmCore, req: &Request<'_>) -> Result<(), Refusal> {
    let (sec_fetch_site, sites_disagree) = value_of(req.headers().get("Sec-Fetch-Site"));
    let (origin, origins_disagree) = value_of(req.headers().get("Origin"));
    let host = origin.and_then(|_| req.host()).map(ToString::to_string);
    let signals = Signals {
        sec_fetch_site,
        origin,
        disagree: sites_disagree || origins_disagree,
        host: host.as_deref(),
        https: core.config.https,
    };
    let config = &core.config;
    cross_site::check(
        config.cross_site_protection,
        &signals,
        &config.trusted_origins,
    )
}

/// Records a refusal by a realm, for the response and for catchers.
fn deny(realm: &dyn AnyRealm, req: &Request<'_>, denied: Denied) -> GuardError {
    realm.has_read(req);
    denied.record(req);
    GuardError::Denied(denied.reason)
}

fn fail(realm: &dyn AnyRealm, req: &Request<'_>, error: Unavailable) -> GuardError {
    error!("{error}");
    realm.has_failed(req);
    GuardError::Failed(error)
}
