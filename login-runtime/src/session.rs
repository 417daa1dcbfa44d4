//! The verbs: log in, log out, confirm, and what a handler asks of the login it serves.

use std::any::TypeId;
use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use rocket::futures::future::BoxFuture;
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::{self, Responder};
use rocket::{Ignite, Request, Rocket, Sentinel};
use tracing::{debug, error, warn};

use crate::cookie_header::Presented;
use crate::cookies;
use crate::denial::{Reason, Refusal, Refuse};
use crate::events::{self, EventKind};
use crate::guards::manager_is_missing;
use crate::keys::KeySet;
use crate::loader::LoadError;
use crate::realm::{Realm, RealmCore, is_safe};
use crate::revocation::{RevocationError, SessionRef};
use crate::times::{self, MAX_REMEMBER};
use crate::token::{Flags, Kind, MAX_UID, SessionId, Token};
use crate::user::{UserMixin, has_id, id_of};
use crate::visit::{Change, NextChange, Pending, Visit};

/// The login of this request, to be begun, ended, confirmed or asked about.
///
/// Changes are accepted (by the revocation list, where a session ends) when the `.await` is over;
/// the cookies go out with the response, whatever it is. A change must come from this site's own
/// pages and by an unsafe method such as POST: else it is refused with [`LoginError::CrossSite`].
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// # use rocket::response::Redirect;
/// # use rocket_login::{LoginError, LoginSession, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[get("/")] fn index() {}
/// #[post("/logout")]
/// async fn logout(session: LoginSession<'_, User>) -> Result<Redirect, LoginError> {
///     session.logout_user().await?;
///     Ok(Redirect::to(uri!(index)))
/// }
/// # fn main() {}
/// ```
pub struct LoginSession<'r, U> {
    realm: &'r Realm<U>,
    req: &'r Request<'r>,
    visit: &'r Visit<U>,
}

impl<U> Clone for LoginSession<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for LoginSession<'_, U> {}

