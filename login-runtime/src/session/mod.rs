//! The verbs: log in, log out, confirm, and what a handler asks of the login it serves.

mod change;
mod error;
mod login;
pub(crate) mod next;
pub(crate) mod signer;
#[cfg(test)]
mod tests;

pub use self::change::ChangeLogin;
pub use self::error::LoginError;
pub use self::login::LoginUser;

use std::any::TypeId;
use std::fmt;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use crate::access::denial::{Reason, Refusal, Refuse};
use crate::access::user::manager_is_missing;
use crate::app::event::{self, EventKind};
use crate::app::user::{UserMixin, has_id};
use crate::clock::UnixTime;
use crate::login::visit::{Change, NextChange, Pending, Visit};
use crate::realm::{Realm, RealmCore, is_safe};
use crate::request::cookie_header::Presented;
use crate::response::cookies;
use crate::revocation::{RevokeSession, RevokeUser, Revoked, SessionRef};
use crate::token::keys::KeySet;
use crate::token::times::{self, MAX_REMEMBER};
use crate::token::{Kind, SessionId, Token};

use self::change::Act;

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
    /// [`LoginError::SafeMethod`]; [`LoginError::Unavailable`] and [`LoginError::Random`] where what
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
        LoginUser::new(self, user)
    }

    /// Ends this login on every server that shares the revocation list, and removes its cookies.
    ///
    /// A copy of either cookie is worth nothing afterwards. It is no error if nobody is logged in.
    ///
    /// # Errors
    ///
    /// [`LoginError::CrossSite`], [`LoginError::SafeMethod`], [`LoginError::Unavailable`].
    pub fn logout_user(&self) -> ChangeLogin<'_, 'r, U> {
        self.change(Act::Logout)
    }

    /// Ends every login of the current user, in all browsers, this one included.
    ///
    /// Older logins are told by their date: one that a server whose clock is fast has just begun is
    /// not ended by a server whose clock is right.
    ///
    /// # Errors
    ///
    /// As [`logout_user`](Self::logout_user).
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
    /// somebody else's; those of [`logout_user`](Self::logout_user); [`LoginError::Random`].
    pub fn confirm_login<'s>(&'s self, user: &'s U) -> ChangeLogin<'s, 'r, U> {
        self.change(Act::Confirm(user))
    }

    /// Returns whether the login is fresh: made with credentials, within the `fresh_lifetime`.
    ///
    /// # Errors
    ///
    /// [`LoginError::Unavailable`] if the user cannot be determined.
    pub async fn login_fresh(&self) -> Result<bool, LoginError> {
        let core = &self.realm.core;
        let present = self.visit.present(self.realm, self.req).await?;
        Ok(present.user.is_some_and(UserMixin::is_authenticated)
            && times::is_fresh(
                present.auth_at,
                core.clock.now(),
                core.config.fresh_lifetime,
            ))
    }

    /// Returns whether the login has a remember cookie that holds.
    ///
    /// # Errors
    ///
    /// [`LoginError::Unavailable`] if the user cannot be determined.
    pub async fn login_remembered(&self) -> Result<bool, LoginError> {
        let core = &self.realm.core;
        let Some(session) = self.visit.session(self.realm, self.req).await? else {
            return Ok(false);
        };
        Ok(self.remember_of(&session, core.clock.now()).is_some())
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
        ChangeLogin::new(self, act)
    }

    /// The tokens in the request that we signed, whether or not they still hold: all of them,
    /// should a cookie have come more than once.
    fn presented(&self) -> Vec<(Token, &KeySet)> {
        let core = &self.realm.core;
        let specs = [&core.config.session_cookie, &core.config.remember_cookie];
        let [session, remember]: [Vec<&str>; 2] = cookies::presented(self.req, specs);
        let of = |kind| move |value| (value, kind);
        session
            .into_iter()
            .map(of(Kind::Session))
            .chain(remember.into_iter().map(of(Kind::Remember)))
            .filter_map(|(value, kind)| Token::decode(value, kind, &core.ring).ok())
            .collect()
    }

    /// The remember token that goes with a session and holds: the pending one, else the presented.
    fn remember_of(&self, session: &Token, now: UnixTime) -> Option<Token> {
        let core = &self.realm.core;
        let pending = self.visit.pending().remember.clone();
        let remember = match pending {
            Some(Change::Set(token)) => *token,
            Some(Change::Remove) => return None,
            None => match cookies::presented(self.req, [&core.config.remember_cookie]) {
                [Presented::One(value)] => Token::decode(value, Kind::Remember, &core.ring).ok()?.0,
                _ => return None,
            },
        };
        let goes_with_it = remember.session_id == session.session_id;
        (goes_with_it && times::check(&remember, now, None).is_ok()).then_some(remember)
    }

    /// Whether the browser may keep a remember cookie; it shows one only below its path.
    fn may_have_remember_cookie(&self) -> bool {
        let spec = &self.realm.core.config.remember_cookie;
        spec.path != "/"
            || cookies::presented::<Presented<'_>, 1>(self.req, [spec]) != [Presented::Absent]
    }

    /// The remember token that the request came with, if it still brings back this very user.
    async fn still_remembered(
        &self,
        tokens: &[(Token, &KeySet)],
        user: &U,
        now: UnixTime,
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

    /// Ends what the request came with, and says what that did, and to whom.
    async fn revoke<'t>(
        &self,
        tokens: &'t [(Token, &KeySet)],
        now: UnixTime,
    ) -> Result<Vec<(&'t str, Revoked)>, LoginError> {
        let core = &self.realm.core;
        let mut revoked = Vec::new();
        for (token, _) in tokens {
            // The remember token knows until when a session of its id could live.
            let known_better = token.kind == Kind::Session
                && tokens.iter().any(|(other, _)| {
                    other.kind == Kind::Remember && other.session_id == token.session_id
                });
            if !known_better {
                let until = times::dead_until(token, now, core.config.longest_session());
                let ended = RevokeSession {
                    session: SessionRef::of(token),
                    now,
                    until,
                };
                let done = core.revocations.revoke(ended).await?;
                revoked.push((token.uid.as_str(), done));
            }
        }
        Ok(revoked)
    }

    /// Ends every login that `uid` has at this moment, and lets later ones in.
    async fn revoke_user(&self, uid: &str, now: UnixTime) -> Result<(), LoginError> {
        let core = &self.realm.core;
        let held = core.revocations.not_before(uid, now).await?;
        let not_before = held.map_or(now, |held| held.max(now)).plus(1);
        let until = now.plus(MAX_REMEMBER).plus(core.config.longest_session());
        core.revocations
            .revoke_user(RevokeUser {
                user_id: uid,
                not_before,
                now,
                until,
            })
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

    /// Changes what the response carries, and ends the wait for the page that was wanted.
    fn change_pending(&self, change: impl FnOnce(&mut Pending)) {
        self.visit.change(|pending| {
            change(pending);
            if self.realm.core.config.use_session_for_next {
                pending.next = Some(NextChange::Remove);
            }
        });
    }

    async fn emit(&self, kind: EventKind, user: Option<&U>, session: Option<SessionId>) {
        event::emit(self.realm, self.req, kind, user, session).await;
    }
}

/// Dates the tokens of a login after all that has ended with what it replaces, where a full list
/// has ended all of their user's.
fn date_after<'t>(ended: &[(&str, Revoked)], tokens: impl Iterator<Item = &'t mut Token>) {
    for token in tokens {
        for (uid, done) in ended {
            if let Revoked::WithUser { not_before } = done
                && *uid == token.uid
            {
                token.created_at = token.created_at.max(*not_before);
            }
        }
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
