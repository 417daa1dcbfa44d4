//! The verbs: log in, log out, confirm, and ask about the login.

mod change;
pub(crate) mod current_user;
mod end;
mod error;
mod login;
pub(crate) mod next;
mod presented;
pub(crate) mod signer;
#[cfg(test)]
mod tests;

pub use self::change::LoginChange;
pub use self::error::LoginError;
pub use self::login::Login;

use std::any::TypeId;
use std::fmt;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use self::change::Act;
use self::current_user::CurrentUser;
use crate::access::decide;
use crate::access::denial::{Denied, Deny, GuardError, Reason};
use crate::app::event::EventKind;
use crate::app::user::UserMixin;
use crate::login::pending::{NextChange, Pending};
use crate::login::visit::Visit;
use crate::realm::Realm;
use crate::realm::registry::manager_is_missing;
use crate::request::cross_site::{CrossSiteProtection, is_safe};
use crate::token::SessionId;

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
    /// session fixation). See [`Login`] for the options; nothing happens before the `.await`.
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
    pub fn login_user<'s>(&'s self, user: &'s U) -> Login<'s, 'r, U> {
        Login::new(self, user)
    }

    /// Ends this login on every server that shares the revocation list, and removes its cookies.
    ///
    /// A copy of either cookie is worth nothing afterwards. It is no error if nobody is logged in.
    ///
    /// # Errors
    ///
    /// [`LoginError::CrossSite`], [`LoginError::SafeMethod`], [`LoginError::Revocation`].
    pub fn logout_user(&self) -> LoginChange<'_, 'r, U> {
        self.change(Act::Logout)
    }

    /// Ends every login of the current user, in all browsers, this one included.
    ///
    /// Older logins are told by their date: one that a server whose clock is fast has just begun is
    /// not ended by a server whose clock is right.
    ///
    /// # Errors
    ///
    /// As [`logout_user`](Self::logout_user), and [`LoginError::Load`] if the user cannot be told.
    pub fn logout_everywhere(&self) -> LoginChange<'_, 'r, U> {
        self.change(Act::LogoutEverywhere)
    }

    /// Ends every login of another user, such as one whose account an administrator closes.
    ///
    /// The login of this request is left alone, unless it is that user's.
    ///
    /// # Errors
    ///
    /// As [`logout_user`](Self::logout_user).
    pub fn logout_everywhere_for<'s>(&'s self, user: &'s U) -> LoginChange<'s, 'r, U> {
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
    pub fn confirm_login<'s>(&'s self, user: &'s U) -> LoginChange<'s, 'r, U> {
        self.change(Act::Confirm(user))
    }

    /// Returns whether the login is fresh: made with credentials, within the `fresh_lifetime`.
    ///
    /// # Errors
    ///
    /// [`LoginError::Load`] if the user cannot be told.
    pub async fn login_fresh(&self) -> Result<bool, LoginError> {
        Ok(self.current_user().await?.is_fresh())
    }

    /// Returns whether the login has a remember cookie that holds.
    ///
    /// # Errors
    ///
    /// [`LoginError::Load`] if the user cannot be told.
    pub async fn login_remembered(&self) -> Result<bool, LoginError> {
        let core = &self.realm.core;
        let Some(session) = self.visit.session(self.realm, self.req).await? else {
            return Ok(false);
        };
        Ok(self.remember_of(&session, core.clock.now()).is_some())
    }

    /// Returns who is logged in now, after any login or logout in this handler.
    ///
    /// The guards `&User` and `CurrentUser` know who was logged in when the handler began.
    ///
    /// # Errors
    ///
    /// [`LoginError::Load`] if the user cannot be loaded.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64, name: String }
    /// # async fn handler(session: LoginSession<'_, User>, user: User) -> Result<(), LoginError> {
    /// session.login_user(&user).await?;
    /// let current = session.current_user().await?;
    /// assert_eq!(current.user().map(|user| user.id), Some(user.id));
    /// # Ok(()) }
    /// ```
    pub async fn current_user(&self) -> Result<CurrentUser<'r, U>, LoginError> {
        Ok(CurrentUser::of(self.realm, self.req).await?)
    }

    /// Returns a responder that refuses the request as a guard does when nobody is logged in.
    pub fn unauthorized(&self) -> Deny {
        Deny(self.denied(Reason::Unauthorized))
    }

    /// Returns a responder that refuses the request as a guard does when the login is not fresh.
    pub fn needs_refresh(&self) -> Deny {
        Deny(self.denied(Reason::NeedsRefresh))
    }

    fn denied(&self, reason: Reason) -> Denied {
        Denied::new(reason, TypeId::of::<U>())
    }

    fn change<'s>(&'s self, act: Act<'s, U>) -> LoginChange<'s, 'r, U> {
        LoginChange::new(self, act)
    }

    /// Checks that this site's own pages sent the request, by a method that may change something.
    async fn check_site(&self, allow_cross_site: bool) -> Result<(), LoginError> {
        let core = &self.realm.core;
        if allow_cross_site || core.config.cross_site_protection == CrossSiteProtection::Off {
            return Ok(());
        }
        if is_safe(self.req.method()) {
            return Err(LoginError::SafeMethod);
        }
        let Err(reason) = decide::check_site(core, self.req) else {
            return Ok(());
        };
        self.emit(EventKind::CrossSite, None, None).await;
        // For catchers. The handler may still answer as it likes, so the denial is not certain.
        let denied = Denied {
            certain: false,
            emitted: true,
            ..self.denied(reason)
        };
        denied.record(self.req);
        Err(LoginError::CrossSite)
    }

    /// Changes what the response carries, and forgets the page that was wanted before the login.
    fn change_pending(&self, change: impl FnOnce(&mut Pending)) {
        self.visit.change(|pending| {
            change(pending);
            if self.realm.core.config.use_session_for_next {
                pending.next = Some(NextChange::Remove);
            }
        });
    }

    async fn emit(&self, kind: EventKind, user: Option<&U>, session: Option<SessionId>) {
        self.realm.emit(self.req, kind, user, session).await;
    }
}

impl<U> fmt::Debug for LoginSession<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginSession")
    }
}

#[rocket::async_trait]
impl<'r, U: UserMixin> FromRequest<'r> for LoginSession<'r, U> {
    type Error = GuardError;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, GuardError> {
        match Realm::<U>::of(req.rocket()) {
            Some(realm) => Outcome::Success(LoginSession {
                realm,
                req,
                visit: Visit::of(req),
            }),
            None => GuardError::NoManager.outcome(),
        }
    }
}

impl<U: UserMixin> Sentinel for LoginSession<'_, U> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}
