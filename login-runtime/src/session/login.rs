//! The verb `login_user`.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use rocket::futures::future::BoxFuture;

use super::{LoginError, LoginSession};
use crate::app::event::EventKind;
use crate::app::user::{UserMixin, id_of};
use crate::login::pending::Change;
use crate::token::times::{self, MAX_REMEMBER};
use crate::token::{Flags, Kind, MAX_UID, SessionId, Token};

/// A login that begins at the `.await`; returned by [`LoginSession::login_user`].
#[must_use = "nobody is logged in until you `.await` it"]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are Flask-Login's keyword arguments, each set by its own method"
)]
pub struct Login<'s, 'r, U> {
    session: &'s LoginSession<'r, U>,
    user: &'s U,
    remember: bool,
    duration: Option<Duration>,
    force: bool,
    fresh: bool,
    permanent: bool,
    cross_site: bool,
}

impl<'s, 'r, U> Login<'s, 'r, U> {
    pub(super) fn new(session: &'s LoginSession<'r, U>, user: &'s U) -> Self {
        Login {
            session,
            user,
            remember: false,
            duration: None,
            force: false,
            fresh: true,
            permanent: false,
            cross_site: false,
        }
    }

    /// Sets whether the user stays logged in, not freshly, after the browser was closed; `false` by default.
    pub fn remember(mut self, remember: bool) -> Self {
        self.remember = remember;
        self
    }

    /// Sets how long the remember cookie of this login is valid: 1 second to 400 days. Default: the setting
    /// `remember_cookie_duration`.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Sets whether an inactive user may log in; `false` by default.
    ///
    /// Such a user is known ([`CurrentUser::inactive`](crate::CurrentUser::inactive)) but not authenticated: every
    /// guard refuses the user.
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets whether the login counts as fresh; `true` by default.
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
        self
    }

    /// Sets whether the session survives the end of the browser; `false` by default.
    ///
    /// Such a session lasts for the `permanent_session_lifetime` and has no idle timeout.
    pub fn permanent(mut self, permanent: bool) -> Self {
        self.permanent = permanent;
        self
    }

    /// Allows a request from another site, with any method, to begin this login.
    ///
    /// Use it only for the return from an identity provider, after the application has checked the provider's `state`.
    /// Without that check an attacker can log a visitor into the attacker's account.
    pub fn allow_cross_site(mut self) -> Self {
        self.cross_site = true;
        self
    }
}

impl<U: UserMixin> Login<'_, '_, U> {
    async fn login(self) -> Result<(), LoginError> {
        let LoginSession { realm, req, .. } = *self.session;
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
        let created_at = not_before.map_or(now, |not_before| not_before.max(now));
        if created_at > now.plus(times::SKEW) {
            return Err(LoginError::NotBefore(created_at.since(now)));
        }
        let lifetime = if self.permanent {
            core.config.permanent_session_lifetime
        } else {
            core.config.session_lifetime
        };
        let mut token = Token::begin(
            Kind::Session,
            SessionId::generate().map_err(LoginError::Random)?,
            uid,
            created_at,
            lifetime,
        );
        token.flags.set(Flags::PERMANENT, self.permanent);
        token.flags.set(Flags::FORCED, !active);
        token.auth_at = self.fresh.then_some(created_at);
        core.seal(&mut token, self.user, Some(req));

        let tokens = self.session.presented();
        let remember = if self.remember {
            Some(Token::begin(
                Kind::Remember,
                token.session_id,
                token.uid.clone(),
                created_at,
                duration,
            ))
        } else {
            // As in Flask-Login, a user who is remembered stays so after another login without "remember me".
            let kept = self
                .session
                .still_remembered(&tokens, self.user, now)
                .await?;
            kept.map(|kept| Token {
                session_id: token.session_id,
                ..kept
            })
        };
        let mut remember = remember.map(|mut remember| {
            token.flags.insert(Flags::REMEMBERED);
            remember.flags.set(Flags::FORCED, !active);
            core.seal(&mut remember, self.user, Some(req));
            remember
        });
        let ended = self.session.revoke(&tokens, now).await?;
        ended.date_after(std::iter::once(&mut token).chain(&mut remember));

        let session_id = token.session_id;
        self.session.change_pending(|pending| {
            pending.session = Some(token.into());
            pending.remember = match remember {
                Some(remember) => Some(remember.into()),
                // A remember cookie of another login must not bring its user back.
                None if self.session.may_have_remember_cookie() => Some(Change::Remove),
                None => None,
            };
        });
        self.session
            .emit(EventKind::LoggedIn, Some(self.user), Some(session_id))
            .await;
        Ok(())
    }
}

impl<U> fmt::Debug for Login<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

impl<'s, 'r: 's, U: UserMixin> IntoFuture for Login<'s, 'r, U> {
    type Output = Result<(), LoginError>;
    type IntoFuture = BoxFuture<'s, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.login())
    }
}
