//! From a request to its user: session cookie, then remember cookie, then request loader.

use rocket::Request;
use rocket::http::Status;
use tracing::debug;

use crate::app::event::EventKind;
use crate::app::failure::LoadError;
use crate::app::loader;
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::config::SessionProtection;
use crate::login::unavailable::Unavailable;
use crate::login::visit::Change;
use crate::realm::{Realm, RealmCore};
use crate::request::cookie_header::Presented;
use crate::response::cookies;
use crate::revocation::{RevokeSession, SessionRef};
use crate::token::keys::KeySet;
use crate::token::times::{self, Lapsed};
use crate::token::{Flags, Kind, SessionId, Token};

/// What the request's cookies and the request loader said.
pub(crate) struct Found<U> {
    pub(crate) user: Option<U>,
    /// The session as it was presented, or as it was begun from the remember cookie.
    pub(crate) session: Option<Token>,
}

/// An event to tell once the search is over.
pub(crate) struct Told {
    pub(crate) kind: EventKind,
    /// The session that it is about.
    pub(crate) session: Option<SessionId>,
    /// Whether it is about the user who was found in the end.
    pub(crate) of_user: bool,
}

/// Finds the user of a request.
///
/// When a loader or the revocation list fails, nothing follows for the cookies: nobody is logged in
/// or out.
pub(crate) async fn find<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    told: &mut Vec<Told>,
) -> Result<Outcome<U>, Unavailable> {
    let mut search = Search {
        realm,
        req,
        now: realm.core.clock.now(),
        told,
    };
    search.run().await
}

struct Search<'s, 'r, U> {
    realm: &'s Realm<U>,
    req: &'s Request<'r>,
    now: UnixTime,
    told: &'s mut Vec<Told>,
}

/// Who was found, and what follows for the cookies.
pub(crate) struct Outcome<U> {
    pub(crate) found: Found<U>,
    pub(crate) session: Option<Change>,
    pub(crate) remember: Option<Change>,
}

/// What one cookie turned out to be.
enum Verdict<'k, U> {
    Holds(Held<'k, U>),
    /// Not, or no longer, a login.
    Refused,
    /// Strong protection has ended the login: nothing else is asked.
    Ended,
}

/// A token that holds, and whose.
struct Held<'k, U> {
    user: U,
    token: Token,
    keys: &'k KeySet,
    same_client: bool,
}

