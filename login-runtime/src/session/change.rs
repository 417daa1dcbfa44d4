//! The verbs that change a login: log out, alone or with others, and confirm.

use std::fmt;
use std::future::IntoFuture;

use rocket::futures::future::BoxFuture;

use super::verb::Verb;
use super::{LoginError, LoginSession};
use crate::app::event::EventKind;
use crate::app::user::{UserMixin, has_id, id_of};
use crate::clock::UnixTime;
use crate::request::client_info::ClientInfo;
use crate::revocation::{SessionStatus, Successor};
use crate::token::{Kind, Token};

/// Which change it is.
pub(super) enum Act<'s, U> {
    Logout,
    LogoutEverywhere,
    LogoutEverywhereFor(&'s U),
    LogoutOthers,
    LogoutRealm,
    EndLogin(&'s str),
    EndLoginFor(&'s U, &'s str),
    Confirm(&'s U),
}

impl<U> Act<'_, U> {
    fn name(&self) -> &'static str {
        match self {
            Self::Logout => "logout_user",
            Self::LogoutEverywhere => "logout_everywhere",
            Self::LogoutEverywhereFor(_) => "logout_everywhere_for",
            Self::LogoutOthers => "logout_others",
            Self::LogoutRealm => "logout_realm",
            Self::EndLogin(_) => "end_login",
            Self::EndLoginFor(..) => "end_login_for",
            Self::Confirm(_) => "confirm_login",
        }
    }
}

/// A logout or a confirmation that happens with its `.await`; returned by the methods of [`LoginSession`].
///
/// # Example
///
/// ```rust
/// # use rocket_login::{LoginError, LoginSession, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # async fn handler(session: LoginSession<'_, User>) -> Result<(), LoginError> {
/// session.logout_user().await?;
/// # Ok(()) }
/// ```
#[must_use = "nothing changes until you `.await` it"]
pub struct LoginChange<'s, 'r, U> {
    session: &'s LoginSession<'r, U>,
    act: Act<'s, U>,
    cross_site: bool,
    verb: Verb,
}

impl<'s, 'r, U> LoginChange<'s, 'r, U> {
    #[track_caller]
    pub(super) fn new(session: &'s LoginSession<'r, U>, act: Act<'s, U>) -> Self {
        LoginChange {
            session,
            verb: Verb::new(act.name()),
            act,
            cross_site: false,
        }
    }

    /// Allows a request from another site, with any method, to make this change.
    ///
    /// Use it only for a single sign-out, after the application has checked that the identity provider sent the
    /// request.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # fn is_from_provider(token: &str) -> bool { true }
    /// #[get("/single-sign-out?<token>")]
    /// async fn single_sign_out(token: &str, session: LoginSession<'_, User>) -> Result<(), LoginError> {
    ///     if is_from_provider(token) {
    ///         session.logout_user().allow_cross_site().await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn allow_cross_site(mut self) -> Self {
        self.cross_site = true;
        self
    }
}

impl<U: UserMixin> LoginChange<'_, '_, U> {
    async fn change(&self) -> Result<(), LoginError> {
        let session = self.session;
        let now = session.realm.core.clock.now();
        let client = &session.client();
        session.check_site(self.cross_site).await?;
        match self.act {
            Act::Logout => Self::logout(session, client, now).await,
            Act::LogoutEverywhere => {
                let current = session.visit.current(session.realm, session.req).await?;
                match current.user {
                    Some(user) => session.revoke_user(&id_of(user), now).await?,
                    // A confirmation or another login may have been faster: it still is this user's browser.
                    None => {
                        let tokens = session.presented(client).genuine;
                        let Some(uid) = session.replaced_user(&tokens, now).await? else {
                            return Err(LoginError::NotLoggedIn);
                        };
                        session.revoke_user(uid, now).await?;
                    }
                }
                Self::logout(session, client, now).await
            }
            Act::LogoutEverywhereFor(user) => {
                Self::logout_everywhere_for(session, user, client, now).await
            }
            Act::LogoutOthers => Self::logout_others(session, now).await,
            Act::LogoutRealm => Self::logout_realm(session, client, now).await,
            Act::EndLogin(handle) => {
                let current = session.visit.session(session.realm, session.req).await?;
                if current.is_none() {
                    return Err(LoginError::NotLoggedIn);
                }
                let user = session
                    .visit
                    .current(session.realm, session.req)
                    .await?
                    .user;
                let user = user.ok_or(LoginError::NotLoggedIn)?;
                Self::end_login(session, user, handle, client, now).await
            }
            Act::EndLoginFor(user, handle) => {
                Self::end_login(session, user, handle, client, now).await
            }
            Act::Confirm(user) => Self::confirm(session, user, client, now).await,
        }
    }

