//! From a request to its user: session cookie, then remember cookie, then request loader.

#![cfg_attr(
    not(feature = "flask"),
    allow(
        clippy::needless_update,
        reason = "with the feature, `Answer` has one more field"
    )
)]

use rocket::Request;
use rocket::http::Status;
use tracing::error;

use super::bound::{self, Claim};
use super::cookie::{Genuine, Held, LoginCookie};
use super::fate::Fate;
use super::findings::Findings;
use super::pending::Change;
use super::remember::{self, Counted};
use crate::app::event::EventKind;
use crate::app::failure::LoadError;
use crate::app::loader;
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::logins::desk::Desk;
use crate::realm::Realm;
use crate::realm::seal::is_sealed_for;
use crate::realm::site::only_reads;
use crate::realm::unavailable::Unavailable;
use crate::revocation::replicated::News;
use crate::revocation::replicated::freshness::Trust;
use crate::revocation::{RevocationError, Revoked, SessionStatus};
use crate::soon::Soon::{self, Later, Now};
use crate::token::times::{self, Lapsed};
use crate::token::{Flags, Kind, SessionId, Token};

/// What follows from a search; the user is among the [`Findings`].
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) session: Session,
    pub(crate) session_change: Option<Change>,
    pub(crate) remember_change: Option<Change>,
    /// The cookies of Flask to remove.
    #[cfg(feature = "flask")]
    pub(crate) flask_gone: Vec<Kind>,
}

/// The session of a request.
#[derive(Default)]
pub(crate) enum Session {
    #[default]
    None,
    /// The token of the session cookie, as it came.
    AsPresented,
    /// The token of the session cookie, renewed or made stale, or one that the remember cookie began.
    New(Box<Token>),
}

/// The answer of a step: what it found out, or why that is not possible.
pub(super) type Step<'r, T> = Soon<'r, Result<T, Unavailable>>;

/// Finds the user of a request.
///
/// If a loader or the revocation list fails, the cookies stay as they are: nobody is logged in or out.
pub(crate) fn find<'r, U: UserMixin>(
    realm: &'r Realm<U>,
    req: &'r Request<'_>,
    findings: &'r Findings<U>,
) -> Step<'r, Answer> {
    let search = Search {
        realm,
        req,
        findings,
        now: realm.core.clock.now(),
    };
    search.try_session()
}

/// Asks the user loader, and does not accept another user than the one it was asked for.
pub(crate) fn load<'r, U: UserMixin>(
    realm: &'r Realm<U>,
    req: &'r Request<'_>,
    uid: &'r str,
) -> Step<'r, Option<U>> {
    let limit = realm.core.config.loader_timeout;
    let loaded = loader::run(limit, || (realm.user_loader)(uid, req));
    loaded.map(move |loaded| match loaded? {
        Some(user) if !has_id(&user, uid) => Err(LoadError::with_status(
            Status::InternalServerError,
            "the user loader returned a user with another id than the one it was asked for",
        )
        .into()),
        user => Ok(user),
    })
}

/// Notifies the listeners that a second device has claimed the login of a token, and whose login it was: the
/// application must warn the user.
pub(crate) async fn announce_second_device<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    token: &Token,
) {
    if realm.listeners.is_empty() {
        return;
    }
    let user = load(realm, req, &token.uid)
        .await
        .unwrap_or_else(|failure| {
            error!("{failure}");
            None
        });
    let login = Some(token.login_id);
    realm
        .emit(req, EventKind::SecondDevice, user.as_ref(), login)
        .await;
}

pub(super) struct Search<'r, 'q, U> {
    pub(super) realm: &'r Realm<U>,
    pub(super) req: &'r Request<'q>,
    pub(super) findings: &'r Findings<U>,
    pub(super) now: UnixTime,
}

impl<U> Clone for Search<'_, '_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for Search<'_, '_, U> {}

/// What one cookie is worth.
enum Verdict<'r, U> {
    Holds(Held<'r, U>),
    /// There is no cookie of ours.
    Nothing,
    /// Several genuine cookies: nobody knows which one is this browser's, and no other cookie is tried.
    Many,
    /// The cookie is not, or no longer, a login.
    Refused,
    /// The login has just been ended, so no other cookie is tried.
    Ended,
    /// The session is bound to a device and comes from another client. The device must prove it from there.
    Moved,
    /// Another request of this browser has just replaced the session. The response must not touch the new cookies.
    Late,
}

