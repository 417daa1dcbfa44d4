//! A realm: everything that one attached `LoginManager` knows while the application runs.

use std::any::TypeId;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use rocket::futures::FutureExt as _;
use rocket::http::Method;
use rocket::{Phase, Request, Rocket};

use crate::app::handler::{AnswerFn, EventListener, RequestLoader, UserLoader};
use crate::app::loader::{Interrupted, guarded};
use crate::app::user::{SessionHasher, UserMixin};
use crate::audit::PolicyEntry;
use crate::chain::Chain;
use crate::clock::Clock;
use crate::config::{Config, SessionProtection};
use crate::login::visit::{Soon, Standing};
use crate::manager::Localize;
use crate::request::client_ip;
use crate::request::cross_site::{self, Signals};
use crate::request::fingerprint;
use crate::response::flash::Message;
use crate::revocation::Revocations;
use crate::token::keys::{KeyRing, KeySet, TokenKeys};
use crate::token::{Digest, Flags, Token};

/// What a realm knows that does not depend on the user type.
pub(crate) struct RealmCore {
    pub(crate) user_type: TypeId,
    pub(crate) user_type_name: &'static str,
    pub(crate) config: Config,
    pub(crate) ring: KeyRing,
    pub(crate) clock: Clock,
    pub(crate) revocations: Revocations,
}

pub(crate) struct Realm<U> {
    pub(crate) core: RealmCore,
    pub(crate) user_loader: UserLoader<U>,
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
}

impl<U> fmt::Debug for Realm<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realm")
            .field("user_type", &self.core.user_type_name)
            .finish_non_exhaustive()
    }
}

impl RealmCore {
    pub(crate) fn client_ip(&self, req: &Request<'_>) -> Option<IpAddr> {
        let peer = req.remote().map(|peer| peer.ip());
        let trusted = &self.config.trusted_proxies;
        if trusted.is_empty() {
            return peer.map(|peer| peer.to_canonical());
        }
        let told = req.headers().get(&self.config.proxy_header);
        client_ip::client_ip(peer, told, trusted)
    }

    /// What the client of this request is bound by; `None` where protection is off.
    fn identifier(&self, keys: &TokenKeys, req: &Request<'_>) -> Option<[u8; 16]> {
        if self.config.session_protection == SessionProtection::Off {
            return None;
        }
        Some(fingerprint::identifier(
            &keys.protection,
            self.config.session_protection_address,
            self.client_ip(req),
            req.headers().get_one("User-Agent"),
        ))
    }

    /// Whether the request comes from the client that the token is bound to; an unbound token
    /// belongs to the first client that shows it.
    pub(crate) fn is_same_client(&self, token: &Token, keys: &KeySet, req: &Request<'_>) -> bool {
        token.flags.contains(Flags::UNBOUND)
            || self
                .identifier(keys.of(token.kind), req)
                .is_none_or(|identifier| token.protection == Some(identifier))
    }

    /// Binds a token to the client of this request, under the current key.
    pub(crate) fn bind(&self, token: &mut Token, req: &Request<'_>) {
        token.protection = self.identifier(self.ring.current().of(token.kind), req);
        token.flags.set(Flags::UNBOUND, token.protection.is_none());
    }

    /// Makes a token ready for the current key: its session hash, and its binding to the client of
    /// `req`, or to nobody where the right client cannot be told.
    pub(crate) fn seal<U: UserMixin>(
        &self,
        token: &mut Token,
        user: &U,
        req: Option<&Request<'_>>,
    ) {
        let keys = self.ring.current().of(token.kind);
        token.session_hash = SessionHasher::digest(&keys.session_hash, user);
        match req {
            Some(req) => self.bind(token, req),
            // Not unbound: that would let any client in.
            None => token.protection = None,
        }
    }

    /// Whether a token is of the user's present session hash.
    pub(crate) fn is_sealed_for<U: UserMixin>(token: &Token, keys: &KeySet, user: &U) -> bool {
        token.session_hash == SessionHasher::digest(&keys.of(token.kind).session_hash, user)
    }