impl<'s, U: UserMixin> Search<'s, '_, U> {
    async fn run(&mut self) -> Result<Outcome<U>, Unavailable> {
        let config = &self.realm.core.config;
        let specs = [&config.session_cookie, &config.remember_cookie];
        let [session, remember] = cookies::presented(self.req, specs);
        if session == Presented::Many || remember == Presented::Many {
            self.tell(EventKind::DuplicateCookie, None);
            return Ok(Outcome {
                found: self.ask_the_request_loader().await?,
                session: None,
                remember: None,
            });
        }
        let (mut bad_session, mut bad_remember) = (false, false);
        if let Presented::One(value) = session {
            match self.judge(value, Kind::Session).await? {
                Verdict::Holds(held) => return Ok(self.keep(held, remember)),
                Verdict::Refused => bad_session = true,
                Verdict::Ended => return Ok(Outcome::ended()),
            }
        }
        if let Presented::One(value) = remember {
            match self.judge(value, Kind::Remember).await? {
                Verdict::Holds(held) => return Ok(self.restore(held)),
                Verdict::Refused => bad_remember = true,
                Verdict::Ended => return Ok(Outcome::ended()),
            }
        }
        Ok(Outcome {
            found: self.ask_the_request_loader().await?,
            session: bad_session.then_some(Change::Remove),
            remember: bad_remember.then_some(Change::Remove),
        })
    }

    fn tell(&mut self, kind: EventKind, token: Option<&Token>) {
        self.told.push(Told {
            kind,
            session: token.map(|token| token.session_id),
            of_user: matches!(
                kind,
                EventKind::LoadedFromCookie
                    | EventKind::LoadedFromRequest
                    | EventKind::SessionProtected
            ),
        });
    }

    /// The checks in SECURITY.md's order: token, times, revocation, loader, session hash, active,
    /// protection.
    async fn judge(&mut self, value: &str, kind: Kind) -> Result<Verdict<'s, U>, Unavailable> {
        let core = &self.realm.core;
        let config = &core.config;
        let (token, keys) = match Token::decode(value, kind, &core.ring) {
            Ok(decoded) => decoded,
            Err(error) => {
                debug!("a {kind:?} cookie was refused: {error}");
                self.tell(EventKind::Forged, None);
                return Ok(Verdict::Refused);
            }
        };
        let idle = match kind {
            Kind::Session => config.session_idle_timeout,
            Kind::Remember => None,
        };
        if let Err(lapsed) = times::check(&token, self.now, idle) {
            let event = match lapsed {
                Lapsed::Future => EventKind::Forged,
                Lapsed::Expired | Lapsed::Idle => EventKind::Expired,
            };
            self.tell(event, Some(&token));
            return Ok(Verdict::Refused);
        }
        let revoked = core
            .revocations
            .is_revoked(SessionRef::of(&token), self.now)
            .await?;
        if revoked {
            self.tell(EventKind::Revoked, Some(&token));
            return Ok(Verdict::Refused);
        }
        let Some(user) = load(self.realm, self.req, &token.uid).await? else {
            self.tell(EventKind::Outdated, Some(&token));
            return Ok(Verdict::Refused);
        };
        let may_be_used = user.is_active() || token.flags.contains(Flags::FORCED);
        if !may_be_used || !RealmCore::is_sealed_for(&token, keys, &user) {
            self.tell(EventKind::Outdated, Some(&token));
            return Ok(Verdict::Refused);
        }
        let same_client = core.is_same_client(&token, keys, self.req);
        if !same_client {
            self.tell(EventKind::SessionProtected, Some(&token));
            // A permanent login outlives addresses: as in Flask-Login it only turns stale.
            if config.session_protection == SessionProtection::Strong
                && !token.flags.contains(Flags::PERMANENT)
            {
                let until = times::dead_until(&token, self.now, config.longest_session());
                core.revocations
                    .revoke(RevokeSession {
                        session: SessionRef::of(&token),
                        now: self.now,
                        until,
                    })
                    .await?;
                return Ok(Verdict::Ended);
            }
        }
        Ok(Verdict::Holds(Held {
            user,
            token,
            keys,
            same_client,
        }))
    }

    /// A session that holds: made stale, bound, renewed and signed anew where that is due.
    fn keep(&self, held: Held<'_, U>, remember: Presented<'_>) -> Outcome<U> {
        let core = &self.realm.core;
        let mut token = held.token;
        let old_key = !core.ring.is_current(held.keys);
        let mut changed = old_key;
        if !held.same_client && token.auth_at.take().is_some() {
            changed = true;
        }
        if times::renewal_due(&token, self.now, core.config.session_idle_timeout) {
            token.renewed_at = self.now;
            changed = true;
        }
        if old_key {
            core.seal(&mut token, &held.user, held.same_client.then_some(self.req));
        } else if token.flags.contains(Flags::UNBOUND) {
            core.bind(&mut token, self.req);
            changed |= !token.flags.contains(Flags::UNBOUND);
        }
        let remember = if core.config.remember_cookie_refresh_each_request || old_key {
            self.keep_remember(&held.user, &token, remember)
        } else {
            None
        };
        Outcome {
            session: changed.then(|| token.clone().into()),
            remember: remember.map(Change::from),
            found: Found {
                user: Some(held.user),
                session: Some(token),
            },
        }
    }

    /// A remember cookie that goes with the session in use: renewed and signed anew where that is due.
    fn keep_remember(&self, user: &U, session: &Token, remember: Presented<'_>) -> Option<Token> {
        let core = &self.realm.core;
        let Presented::One(value) = remember else {
            return None;
        };
        let (mut token, keys) = Token::decode(value, Kind::Remember, &core.ring).ok()?;
        let goes_with_it = token.session_id == session.session_id
            && times::check(&token, self.now, None).is_ok()
            && RealmCore::is_sealed_for(&token, keys, user);
        let renewed =
            core.config.remember_cookie_refresh_each_request && token.renewed_at < self.now;
        let old_key = !core.ring.is_current(keys);
        if !goes_with_it || !(renewed || old_key) {
            return None;
        }
        if renewed {
            times::renew_remember(&mut token, self.now);
        }
        if old_key {
            let same_client = core.is_same_client(&token, keys, self.req);
            core.seal(&mut token, user, same_client.then_some(self.req));
        }
        Some(token)
    }

    /// A new, stale session under the remember token's own id, so that one logout ends both.
    fn restore(&mut self, held: Held<'_, U>) -> Outcome<U> {
        let core = &self.realm.core;
        let mut remember = held.token;
        // A login right after `logout_everywhere` is dated a second ahead, and so are its heirs.
        let created_at = self.now.max(remember.created_at);
        let mut session = Token::begin(
            Kind::Session,
            remember.session_id,
            remember.uid.clone(),
            created_at,
            core.config.session_lifetime,
        );
        session.flags |= Flags::REMEMBERED | (remember.flags & Flags::FORCED);
        core.seal(&mut session, &held.user, Some(self.req));
        let unbound = remember.flags.contains(Flags::UNBOUND);
        let renewed = core.config.remember_cookie_refresh_each_request;
        if renewed {
            times::renew_remember(&mut remember, self.now);
        }
        let old_key = !core.ring.is_current(held.keys);
        if old_key {
            core.seal(
                &mut remember,
                &held.user,
                held.same_client.then_some(self.req),
            );
        } else if unbound {
            core.bind(&mut remember, self.req);
        }
        self.tell(EventKind::LoadedFromCookie, Some(&session));
        Outcome {
            session: Some(session.clone().into()),
            remember: (old_key || renewed || unbound).then(|| remember.into()),
            found: Found {
                user: Some(held.user),
                session: Some(session),
            },
        }
    }

    async fn ask_the_request_loader(&mut self) -> Result<Found<U>, Unavailable> {
        let Some(loader) = self.realm.request_loader else {
            return Ok(Found::nobody());
        };
        let limit = self.realm.core.config.loader_timeout;
        let user = loader::run(limit, || loader(self.req)).await?;
        if user.is_some() {
            self.tell(EventKind::LoadedFromRequest, None);
        }
        Ok(Found {
            user,
            session: None,
        })
    }
}

impl<U> Outcome<U> {
    /// Both cookies end with the login.
    fn ended() -> Self {
        Outcome {
            found: Found::nobody(),
            session: Some(Change::Remove),
            remember: Some(Change::Remove),
        }
    }
}

impl<U> Found<U> {
    fn nobody() -> Self {
        Found {
            user: None,
            session: None,
        }
    }
}

/// Asks the user loader, and does not take somebody else for an answer.
pub(crate) async fn load<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    uid: &str,
) -> Result<Option<U>, LoadError> {
    let limit = realm.core.config.loader_timeout;
    match loader::run(limit, || (realm.user_loader)(uid, req)).await? {
        Some(user) if !has_id(&user, uid) => Err(LoadError::with_status(
            Status::InternalServerError,
            "the user loader returned a user with another id than the one it was asked for",
        )),
        user => Ok(user),
    }
}