    async fn logout(
        session: &LoginSession<'_, U>,
        client: &ClientInfo<'_>,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        // Only listeners need the user. Without them a logout does not depend on the loader.
        let user = if session.realm.listeners.is_empty() {
            None
        } else {
            let current = session.visit.current(session.realm, session.req).await;
            current.ok().and_then(|current| current.user)
        };
        let tokens = session.presented(client);
        session.end(&tokens.genuine, None, now).await?;
        #[cfg(feature = "flask")]
        session
            .end_flask(
                tokens.genuine.iter().map(|(token, _)| token.uid.as_str()),
                now,
            )
            .await?;
        session.change_pending(|pending| {
            pending.session = session.removal(&tokens, Kind::Session);
            pending.remember = session.removal(&tokens, Kind::Remember);
            pending.device = session.device_removal();
            pending.elsewhere.clone_from(&tokens.kinds);
            pending.has_begun = false;
            #[cfg(feature = "flask")]
            {
                pending.flask_gone = session.flask_removal(&tokens);
            }
            pending.clear_site_data = session.realm.core.config.clear_site_data;
        });
        let ended = tokens.genuine.first().map(|(token, _)| token.login_id);
        session.emit(EventKind::LoggedOut, user, ended).await;
        Ok(())
    }

    async fn logout_everywhere_for(
        session: &LoginSession<'_, U>,
        user: &U,
        client: &ClientInfo<'_>,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        let uid = id_of(user);
        let tokens = session.presented(client).genuine;
        if tokens.iter().any(|(token, _)| token.uid == uid) {
            // Before it ends, so that `confirm_login` can keep this browser logged in. If the search fails, so does that.
            let _ = session.visit.current(session.realm, session.req).await;
        }
        session.revoke_user(&uid, now).await?;
        session.emit(EventKind::LoginsEnded, Some(user), None).await;
        Ok(())
    }

    async fn logout_others(session: &LoginSession<'_, U>, now: UnixTime) -> Result<(), LoginError> {
        let LoginSession {
            realm, req, visit, ..
        } = *session;
        let Some(kept) = visit.session(realm, req).await? else {
            return Err(LoginError::NotLoggedIn);
        };
        session.revoke_others(&kept, now).await?;
        #[cfg(feature = "flask")]
        session
            .end_flask(std::iter::once(kept.uid.as_str()), now)
            .await?;
        let user = visit.current(realm, req).await?.user;
        session.emit(EventKind::LoginsEnded, user, None).await;
        Ok(())
    }