impl<'r, U: UserMixin> LoginSession<'r, U> {
    /// Begins a login of `user`, whose credentials the application has checked.
    ///
    /// Whatever login the request came with is ended, and a new session id given out (OWASP,
    /// session fixation). See [`LoginUser`] for the options; nothing happens before the `.await`.
    ///
    /// # Errors
    ///
    /// [`LoginError::InactiveUser`] without `force`; [`LoginError::EmptyId`] and
    /// [`LoginError::IdTooLong`]; [`LoginError::BadDuration`]; [`LoginError::CrossSite`] and
    /// [`LoginError::SafeMethod`]; [`LoginError::Revocation`] and [`LoginError::Random`] where what
    /// the library itself needs has failed. With an error nothing has changed.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>, user: User, remember: bool) -> Result<(), LoginError> {
    /// session.login_user(&user).remember(remember).await?;
    /// # Ok(()) }
    /// ```
    pub fn login_user<'s>(&'s self, user: &'s U) -> LoginUser<'s, 'r, U> {
        LoginUser {
            session: self,
            user,
            remember: false,
            duration: None,
            force: false,
            fresh: true,
            permanent: false,
            cross_site: false,
        }
    }

    /// Ends this login on every server that shares the revocation list, and removes its cookies.
    ///
    /// A copy of either cookie is worth nothing afterwards. It is no error if nobody is logged in.
    ///
    /// # Errors
    ///
    /// [`LoginError::CrossSite`], [`LoginError::SafeMethod`], [`LoginError::Revocation`].
    pub fn logout_user(&self) -> ChangeLogin<'_, 'r, U> {
        self.change(Act::Logout)
    }

    /// Ends every login of the current user, in all browsers, this one included.
    ///
    /// # Errors
    ///
    /// As [`logout_user`](Self::logout_user), and [`LoginError::Load`] if the user cannot be told.
    pub fn logout_everywhere(&self) -> ChangeLogin<'_, 'r, U> {
        self.change(Act::LogoutEverywhere)
    }

    /// Ends every login of another user, such as one whose account an administrator closes.
    ///
    /// The login of this request is left alone, unless it is that user's.
    ///
    /// # Errors
    ///
    /// As [`logout_user`](Self::logout_user).
    pub fn logout_everywhere_for<'s>(&'s self, user: &'s U) -> ChangeLogin<'s, 'r, U> {
        self.change(Act::LogoutEverywhereFor(user))
    }

    /// Makes this login fresh, after `user` has given the credentials again.
    ///
    /// `user` is whose credentials were checked: it must be who is logged in. The session id
    /// changes, the login is bound to this client, and both cookies follow `user`'s session hash:
    /// call it with the changed user after a change of password, to keep this one browser logged in.
    /// A guard must have looked at the login before the change, as `#[fresh_login_required]` does.
    ///
    /// # Errors
    ///
    /// [`LoginError::NotLoggedIn`] if no session is there; [`LoginError::WrongUser`] if it is
    /// somebody else's; those of [`logout_user`](Self::logout_user); [`LoginError::Load`],
    /// [`LoginError::Random`].
    pub fn confirm_login<'s>(&'s self, user: &'s U) -> ChangeLogin<'s, 'r, U> {
        self.change(Act::Confirm(user))
    }

    /// Returns whether the login is fresh: made with credentials, within the `fresh_lifetime`.
    ///
    /// # Errors
    ///
    /// [`LoginError::Load`] if the user cannot be told.
    pub async fn login_fresh(&self) -> Result<bool, LoginError> {
        let core = &self.realm.core;
        let present = self.visit.present(self.realm, self.req).await?;
        Ok(present.user.is_some_and(UserMixin::is_authenticated)
            && times::is_fresh(
                present.auth_at(),
                core.clock.now(),
                core.config.fresh_lifetime,
            ))
    }

    /// Returns whether the login has a remember cookie that holds.
    ///
    /// # Errors
    ///
    /// [`LoginError::Load`] if the user cannot be told.
    pub async fn login_remembered(&self) -> Result<bool, LoginError> {
        let core = &self.realm.core;
        let present = self.visit.present(self.realm, self.req).await?;
        let Some(session) = present.session else {
            return Ok(false);
        };
        let change = self.visit.pending().remember.clone();
        let remember = match change {
            Some(Change::Remove) => None,
            Some(Change::Set(token)) => Some(token),
            None => self.presented_remember(),
        };
        Ok(remember.is_some_and(|token| {
            token.session_id == session.session_id
                && times::check(&token, core.clock.now(), None).is_ok()
        }))
    }

    /// Refuses the request as a guard would for which nobody is logged in, when returned.
    pub fn unauthorized(&self) -> Refuse {
        Self::refuse(Reason::Unauthorized)
    }

    /// Refuses the request as a guard would for which the login is not fresh, when returned.
    pub fn needs_refresh(&self) -> Refuse {
        Self::refuse(Reason::NeedsRefresh)
    }

    fn refuse(reason: Reason) -> Refuse {
        Refuse {
            reason,
            realm: TypeId::of::<U>(),
        }
    }

    fn change<'s>(&'s self, act: Act<'s, U>) -> ChangeLogin<'s, 'r, U> {
        ChangeLogin {
            session: self,
            act,
            cross_site: false,
        }
    }

    /// The tokens in the request that we signed, whether or not they still hold: all of them,
    /// should a cookie have come more than once.
    fn presented(&self) -> Vec<(Token, &KeySet)> {
        let core = &self.realm.core;
        let decode = |spec, kind| {
            cookies::all(self.req, spec)
                .filter_map(move |value| Token::decode(value, kind, &core.ring).ok())
        };
        decode(&core.config.session_cookie, Kind::Session)
            .chain(decode(&core.config.remember_cookie, Kind::Remember))
            .collect()
    }

    fn presented_remember(&self) -> Option<Token> {
        let core = &self.realm.core;
        match cookies::presented(self.req, [&core.config.remember_cookie]) {
            [Presented::One(value)] => Token::decode(value, Kind::Remember, &core.ring)
                .ok()
                .map(|(token, _)| token),
            _ => None,
        }
    }

    /// Whether the browser may keep a remember cookie; it shows one only below its path.
    fn may_have_remember_cookie(&self) -> bool {
        let spec = &self.realm.core.config.remember_cookie;
        spec.path != "/" || cookies::presented(self.req, [spec]) != [Presented::Absent]
    }

    /// The remember token that the request came with, if it still brings back this very user.
    async fn still_remembered(
        &self,
        tokens: &[(Token, &KeySet)],
        user: &U,
        now: u64,
    ) -> Result<Option<Token>, LoginError> {
        let core = &self.realm.core;
        let mut remembered = tokens
            .iter()
            .filter(|(token, _)| token.kind == Kind::Remember);
        let (Some((token, keys)), None) = (remembered.next(), remembered.next()) else {
            return Ok(None);
        };
        let holds = has_id(user, &token.uid)
            && times::check(token, now, None).is_ok()
            && RealmCore::is_sealed_for(token, keys, user)
            && !core
                .revocations
                .is_revoked(SessionRef::of(token), now)
                .await?;
        Ok(holds.then(|| token.clone()))
    }

    /// Ends what the request came with.
    async fn revoke(&self, tokens: &[(Token, &KeySet)], now: u64) -> Result<(), LoginError> {
        let core = &self.realm.core;
        for (token, _) in tokens {
            // The remember token knows until when a session of its id could live.
            let known_better = token.kind == Kind::Session
                && tokens.iter().any(|(other, _)| {
                    other.kind == Kind::Remember && other.session_id == token.session_id
                });
            if !known_better {
                let until = times::dead_until(token, now, core.config.longest_session());
                core.revocations
                    .revoke(SessionRef::of(token), now, until)
                    .await?;
            }
        }
        Ok(())
    }

    /// Ends every login that `uid` has at this moment, and lets later ones in.
    async fn revoke_user(&self, uid: &str, now: u64) -> Result<(), LoginError> {
        let core = &self.realm.core;
        let not_before = core
            .revocations
            .not_before(uid, now)
            .await?
            .max(now)
            .saturating_add(1);
        let until = now
            .saturating_add(MAX_REMEMBER)
            .saturating_add(core.config.longest_session());
        core.revocations
            .revoke_user(uid, now, not_before, until)
            .await?;
        Ok(())
    }

    async fn check_site(&self, allow_cross_site: bool) -> Result<(), LoginError> {
        let core = &self.realm.core;
        if allow_cross_site || core.config.cross_site_protection == crate::CrossSiteProtection::Off
        {
            Ok(())
        } else if is_safe(self.req.method()) {
            Err(LoginError::SafeMethod)
        } else if core.is_same_site(self.req) {
            Ok(())
        } else {
            self.emit(EventKind::CrossSite, None, None).await;
            Err(LoginError::CrossSite)
        }
    }

    /// What both cookies have in common after a logout.
    fn remove_cookies(&self, pending: &mut Pending) {
        let config = &self.realm.core.config;
        pending.session = Some(Change::Remove);
        pending.remember = Some(Change::Remove);
        pending.changed = true;
        pending.clear_site_data = config.clear_site_data;
        self.forget_next(pending);
    }

    fn forget_next(&self, pending: &mut Pending) {
        if self.realm.core.config.use_session_for_next {
            pending.next = Some(NextChange::Remove);
        }
    }

    async fn emit(&self, kind: EventKind, user: Option<&U>, session: Option<SessionId>) {
        let session = session.as_ref().map(|id| &id.0);
        events::emit(self.realm, self.req, kind, user, session).await;
    }
}

