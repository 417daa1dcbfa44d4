//! From a request to its user: session cookie, then remember cookie, then request loader.

use rocket::Request;
use rocket::http::Status;

use super::fate::{Fate, Fates};
use super::pending::Change;
use super::remember;
use super::shown::Shown;
use crate::app::event::EventKind;
use crate::app::failure::LoadError;
use crate::app::loader;
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::realm::Realm;
use crate::realm::seal::is_sealed_for;
use crate::realm::unavailable::Unavailable;
use crate::request::cookie_header::Presented;
use crate::request::cookies;
use crate::revocation::{RevokeSession, SessionStatus};
use crate::token::keys::KeySet;
use crate::token::times::{self, Lapsed};
use crate::token::{Flags, Kind, LoginId, Token};

/// Who was found, and what follows for the cookies.
pub(crate) struct Answer<U> {
    pub(crate) user: Option<U>,
    /// The session as it was presented, or as it was begun from the remember cookie.
    pub(crate) session: Option<Token>,
    pub(crate) session_change: Option<Change>,
    pub(crate) remember_change: Option<Change>,
}

/// What a search emits when it is over.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) events: Vec<Event>,
    pub(crate) fates: Fates,
    pub(crate) error: Option<Unavailable>,
}

pub(crate) struct Event {
    pub(crate) kind: EventKind,
    /// The login that the event is about.
    pub(crate) login: Option<LoginId>,
    /// Whether the event is about the user who was found in the end.
    pub(crate) of_user: bool,
}

/// Finds the user of a request.
///
/// If a loader or the revocation list fails, the cookies stay as they are: nobody is logged in or out.
pub(crate) async fn find<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    report: &mut Report,
) -> Result<Answer<U>, Unavailable> {
    let mut search = Search {
        realm,
        req,
        now: realm.core.clock.now(),
        report,
    };
    search.run().await
}

/// Asks the user loader, and does not accept another user than the one it was asked for.
pub(crate) async fn load<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    uid: &str,
) -> Result<Option<U>, Unavailable> {
    let limit = realm.core.config.loader_timeout;
    match loader::run(limit, || (realm.user_loader)(uid, req)).await? {
        Some(user) if !has_id(&user, uid) => Err(LoadError::with_status(
            Status::InternalServerError,
            "the user loader returned a user with another id than the one it was asked for",
        )
        .into()),
        user => Ok(user),
    }
}

struct Search<'s, 'r, U> {
    realm: &'s Realm<U>,
    req: &'s Request<'r>,
    now: UnixTime,
    report: &'s mut Report,
}

/// What one cookie is worth.
enum Verdict<'k, U> {
    Holds(Box<Held<'k, U>>),
    /// There is no cookie of ours.
    Nothing,
    /// Several genuine cookies: nobody knows which one is this browser's, and no other cookie is tried.
    Many,
    /// The cookie is not, or no longer, a login.
    Refused,
    /// Strong protection has ended the login, so no other cookie is tried.
    Ended,
    /// Another request of this browser has just replaced the session. The response must not touch the new cookies.
    Late,
}

/// A request is late if its session was replaced less than this many seconds ago.
pub(crate) const LATE: u64 = 60;

/// Whether another request of the same browser has just replaced the session.
pub(crate) fn is_late(status: SessionStatus, now: UnixTime) -> bool {
    matches!(status, SessionStatus::Replaced { at } if now < at.plus(LATE))
}

impl<U> Verdict<'_, U> {
    fn refused(is_late: bool) -> Self {
        if is_late { Self::Late } else { Self::Refused }
    }
}

/// A valid token, and its user.
pub(super) struct Held<'k, U> {
    pub(super) user: U,
    pub(super) token: Token,
    pub(super) keys: &'k KeySet,
    pub(super) same_client: bool,
}

