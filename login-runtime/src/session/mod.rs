//! The verbs: log in, log out, confirm, and ask about the login.

mod change;
pub(crate) mod current_user;
mod end;
mod error;
#[cfg(feature = "flask")]
mod flask;
mod login;
mod login_end;
mod logins;
pub(crate) mod next;
mod presented;
mod register;
pub(crate) mod signer;
#[cfg(test)]
mod tests;
mod user_token;
mod verb;

pub use self::change::LoginChange;
pub use self::error::LoginError;
pub use self::login::Login;
pub use self::login_end::LoginEnd;
pub use self::logins::{LoginInfo, Moment};
pub use self::user_token::{UserSigner, UserToken, UserTokenError};

use std::any::TypeId;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};
use tracing::warn;

use self::change::Act;
use self::current_user::CurrentUser;
use crate::access::denial::{Denied, Deny, GuardError, Reason};
use crate::app::event::EventKind;
use crate::app::user::UserMixin;
use crate::login::pending::{Change, NextChange, Pending};
use crate::login::visit::Visit;
use crate::realm::Realm;
use crate::realm::any::AnyVisit as _;
use crate::realm::registry::manager_is_missing;
use crate::realm::site::only_reads;
use crate::redirect::login_url::{at_host, login_url};
use crate::request::client_info::ClientInfo;
use crate::request::cross_site::{CrossSiteProtection, is_safe};
use crate::token::{Flags, LoginId};

/// The login of this request: begins it, ends it, confirms it, and says whether it is fresh.
///
/// A change takes effect with its `.await`: the revocation list has then recorded the sessions that end. The response
/// sets the cookies, whatever the handler returns. A change requires a request from this site's own pages with an
/// unsafe method such as POST; others are refused with [`LoginError::CrossSite`] or [`LoginError::SafeMethod`].
///
/// What is refused, fails or is never awaited is logged with its place in the application's code, even if the
/// application drops the error.
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
    realm: &'r Arc<Realm<U>>,
    req: &'r Request<'r>,
    visit: &'r Visit<U>,
    /// What the request shows of its client, if this guard was the first to read it.
    client: Option<ClientInfo<'r>>,
}

impl<U> Clone for LoginSession<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for LoginSession<'_, U> {}

