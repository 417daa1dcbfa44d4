//! The login cookies of a request, for the verbs.

use std::sync::Arc;

use super::{LoginError, LoginSession};
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::login::pending::Change;
use crate::login::remember::goes_with;
use crate::login::search::is_late;
use crate::login::shown::{self, Decoded, Shown};
use crate::realm::seal::is_sealed_for;
use crate::request::client_info::ClientInfo;
use crate::request::cookies;
use crate::revocation::SessionStatus;
use crate::token::keys::KeySet;
use crate::token::times;
use crate::token::{EnvelopeError, Kind, Token};

/// The login cookies of a request, whether or not they still hold: all of them, if one came more than once.
pub(super) struct Tokens<'k> {
    /// The genuine ones: the session's, then those of the remember cookie, then the session that this request has begun.
    pub(super) genuine: Vec<(Token, &'k KeySet)>,
    /// The kinds of which a genuine token came.
    pub(super) kinds: Vec<Kind>,
    /// The kinds of which a cookie came that this application has set, genuine or not.
    came: Vec<Kind>,
    /// The kinds of which only cookies came that are not from this application.
    foreign: Vec<Kind>,
    #[cfg(feature = "flask")]
    pub(super) flask: FlaskShown,
}

/// The Flask cookies of a request.
#[cfg(feature = "flask")]
#[derive(Default)]
pub(super) struct FlaskShown {
    /// The kinds of which a genuine one came.
    pub(super) kinds: Vec<Kind>,
    /// The user whose login they show.
    pub(super) uid: Option<String>,
}

impl Tokens<'_> {
    /// Returns the removal of a remember cookie that a login without one owes the browser, whether or not the cookie
    /// came: another login of the browser may be under way.
    pub(super) fn removal_at_login(&self) -> Option<Change> {
        (!self.foreign.contains(&Kind::Remember)).then_some(Change::Remove)
    }
}

impl<U: UserMixin> LoginSession<'_, U> {
    pub(super) fn presented(&self, client: &ClientInfo<'_>) -> Tokens<'_> {
        let mut tokens = Tokens {
            genuine: Vec::new(),
            kinds: Vec::new(),
            came: Vec::new(),
            foreign: Vec::new(),
            #[cfg(feature = "flask")]
            flask: FlaskShown::default(),
        };
        for kind in [Kind::Session, Kind::Remember] {
            let shown = shown::all(&self.realm.core, self.req, kind, client.cookie(kind));
            let is_foreign = |decoded: &Decoded<'_>| matches!(decoded, Err(EnvelopeError::NotOurs));
            if !shown.iter().all(is_foreign) {
                tokens.came.push(kind);
            } else if !shown.is_empty() {
                tokens.foreign.push(kind);
            }
            let before = tokens.genuine.len();
            tokens.genuine.extend(shown.into_iter().flatten());
            let count = tokens.genuine.len().saturating_sub(before);
            if count > 0 {
                tokens.kinds.push(kind);
            }
            if count > 1 {
                tracing::warn!(
                    "a browser sent {count} cookies named `{name}`, so none of them counted; this response removes \
                     them from every domain and path that the server can name. If that user cannot log in, the cookie \
                     also stands under another domain or path: choose a new name for it in the settings",
                    name = self.realm.core.config.cookie(kind).name,
                );
            }
        }
        #[cfg(feature = "flask")]
        self.add_flask(client, &mut tokens);
        // No cookie shows it yet, but the list and the registry may know it.
        let new = self.visit.new_session();
        let current = self.realm.core.ring.current();
        tokens.genuine.extend(new.map(|token| (token, current)));
        tokens
    }

    /// Returns the removal of a cookie that a logout owes the browser: of what came and is ours, and of what may be
    /// there although the browser sends it only below another path.
    pub(super) fn removal(&self, tokens: &Tokens<'_>, kind: Kind) -> Option<Change> {
        let is_hidden = || self.realm.core.config.cookie(kind).path != "/";
        let is_foreign = tokens.foreign.contains(&kind);
        (tokens.came.contains(&kind) || !is_foreign && is_hidden()).then_some(Change::Remove)
    }

    /// Returns the removal of the cookies of a bound login, which browsers send to two routes only.
    pub(super) fn device_removal(&self) -> Option<Change> {
        let is_offered = self.realm.core.config.device.is_offered;
        is_offered.then_some(Change::Remove)
    }

    /// Returns the valid remember token of a session: the pending token, or else the one of the request.
    pub(super) fn remember_of(&self, session: &Token, now: UnixTime) -> Option<Token> {
        let mut remember = match self.visit.pending_remember() {
            Some(Change::Set(token)) => Arc::unwrap_or_clone(token),
            Some(Change::Remove) => return None,
            None => match self.presented_remember() {
                Shown::One(token, _) => token,
                Shown::Nothing | Shown::Forged | Shown::Many => return None,
            },
        };
        remember.catch_up(session);
        goes_with(&remember, session, now).then_some(remember)
    }

    fn presented_remember(&self) -> Shown<'_> {
        let core = &self.realm.core;
        let name = core.config.remember_cookie.name.as_str();
        let [remember] = cookies::presented(self.req, [name]);
        Shown::under(core, self.req, Kind::Remember, remember)
    }

    /// Returns the remember token that the browser has or gets from this request, if it logs this user in.
    pub(super) async fn still_remembered(
        &self,
        tokens: &[(Token, &KeySet)],
        user: &U,
        now: UnixTime,
    ) -> Result<Option<Token>, LoginError> {
        let core = &self.realm.core;
        let mut remembered = tokens
            .iter()
            .filter(|(token, _)| token.kind == Kind::Remember);
        let pending = self.visit.pending_remember();
        let (token, keys) = match (&pending, remembered.next(), remembered.next()) {
            (Some(Change::Set(token)), ..) => (&**token, core.ring.current()),
            (None, Some((token, keys)), None) => (token, *keys),
            _ => return Ok(None),
        };
        let holds = has_id(user, &token.uid)
            && times::check(token, now, None).is_ok()
            && is_sealed_for(token, keys, user)
            && core.revocations.status(core.session(token), now).await?.0 == SessionStatus::Open;
        Ok(holds.then(|| token.clone()))
    }

    /// Returns the id of the user of a session that another request of this browser has just replaced.
    pub(super) async fn replaced_user<'t>(
        &self,
        tokens: &'t [(Token, &KeySet)],
        now: UnixTime,
    ) -> Result<Option<&'t str>, LoginError> {
        let core = &self.realm.core;
        for (token, _) in tokens {
            let (status, _) = core.revocations.status(core.session(token), now).await?;
            if is_late(status, now) && times::check(token, now, None).is_ok() {
                return Ok(Some(&token.uid));
            }
        }
        Ok(None)
    }
}
