//! A realm: what one attached `LoginManager` knows while the application runs.

pub(crate) mod any;
#[cfg(feature = "flask")]
pub(crate) mod flask;
pub(crate) mod health;
pub(crate) mod id;
mod logins;
pub(crate) mod message;
pub(crate) mod outage;
pub(crate) mod registered;
pub(crate) mod registry;
pub(crate) mod seal;
pub(crate) mod site;
pub(crate) mod unavailable;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket::{Phase, Request, Rocket};
use tracing::{error, warn};

use self::message::Message;
use self::outage::Outage;
use crate::app::contain::contain;
use crate::app::event::{EventKind, LoginEvent};
use crate::app::handler::{AnswerFn, EventListener, Localize, RequestLoader, UserLoader};
use crate::app::id_type::IdType;
use crate::app::user::{UserMixin, UserType};
use crate::clock::{Clock, UnixTime};
use crate::config::Config;
use crate::logins::desk::Desk;
use crate::request::cross_site::{Refusal, WebOrigin};
use crate::revocation::{
    RevocationError, Revocations, RevokeSession, Revoked, SessionRef, UserRef,
};
use crate::token::keys::KeyRing;
use crate::token::{LoginId, Token, times};

/// The part of a realm that does not depend on the user type.
pub(crate) struct RealmCore {
    pub(crate) user_type: UserType,
    pub(crate) config: Config,
    pub(crate) ring: KeyRing,
    pub(crate) clock: Clock,
    pub(crate) revocations: Revocations,
    /// The registry of logins, if there is one.
    pub(crate) desk: Option<Desk>,
    /// Whether browsers without a login are sent to the login view; otherwise the application answers by itself.
    pub(crate) sends_to_login: bool,
    /// The same for the refresh view.
    pub(crate) sends_to_refresh: bool,
    /// Whether a login at a host outside the cookies' domain was seen, and warned of.
    pub(crate) warned_of_host: AtomicBool,
    /// Whether a login that was answered by a redirect to another site was seen, and warned of.
    pub(crate) warned_of_redirect: AtomicBool,
    /// The failures of the list of ended logins, for the log.
    pub(crate) outage: Outage,
    /// Tells this realm from every other one in a list of ended logins that both share.
    pub(crate) name: String,
    #[cfg(feature = "flask")]
    pub(crate) flask: Option<flask::AcceptedFlask>,
}

impl RealmCore {
    /// Warns, once, of a login whose cookies the browser will drop.
    pub(crate) fn check_host(&self, req: &Request<'_>) {
        if let Some(mistake) = self.why_dropped(req)
            && !self.warned_of_host.swap(true, Ordering::Relaxed)
        {
            warn!("a user logs in, but browsers drop the cookies: {mistake}");
        }
    }

    fn why_dropped(&self, req: &Request<'_>) -> Option<String> {
        let config = &self.config;
        let host = req.host()?.domain().as_str();
        let domains = [
            &config.session_cookie.domain,
            &config.remember_cookie.domain,
        ];
        let foreign = |domain: &&String| !is_under(host, domain);
        if let Some(domain) = domains.into_iter().flatten().find(foreign) {
            return Some(format!(
                "the host `{}` is not under their domain `{domain}`; correct `login.session_cookie_domain` and \
                 `login.remember_cookie_domain`, or let the proxy pass the `Host` header on",
                host.escape_debug()
            ));
        }
        // The cross-site rule refuses a page of plain HTTP, unless a setting lets it pass. To HTTPS, browsers send the
        // other header.
        let headers = req.headers();
        let origin = headers.get_one("Origin")?.parse::<WebOrigin>().ok()?;
        let is_plain = origin.is_plain_http() && !headers.contains("Sec-Fetch-Site");
        (is_plain && config.session_cookie.secure && !is_this_machine(host))
            .then(|| Refusal::PlainHttp.to_string())
    }

    /// A token's session, as the list of ended logins gets it.
    pub(crate) fn session<'a>(&'a self, token: &'a Token) -> SessionRef<'a> {
        SessionRef::of(&self.name, token)
    }

    /// Ends the login of a token.
    pub(crate) async fn end(
        &self,
        token: &Token,
        now: UnixTime,
    ) -> Result<Revoked, RevocationError> {
        let end = RevokeSession {
            session: self.session(token),
            successor: None,
            now,
            until: times::dead_until(token, self.config.longest_session()),
        };
        let revoked = self.revocations.revoke(end).await?;
        if let Some(desk) = &self.desk {
            desk.end(&token.uid, token.login_id);
        }
        Ok(revoked)
    }

    pub(crate) fn user<'a>(&'a self, user_id: &'a str) -> UserRef<'a> {
        UserRef {
            realm: &self.name,
            user_id,
        }
    }
}

/// Whether browsers accept Secure cookies from this host over plain HTTP; most do.
fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.starts_with("127.") || host == "[::1]"
}

/// Whether a host is a domain, or a part of it.
fn is_under(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    host.strip_suffix(&domain)
        .is_some_and(|labels| labels.is_empty() || labels.ends_with('.'))
}

pub(crate) struct Realm<U> {
    pub(crate) core: RealmCore,
    pub(crate) user_loader: UserLoader<U>,
    /// The type that the user loader takes ids as; `None` if each request identifies its user and nobody can log in.
    pub(crate) id_type: Option<IdType>,
    pub(crate) request_loader: Option<RequestLoader<U>>,
    pub(crate) listeners: Vec<EventListener<U>>,
    pub(crate) unauthorized_handler: Option<AnswerFn>,
    pub(crate) needs_refresh_handler: Option<AnswerFn>,
    pub(crate) forbidden_handler: Option<AnswerFn>,
    pub(crate) login_message: Option<Message>,
    pub(crate) needs_refresh_message: Option<Message>,
    pub(crate) localize: Option<Box<Localize>>,
}

impl<U: UserMixin> Realm<U> {
    pub(crate) fn of<P: Phase>(rocket: &Rocket<P>) -> Option<&Arc<Realm<U>>> {
        rocket.state::<Arc<Realm<U>>>()
    }

    /// Calls every listener, one after another. A listener that panics or hangs changes nothing.
    pub(crate) async fn emit(
        &self,
        req: &Request<'_>,
        kind: EventKind,
        user: Option<&U>,
        login: Option<LoginId>,
    ) {
        if self.listeners.is_empty() {
            return;
        }
        let event = LoginEvent {
            kind,
            user,
            log_id: login.map(|id| self.core.ring.log_id(id)),
        };
        for listener in &self.listeners {
            let limit = self.core.config.loader_timeout;
            if let Err(interrupted) = contain(limit, || listener(&event, req)).await {
                error!("an event listener failed on {kind:?}: {interrupted}");
            }
        }
    }
}

impl<U> fmt::Debug for Realm<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realm")
            .field("user_type", &self.core.user_type.name)
            .finish_non_exhaustive()
    }
}