impl<U> fmt::Debug for LoginSession<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginSession")
    }
}

#[rocket::async_trait]
impl<'r, U: UserMixin> FromRequest<'r> for LoginSession<'r, U> {
    type Error = Refusal;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Refusal> {
        match Realm::<U>::of(req.rocket()) {
            Some(realm) => Outcome::Success(LoginSession {
                realm,
                req,
                visit: Visit::of(req),
            }),
            None => Refusal::NoManager.outcome(),
        }
    }
}

impl<U: UserMixin> Sentinel for LoginSession<'_, U> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}

/// A login that is about to begin; see [`LoginSession::login_user`].
#[must_use = "nobody is logged in before the `.await`"]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are Flask-Login's keyword arguments, each set by its own method"
)]
pub struct LoginUser<'s, 'r, U> {
    session: &'s LoginSession<'r, U>,
    user: &'s U,
    remember: bool,
    duration: Option<Duration>,
    force: bool,
    fresh: bool,
    permanent: bool,
    cross_site: bool,
}

impl<U> LoginUser<'_, '_, U> {
    /// Sets whether the user comes back after the browser was closed, not freshly; `false` by default.
    pub fn remember(mut self, remember: bool) -> Self {
        self.remember = remember;
        self
    }

    /// Sets how long the remember cookie of this login holds, at most 400 days; by default the
    /// `remember_cookie_duration`.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Sets whether an inactive user is logged in all the same; `false` by default.
    ///
    /// Such a user is known ([`CurrentUser::inactive`](crate::CurrentUser::inactive)) but not
    /// authenticated: every guard refuses.
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets whether the login counts as fresh; `true` by default.
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
        self
    }

    /// Sets whether the session outlives the browser, for the `permanent_session_lifetime` and
    /// without idle timeout; `false` by default.
    pub fn permanent(mut self, permanent: bool) -> Self {
        self.permanent = permanent;
        self
    }

    /// Lets a request from another site begin this login, by any method.
    ///
    /// For the return from an identity provider, whose `state` the application has checked, and
    /// for nothing else: without such a check an attacker can log a visitor into the attacker's account.
    pub fn allow_cross_site(mut self) -> Self {
        self.cross_site = true;
        self
    }
}

