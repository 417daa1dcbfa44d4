//! Events: what the application's listeners are notified of.

use std::fmt;

/// Something that happened to a login; Flask-Login's signals.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{event_listener, EventKind, LoginEvent, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// #[event_listener]
/// fn audit(event: &LoginEvent<'_, User>) {
///     if event.kind == EventKind::LoggedIn {
///         println!("login {} began", event.log_id.as_deref().unwrap_or("-"));
///     }
/// }
/// ```
#[non_exhaustive]
pub struct LoginEvent<'r, U> {
    /// What happened.
    pub kind: EventKind,
    /// The user it happened to, if known.
    pub user: Option<&'r U>,
    /// An id of the login for logs: it gives no access, and reveals neither the session id nor the user's id.
    pub log_id: Option<String>,
}

impl<U> fmt::Debug for LoginEvent<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginEvent")
            .field("kind", &self.kind)
            .field("log_id", &self.log_id)
            .finish_non_exhaustive()
    }
}

/// The kinds of [`LoginEvent`].
///
/// The example of [`LoginEvent`] shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// `login_user` was accepted; Flask-Login's `user_logged_in`.
    #[doc(alias = "user_logged_in")]
    LoggedIn,
    /// A user has logged in with a client that the registry does not know of this user; it comes after `LoggedIn`.
    ///
    /// The registry knows the clients of the logins that go on, and of those that began in the last 400 days. The first
    /// login of a user is no such event. It needs the feature `client-names`.
    NewClient,
    /// `logout_user` or `logout_everywhere` was accepted, or the response to a login was a server error (5xx), which ends the
    /// login; `user_logged_out`.
    #[doc(alias = "user_logged_out")]
    LoggedOut,
    /// `logout_others`, `logout_everywhere_for`, `logout_realm`, `end_login` or `end_login_for` was accepted. The event names
    /// the user whose logins have ended, but for `logout_realm`; `log_id` names a single login.
    LoginsEnded,
    /// The remember cookie logged the user in again; `user_loaded_from_cookie`.
    #[doc(alias = "user_loaded_from_cookie")]
    LoadedFromCookie,
    /// A cookie of Flask brought its login across; see [`LoginManager::accept_flask`](crate::LoginManager::accept_flask).
    #[cfg(feature = "flask")]
    LoadedFromFlask,
    /// The request loader found the user; `user_loaded_from_request`.
    #[doc(alias("user_loaded_from_request", "user_loaded_from_header"))]
    LoadedFromRequest,
    /// `confirm_login` was accepted; `user_login_confirmed`.
    #[doc(alias = "user_login_confirmed")]
    LoginConfirmed,
    /// A request was refused because nobody is logged in; `user_unauthorized`.
    #[doc(alias = "user_unauthorized")]
    Unauthorized,
    /// A request was refused because the login is not fresh; `user_needs_refresh`.
    #[doc(alias = "user_needs_refresh")]
    NeedsRefresh,
    /// A request was refused because the route's condition does not hold for the user.
    Forbidden,
    /// The request asked for the current user for the first time; `user_accessed`.
    #[doc(alias = "user_accessed")]
    Accessed,
    /// The login came from a different client than the one it is bound to; `session_protected`.
    #[doc(alias = "session_protected")]
    SessionProtected,
    /// A login cookie held no token that we signed, or one from the future: the clocks of the servers differ.
    Forged,
    /// A login cookie had expired, by its lifetime or by the idle timeout, or its device has not proven it in time.
    Expired,
    /// A login cookie belonged to a session that has ended.
    Revoked,
    /// A login cookie belonged to a user who was deleted, is inactive, or has a new session hash.
    Outdated,
    /// The request had a login cookie twice: another host of the domain may have planted one.
    DuplicateCookie,
    /// The login was bound to the device of its browser.
    DeviceBound,
    /// A second device claimed a login that was bound already: somebody has copied its cookies, so the login has ended.
    /// The event names the user.
    SecondDevice,
    /// A remember cookie came back although its successor is in use: somebody has copied it, so the login has ended. The
    /// event names the user, who may want to know. See
    /// [`remember_cookie_theft_detection`](crate::LoginManager::remember_cookie_theft_detection).
    RememberTokenReused,
    /// A request from another site tried to change something, and was refused.
    CrossSite,
    /// Who is logged in could not be determined: a loader, the list of ended logins or the registry of logins failed.
    LoaderFailed,
    /// The store of ended logins has not answered in time, so this server handles requests with a login as
    /// `login.store.on_stale` says. This and the next two come with the first request that meets the change.
    StoreStale,
    /// The store answers again.
    StoreFresh,
    /// The store had lost changes or was replaced, and this server has written back what it knew.
    StoreLost,
}
