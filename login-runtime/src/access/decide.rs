//! The decision: whether a guard lets a request through.
//!
//! Attributes, groups of routes, `&User` and `Fresh` all ask [`decide`].

use rocket::Request;
use tracing::warn;

use super::condition::Permission;
use super::denial::{Denied, GuardError, Reason};
use super::guard::{Need, RouteGuard};
use crate::app::contain::contain;
use crate::app::failure::ConditionError;
use crate::realm::any::{AnyRealm, AnyVisit, Standing};
use crate::realm::registry::Realms;
use crate::realm::unavailable::Unavailable;
use crate::request::cross_site::{self, Refusal, is_safe};
use crate::revocation::RevocationError;
use crate::soon::Soon::{self, Now};

/// Where a guard is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before a whole route, by an attribute or by a group.
    Route,
    /// In a handler's parameters, where `Option<&User>` may take a refusal for an answer.
    Parameter,
}

/// Decides in this order: cross-site, who, how fresh, condition.
pub(crate) fn decide<'r>(
    guard: RouteGuard,
    place: Place,
    req: &'r Request<'_>,
) -> Soon<'r, Result<(), GuardError>> {
    // Open on purpose: no cookie is read, so the response does not depend on the user.
    if guard.need == Need::Nothing {
        return Now(Ok(()));
    }
    match Realms::of_guard(req.rocket(), guard.user_type) {
        // May pass: the setting `exempt_methods` opens guarded routes. It is empty by default. A parameter cannot be
        // exempt, since its handler needs a user.
        Some(realm)
            if place == Place::Route && guard.is_exempt(&realm.core().config, req.method()) =>
        {
            Now(Ok(()))
        }
        Some(realm) => {
            let visit = realm.visit(req);
            let standing = move || {
                let standing = realm.standing(visit, req);
                standing.map(|standing| Ok((standing?, ())))
            };
            decide_in(realm, visit, guard, place, req, standing)
        }
        // Fails closed: without a manager, or with several and none named, no user can be known. The launch refuses
        // such a guard, except in an application that has no manager at all.
        None => Now(Err(GuardError::NoManager)),
    }
}

/// Decides for a realm. `find` returns the standing of the user, and what is returned if the request may pass.
pub(super) fn decide_in<'r, T: Send + 'r>(
    realm: &'r dyn AnyRealm,
    visit: &'r dyn AnyVisit,
    guard: RouteGuard,
    place: Place,
    req: &'r Request<'_>,
    find: impl FnOnce() -> Soon<'r, Result<(Standing, T), Unavailable>>,
) -> Soon<'r, Result<T, GuardError>> {
    let asked = Asked {
        realm,
        visit,
        guard,
        place,
        req,
    };
    asked.decide(find)
}

/// A guard that asks about a request.
#[derive(Clone, Copy)]
struct Asked<'r, 'q> {
    realm: &'r dyn AnyRealm,
    visit: &'r dyn AnyVisit,
    guard: RouteGuard,
    place: Place,
    req: &'r Request<'q>,
}

impl<'r> Asked<'r, '_> {
    fn decide<T: Send + 'r>(
        self,
        find: impl FnOnce() -> Soon<'r, Result<(Standing, T), Unavailable>>,
    ) -> Soon<'r, Result<T, GuardError>> {
        // Before any look at the user: another site's page must not act with the visitor's cookies, logged in or not.
        if let Err(refusal) = self.site()
            && may_be_by_browser(self.req)
        {
            return Now(Err(self.deny_site(refusal)));
        }
        find().then(move |found| match found {
            Ok((standing, found)) => self.judge(standing).map(|verdict| verdict.map(|()| found)),
            // Fails closed: when the loader or the revocation list fails, nobody knows who this is. The answer is 5xx,
            // and no cookie is touched.
            Err(error) => Now(Err(GuardError::Failed(error))),
        })
    }

    fn judge(self, standing: Standing) -> Soon<'r, Result<(), GuardError>> {
        let (core, guard) = (self.realm.core(), self.guard);
        // May pass: whom the request loader knows by something that another site's page cannot have a browser send.
        if let Err(refusal) = self.site()
            && standing == Standing::Anonymous
        {
            return Now(Err(self.deny_site(refusal)));
        }
        match guard.need {
            // May pass: a page such as the login form is for visitors without a login.
            Need::Anonymous { .. } if standing == Standing::Anonymous => return Now(Ok(())),
            Need::Anonymous { .. } => return Now(Err(self.deny(Reason::AlreadyLoggedIn))),
            _ if standing == Standing::Anonymous => {
                return Now(Err(self.deny(Reason::Unauthorized)));
            }
            // Fails closed: an old copy of the store is good for reading only. The search has judged the method that the
            // request had then, and a fairing may have changed it since.
            _ if standing.is_stale() && !is_safe(self.req.method()) => {
                let old = RevocationError::old_copy("logins count for reading only");
                return Now(Err(self.fail(old.into())));
            }
            // Fails closed: an old copy of the store is no ground for what requires credentials.
            Need::FreshLogin if standing.is_stale() => {
                let old = RevocationError::old_copy("no login counts as fresh");
                return Now(Err(self.fail(old.into())));
            }
            // Remembered, moved to another client, or too long ago: the credentials must be given again.
            Need::FreshLogin
                if !standing.is_fresh(
                    core.clock.now(),
                    guard.window(&core.config, self.req.method()),
                ) =>
            {
                return Now(Err(self.deny(Reason::NeedsRefresh)));
            }
            Need::Nothing | Need::Login | Need::FreshLogin => {}
        }
        // May pass: a user who is logged in as required, on a route without a condition.
        let Some(condition) = guard.condition else {
            return Now(Ok(()));
        };
        let permission = contain(core.config.loader_timeout, || condition.permit(self.req));
        permission.map(move |permission| match permission {
            Ok(Permission::Granted) => Ok(()),
            Ok(Permission::Refused) => Err(self.deny(Reason::Forbidden)),
            // The condition judges another user type than the guard, whose user is not logged in.
            Ok(Permission::Nobody) => Err(self.deny(Reason::Unauthorized)),
            // Fails closed: a condition that panics, hangs or returns an error has not agreed.
            Ok(Permission::Failed(error)) => Err(self.fail(error)),
            Err(interrupted) => Err(self.fail(ConditionError::from(interrupted).into())),
        })
    }

    fn site(self) -> Result<(), Refusal> {
        self.visit.site(self.realm.core(), self.req)
    }

    fn deny_site(self, refusal: Refusal) -> GuardError {
        warn!("a request to a guarded route was refused: {refusal}");
        self.deny(Reason::CrossSite)
    }

    /// Records a refusal, for the response and for catchers.
    fn deny(self, reason: Reason) -> GuardError {
        let certain = self.place == Place::Route && !self.guard.forward;
        let redirect = match self.guard.need {
            Need::Anonymous { redirect } => Some(redirect),
            _ => None,
        };
        self.visit.has_read();
        let denied = Denied {
            redirect,
            certain,
            by_parameter: self.place == Place::Parameter,
            ..Denied::new(reason, self.realm.core().user_type.id)
        };
        denied.record(self.req);
        GuardError::Denied(reason)
    }

    fn fail(self, error: Unavailable) -> GuardError {
        let core = self.realm.core();
        core.log_failure(&error, format_args!("{error}"));
        self.visit.has_failed();
        GuardError::Failed(error)
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