impl<U: UserMixin> LoginUser<'_, '_, U> {
    async fn login(self) -> Result<(), LoginError> {
        let LoginSession { realm, req, visit } = *self.session;
        let core = &realm.core;
        self.session.check_site(self.cross_site).await?;
        let uid = id_of(self.user);
        match uid.len() {
            0 => return Err(LoginError::EmptyId),
            1..=MAX_UID => {}
            bytes => return Err(LoginError::IdTooLong(bytes)),
        }
        let active = self.user.is_active();
        if !active && !self.force {
            return Err(LoginError::InactiveUser);
        }
        let duration = match self.duration {
            None => core.config.remember_cookie_duration,
            Some(duration) => match duration.as_secs() {
                seconds @ 1..=MAX_REMEMBER => seconds,
                _ => return Err(LoginError::BadDuration(duration)),
            },
        };
        let now = core.clock.now();
        let not_before = core.revocations.not_before(&uid, now).await?;
        let created_at = now.max(not_before);
        if created_at > now.saturating_add(times::SKEW) {
            return Err(LoginError::NotBefore(created_at.saturating_sub(now)));
        }
        let lifetime = if self.permanent {
            core.config.permanent_session_lifetime
        } else {
            core.config.session_lifetime
        };
        let flags = [
            (Flags::PERMANENT, self.permanent),
            (Flags::REMEMBERED, self.remember),
            (Flags::FORCED, !active),
        ]
        .into_iter()
        .filter(|(_, is_set)| *is_set)
        .fold(Flags::default(), |flags, (flag, _)| flags.with(flag));
        let mut token = Token {
            kind: Kind::Session,
            flags,
            session_id: SessionId::generate()?,
            auth_at: if self.fresh { created_at } else { 0 },
            created_at,
            renewed_at: created_at,
            expires_at: created_at.saturating_add(lifetime),
            session_hash: [0; 16],
            protection: [0; 16],
            uid,
        };
        core.seal(&mut token, self.user, Some(req));

        let tokens = self.session.presented();
        let remember = if self.remember {
            Some(Token {
                kind: Kind::Remember,
                flags: flags.without(Flags::PERMANENT).without(Flags::REMEMBERED),
                auth_at: 0,
                expires_at: created_at.saturating_add(duration),
                ..token.clone()
            })
        } else {
            // As in Flask-Login, who is remembered stays so after another login without the box.
            let kept = self
                .session
                .still_remembered(&tokens, self.user, now)
                .await?;
            kept.map(|kept| Token {
                flags: flags.without(Flags::PERMANENT),
                session_id: token.session_id,
                ..kept
            })
        };
        let remember = remember.map(|mut remember| {
            token.flags = token.flags.with(Flags::REMEMBERED);
            core.seal(&mut remember, self.user, Some(req));
            remember
        });
        self.session.revoke(&tokens, now).await?;

        let session_id = token.session_id;
        {
            let mut pending = visit.pending();
            pending.session = Some(Change::Set(token));
            pending.remember = match remember {
                Some(remember) => Some(Change::Set(remember)),
                // Whoever it remembered, it must not bring that user back.
                None if self.session.may_have_remember_cookie() => Some(Change::Remove),
                None => None,
            };
            pending.changed = true;
            self.session.forget_next(&mut pending);
        }
        self.session
            .emit(EventKind::LoggedIn, Some(self.user), Some(session_id))
            .await;
        Ok(())
    }
}

