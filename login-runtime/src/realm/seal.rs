//! What a token is bound to: its user's session hash, and the client that it was given to.

use std::net::IpAddr;

use rocket::Request;

use super::RealmCore;
use crate::app::session_hash::SessionHasher;
use crate::app::user::UserMixin;
use crate::config::SessionProtection;
use crate::request::{client_ip, fingerprint};
use crate::token::keys::{KeySet, TokenKeys};
use crate::token::{Digest, Flags, Token};

impl RealmCore {
    pub(crate) fn client_ip(&self, req: &Request<'_>) -> Option<IpAddr> {
        let peer = req.remote().map(|peer| peer.ip());
        let trusted = &self.config.trusted_proxies;
        if trusted.is_empty() {
            return peer.map(|peer| peer.to_canonical());
        }
        let claimed = req.headers().get(&self.config.proxy_header);
        client_ip::client_ip(peer, claimed, trusted)
    }

    /// Returns the fingerprint of the client of this request; `None` where session protection is off.
    fn fingerprint(&self, keys: &TokenKeys, req: &Request<'_>) -> Option<Digest> {
        if self.config.session_protection == SessionProtection::Off {
            return None;
        }
        Some(fingerprint::fingerprint(
            &keys.protection,
            self.config.session_protection_address,
            self.client_ip(req),
            req.headers().get_one("User-Agent"),
        ))
    }

    /// Whether the request comes from the client that the token is bound to.
    ///
    /// An unbound token belongs to the first client that shows it.
    pub(crate) fn is_same_client(&self, token: &Token, keys: &KeySet, req: &Request<'_>) -> bool {
        token.flags.contains(Flags::UNBOUND)
            || self
                .fingerprint(keys.of(token.kind), req)
                .is_none_or(|fingerprint| token.protection == Some(fingerprint))
    }

    /// Binds a token to the client of this request, under the current key.
    fn bind(&self, token: &mut Token, req: &Request<'_>) {
        token.protection = self.fingerprint(self.ring.current().of(token.kind), req);
        token.flags.set(Flags::UNBOUND, token.protection.is_none());
    }

    /// Prepares a token for the current key: its session hash, and its binding to the client of `req`.
    ///
    /// Without a request the token is bound to a client that no request can match.
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
            // Not marked as unbound: the next client to show it would then become its owner.
            None => token.protection = None,
        }
    }

    /// Seals a token that an old key signed, and binds a token that is not bound. Returns whether it changed.
    ///
    /// A token from another client stays bound to nobody: the new key cannot reproduce the old client's fingerprint.
    pub(crate) fn bring_up_to_date<U: UserMixin>(
        &self,
        token: &mut Token,
        keys: &KeySet,
        user: &U,
        same_client: bool,
        req: &Request<'_>,
    ) -> bool {
        if !self.ring.is_current(keys) {
            self.seal(token, user, same_client.then_some(req));
            return true;
        }
        if !token.flags.contains(Flags::UNBOUND) {
            return false;
        }
        self.bind(token, req);
        // With session protection off there is nothing to bind to, and nothing changed.
        !token.flags.contains(Flags::UNBOUND)
    }
}

/// Whether a token was made for the user's present session hash.
pub(crate) fn is_sealed_for<U: UserMixin>(token: &Token, keys: &KeySet, user: &U) -> bool {
    SessionHasher::digest(&keys.of(token.kind).session_hash, user) == token.session_hash
}