/// A request is late if its session was replaced less than this many seconds ago.
pub(crate) const LATE: u64 = 60;

/// Whether another request of the same browser has just replaced the session.
pub(crate) fn is_late(status: SessionStatus, now: UnixTime) -> bool {
    matches!(status, SessionStatus::Replaced { at, .. } if now < at.plus(LATE))
}

impl<U> Verdict<'_, U> {
    fn refused(is_late: bool) -> Self {
        if is_late { Self::Late } else { Self::Refused }
    }
}

impl<'r, U: UserMixin> Search<'r, '_, U> {
    fn try_session(self) -> Step<'r, Answer> {
        self.judge(Kind::Session)
            .and_then(move |verdict| match verdict {
                Verdict::Holds(held) => Now(Ok(self.keep(&held))),
                Verdict::Nothing => self.try_remember(false),
                Verdict::Refused => self.try_remember(true),
                Verdict::Ended => Now(Ok(self.ended())),
                Verdict::Moved => self.ask_the_request_loader(Answer {
                    session_change: Some(Change::Remove),
                    ..Answer::default()
                }),
                Verdict::Late | Verdict::Many => self.ask_the_request_loader(Answer::default()),
            })
    }

    fn try_remember(self, bad_session: bool) -> Step<'r, Answer> {
        self.judge(Kind::Remember).and_then(move |verdict| {
            let bad_remember = match verdict {
                Verdict::Holds(held) => return Now(Ok(self.restore(&held))),
                Verdict::Nothing => false,
                Verdict::Refused => true,
                Verdict::Ended => return Now(Ok(self.ended())),
                Verdict::Moved | Verdict::Late | Verdict::Many => {
                    return self.ask_the_request_loader(Answer::default());
                }
            };
            let answer = Answer {
                session_change: bad_session.then_some(Change::Remove),
                remember_change: bad_remember.then_some(Change::Remove),
                ..Answer::default()
            };
            #[cfg(feature = "flask")]
            return self.try_flask(answer);
            #[cfg(not(feature = "flask"))]
            self.ask_the_request_loader(answer)
        })
    }

    /// The checks in the order that SECURITY.md promises: token, times, revocation, loader, and then
    /// [those of the user](Self::judge_user).
    fn judge(self, kind: Kind) -> Step<'r, Verdict<'r, U>> {
        let core = &self.realm.core;
        let cookie = match self.findings.cookie(core, self.req, kind) {
            LoginCookie::Genuine(cookie) => cookie,
            LoginCookie::Absent => return Now(Ok(Verdict::Nothing)),
            LoginCookie::Foreign => {
                self.findings.note(kind, Fate::Foreign, None);
                return Now(Ok(Verdict::Nothing));
            }
            LoginCookie::Forged => {
                self.findings.note(kind, Fate::Forged, None);
                return Now(Ok(Verdict::Refused));
            }
            LoginCookie::Several => {
                self.findings.note(kind, Fate::Several, None);
                return Now(Ok(Verdict::Many));
            }
        };
        let token = &cookie.token;
        let idle = match kind {
            Kind::Session => core.config.session_idle_timeout,
            Kind::Remember | Kind::Device => None,
        };
        if let Err(lapsed) = times::check(token, self.now, idle) {
            let fate = match lapsed {
                Lapsed::Future => Fate::Future,
                Lapsed::Expired => Fate::Expired,
                Lapsed::Idle => Fate::Idle,
                Lapsed::Unproven => Fate::Unproven,
            };
            self.findings.note(kind, fate, Some(token));
            // The browser may be proving it right now, and must keep what it gets.
            if lapsed == Lapsed::Unproven {
                return Now(Ok(Verdict::Late));
            }
            // An idle page may send another request while it logs in.
            return self
                .status(token)
                .and_then(move |status| Now(Ok(Verdict::refused(is_late(status, self.now)))));
        }
        self.status(token).and_then(move |status| {
            let is_late = is_late(status, self.now);
            if !bound::holds(token, status, self.now) && (is_late || token.replaces.is_none()) {
                let fate = if is_late { Fate::Replaced } else { Fate::Ended };
                self.findings.note(kind, fate, Some(token));
                return Now(Ok(Verdict::refused(is_late)));
            }
            match token.replaces {
                None => self.load(cookie),
                Some(unbound) => Later(Box::pin(async move { self.claim(token, unbound).await }))
                    .and_then(move |claimed| match claimed {
                        Ok(()) => self.load(cookie),
                        Err(verdict) => Now(Ok(verdict)),
                    }),
            }
        })
    }

    fn load(self, cookie: &'r Genuine) -> Step<'r, Verdict<'r, U>> {
        let token = &cookie.token;
        load(self.realm, self.req, &token.uid).and_then(move |user| match user {
            Some(user) => self.judge_user(cookie, user),
            None => self.refuse(token, Fate::NoUser),
        })
    }

    /// Ends the unbound session that a bound one replaces; an error is the verdict on the bound one.
    async fn claim(
        self,
        token: &'r Token,
        unbound: SessionId,
    ) -> Result<Result<(), Verdict<'r, U>>, Unavailable> {
        let core = &self.realm.core;
        let claim = bound::claim(core, token, unbound, self.now).await?;
        let (fate, verdict) = match claim {
            Claim::Holds => return Ok(Ok(())),
            Claim::Lost => (Fate::Ended, Verdict::Refused),
            Claim::TwoDevices => {
                announce_second_device(self.realm, self.req, token).await;
                (Fate::TwoDevices, Verdict::Ended)
            }
        };
        self.findings.note(token.kind, fate, Some(token));
        Ok(Err(verdict))
    }

    /// The last checks: session hash, active, session protection.
    fn judge_user(self, cookie: &'r Genuine, user: U) -> Step<'r, Verdict<'r, U>> {
        let core = &self.realm.core;
        let token = &cookie.token;
        if !is_sealed_for(token, cookie.keys(core), &user) {
            return self.refuse(token, Fate::NewSessionHash);
        }
        if !user.is_active() && !token.flags.contains(Flags::FORCED) {
            return self.refuse(token, Fate::Inactive);
        }
        if !cookie.same_client {
            self.findings
                .note(token.kind, Fate::OtherClient, Some(token));
            let is_permanent = token.flags.contains(Flags::PERMANENT);
            if core.config.session_protection.ends(is_permanent) {
                if token.is_bound() {
                    return Now(Ok(Verdict::Moved));
                }
                return Later(Box::pin(self.end(token)));
            }
        }
        match core.counting_desk() {
            Some(desk) if token.kind == Kind::Remember => {
                Later(Box::pin(self.count(desk, cookie, user)))
            }
            _ => Now(Ok(self.hold(cookie, user, None))),
        }
    }

    fn hold(self, cookie: &'r Genuine, user: U, next_token: Option<u32>) -> Verdict<'r, U> {
        Verdict::Holds(Held {
            user: self.findings.user.get_or_init(|| user),
            cookie,
            next_token,
        })
    }

    /// Counts a restore, and ends the login if its remember cookie was copied.
    async fn count(
        self,
        desk: &'r Desk,
        cookie: &'r Genuine,
        user: U,
    ) -> Result<Verdict<'r, U>, Unavailable> {
        let core = &self.realm.core;
        let token = &cookie.token;
        match remember::count(core, desk, self.req, self.now, token).await? {
            Counted::Next(next_token) => Ok(self.hold(cookie, user, next_token)),
            Counted::Reused => {
                // Of several requests with the cookie, one emits the event.
                let fate = match core.end(token, self.now).await? {
                    Revoked::Before => Fate::Ended,
                    Revoked::Now | Revoked::WithUser { .. } => Fate::Reused,
                };
                self.findings.note_robbed(user);
                self.findings.note(token.kind, fate, Some(token));
                Ok(Verdict::Ended)
            }
        }
    }

    fn refuse(self, token: &Token, fate: Fate) -> Step<'r, Verdict<'r, U>> {
        self.findings.note(token.kind, fate, Some(token));
        Now(Ok(Verdict::Refused))
    }

    fn status(self, token: &'r Token) -> Step<'r, SessionStatus> {
        let revocations = &self.realm.core.revocations;
        let status = revocations.status(self.realm.core.session(token), self.now);
        status.map(move |status| {
            for news in revocations.news() {
                if news == News::Fresh {
                    self.realm.core.log_recovery();
                }
                self.findings.note_event(EventKind::from(news), None);
            }
            let (status, trust) = status?;
            if trust == Trust::Stale {
                self.check_reads_only(token)?;
                self.findings.note_stale();
            }
            Ok(status)
        })
    }

    /// An old copy of the store judges what reads, and begins nothing.
    fn check_reads_only(self, token: &Token) -> Result<(), RevocationError> {
        let is_restore = token.kind == Kind::Remember;
        let client = self.realm.core.client(self.req);
        if is_restore || !only_reads(self.req, &client) {
            return Err(RevocationError::old_copy("logins count for reading only"));
        }
        Ok(())
    }

    async fn end(self, token: &Token) -> Result<Verdict<'r, U>, Unavailable> {
        self.realm.core.end(token, self.now).await?;
        Ok(Verdict::Ended)
    }

    /// Nobody is logged in, and no cookie of ours is left.
    fn ended(self) -> Answer {
        let removal = |kind| {
            let cookie = self.findings.cookie(&self.realm.core, self.req, kind);
            (!matches!(cookie, LoginCookie::Foreign)).then_some(Change::Remove)
        };
        Answer {
            session: Session::None,
            session_change: removal(Kind::Session),
            remember_change: removal(Kind::Remember),
            ..Answer::default()
        }
    }

    /// A valid session, after it was made stale, renewed, bound or signed again if necessary.
    fn keep(self, held: &Held<'_, U>) -> Answer {
        let core = &self.realm.core;
        let Genuine {
            token: presented,
            same_client,
            ..
        } = held.cookie;
        let kept = remember::keep(core, self.req, self.now, held, self.findings);
        let is_stale = !same_client && presented.auth_at.is_some();
        // The next proof of a device accepts its new client.
        let goes_stale = is_stale && !presented.is_bound();
        let is_claimed = presented.replaces.is_some();
        let is_due = core.renewal_due(presented, self.now);
        let keys = held.cookie.keys(core);
        if !is_stale && !is_claimed && !is_due && core.is_up_to_date(presented, keys) {
            return Answer {
                session: Session::AsPresented,
                session_change: None,
                remember_change: kept.change,
                ..Answer::default()
            };
        }
        let mut token = presented.clone();
        if goes_stale {
            token.auth_at = None;
        }
        if is_due {
            token.renewed_at = self.now;
            token.flags.set(Flags::UNSEEN, kept.was_behind);
        }
        token.replaces = None;
        let client = core.client(self.req);
        let is_updated = core.bring_up_to_date(&mut token, keys, held.user, *same_client, &client);
        // The registry shows a login as bound once its browser has shown that it is.
        if is_due || is_claimed {
            core.seen(&token, kept.token.as_ref(), &client, self.now);
        }
        let changed = goes_stale || is_claimed || is_due || is_updated;
        let session_change = changed.then(|| token.clone().into());
        if is_stale {
            token.auth_at = None;
        }
        Answer {
            session_change,
            session: Session::New(Box::new(token)),
            remember_change: kept.change,
            ..Answer::default()
        }
    }

    fn restore(self, held: &Held<'_, U>) -> Answer {
        let restored = remember::restore(&self.realm.core, self.req, self.now, held);
        let session = restored.session;
        self.findings
            .note(Kind::Remember, Fate::Restored, Some(&session));
        Answer {
            session_change: Some(session.clone().into()),
            session: Session::New(Box::new(session)),
            remember_change: restored.remember.map(Change::from),
            ..Answer::default()
        }
    }

    /// Asks for a user without a session, or nobody.
    pub(super) fn ask_the_request_loader(self, answer: Answer) -> Step<'r, Answer> {
        let Some(loader) = self.realm.request_loader else {
            return Now(Ok(answer));
        };
        let limit = self.realm.core.config.loader_timeout;
        let found = loader::run(limit, || loader(self.req));
        found.map(move |user| {
            if let Some(user) = user? {
                self.findings.user.get_or_init(|| user);
                self.findings.note_event(EventKind::LoadedFromRequest, None);
            }
            Ok(answer)
        })
    }
}

impl From<News> for EventKind {
    fn from(news: News) -> Self {
        match news {
            News::Stale => Self::StoreStale,
            News::Fresh => Self::StoreFresh,
            News::Lost => Self::StoreLost,
        }
    }
}