impl<U> fmt::Debug for LoginUser<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginUser")
    }
}

impl<'s, 'r: 's, U: UserMixin> IntoFuture for LoginUser<'s, 'r, U> {
    type Output = Result<(), LoginError>;
    type IntoFuture = BoxFuture<'s, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.login())
    }
}

enum Act<'s, U> {
    Logout,
    LogoutEverywhere,
    LogoutEverywhereFor(&'s U),
    Confirm(&'s U),
}

/// A change of a login that is about to happen; made by the methods of [`LoginSession`].
#[must_use = "nothing changes before the `.await`"]
pub struct ChangeLogin<'s, 'r, U> {
    session: &'s LoginSession<'r, U>,
    act: Act<'s, U>,
    cross_site: bool,
}

impl<U> ChangeLogin<'_, '_, U> {
    /// Lets a request from another site, by any method, do this.
    ///
    /// For a single sign-out that the application has checked, and for nothing else.
    pub fn allow_cross_site(mut self) -> Self {
        self.cross_site = true;
        self
    }
}

impl<U: UserMixin> ChangeLogin<'_, '_, U> {
    async fn change(self) -> Result<(), LoginError> {
        let session = self.session;
        let now = session.realm.core.clock.now();
        session.check_site(self.cross_site).await?;
        match self.act {
            Act::Logout => Self::logout(session, now).await,
            Act::LogoutEverywhere => {
                let present = session.visit.present(session.realm, session.req).await?;
                if let Some(user) = present.user {
                    session.revoke_user(&id_of(user), now).await?;
                }
                Self::logout(session, now).await
            }
            Act::LogoutEverywhereFor(user) => session.revoke_user(&id_of(user), now).await,
            Act::Confirm(user) => Self::confirm(session, user, now).await,
        }
    }

    async fn logout(session: &LoginSession<'_, U>, now: u64) -> Result<(), LoginError> {
        // Only a listener wants to know who it was; a logout does not depend on the loader.
        let user = if session.realm.listeners.is_empty() {
            None
        } else {
            let present = session.visit.present(session.realm, session.req).await;
            present.ok().and_then(|present| present.user)
        };
        let tokens = session.presented();
        session.revoke(&tokens, now).await?;
        session.remove_cookies(&mut session.visit.pending());
        let ended = tokens.first().map(|(token, _)| token.session_id);
        session.emit(EventKind::LoggedOut, user, ended).await;
        Ok(())
    }

    async fn confirm(session: &LoginSession<'_, U>, user: &U, now: u64) -> Result<(), LoginError> {
        let core = &session.realm.core;
        let present = session.visit.present(session.realm, session.req).await?;
        let Some(old) = present.session else {
            return Err(LoginError::NotLoggedIn);
        };
        if !has_id(user, &old.uid) {
            return Err(LoginError::WrongUser);
        }
        if !user.is_active() {
            return Err(LoginError::InactiveUser);
        }
        let session_id = SessionId::generate()?;
        let mut token = Token {
            session_id,
            auth_at: now,
            renewed_at: now,
            ..old.clone()
        };
        core.seal(&mut token, user, Some(session.req));
        let pending = session.visit.pending().remember.clone();
        let remember = match pending {
            Some(Change::Set(remember)) => Some(remember),
            Some(Change::Remove) => None,
            None => session.presented_remember(),
        };
        let remember = remember.filter(|remember| {
            remember.session_id == old.session_id && times::check(remember, now, None).is_ok()
        });
        let mut ended = session.presented();
        ended.retain(|(token, _)| token.session_id == old.session_id);
        session.revoke(&ended, now).await?;
        let remember = remember.map(|mut remember| {
            remember.session_id = session_id;
            core.seal(&mut remember, user, Some(session.req));
            remember
        });
        {
            let mut pending = session.visit.pending();
            pending.session = Some(Change::Set(token));
            if let Some(remember) = remember {
                pending.remember = Some(Change::Set(remember));
            }
            pending.changed = true;
            session.forget_next(&mut pending);
        }
        session
            .emit(EventKind::LoginConfirmed, Some(user), Some(session_id))
            .await;
        Ok(())
    }
}

impl<U> fmt::Debug for ChangeLogin<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangeLogin")
    }
}