impl<'r, U: UserMixin> LoginSession<'r, U> {
    /// Logs `user` in, after the application has checked the credentials.
    ///
    /// Any login that the request came with ends, and the new login gets a new session id (OWASP, session fixation).
    /// [`Login`] has the options. Nothing happens before the `.await`. If the response is a server error (5xx), the login
    /// ends again, and no cookie goes out.
    ///
    /// # Errors
    ///
    /// - [`LoginError::CrossSite`], [`LoginError::SafeMethod`]: the request may not change a login.
    /// - [`LoginError::InactiveUser`]: the user is inactive, and `force` is not set.
    /// - [`LoginError::Id`], [`LoginError::BadDuration`], [`LoginError::DurationWithoutRemember`]: the application gave a
    ///   value that a login cannot have.
    /// - [`LoginError::TooManyLogins`]: the user has as many logins as the setting `max_logins_per_user` allows.
    /// - [`LoginError::TooLate`]: the response is under way, as in a stream.
    /// - [`LoginError::Unavailable`], [`LoginError::Registry`], [`LoginError::Random`]: the revocation list, the registry of
    ///   logins or the operating system failed.
    ///
    /// After an error nobody has been logged in, and the response changes no cookie.
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
    #[track_caller]
    pub fn login_user<'s>(&'s self, user: &'s U) -> Login<'s, 'r, U> {
        Login::new(self, user)
    }

    /// Logs the current user out, on every server that shares the revocation list.
    ///
    /// The session ends and its cookies are removed; a copy of a cookie no longer works. It is not an error if nobody
    /// is logged in.
    ///
    /// # Errors
    ///
    /// - [`LoginError::CrossSite`], [`LoginError::SafeMethod`]: the request may not change a login.
    /// - [`LoginError::Unavailable`]: the revocation list failed.
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
    #[track_caller]
    pub fn logout_user(&self) -> LoginChange<'_, 'r, U> {
        self.change(Act::Logout)
    }

    /// Logs the current user out in all browsers, including this one.
    ///
    /// This ends the logins that began up to now. With a [`RevocationList`](crate::RevocationList) of your own that has no
    /// clock, a login that another server has just begun survives if that server's clock is ahead.
    ///
    /// # Errors
    ///
    /// Those of [`logout_user`](Self::logout_user); [`LoginError::NotLoggedIn`] if nobody is logged in, since it is
    /// unknown whose logins to end; [`LoginError::Unavailable`] also if the current user cannot be loaded.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// # use rocket_login::{login_required, LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// #[login_required]
    /// #[post("/logout-everywhere")]
    /// async fn logout_everywhere(session: LoginSession<'_, User>) -> Result<&'static str, LoginError> {
    ///     session.logout_everywhere().await?;
    ///     Ok("You are logged out on all your devices.")
    /// }
    /// ```
    #[track_caller]
    pub fn logout_everywhere(&self) -> LoginChange<'_, 'r, U> {
        self.change(Act::LogoutEverywhere)
    }

    /// Logs another user out in all browsers, for example when an administrator closes the account.
    ///
    /// The login of this request stays, unless it belongs to that user. To log a user out everywhere else, call
    /// [`confirm_login`](Self::confirm_login) afterwards: it keeps this browser logged in.
    ///
    /// # Errors
    ///
    /// Those of [`logout_user`](Self::logout_user).
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>, closed: User) -> Result<(), LoginError> {
    /// session.logout_everywhere_for(&closed).await?;
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn logout_everywhere_for<'s>(&'s self, user: &'s U) -> LoginChange<'s, 'r, U> {
        self.change(Act::LogoutEverywhereFor(user))
    }

    /// Logs the current user out in all other browsers; this one stays logged in, and keeps its cookies.
    ///
    /// # Errors
    ///
    /// Those of [`logout_user`](Self::logout_user); [`LoginError::NotLoggedIn`] if nobody is logged in by a session, or if
    /// this login has ended, also by another browser's `logout_others` at the same moment; [`LoginError::Unavailable`]
    /// also if the current user cannot be loaded.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// # use rocket_login::{login_required, LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// #[login_required]
    /// #[post("/logout-others")]
    /// async fn logout_others(session: LoginSession<'_, User>) -> Result<&'static str, LoginError> {
    ///     session.logout_others().await?;
    ///     Ok("You are logged out on all your other devices.")
    /// }
    /// ```
    #[track_caller]
    pub fn logout_others(&self) -> LoginChange<'_, 'r, U> {
        self.change(Act::LogoutOthers)
    }

    /// Ends one of the current user's logins, which its [`handle`](LoginInfo::handle) names.
    ///
    /// The end of this request's own login is a [`logout_user`](Self::logout_user). A handle of another user names nothing.
    ///
    /// # Errors
    ///
    /// - Those of [`logout_user`](Self::logout_user), and [`LoginError::NotLoggedIn`] if nobody is logged in by a session.
    /// - [`LoginError::NoSuchLogin`]: the user has no such login; it may have ended some time ago.
    /// - [`LoginError::LoginEnded`]: the login has just ended.
    /// - [`LoginError::NoRegistry`], [`LoginError::Registry`]: there is no registry, or it failed.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// # use rocket::response::Redirect;
    /// # use rocket_login::{login_required, LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// #[login_required]
    /// #[post("/logins/<handle>/end")]
    /// async fn end_login(handle: &str, session: LoginSession<'_, User>) -> Result<Redirect, LoginError> {
    ///     session.end_login(handle).await?;
    ///     Ok(Redirect::to("/logins"))
    /// }
    /// ```
    #[track_caller]
    pub fn end_login<'s>(&'s self, handle: &'s str) -> LoginChange<'s, 'r, U> {
        self.change(Act::EndLogin(handle))
    }

    /// Ends one login of another user, for an administrator.
    ///
    /// Let only administrators use the route. [`logout_everywhere_for`](Self::logout_everywhere_for) ends all of them.
    ///
    /// # Errors
    ///
    /// Those of [`end_login`](Self::end_login), without [`LoginError::NotLoggedIn`].
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(members: LoginSession<'_, User>, member: User, handle: &str) -> Result<(), LoginError> {
    /// members.end_login_for(&member, handle).await?;
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn end_login_for<'s>(&'s self, user: &'s U, handle: &'s str) -> LoginChange<'s, 'r, U> {
        self.change(Act::EndLoginFor(user, handle))
    }

    /// Logs every user of this user type out in all browsers, for example after copies of cookies were stolen.
    ///
    /// The login of this request ends too, if it is of this user type; [`confirm_login`](Self::confirm_login) afterwards
    /// keeps it. Let only administrators use the route.
    ///
    /// # Errors
    ///
    /// Those of [`logout_user`](Self::logout_user).
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// # use rocket_login::{fresh_login_required, LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[derive(UserMixin)] struct Staff { id: i64 }
    /// #[fresh_login_required(Staff)]
    /// #[post("/members/logout")]
    /// async fn logout_members(members: LoginSession<'_, User>) -> Result<&'static str, LoginError> {
    ///     members.logout_realm().await?;
    ///     Ok("All members are logged out.")
    /// }
    /// ```
    #[track_caller]
    pub fn logout_realm(&self) -> LoginChange<'_, 'r, U> {
        self.change(Act::LogoutRealm)
    }

    /// Makes the login fresh again, after the application has checked the credentials of `user` again.
    ///
    /// `user` must be the user who is logged in. The session gets a new id, is bound to this client, and both cookies
    /// get `user`'s current session hash. After a change of password, call it with the changed user to keep this
    /// browser logged in while all other logins end. That requires a guard such as `#[fresh_login_required]` on the
    /// route, which checks the login before the password changes.
    ///
    /// # Errors
    ///
    /// - [`LoginError::NotLoggedIn`]: nobody is logged in by a session, or another request has just ended it.
    /// - [`LoginError::WrongUser`], [`LoginError::InactiveUser`]: `user` is another or an inactive user.
    /// - [`LoginError::TooLate`]: the response is under way, as in a stream.
    /// - [`LoginError::Random`]: the operating system gave no random bytes.
    /// - Those of [`logout_everywhere`](Self::logout_everywhere).
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::http::Status;
    /// # use rocket::post;
    /// # use rocket_login::{login_required, LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # impl User { fn has_password(&self, _: &str) -> bool { true } }
    /// #[login_required]
    /// #[post("/confirm", data = "<password>")]
    /// async fn confirm(user: &User, session: LoginSession<'_, User>, password: &str) -> Result<Status, LoginError> {
    ///     if !user.has_password(password) {
    ///         return Ok(Status::Unauthorized);
    ///     }
    ///     session.confirm_login(user).await?;
    ///     Ok(Status::NoContent)
    /// }
    /// ```
    #[track_caller]
    pub fn confirm_login<'s>(&'s self, user: &'s U) -> LoginChange<'s, 'r, U> {
        self.change(Act::Confirm(user))
    }

    /// Returns whether the login is fresh: the user gave credentials within the setting `fresh_lifetime`.
    ///
    /// # Errors
    ///
    /// [`LoginError::Unavailable`] if the user cannot be loaded or the revocation list fails.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    /// let page = if session.login_fresh().await? { "payment" } else { "confirm your password first" };
    /// # Ok(()) }
    /// ```
    pub async fn login_fresh(&self) -> Result<bool, LoginError> {
        Ok(self.current_user().await?.is_fresh())
    }

    /// Returns whether the login has a valid remember cookie.
    ///
    /// # Errors
    ///
    /// [`LoginError::Unavailable`] if the user cannot be loaded or the revocation list fails.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    /// if session.login_remembered().await? {
    ///     println!("this browser stays logged in");
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn login_remembered(&self) -> Result<bool, LoginError> {
        let core = &self.realm.core;
        let Some(session) = self.visit.session(self.realm, self.req).await? else {
            return Ok(false);
        };
        // A device takes the place of the remember cookie.
        let is_by_device = session.is_bound() && session.flags.contains(Flags::REMEMBERED);
        Ok(is_by_device || self.remember_of(&session, core.clock.now()).is_some())
    }

    /// Returns whether the login is bound to the device of the browser, so that a copy of its cookies stops working
    /// within the setting `device_binding_lifetime`.
    ///
    /// The browser binds a login in the moments after it, so the answer to the login itself is still `false`.
    ///
    /// # Errors
    ///
    /// [`LoginError::Unavailable`] if the user cannot be loaded or the revocation list fails.
    ///
    /// # Example
    ///
    /// A condition that requires a bound login, of administrators only:
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket_login::{login_required, LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64, is_admin: bool }
    /// async fn is_protected(user: &User, session: LoginSession<'_, User>) -> Result<bool, LoginError> {
    ///     Ok(!user.is_admin || session.device_bound().await?)
    /// }
    ///
    /// #[login_required(if = is_protected)]
    /// #[get("/reports")]
    /// fn reports() {}
    /// ```
    pub async fn device_bound(&self) -> Result<bool, LoginError> {
        let session = self.visit.session(self.realm, self.req).await?;
        Ok(session.is_some_and(|session| session.is_bound()))
    }

    /// Returns a future that resolves when the login of this request ends, for a response that lasts: server-sent events
    /// or a WebSocket.
    ///
    /// It resolves when a request with the cookies of this one would be refused:
    ///
    /// - at a logout, also by `logout_everywhere`: on this server at once; with a store, on each other server as soon as it
    ///   hears of it, at most `login.store.max_staleness` later; with a [`RevocationList`](crate::RevocationList) of your own
    ///   within 5 seconds, since each stream asks it so often;
    /// - at a confirmation of the login or another login of this browser, which replaces its cookies;
    /// - at the end of the session's lifetime, or of the idle timeout since the cookie was last renewed: a stream is no use
    ///   of the login. The client connects again with its newer cookie; if there was no other use, it is refused;
    /// - when the list of ended logins fails, or the copy of a store is too old: what cannot be known is refused. Under
    ///   `login.store.on_stale = "serve for .."` server-sent events go on for that time, and a WebSocket does not.
    ///
    /// It does not ask the user loader: end the logins of a user who is closed, or whose password has changed, with
    /// [`logout_everywhere_for`](Self::logout_everywhere_for). For a user whom the request loader knows, it resolves after
    /// `session_lifetime`, and at once if nobody is logged in. The login is that of the moment of the call, so call it after
    /// any change of the login, and on a route that a guard protects.
    ///
    /// While nothing happens, it costs one waiter and one timer, which runs out once a minute.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use std::time::Duration;
    /// # use rocket::get;
    /// # use rocket::response::stream::{Event, EventStream};
    /// # use rocket::tokio::{select, time::sleep};
    /// # use rocket_login::{login_required, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// #[login_required]
    /// #[get("/clock")]
    /// fn clock(session: LoginSession<'_, User>) -> EventStream![] {
    ///     let mut ended = session.ended();
    ///     EventStream! {
    ///         loop {
    ///             select! {
    ///                 () = &mut ended => break,
    ///                 () = sleep(Duration::from_secs(1)) => yield Event::data("tick"),
    ///             }
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// Any stream ends with the login by `stream.take_until(session.ended())` of `rocket::futures::StreamExt`.
    #[track_caller]
    pub fn ended(&self) -> LoginEnd {
        let reads_only = only_reads(self.req, &self.client());
        LoginEnd::of(self.realm, self.visit, reads_only, Location::caller())
    }

    /// Returns who is logged in now, after any login or logout in this handler.
    ///
    /// The guards `&User` and `CurrentUser`, in contrast, give the user from before the handler.
    ///
    /// # Errors
    ///
    /// [`LoginError::Unavailable`] if the user cannot be loaded or the revocation list fails.
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
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket_login::{access::Deny, CurrentUser, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// #[get("/album?<shared>")]
    /// fn album(shared: bool, current: CurrentUser<'_, User>, session: LoginSession<'_, User>) -> Result<&'static str, Deny> {
    ///     if shared || current.user().is_some() {
    ///         Ok("the photos")
    ///     } else {
    ///         Err(session.unauthorized())
    ///     }
    /// }
    /// ```
    pub fn unauthorized(&self) -> Deny {
        Deny(Self::denied(Reason::Unauthorized))
    }

    /// Returns a responder that refuses the request as a guard does when the login is not fresh.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// # use rocket_login::{access::Deny, login_required, CurrentUser, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// #[login_required]
    /// #[post("/pay/<amount>")]
    /// fn pay(amount: u32, user: CurrentUser<'_, User>, session: LoginSession<'_, User>) -> Result<&'static str, Deny> {
    ///     if amount < 10 || user.is_fresh() {
    ///         Ok("paid")
    ///     } else {
    ///         Err(session.needs_refresh())
    ///     }
    /// }
    /// ```
    pub fn needs_refresh(&self) -> Deny {
        Deny(Self::denied(Reason::NeedsRefresh))
    }

    /// Returns the URL of a login view that contains where to go after the login, on the host of the setting
    /// `force_host_for_redirects`.
    ///
    /// It is [`login_url`](crate::login_url()) with the host of this site in front, if the setting names one. A view
    /// that names its own host keeps it.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::response::Redirect;
    /// # use rocket_login::{LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # fn handler(session: LoginSession<'_, User>) -> Redirect {
    /// // `//app.example/login?next=%2Fnotes` with `force_host_for_redirects = "app.example"`
    /// Redirect::to(session.login_url("/login", Some("/notes"), "next"))
    /// # }
    /// ```
    #[must_use]
    pub fn login_url(&self, login_view: &str, next_url: Option<&str>, next_field: &str) -> String {
        let host = self.realm.core.config.force_host_for_redirects.as_deref();
        at_host(host, login_url(login_view, next_url, next_field))
    }

    /// Returns what the request shows of its client. A second pass over the headers would take 1,050 instructions.
    fn client(&self) -> ClientInfo<'r> {
        self.client
            .unwrap_or_else(|| self.realm.core.client(self.req))
    }

    fn denied(reason: Reason) -> Denied {
        Denied::new(reason, TypeId::of::<U>())
    }

    #[track_caller]
    fn change<'s>(&'s self, act: Act<'s, U>) -> LoginChange<'s, 'r, U> {
        LoginChange::new(self, act)
    }

    /// Checks that the request comes from this site's own pages, with an unsafe method.
    async fn check_site(&self, allow_cross_site: bool) -> Result<(), LoginError> {
        let core = &self.realm.core;
        if allow_cross_site || core.config.cross_site_protection == CrossSiteProtection::Off {
            return Ok(());
        }
        if is_safe(self.req.method()) {
            return Err(LoginError::SafeMethod);
        }
        let site = self.visit.site(core, self.req);
        let Err(refusal) = site else {
            return Ok(());
        };
        warn!("a request to change a login was refused: {refusal}");
        self.emit(EventKind::CrossSite, None, None).await;
        // For catchers. The handler may still return any other response, so the denial is not certain.
        let denied = Denied {
            certain: false,
            emitted: true,
            ..Self::denied(Reason::CrossSite)
        };
        denied.record(self.req);
        Err(LoginError::CrossSite)
    }

    /// Checks that the response has not taken its cookies yet.
    fn check_in_time(&self) -> Result<(), LoginError> {
        if self.visit.has_answered() {
            Err(LoginError::TooLate)
        } else {
            Ok(())
        }
    }

    /// Changes the pending cookies, and removes the cookie with the page that the visitor wanted before the login.
    fn change_pending(&self, change: impl FnOnce(&mut Pending)) {
        self.visit.change(|pending| {
            change(pending);
            pending.logged_in = matches!(pending.session, Some(Change::Set(_)));
            if self.realm.core.config.use_session_for_next {
                pending.next = Some(NextChange::Remove);
            }
        });
    }

    async fn emit(&self, kind: EventKind, user: Option<&U>, login: Option<LoginId>) {
        self.realm.emit(self.req, kind, user, login).await;
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
            Some(realm) => {
                let (visit, client) = Visit::and_client(&realm.core, req);
                Outcome::Success(LoginSession {
                    realm,
                    req,
                    visit,
                    client,
                })
            }
            None => GuardError::NoManager.outcome(),
        }
    }
}

impl<U: UserMixin> Sentinel for LoginSession<'_, U> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}
