//! The verb `login_user`.

use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use rocket::futures::future::BoxFuture;

use super::verb::Verb;
use super::{LoginError, LoginSession};
use crate::app::user::UserMixin;
use crate::revocation::Successor;
use crate::token::times::MAX_REMEMBER;
use crate::token::{Flags, Kind, LoginId, SessionId, Token};

/// A login that begins with its `.await`; returned by [`LoginSession::login_user`].
///
/// # Example
///
/// ```rust
/// # use std::time::Duration;
/// # use rocket_login::{LoginError, LoginSession, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<(), LoginError> {
/// let week = Duration::from_secs(7 * 24 * 60 * 60);
/// session.login_user(&user).remember(true).duration(week).await?;
/// # Ok(()) }
/// ```
#[must_use = "nobody is logged in until you `.await` it"]
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are Flask-Login's keyword arguments, and each has its own method"
)]
pub struct Login<'s, 'r, U> {
    session: &'s LoginSession<'r, U>,
    user: &'s U,
    /// None if the handler has not said.
    remember: Option<bool>,
    duration: Option<Duration>,
    force: bool,
    fresh: bool,
    permanent: bool,
    how: &'s str,
    cross_site: bool,
    verb: Verb,
}

impl<'s, 'r, U> Login<'s, 'r, U> {
    #[track_caller]
    pub(super) fn new(session: &'s LoginSession<'r, U>, user: &'s U) -> Self {
        Login {
            session,
            user,
            remember: None,
            duration: None,
            force: false,
            fresh: true,
            permanent: false,
            how: "",
            cross_site: false,
            verb: Verb::new("login_user"),
        }
    }

    /// Sets whether the user stays logged in after the browser is closed.
    ///
    /// A remember cookie logs the user in again. That login is not fresh.
    ///
    /// Pass what the checkbox of the form says: with `false`, a user whom this browser remembers is forgotten. A login
    /// that does not call this method, from a form without the checkbox, remembers nobody anew and changes nothing for a
    /// remembered user, as in Flask-Login.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<(), LoginError> {
    /// session.login_user(&user).remember(true).await?;
    /// # Ok(()) }
    /// ```
    pub fn remember(mut self, remember: bool) -> Self {
        self.remember = Some(remember);
        self
    }

    /// Sets how long the remember cookie of this login is valid: 1 second to 400 days.
    ///
    /// Default: the setting `remember_cookie_duration`. It requires a call of [`remember`](Self::remember), without which
    /// the login fails with [`LoginError::DurationWithoutRemember`].
    ///
    /// # Example
    ///
    /// ```rust
    /// # use std::time::Duration;
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<(), LoginError> {
    /// session.login_user(&user).remember(true).duration(Duration::from_secs(86_400)).await?;
    /// # Ok(()) }
    /// ```
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Sets whether an inactive user may log in; `false` by default.
    ///
    /// [`CurrentUser::inactive`](crate::CurrentUser::inactive) returns such a user, but every guard refuses the
    /// request.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<(), LoginError> {
    /// session.login_user(&user).force(true).await?;
    /// # Ok(()) }
    /// ```
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets whether the login counts as fresh; `true` by default.
    ///
    /// Set `false` if the user gave no credentials, for example after a link in an email.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<(), LoginError> {
    /// session.login_user(&user).fresh(false).await?;
    /// # Ok(()) }
    /// ```
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
        self
    }

    /// Sets whether the session cookie is kept after the browser is closed; `false` by default.
    ///
    /// A permanent session lasts for the setting `permanent_session_lifetime` and has no idle timeout.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<(), LoginError> {
    /// session.login_user(&user).permanent(true).await?;
    /// # Ok(()) }
    /// ```
    pub fn permanent(mut self, permanent: bool) -> Self {
        self.permanent = permanent;
        self
    }

    /// Sets how the user logs in, for the list of logins: a short text of yours, such as "by password"; empty by default.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<(), LoginError> {
    /// session.login_user(&user).how("by a link in an email").await?;
    /// # Ok(()) }
    /// ```
    pub fn how(mut self, how: &'s str) -> Self {
        self.how = how;
        self
    }

    /// Allows a request from another site, with any method, to begin this login.
    ///
    /// Use it only for the return from an identity provider, after the application has checked the provider's `state`.
    /// Without that check an attacker can log a visitor into the attacker's account.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket::response::Redirect;
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn user_of(code: &str, state: &str) -> Option<User> { None }
    /// #[get("/oauth/callback?<code>&<state>")]
    /// async fn callback(
    ///     code: &str,
    ///     state: &str,
    ///     session: LoginSession<'_, User>,
    /// ) -> Result<Option<Redirect>, LoginError> {
    ///     // `user_of` returns `None` if the state is not the one that this browser was given.
    ///     let Some(user) = user_of(code, state).await else {
    ///         return Ok(None);
    ///     };
    ///     session.login_user(&user).allow_cross_site().await?;
    ///     Ok(Some(Redirect::to("/")))
    /// }
    /// ```
    pub fn allow_cross_site(mut self) -> Self {
        self.cross_site = true;
        self
    }
}