impl<'s, 'r: 's, U: UserMixin> IntoFuture for ChangeLogin<'s, 'r, U> {
    type Output = Result<(), LoginError>;
    type IntoFuture = BoxFuture<'s, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.change())
    }
}

/// Why a login was not changed. As a responder it answers with its [`status`](Self::status).
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginError {
    /// The user is inactive; 403. `force` logs such a user in all the same.
    InactiveUser,
    /// The user's id prints as nothing; 500.
    EmptyId,
    /// The user's id prints as more than 256 bytes, this many; 500.
    IdTooLong(usize),
    /// The duration is not between one second and 400 days; 500.
    BadDuration(Duration),
    /// The request comes from another site; 403.
    CrossSite,
    /// The request has a method that promises to change nothing, such as GET; 403.
    SafeMethod,
    /// Every login of the user was ended as of a time that is still this many seconds away, because
    /// the clock was set back, or very often within a second; 503.
    NotBefore(u64),
    /// Nobody is logged in by a session; 401.
    NotLoggedIn,
    /// Somebody else is logged in; 403.
    WrongUser,
    /// The current user could not be loaded; 5xx.
    Load(LoadError),
    /// The revocation list did not answer; 503.
    Revocation(RevocationError),
    /// The operating system gave no random bytes; 500.
    Random(getrandom::Error),
}

impl LoginError {
    /// Returns the status that the error answers with.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::InactiveUser | Self::CrossSite | Self::SafeMethod | Self::WrongUser => {
                Status::Forbidden
            }
            Self::NotLoggedIn => Status::Unauthorized,
            Self::EmptyId | Self::IdTooLong(_) | Self::BadDuration(_) | Self::Random(_) => {
                Status::InternalServerError
            }
            Self::Load(error) => error.status(),
            Self::NotBefore(_) | Self::Revocation(_) => Status::ServiceUnavailable,
        }
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InactiveUser => f.write_str("the user is inactive"),
            Self::EmptyId => f.write_str("the user's id is empty: a login needs one to find the user again"),
            Self::IdTooLong(bytes) => write!(
                f,
                "the user's id has {bytes} bytes, and a login can keep {MAX_UID}: return a shorter one from `get_id`"
            ),
            Self::BadDuration(duration) => write!(
                f,
                "a login cannot be remembered for {duration:?}: give at least 1 second and at most 400 days"
            ),
            Self::CrossSite => f.write_str(
                "the request comes from another site: if that one is yours, name it in `login.trusted_origins`",
            ),
            Self::SafeMethod => f.write_str(
                "a GET, HEAD or OPTIONS route may not change a login: make it a POST route, \
                 or call `.allow_cross_site()` where another site leads back here, as in OAuth",
            ),
            Self::NotBefore(seconds) => write!(
                f,
                "all logins of the user were ended as of a time {seconds} seconds ahead: was the clock set back?"
            ),
            Self::NotLoggedIn => f.write_str("nobody is logged in by a session"),
            Self::WrongUser => f.write_str("somebody else is logged in"),
            Self::Load(error) => error.fmt(f),
            Self::Revocation(error) => error.fmt(f),
            Self::Random(error) => write!(f, "no random bytes: {error}"),
        }
    }
}

impl std::error::Error for LoginError {}

impl<'r> Responder<'r, 'static> for LoginError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let status = self.status();
        match self {
            Self::CrossSite | Self::SafeMethod => warn!("a change of login was refused: {self}"),
            _ if status.code >= 500 => error!("a login could not be changed: {self}"),
            _ => debug!("a change of login was refused: {self}"),
        }
        Err(status)
    }
}

impl From<LoadError> for LoginError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl From<RevocationError> for LoginError {
    fn from(error: RevocationError) -> Self {
        Self::Revocation(error)
    }
}

impl From<getrandom::Error> for LoginError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}
