//! The page that a request wants to come back to: the rule of `next`.

use rocket::Request;

use super::cookies::next_purpose;
use crate::realm::any::AnyRealm;
use crate::realm::registry::Realms;
use crate::redirect::local::{is_local, path_of, same_path};
use crate::request::cookie_header::Presented;
use crate::request::cookies;
use crate::token::value;

/// A page of this site that is no login page, or none.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Absent,
    Refused,
    Path(String),
}

impl Target {
    /// Takes one more value: the first counts, and all must pass.
    pub(crate) fn take(self, value: &str) -> Self {
        match self {
            _ if !is_local(value) => Self::Refused,
            // Escaped, so that the page is safe in an attribute with either quote.
            Self::Absent => Self::Path(value.replace('\'', "%27")),
            taken => taken,
        }
    }

    /// Refuses a value that leads to a login page.
    pub(crate) fn away_from(self, avoid: &[String], value: &str) -> Self {
        if avoid.iter().any(|login| same_path(login, path_of(value))) {
            Self::Refused
        } else {
            self
        }
    }

    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path),
            Self::Absent | Self::Refused => None,
        }
    }
}

/// What a request says about the wanted page.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) target: Target,
    /// The login pages of every realm, and the page of the request itself.
    pub(crate) avoid: Vec<String>,
}

impl Wanted {
    /// Reads the query field `next`, else the cookie in which a realm keeps the page.
    pub(crate) fn of(req: &Request<'_>, realm: Option<&dyn AnyRealm>) -> Self {
        let mut avoid = vec![req.uri().path().to_string()];
        for realm in Realms::all(req.rocket()) {
            let pages = realm.core().config.login_paths(req.host());
            avoid.extend(pages.map(str::to_owned));
        }
        let mut target = Target::Absent;
        if let Some(query) = req.uri().query() {
            for (name, value) in query.segments() {
                if name == "next" {
                    target = target.take(value).away_from(&avoid, value);
                }
            }
        }
        if target == Target::Absent
            && let Some(realm) = realm
            && let Some(path) = kept(req, realm)
        {
            target = target.take(&path).away_from(&avoid, &path);
        }
        Wanted { target, avoid }
    }
}

/// The page that a realm keeps in its cookie.
fn kept(req: &Request<'_>, realm: &dyn AnyRealm) -> Option<String> {
    let core = realm.core();
    if !core.config.use_session_for_next {
        return None;
    }
    realm.visit(req).has_read();
    let [Presented::One(value)] = cookies::presented(req, [core.config.next_cookie.name.as_str()])
    else {
        return None;
    };
    value::decode(&core.ring, &next_purpose(core), value, core.clock.now())
}