    async fn end_login(
        session: &LoginSession<'_, U>,
        user: &U,
        handle: &str,
        client: &ClientInfo<'_>,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        let LoginSession {
            realm, req, visit, ..
        } = *session;
        let core = &realm.core;
        let uid = id_of(user);
        let row = session.row_of(&uid, handle, now).await?;
        let current = visit.session(realm, req).await?;
        if current.is_some_and(|token| token.login_id == row.login) {
            return Self::logout(session, client, now).await;
        }
        // The browser of that login may still have cookies of Flask.
        #[cfg(feature = "flask")]
        session
            .end_flask(std::iter::once(uid.as_str()), now)
            .await?;
        if !core.end_row(&uid, &row, now).await? {
            return Err(LoginError::LoginEnded);
        }
        let ended = Some(row.login);
        session
            .emit(EventKind::LoginsEnded, Some(user), ended)
            .await;
        Ok(())
    }

    async fn logout_realm(
        session: &LoginSession<'_, U>,
        client: &ClientInfo<'_>,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        let tokens = session.presented(client).genuine;
        if !tokens.is_empty() {
            // As in `logout_everywhere_for`.
            let _ = session.visit.current(session.realm, session.req).await;
        }
        session.revoke_realm(now).await?;
        for (token, _) in &tokens {
            session.visit.note_ended_user(&token.uid);
        }
        session.emit(EventKind::LoginsEnded, None, None).await;
        Ok(())
    }

    async fn confirm(
        session: &LoginSession<'_, U>,
        user: &U,
        client: &ClientInfo<'_>,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        let core = &session.realm.core;
        session.check_in_time()?;
        let Some(old) = session.visit.session(session.realm, session.req).await? else {
            return Err(LoginError::NotLoggedIn);
        };
        if !has_id(user, &old.uid) {
            return Err(LoginError::WrongUser);
        }
        if !user.is_active() {
            return Err(LoginError::InactiveUser);
        }
        let session_id = old.session_id.confirmed().map_err(LoginError::Random)?;
        let mut token = Token {
            session_id,
            auth_at: Some(now),
            renewed_at: now,
            ..old.clone()
        };
        let after_own_end = session.date_after_own_end(&old.uid, now).await?;
        token.created_at = token
            .created_at
            .max(after_own_end.unwrap_or(token.created_at));
        core.seal(&mut token, user, Some(client));
        let mut remember = session.remember_of(&old, now).map(|mut remember| {
            remember.session_id = session_id;
            remember.created_at = remember.created_at.max(token.created_at);
            core.seal(&mut remember, user, Some(client));
            remember
        });
        #[cfg(feature = "flask")]
        if token.session_hash != old.session_hash {
            // A new password ends every other login, and Flask's cookies know nothing of passwords.
            session
                .end_flask(std::iter::once(old.uid.as_str()), now)
                .await?;
        }
        let mut ended = session.presented(client).genuine;
        ended.retain(|(token, _)| {
            token.login_id == old.login_id && token.session_id == old.session_id
        });
        if let Some(date) = after_own_end {
            // The list replaces no session of a login that it takes for ended.
            for (old, _) in &mut ended {
                old.created_at = date;
            }
        }
        let until = session.dead_until(std::iter::once(&token).chain(&remember));
        let replacement = (Successor::Session(session_id), until);
        let ended = session.end(&ended, Some(replacement), now).await?;
        // If a logout has ended the login in the meantime, the logout wins, unless it was one in this handler.
        let has_ended = match after_own_end {
            None => ended.had_ended(),
            Some(_) => {
                let (status, _) = core.revocations.status(core.session(&token), now).await?;
                status != SessionStatus::Open
            }
        };
        if has_ended {
            return Err(LoginError::NotLoggedIn);
        }
        ended.date_after(std::iter::once(&mut token).chain(&mut remember));
        core.seen(&token, remember.as_ref(), client, now);
        session.change_pending(|pending| {
            pending.session = Some(token.into());
            if let Some(remember) = remember {
                pending.remember = Some(remember.into());
            }
        });
        session
            .emit(EventKind::LoginConfirmed, Some(user), Some(old.login_id))
            .await;
        Ok(())
    }
}

impl<U> fmt::Debug for LoginChange<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginChange")
    }
}

impl<'s, 'r: 's, U: UserMixin> IntoFuture for LoginChange<'s, 'r, U> {
    type Output = Result<(), LoginError>;
    type IntoFuture = BoxFuture<'s, Self::Output>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            self.verb.begin();
            let changed = self.change().await;
            let core = &self.session.realm.core;
            changed.inspect_err(|error| self.verb.log(error, core))
        })
    }
}
