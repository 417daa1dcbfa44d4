//! The list of ended logins: a signed cookie is valid until it expires, so the server must record a logout.

mod bounded;
mod expiring;
pub(crate) mod log;
mod memory;
mod not_before;
pub(crate) mod replicated;
mod wakes;

pub(crate) use self::bounded::Revocations;
pub use self::memory::MemoryRevocations;
pub(crate) use self::wakes::Wakes;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rocket::http::Status;

use crate::clock::UnixTime;
use crate::printable::Printable;
use crate::token::{LoginId, SessionId, Token};

/// A list of the logins that have ended, each kept until it would have expired anyway.
///
/// Implement it over storage that all servers share and that survives a restart: then a logout holds everywhere and
/// permanently. Each request with a login then asks that storage; with [`RevocationLog`](crate::RevocationLog) it asks a
/// copy in memory. [`MemoryRevocations`] is neither shared nor persistent. While the list fails, requests with a login
/// fail with 503, and nobody is logged in or out.
///
/// For each login the list knows at most one thing: it has ended; it has ended and another login has taken its place;
/// or it goes on under one session id, and all others of it have ended. Every method gets the time of its request as
/// `now`, from the manager's clock. An entry may be dropped at its `until`, and not earlier.
///
/// # Example
///
/// ```rust
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use rocket_login::revocation::{
///     MemoryRevocations, RevocationError, RevocationList, RevokeRealm, RevokeSession, RevokeUser,
///     Revoked, SessionRef, SessionStatus, UnixTime, UserRef,
/// };
///
/// /// Counts the logins that end.
/// struct Counted(MemoryRevocations, AtomicUsize);
///
/// #[rocket::async_trait]
/// impl RevocationList for Counted {
///     async fn revoke(&self, ended: RevokeSession<'_>) -> Result<Revoked, RevocationError> {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.revoke(ended).await
///     }
///
///     async fn revoke_user(&self, ended: RevokeUser<'_>) -> Result<Revoked, RevocationError> {
///         self.0.revoke_user(ended).await
///     }
///
///     async fn revoke_realm(&self, ended: RevokeRealm<'_>) -> Result<(), RevocationError> {
///         self.0.revoke_realm(ended).await
///     }
///
///     async fn status(
///         &self,
///         session: SessionRef<'_>,
///         now: UnixTime,
///     ) -> Result<SessionStatus, RevocationError> {
///         self.0.status(session, now).await
///     }
///
///     async fn date(
///         &self,
///         user: UserRef<'_>,
///         now: UnixTime,
///     ) -> Result<UnixTime, RevocationError> {
///         self.0.date(user, now).await
///     }
/// }
/// ```
#[rocket::async_trait]
pub trait RevocationList: Send + Sync + 'static {
    /// Ends a login, or one session id of it: what ends depends on [`RevokeSession::successor`].
    ///
    /// Returns [`Revoked::Before`] if the session had already ended, alone, with its login or with its user. Of several
    /// concurrent calls for one session, at most one may get another result; otherwise a `confirm_login` could undo a
    /// concurrent logout. If a login is revoked twice, the later `until` counts.
    ///
    /// # Errors
    ///
    /// If the list cannot be written; the logout has then failed.
    async fn revoke(&self, ended: RevokeSession<'_>) -> Result<Revoked, RevocationError>;

    /// Ends all logins that a user has at this moment, or all [but one](RevokeUser::except).
    ///
    /// The list keeps a time for the user, the `not_before`, and logins that were created earlier have ended. It becomes
    /// the later one of the list's time (see [`date`](Self::date)) and the one that was held, plus a second. If a user
    /// is revoked twice, the later `until` counts.
    ///
    /// Returns [`Revoked::Before`], and changes nothing, if the login that is to go on has ended. So of two logins that
    /// end each other at once, one goes on.
    ///
    /// # Errors
    ///
    /// If the list cannot be written; the logout has then failed.
    async fn revoke_user(&self, ended: RevokeUser<'_>) -> Result<Revoked, RevocationError>;

    /// Ends all logins that all users of a realm have at this moment.
    ///
    /// The list keeps a `not_before` for the realm, later than every date that it has given to a login of the realm.
    ///
    /// # Errors
    ///
    /// If the list cannot be written; the logout has then failed.
    async fn revoke_realm(&self, ended: RevokeRealm<'_>) -> Result<(), RevocationError>;

    /// Returns whether a session has ended: alone, with its login, or because it was created before the `not_before` of
    /// its user or of its realm.
    ///
    /// # Errors
    ///
    /// If the list cannot be read.
    async fn status(
        &self,
        session: SessionRef<'_>,
        now: UnixTime,
    ) -> Result<SessionStatus, RevocationError>;

    /// Returns the time at which a new login of a user is dated: the list's time, but not before the `not_before` of
    /// the user and of the realm.
    ///
    /// The list's time is its clock, or `now` if it has none, and never goes back: it is at least the latest time that the
    /// list has given out or seen. A login's date is compared with `not_before` and with nothing else, so it may lie
    /// ahead of the server's clock.
    ///
    /// # Errors
    ///
    /// If the list cannot be read.
    async fn date(&self, user: UserRef<'_>, now: UnixTime) -> Result<UnixTime, RevocationError>;
}

/// The end of a login, or of one session id of it, for [`RevocationList::revoke`].
///
/// The example of [`RevocationList`] shows it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RevokeSession<'a> {
    /// The session that ends.
    pub session: SessionRef<'a>,
    /// What takes its place; `None` for a logout, which ends the login and, along the chain, every login that has
    /// taken its place.
    pub successor: Option<Successor<'a>>,
    /// The time of the request.
    pub now: UnixTime,
    /// When the last token of the login and of its successor has expired; from then on the entry may be dropped.
    pub until: UnixTime,
}

/// What takes the place of a session.
///
/// # Example
///
/// ```rust
/// use rocket_login::revocation::{RevokeSession, Successor};
///
/// fn describe(ended: &RevokeSession<'_>) -> &'static str {
///     match &ended.successor {
///         None => "a logout",
///         Some(Successor::Session(_)) => "a confirmation",
///         Some(_) => "another login",
///     }
/// }
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Successor<'a> {
    /// A confirmation: the login goes on under this session id, and all others of it have ended.
    ///
    /// It changes nothing, and the answer is [`Revoked::Before`], if the login has ended, or goes on under another
    /// session id than the one that was presented.
    Session(SessionId),
    /// A login over a login: the old one ends, with every other login that has taken its place before. This one is
    /// remembered, so that a logout that still carries the old cookie ends it too.
    #[non_exhaustive]
    Login {
        /// The id of the new login.
        id: LoginId,
        /// The id of its user.
        user_id: &'a str,
    },
}

impl fmt::Debug for Successor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session(..)",
            Self::Login { .. } => "Login { .. }",
        })
    }
}

