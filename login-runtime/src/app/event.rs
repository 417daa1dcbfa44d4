//! Events: what happened to a login, told to the application's listeners.

use std::fmt;

/// Something that happened to a login, as Flask-Login's signals tell it.
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
    /// Whom it happened to, where somebody is known.
    pub user: Option<&'r U>,
    /// A name for the login that may stand in a log: it grants nothing and tells nobody's id.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// `login_user` was accepted; Flask-Login's `user_logged_in`.
    LoggedIn,
    /// `logout_user` or `logout_everywhere` was accepted; `user_logged_out`.
    LoggedOut,
    /// The remember cookie brought the user back; `user_loaded_from_cookie`.
    LoadedFromCookie,
    /// The request loader found the user; `user_loaded_from_request`.
    LoadedFromRequest,
    /// `confirm_login` was accepted; `user_login_confirmed`.
    LoginConfirmed,
    /// A request was refused because nobody is logged in; `user_unauthorized`.
    Unauthorized,
    /// A request was refused because the login is not fresh; `user_needs_refresh`.
    NeedsRefresh,
    /// A request was refused because the route's condition does not hold for the user.
    Forbidden,
    /// The current user was asked for, for the first time in this request; `user_accessed`.
    Accessed,
    /// The login came from another client than the one it is bound to; `session_protected`.
    SessionProtected,
    /// A login cookie was no token of ours.
    Forged,
    /// A login cookie had expired, by its lifetime or by the idle timeout.
    Expired,
    /// A login cookie was of a session that had been ended.
    Revoked,
    /// A login cookie was of a user who is gone, inactive, or has changed the session hash.
    Outdated,
    /// A login cookie came twice, which no honest browser sends.
    DuplicateCookie,
    /// A request from another site tried to change something.
    CrossSite,
    /// The user could not be loaded.
    LoaderFailed,
}
