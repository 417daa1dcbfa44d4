//! The login cookies of a request, for the verbs.

use super::{LoginError, LoginSession};
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::login::pending::Change;
use crate::login::remember::goes_with;
use crate::realm::seal::is_sealed_for;
use crate::request::cookie_header::Presented;
use crate::request::cookies;
use crate::revocation::SessionRef;
use crate::token::keys::KeySet;
use crate::token::times;
use crate::token::{Kind, Token};

impl<U: UserMixin> LoginSession<'_, U> {
    /// Returns all genuine tokens of the request, valid or not, also if a cookie occurs several times.
    pub(super) fn presented(&self) -> Vec<(Token, &KeySet)> {
        let core = &self.realm.core;
        let config = &core.config;
        let names = [&config.session_cookie.name, &config.remember_cookie.name];
        let [session, remember]: [Vec<&str>; 2] =
            cookies::presented(self.req, names.map(String::as_str));
        let of = |kind| move |value| (value, kind);
        session
            .into_iter()
            .map(of(Kind::Session))
            .chain(remember.into_iter().map(of(Kind::Remember)))
            .filter_map(|(value, kind)| Token::decode(value, kind, &core.ring).ok())
            .collect()
    }

    /// Returns the valid remember token of a session: the pending token, or else the one of the request.
    pub(super) fn remember_of(&self, session: &Token, now: UnixTime) -> Option<Token> {
        let remember = match self.visit.pending_remember() {
            Some(Change::Set(token)) => *token,
            Some(Change::Remove) => return None,
            None => match self.presented_remember() {
                Presented::One(value) => {
                    let ring = &self.realm.core.ring;
                    Token::decode(value, Kind::Remember, ring).ok()?.0
                }
                Presented::Absent | Presented::Many => return None,
            },
        };
        goes_with(&remember, session, now).then_some(remember)
    }

    /// Whether the browser may have a remember cookie: below another path than `/` it may not have sent the cookie.
    pub(super) fn may_have_remember_cookie(&self) -> bool {
        self.realm.core.config.remember_cookie.path != "/"
            || self.presented_remember() != Presented::Absent
    }

    fn presented_remember(&self) -> Presented<'_> {
        let name = self.realm.core.config.remember_cookie.name.as_str();
        let [remember] = cookies::presented(self.req, [name]);
        remember
    }

    /// Returns the remember token of the request, if it still logs this user in.
    pub(super) async fn still_remembered(
        &self,
        tokens: &[(Token, &KeySet)],
        user: &U,
        now: UnixTime,
    ) -> Result<Option<Token>, LoginError> {
        let mut remembered = tokens
            .iter()
            .filter(|(token, _)| token.kind == Kind::Remember);
        let (Some((token, keys)), None) = (remembered.next(), remembered.next()) else {
            return Ok(None);
        };
        let holds = has_id(user, &token.uid)
            && times::check(token, now, None).is_ok()
            && is_sealed_for(token, keys, user)
            && !self
                .realm
                .core
                .revocations
                .is_revoked(SessionRef::of(token), now)
                .await?;
        Ok(holds.then(|| token.clone()))
    }
}