/// The end of a user's logins, for [`RevocationList::revoke_user`].
///
/// The example of [`RevocationList`] shows it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RevokeUser<'a> {
    /// The realm of the user, see [`SessionRef::realm`].
    pub realm: &'a str,
    /// The user's id.
    pub user_id: &'a str,
    /// The session whose login goes on, under every session id; `None` if all logins end.
    pub except: Option<SessionRef<'a>>,
    /// The time of the request.
    pub now: UnixTime,
    /// When the last token of these logins has expired; from then on the entry may be dropped.
    pub until: UnixTime,
}

impl fmt::Debug for RevokeUser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevokeUser")
            .field("now", &self.now)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// The end of the logins of a whole realm, for [`RevocationList::revoke_realm`].
///
/// The example of [`RevocationList`] shows it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RevokeRealm<'a> {
    /// The realm, see [`UserRef::realm`].
    pub realm: &'a str,
    /// The time of the request.
    pub now: UnixTime,
    /// When the last token of these logins has expired; from then on the entry may be dropped.
    pub until: UnixTime,
}

/// The result of [`RevocationList::revoke`] and of [`RevocationList::revoke_user`].
///
/// The example of [`RevocationList`] shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The session had already ended.
    Before,
    /// This call ended the session.
    Now,
    /// The list is full, so this call ended the session together with all older logins of its user.
    WithUser {
        /// The user's logins that were created before this time have ended; a login that replaces the session is
        /// dated no earlier.
        not_before: UnixTime,
    },
}

/// The result of [`RevocationList::status`].
///
/// The example of [`RevocationList`] shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// The list knows no end of it.
    Open,
    /// It has ended, and what took its place has not: another session id of the login, or another login.
    ///
    /// For a minute its cookies are refused and not removed: the response could otherwise remove the new ones.
    Replaced {
        /// When it was replaced.
        at: UnixTime,
        /// The session id that has taken its place; `None` if another login has, or if the list has forgotten which one.
        ///
        /// It says whether the session was bound to a device, since its cookies then hold for another 30 seconds.
        by: Option<SessionId>,
    },
    /// It has ended.
    Ended,
}

impl SessionStatus {
    /// Returns the status of a session whose login has ended with all logins of its user.
    ///
    /// If the same request put another session or login in its place after that, a late request of the browser must leave
    /// the new cookies alone. Nothing else holds of it, so nothing is known to have bound it.
    pub(crate) fn ended_with_user(self, is_since: impl FnOnce(UnixTime) -> bool) -> Self {
        match self {
            Self::Replaced { at, .. } if is_since(at) => Self::Replaced { at, by: None },
            _ => Self::Ended,
        }
    }
}

