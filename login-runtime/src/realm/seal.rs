//! What a token is bound to: its user's session hash, and the client that it was given to.

use rocket::Request;

use super::RealmCore;
use crate::app::session_hash::SessionHasher;
use crate::app::user::UserMixin;
use crate::config::SessionProtection;
use crate::request::client_info::{ClientInfo, Names};
use crate::request::fingerprint::fingerprint;
use crate::token::keys::{KeySet, TokenKeys};
use crate::token::{Digest, Flags, Token};

impl RealmCore {
    /// Reads what a request shows of its client.
    pub(crate) fn client<'r>(&self, req: &'r Request<'_>) -> ClientInfo<'r> {
        let config = &self.config;
        let names = Names {
            session_cookie: &config.session_cookie.name,
            remember_cookie: &config.remember_cookie.name,
            proxy_header: &config.proxy_header,
        };
        ClientInfo::of(req, names, &config.trusted_proxies)
    }

    /// Returns the fingerprint of a client; `None` where session protection is off.
    fn fingerprint(&self, keys: &TokenKeys, client: &ClientInfo<'_>) -> Option<Digest> {
        let config = &self.config;
        if config.session_protection == SessionProtection::Off {
            return None;
        }
        Some(fingerprint(
            &keys.protection,
            config.session_protection_address,
            client.ip,
            client.user_agent,
        ))
    }

    /// Whether the request comes from the client that the token is bound to.
    ///
    /// An unbound token belongs to the first client that shows it.
    pub(crate) fn is_same_client(
        &self,
        token: &Token,
        keys: &KeySet,
        client: &ClientInfo<'_>,
    ) -> bool {
        token.flags.contains(Flags::UNBOUND)
            || self
                .fingerprint(keys.of(token.kind), client)
                .is_none_or(|fingerprint| token.protection == Some(fingerprint))
    }

    /// Binds a token to a client, under the current key.
    fn bind(&self, token: &mut Token, client: &ClientInfo<'_>) {
        token.protection = self.fingerprint(self.ring.current().of(token.kind), client);
        token.flags.set(Flags::UNBOUND, token.protection.is_none());
    }

    /// Prepares a token for the current key: its session hash, and its binding to a client.
    ///
    /// Without a client the token is bound to a client that no request can match.
    pub(crate) fn seal<U: UserMixin>(
        &self,
        token: &mut Token,
        user: &U,
        client: Option<&ClientInfo<'_>>,
    ) {
        let keys = self.ring.current().of(token.kind);
        token.session_hash = SessionHasher::digest(&keys.session_hash, user);
        match client {
            Some(client) => self.bind(token, client),
            // Not marked as unbound: the next client to show it would then become its owner.
            None => token.protection = None,
        }
    }

    /// Whether a token is bound, and signed by the current key.
    pub(crate) fn is_up_to_date(&self, token: &Token, keys: &KeySet) -> bool {
        self.ring.is_current(keys) && !token.flags.contains(Flags::UNBOUND)
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
        client: &ClientInfo<'_>,
    ) -> bool {
        if !self.ring.is_current(keys) {
            self.seal(token, user, same_client.then_some(client));
            return true;
        }
        if !token.flags.contains(Flags::UNBOUND) {
            return false;
        }
        self.bind(token, client);
        // With session protection off there is nothing to bind to, and nothing changed.
        !token.flags.contains(Flags::UNBOUND)
    }
}

/// Whether a token was made for the user's present session hash.
pub(crate) fn is_sealed_for<U: UserMixin>(token: &Token, keys: &KeySet, user: &U) -> bool {
    SessionHasher::digest(&keys.of(token.kind).session_hash, user) == token.session_hash
}