    /// Whether the request comes from this site's own pages, or from no page at all.
    pub(crate) fn is_same_site(&self, req: &Request<'_>) -> bool {
        let trusted = &self.config.trusted_origins;
        let sec_fetch_site = req.headers().get_one("Sec-Fetch-Site");
        // Where the browser tells the site, an origin can only be a trusted one.
        let origin = if sec_fetch_site.is_none() || !trusted.is_empty() {
            req.headers().get_one("Origin")
        } else {
            None
        };
        let host = origin.and_then(|_| req.host()).map(ToString::to_string);
        let signals = Signals {
            sec_fetch_site,
            origin,
            host: host.as_deref(),
            https: self.config.https,
        };
        cross_site::allows(self.config.cross_site_protection, &signals, trusted)
    }
}

/// Whether a method promises to change nothing (RFC 9110, section 9.2.1).
pub(crate) fn is_safe(method: Method) -> bool {
    matches!(
        method,
        Method::Get | Method::Head | Method::Options | Method::Trace
    )
}

/// A realm whose user type is not known at compile time.
pub(crate) trait AnyRealm: Send + Sync {
    fn core(&self) -> &RealmCore;

    /// Notes that the response depends on a cookie of this realm.
    fn has_read(&self, req: &Request<'_>);

    /// Notes that a condition on the user could not be told.
    fn has_failed(&self, req: &Request<'_>);

    /// How the user of this request stands.
    fn standing<'a>(&'a self, req: &'a Request<'_>) -> Soon<'a, Standing>;
}

/// Every realm of the application, in the order in which they were attached.
#[derive(Default)]
pub(crate) struct Realms {
    attached: Chain<Arc<dyn AnyRealm>>,
    /// What the attributes said of their routes, for the audit.
    entries: RwLock<Vec<PolicyEntry>>,
    /// The warnings that have been given.
    warnings: RwLock<Vec<String>>,
}

impl Realms {
    pub(crate) fn all<P: Phase>(rocket: &Rocket<P>) -> Vec<&Arc<dyn AnyRealm>> {
        rocket
            .state::<Realms>()
            .map_or_else(Vec::new, |realms| realms.attached.iter().collect())
    }

    pub(crate) fn add(&self, realm: Arc<dyn AnyRealm>) {
        self.attached.push(realm);
    }

    /// The realm, where there is exactly one.
    pub(crate) fn sole<P: Phase>(rocket: &Rocket<P>) -> Option<&dyn AnyRealm> {
        let mut realms = rocket.state::<Realms>()?.attached.iter();
        match (realms.next(), realms.next()) {
            (Some(realm), None) => Some(&**realm),
            _ => None,
        }
    }

    /// Whether a warning is given for the first time.
    pub(crate) fn is_news<P: Phase>(rocket: &Rocket<P>, warning: &str) -> bool {
        let Some(realms) = rocket.state::<Realms>() else {
            return true;
        };
        let mut given = realms
            .warnings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let is_news = given.iter().all(|given| given != warning);
        if is_news {
            given.push(warning.to_owned());
        }
        is_news
    }

    /// Enters what an attribute says of its route.
    pub(crate) fn enter<P: Phase>(rocket: &Rocket<P>, entry: PolicyEntry) {
        if let Some(realms) = rocket.state::<Realms>() {
            let entries = realms.entries.write();
            entries.unwrap_or_else(PoisonError::into_inner).push(entry);
        }
    }

    pub(crate) fn entries<P: Phase>(rocket: &Rocket<P>) -> Vec<PolicyEntry> {
        rocket.state::<Realms>().map_or_else(Vec::new, |realms| {
            let entries = realms.entries.read();
            entries.unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    pub(crate) fn find<P: Phase>(rocket: &Rocket<P>, user_type: TypeId) -> Option<&dyn AnyRealm> {
        let mut realms = rocket.state::<Realms>()?.attached.iter();
        realms
            .find(|realm| realm.core().user_type == user_type)
            .map(|realm| &**realm)
    }
}

/// The value of type `T` in the request's cache, without putting one there.
///
/// Rocket's cache can only "get or create"; creating costs every request that never asked.
pub(crate) fn peek<'r, T: Send + Sync + 'static>(req: &'r Request<'_>) -> Option<&'r T> {
    req.local_cache_async(std::future::pending::<T>())
        .now_or_never()
}