impl<U: UserMixin> Login<'_, '_, U> {
    /// How long the remember cookie is valid.
    fn remember_seconds(&self) -> Result<u64, LoginError> {
        match self.duration {
            Some(_) if self.remember.is_none() => Err(LoginError::DurationWithoutRemember),
            None => Ok(self.session.realm.core.config.remember_cookie_duration),
            Some(duration) => match duration.as_secs() {
                seconds @ 1..=MAX_REMEMBER => Ok(seconds),
                _ => Err(LoginError::BadDuration(duration)),
            },
        }
    }

    async fn login(&self) -> Result<(), LoginError> {
        let LoginSession { realm, req, .. } = *self.session;
        let core = &realm.core;
        self.session.check_in_time()?;
        let client = self.session.client();
        self.session.check_site(self.cross_site).await?;
        core.check_host(req);
        let uid = realm.id_of(self.user)?;
        let active = self.user.is_active();
        if !active && !self.force {
            return Err(LoginError::InactiveUser);
        }
        let duration = self.remember_seconds()?;
        let now = core.clock.now();
        let created_at = core.revocations.date(core.user(&uid), now).await?;
        let lifetime = if self.permanent {
            core.config.permanent_session_lifetime
        } else {
            core.config.session_lifetime
        };
        let ids = (
            LoginId::generate().map_err(LoginError::Random)?,
            SessionId::generate().map_err(LoginError::Random)?,
        );
        let dates = (created_at, now);
        let mut token = Token::begin(Kind::Session, ids, uid, dates, lifetime);
        token.flags.set(Flags::PERMANENT, self.permanent);
        token.flags.set(Flags::FORCED, !active);
        token.auth_at = self.fresh.then_some(now);
        core.seal(&mut token, self.user, Some(&client));

        let tokens = self.session.presented(&client);
        let remember = match self.remember {
            Some(true) => {
                let uid = token.uid.clone();
                Some(Token::begin(Kind::Remember, ids, uid, dates, duration))
            }
            Some(false) => None,
            // As in Flask-Login, a remembered user stays remembered.
            None => {
                let kept = self
                    .session
                    .still_remembered(&tokens.genuine, self.user, now)
                    .await?;
                kept.map(|kept| Token {
                    login_id: token.login_id,
                    session_id: token.session_id,
                    // By its own date, it may have ended with the other logins of the user.
                    created_at: token.created_at,
                    restores: None,
                    ..kept
                })
            }
        };
        let mut remember = remember.map(|mut remember| {
            token.flags.insert(Flags::REMEMBERED);
            remember.flags.set(Flags::FORCED, !active);
            core.seal(&mut remember, self.user, Some(&client));
            remember
        });
        let successor = Successor::Login {
            id: token.login_id,
            user_id: &token.uid,
        };
        let until = self
            .session
            .dead_until(std::iter::once(&token).chain(&remember));
        let begun = (&token, remember.as_ref());
        let mut registered = self
            .session
            .register(begun, &tokens.genuine, &client, self.how, now)
            .await?;
        let ended = self
            .session
            .end(&tokens.genuine, Some((successor, until)), now)
            .await?;
        core.end_surplus(&token.uid, &registered, now).await?;
        ended.date_after(std::iter::once(&mut token).chain(&mut remember));
        registered.keep();
        let is_dated_later = token.created_at > created_at;

        let login_id = token.login_id;
        self.session.change_pending(|pending| {
            pending.session = Some(token.into());
            // A remember cookie of another login must not log its user in again.
            pending.remember = remember
                .map(Into::into)
                .or_else(|| tokens.removal_at_login());
            pending.device = self.session.device_removal();
            pending.elsewhere.clone_from(&tokens.kinds);
            pending.has_begun = true;
        });
        if is_dated_later && let Some(token) = self.session.visit.new_session() {
            // By its first date, the row is one of the logins that a full list has ended. If this fails, the next renewal
            // of the session writes the row.
            let _ = self.session.refill(&token.uid, &token, now).await;
        }
        #[cfg(feature = "flask")]
        self.session.forget_flask(&tokens, self.user);
        self.session
            .announce(self.user, login_id, &registered)
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

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            self.verb.begin();
            let begun = self.login().await;
            let core = &self.session.realm.core;
            begun.inspect_err(|error| self.verb.log(error, core))
        })
    }
}
