//! The log line of a request that was refused, or that came with a login that is gone: why, and what the answer was.
//!
//! It contains no id, nothing of a query, and of the cookies nothing but their fate.

use std::fmt;

use rocket::{Request, Response};
use tracing::info;

use super::answer::handler_of;
use crate::access::denial::{Denied, Reason};
use crate::app::user::UserMixin;
#[cfg(feature = "device-binding")]
use crate::device::fields;
use crate::login::fate::{Fate, Fates};
use crate::login::shown::Shown;
use crate::login::visit::{Current, LoginNow, Visit};
use crate::printable::Printable;
use crate::realm::any::Standing;
use crate::realm::registry::Realms;
use crate::realm::{Realm, RealmCore};
use crate::request::cookie_header::Presented;
use crate::request::cookies;
#[cfg(feature = "device-binding")]
use crate::request::headers;
use crate::token::Kind;

/// The underscore makes Rocket's logger indent the line, as its own lines about a request.
const TARGET: &str = concat!(module_path!(), "::_");

/// Logs why a request has no login, or not the one that its route requires.
///
/// At the normal level, at which Rocket logs each request, because any client can cause the line.
#[cold]
pub(crate) fn log<U: UserMixin>(
    realm: &Realm<U>,
    visit: &Visit<U>,
    req: &Request<'_>,
    res: &Response<'_>,
    denied: Option<Denied>,
    fates: Fates,
) {
    let reason = denied.map(Denied::reason);
    // The guard has warned of it, with the fix.
    if reason == Some(Reason::CrossSite) {
        return;
    }
    let current = match visit.known() {
        Some(Ok(current)) => Some(current),
        None => None,
        // Nobody knows who this is, and the failure has been logged.
        Some(Err(_)) => return,
    };
    let line = Line {
        realm,
        req,
        res,
        reason,
        current,
        has_session: !matches!(visit.login_now(), LoginNow::WithoutSession),
        fates,
    };
    info!(target: TARGET, "{line}");
}

/// Why the browser did not prove its device before this request, if it says so.
#[cfg(feature = "device-binding")]
fn skipped(req: &Request<'_>) -> Option<&'static str> {
    let mut reason = None;
    headers::each(req, |name, value| {
        if name.is(fields::SKIPPED) {
            reason = fields::skipped(value);
        }
    });
    reason
}

struct Line<'a, 'r, U> {
    realm: &'a Realm<U>,
    req: &'a Request<'r>,
    res: &'a Response<'r>,
    reason: Option<Reason>,
    /// Who is logged in; `None` if no guard has asked.
    current: Option<Current<'a, U>>,
    /// Whether the user, if there is one, has logged in.
    has_session: bool,
    fates: Fates,
}

impl<U: UserMixin> fmt::Display for Line<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = Printable(self.req.uri().path());
        write!(f, "{} {page}: ", self.req.method())?;
        match self.reason {
            Some(Reason::Unauthorized) => self.why_nobody(f)?,
            Some(reason @ Reason::NeedsRefresh) => {
                write!(f, "{}, because {}", reason.sentence(), self.why_stale())?;
            }
            Some(reason) => f.write_str(reason.sentence())?,
            None if self.is_anonymous() => self.why_nobody(f)?,
            None => write!(f, "{}", self.fates)?,
        }
        f.write_str("; ")?;
        self.answer(f)
    }
}

impl<U: UserMixin> Line<'_, '_, U> {
    fn why_nobody(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = &self.realm.core;
        write!(f, "{}, because ", Reason::Unauthorized.sentence())?;
        let Some(current) = &self.current else {
            return f.write_str("the handler says so");
        };
        if !self.is_anonymous() {
            return f.write_str("the handler or the condition of the route requires another user");
        }
        if !self.fates.is_empty() {
            write!(f, "{}", self.fates)?;
        } else if current.user.is_some() {
            f.write_str("the user is inactive")?;
        } else if shows_cookies(core, self.req) {
            f.write_str("the login was ended during this request")?;
        } else if let Some(other) = self.login_elsewhere() {
            write!(
                f,
                "the request has a login of a `{}`, and the route requires one of a `{}`",
                other.user_type.name, core.user_type.name
            )?;
        } else {
            f.write_str("the request has no login cookie")?;
            #[cfg(feature = "device-binding")]
            if let Some(reason) = skipped(self.req) {
                write!(
                    f,
                    ", and the browser did not prove its device (`Secure-Session-Skipped: {reason}`)"
                )?;
            }
        }
        if self.realm.request_loader.is_some() {
            f.write_str(", and the request loader found nobody")?;
        }
        Ok(())
    }

    fn why_stale(&self) -> &'static str {
        match (self.fates.session, self.fates.remember) {
            (_, Some(Fate::Restored)) => "the remember cookie has just restored it",
            (Some(Fate::OtherClient), _) => {
                "it came from another client than the one that it is bound to (`login.session_protection`)"
            }
            _ => match &self.current {
                None => "the handler says so",
                Some(_) if !self.has_session => {
                    "the request loader found the user, and such a user is never fresh"
                }
                Some(current) if current.auth_at.is_some() => {
                    "the credentials were given too long ago for this route"
                }
                Some(_) => {
                    "it was restored from a remember cookie, has moved to another client, or began with `.fresh(false)`"
                }
            },
        }
    }

    fn is_anonymous(&self) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.standing() == Standing::Anonymous)
    }

    /// Returns the realm of another user type that has set a login cookie of this request.
    fn login_elsewhere(&self) -> Option<&RealmCore> {
        let realms = Realms::all(self.req.rocket()).iter();
        let others = realms
            .map(|realm| realm.core())
            .filter(|core| core.user_type.id != self.realm.core.user_type.id);
        let mut kinds = others.flat_map(|core| [(core, Kind::Session), (core, Kind::Remember)]);
        kinds
            .find(|(core, kind)| {
                let [presented] =
                    cookies::presented(self.req, [core.config.cookie(*kind).name.as_str()]);
                let shown = Shown::under(core, self.req, *kind, presented);
                matches!(shown, Shown::One(..) | Shown::Many)
            })
            .map(|(core, _)| core)
    }

    fn answer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (headers, status) = (self.res.headers(), self.res.status());
        let handler = self
            .reason
            .and_then(|reason| handler_of(self.realm, reason));
        if let Some((_, handler)) = handler {
            write!(f, "the `{handler}` answered: ")?;
        }
        if let Some(location) = headers.get_one("Location") {
            write!(f, "sent to {}", shortened(location))
        } else if let Some(location) = headers.get_one("HX-Redirect") {
            write!(f, "htmx sent to {}", shortened(location))
        } else {
            write!(f, "{status}")
        }
    }
}

/// Returns an address with its first query value left out, which may be the page that was asked for, with its own query.
fn shortened(location: &str) -> impl fmt::Display {
    match location.split_once('=') {
        Some((field, _)) => Printable(format!("{field}=..")),
        None => Printable(location.to_owned()),
    }
}

/// Whether a request shows anything under the name of a login cookie.
fn shows_cookies(core: &RealmCore, req: &Request<'_>) -> bool {
    let names = [Kind::Session, Kind::Remember].map(|kind| core.config.cookie(kind).name.as_str());
    let shown: [Presented<'_>; 2] = cookies::presented(req, names);
    shown
        .iter()
        .any(|presented| *presented != Presented::Absent)
}