/// The session that a [`RevocationList`] is called for.
///
/// The example of [`RevocationList`] shows it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct SessionRef<'a> {
    /// The realm of the login, see [`UserRef::realm`].
    pub realm: &'a str,
    /// The id of the login, 16 random bytes; no two realms share one.
    pub login_id: LoginId,
    /// The id of the session, unique within its login; [`SessionId::ANY`] if only the login matters, as for the end of a
    /// login from a list.
    pub session_id: SessionId,
    /// The id of the session's user.
    pub user_id: &'a str,
    /// When the login began.
    pub created_at: UnixTime,
}

impl fmt::Debug for SessionRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRef")
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

impl<'a> SessionRef<'a> {
    pub(crate) fn of(realm: &'a str, token: &'a Token) -> Self {
        SessionRef {
            realm,
            login_id: token.login_id,
            session_id: token.session_id,
            user_id: &token.uid,
            created_at: token.created_at,
        }
    }

    /// Returns the session's user.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::revocation::SessionRef;
    /// fn key(session: SessionRef<'_>) -> String {
    ///     let user = session.user();
    ///     format!("{} {}", user.realm, user.user_id)
    /// }
    /// ```
    #[must_use]
    pub fn user(&self) -> UserRef<'a> {
        UserRef {
            realm: self.realm,
            user_id: self.user_id,
        }
    }
}

/// The user that a [`RevocationList`] is called for.
///
/// The example of [`RevocationList`] shows it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct UserRef<'a> {
    /// The text that distinguishes the user's manager from every other one that may use the same store: its audience, the name
    /// of its realm and that of its session cookie. Users of two realms are different users, even if their ids are
    /// equal.
    pub realm: &'a str,
    /// The user's id.
    pub user_id: &'a str,
}

impl fmt::Debug for UserRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRef")
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// Why a [`RevocationList`] could not be read or written.
///
/// # Example
///
/// ```rust
/// use rocket_login::revocation::RevocationError;
///
/// let error = RevocationError::new("connection refused");
/// assert_eq!(error.to_string(), "the revocation list failed: connection refused");
/// assert_eq!(error.status().code, 503);
/// ```
#[derive(Clone)]
pub struct RevocationError(Arc<dyn Error + Send + Sync>);

impl RevocationError {
    /// Creates an error with status 503; `cause` is logged.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into().into())
    }

    /// The error for what must not happen by an old copy of a store; `consequence` says what does not happen.
    pub(crate) fn old_copy(consequence: &str) -> Self {
        Self::new(format!("the copy of the store is old, so {consequence}"))
    }

    /// What the application's list or store said.
    pub(crate) fn cause(&self) -> impl fmt::Display {
        Printable(&self.0)
    }

    /// Returns the status of the response, 503.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::ServiceUnavailable
    }
}

/// Omits the cause, which may contain personal data.
impl fmt::Debug for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevocationError({})", self.status())
    }
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the revocation list failed: {}", Printable(&self.0))
    }
}

impl Error for RevocationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_prints_its_cause() {
        let error = RevocationError::new(std::io::Error::other("connection refused"));
        assert_eq!(
            error.to_string(),
            "the revocation list failed: connection refused"
        );
        assert!(error.source().is_none());
        let error = RevocationError::new(Timeout(fmt::Error));
        assert!(matches!(error.source(), Some(source) if source.is::<fmt::Error>()));
    }

    /// An error of a storage, with a source.
    #[derive(Debug, thiserror::Error)]
    #[error("timeout")]
    struct Timeout(#[source] fmt::Error);

    #[test]
    fn the_arguments_of_a_list_print_neither_an_id_nor_a_user() {
        let time = UnixTime::from_secs;
        let session = SessionRef {
            realm: "app",
            login_id: LoginId([7; 16]),
            session_id: SessionId([7; 8]),
            user_id: "alice",
            created_at: time(5),
        };
        let successor = Successor::Login {
            id: LoginId([9; 16]),
            user_id: "bob",
        };
        let ended = RevokeSession {
            session,
            successor: Some(successor),
            now: time(6),
            until: time(8),
        };
        let everywhere = RevokeUser {
            realm: "app",
            user_id: "alice",
            except: None,
            now: time(6),
            until: time(8),
        };
        assert_eq!(
            format!("{session:?}"),
            "SessionRef { created_at: UnixTime(5), .. }"
        );
        assert_eq!(
            format!("{:?}", session.user()),
            "UserRef { realm: \"app\", .. }"
        );
        assert_eq!(
            format!("{ended:?}"),
            "RevokeSession { session: SessionRef { created_at: UnixTime(5), .. }, \
             successor: Some(Login { .. }), now: UnixTime(6), until: UnixTime(8) }"
        );
        assert_eq!(
            format!("{:?}", Successor::Session(session.session_id)),
            "Session(..)"
        );
        assert_eq!(
            format!("{everywhere:?}"),
            "RevokeUser { now: UnixTime(6), until: UnixTime(8), .. }"
        );
    }
}