impl<'s, U: UserMixin> Search<'s, '_, U> {
    async fn run(&mut self) -> Result<Answer<U>, Unavailable> {
        let config = &self.realm.core.config;
        let names = [&config.session_cookie.name, &config.remember_cookie.name];
        let [session, remember] = cookies::presented(self.req, names.map(String::as_str));
        let (mut bad_session, mut bad_remember) = (false, false);
        match self.judge(session, Kind::Session).await? {
            Verdict::Nothing => {}
            Verdict::Holds(held) => return Ok(self.keep(*held, remember)),
            Verdict::Refused => bad_session = true,
            Verdict::Ended => return Ok(self.ended(session, remember)),
            Verdict::Late | Verdict::Many => {
                return Ok(Answer::of(self.ask_the_request_loader().await?));
            }
        }
        match self.judge(remember, Kind::Remember).await? {
            Verdict::Nothing => {}
            Verdict::Holds(held) => return Ok(self.restore(*held)),
            Verdict::Refused => bad_remember = true,
            Verdict::Ended => return Ok(self.ended(session, remember)),
            Verdict::Late | Verdict::Many => {
                return Ok(Answer::of(self.ask_the_request_loader().await?));
            }
        }
        Ok(Answer {
            session_change: bad_session.then_some(Change::Remove),
            remember_change: bad_remember.then_some(Change::Remove),
            ..Answer::of(self.ask_the_request_loader().await?)
        })
    }

    /// Nobody is logged in, and no cookie of ours is left.
    fn ended(&self, session: Presented<'_>, remember: Presented<'_>) -> Answer<U> {
        let core = &self.realm.core;
        let removal = |presented: Presented<'_>, kind| {
            let shown = Shown::under(core, self.req, kind, presented);
            let is_foreign = presented != Presented::Absent && matches!(shown, Shown::Nothing);
            (!is_foreign).then_some(Change::Remove)
        };
        Answer {
            session_change: removal(session, Kind::Session),
            remember_change: removal(remember, Kind::Remember),
            ..Answer::of(None)
        }
    }

    /// Notes what became of a cookie, for the log and for the listeners.
    fn note(&mut self, kind: Kind, fate: Fate, token: Option<&Token>) {
        self.report.fates.set(kind, fate);
        if let Some(event) = fate.event() {
            self.emit(event, token);
        }
    }

    fn emit(&mut self, kind: EventKind, token: Option<&Token>) {
        self.report.events.push(Event {
            kind,
            login: token.map(|token| token.login_id),
            of_user: matches!(
                kind,
                EventKind::LoadedFromCookie
                    | EventKind::LoadedFromRequest
                    | EventKind::SessionProtected
            ),
        });
    }

    /// The checks in the order that SECURITY.md promises: token, times, revocation, loader, session hash, active,
    /// protection.
    async fn judge(
        &mut self,
        presented: Presented<'_>,
        kind: Kind,
    ) -> Result<Verdict<'s, U>, Unavailable> {
        let core = &self.realm.core;
        let config = &core.config;
        let (token, keys) = match Shown::under(core, self.req, kind, presented) {
            Shown::Nothing => {
                if presented != Presented::Absent {
                    self.note(kind, Fate::Foreign, None);
                }
                return Ok(Verdict::Nothing);
            }
            Shown::One(token, keys) => (*token, keys),
            Shown::Forged => {
                self.note(kind, Fate::Forged, None);
                return Ok(Verdict::Refused);
            }
            Shown::Many => {
                self.note(kind, Fate::Several, None);
                return Ok(Verdict::Many);
            }
        };
        let idle = match kind {
            Kind::Session => config.session_idle_timeout,
            Kind::Remember => None,
        };
        if let Err(lapsed) = times::check(&token, self.now, idle) {
            let fate = match lapsed {
                Lapsed::Future => Fate::Future,
                Lapsed::Expired => Fate::Expired,
                Lapsed::Idle => Fate::Idle,
            };
            self.note(kind, fate, Some(&token));
            // An idle page may send another request while it logs in.
            let status = self.status(&token).await?;
            return Ok(Verdict::refused(is_late(status, self.now)));
        }
        let status = self.status(&token).await?;
        if status != SessionStatus::Open {
            let is_late = is_late(status, self.now);
            let fate = if is_late { Fate::Replaced } else { Fate::Ended };
            self.note(kind, fate, Some(&token));
            return Ok(Verdict::refused(is_late));
        }
        let Some(user) = load(self.realm, self.req, &token.uid).await? else {
            self.note(kind, Fate::NoUser, Some(&token));
            return Ok(Verdict::Refused);
        };
        if !is_sealed_for(&token, keys, &user) {
            self.note(kind, Fate::NewSessionHash, Some(&token));
            return Ok(Verdict::Refused);
        }
        if !user.is_active() && !token.flags.contains(Flags::FORCED) {
            self.note(kind, Fate::Inactive, Some(&token));
            return Ok(Verdict::Refused);
        }
        let same_client = core.is_same_client(&token, keys, self.req);
        if !same_client {
            self.note(kind, Fate::OtherClient, Some(&token));
            let is_permanent = token.flags.contains(Flags::PERMANENT);
            if config.session_protection.ends(is_permanent) {
                let until = times::dead_until(&token, config.longest_session());
                core.revocations
                    .revoke(RevokeSession {
                        session: core.session(&token),
                        successor: None,
                        now: self.now,
                        until,
                    })
                    .await?;
                return Ok(Verdict::Ended);
            }
        }
        Ok(Verdict::Holds(Box::new(Held {
            user,
            token,
            keys,
            same_client,
        })))
    }

    async fn status(&self, token: &Token) -> Result<SessionStatus, Unavailable> {
        let core = &self.realm.core;
        let session = core.session(token);
        match core.revocations.known_status(session, self.now) {
            Some(status) => Ok(status),
            None => Ok(core.revocations.status(session, self.now).await?),
        }
    }

    /// A valid session, after it was made stale, renewed, bound or signed again if necessary.
    fn keep(&self, held: Held<'_, U>, remember: Presented<'_>) -> Answer<U> {
        let core = &self.realm.core;
        let remember_change = remember::keep(core, self.req, self.now, &held, remember);
        let Held {
            user,
            mut token,
            keys,
            same_client,
        } = held;
        let mut changed = false;
        if !same_client && token.auth_at.is_some() {
            token.auth_at = None;
            changed = true;
        }
        if times::renewal_due(&token, self.now, core.config.session_idle_timeout) {
            token.renewed_at = self.now;
            changed = true;
        }
        changed |= core.bring_up_to_date(&mut token, keys, &user, same_client, self.req);
        Answer {
            session_change: changed.then(|| token.clone().into()),
            remember_change,
            user: Some(user),
            session: Some(token),
        }
    }

    fn restore(&mut self, held: Held<'_, U>) -> Answer<U> {
        let restored = remember::restore(&self.realm.core, self.req, self.now, &held);
        self.note(Kind::Remember, Fate::Restored, Some(&restored.session));
        Answer {
            session_change: Some(restored.session.clone().into()),
            remember_change: restored.remember.map(Change::from),
            user: Some(held.user),
            session: Some(restored.session),
        }
    }

    async fn ask_the_request_loader(&mut self) -> Result<Option<U>, Unavailable> {
        let Some(loader) = self.realm.request_loader else {
            return Ok(None);
        };
        let limit = self.realm.core.config.loader_timeout;
        let user = loader::run(limit, || loader(self.req)).await?;
        if user.is_some() {
            self.emit(EventKind::LoadedFromRequest, None);
        }
        Ok(user)
    }
}

impl<U> Answer<U> {
    /// A user without a session, or nobody.
    fn of(user: Option<U>) -> Self {
        Answer {
            user,
            session: None,
            session_change: None,
            remember_change: None,
        }
    }
}
