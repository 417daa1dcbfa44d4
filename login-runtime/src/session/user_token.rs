//! Tokens for one purpose and one user: a link to reset a password or to verify an e-mail address.

use std::fmt;
use std::io;
use std::time::Duration;

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder};
use thiserror::Error;

use crate::app::session_hash::SessionHasher;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::login::search;
use crate::realm::Realm;
use crate::realm::id::IdError;
use crate::realm::unavailable::Unavailable;
use crate::revocation::{RevocationError, RevokeSession, Revoked, SessionRef, SessionStatus};
use crate::token::times::{MAX_REMEMBER, SKEW};
use crate::token::user_value::UserValue;
use crate::token::value::{MAX_VALUE, Purpose};
use crate::token::{LAST_TIME, LoginId, SessionId};

/// Signs tokens for one user; returned by [`Signer::for_user`](super::signer::Signer::for_user).
///
/// The example of [`Signer::for_user`](super::signer::Signer::for_user) shows it.
pub struct UserSigner<'s, 'r, U> {
    realm: &'r Realm<U>,
    user: &'s U,
}

impl<'s, 'r, U: UserMixin> UserSigner<'s, 'r, U> {
    pub(super) fn new(realm: &'r Realm<U>, user: &'s U) -> Self {
        Self { realm, user }
    }

    /// Returns a token that fits into a URL, for a link in an e-mail. [`Signer::find_user`](super::signer::Signer::find_user) takes it back.
    ///
    /// It is valid for `duration`, in whole seconds and at most 400 days, for this purpose and this user, and only as long
    /// as the user's [`session_hash`](UserMixin::session_hash) stays the same. `value` comes back with the user, for example
    /// the new e-mail address; it may be empty, and is signed, not encrypted.
    ///
    /// # Errors
    ///
    /// - [`UserTokenError::Id`], [`UserTokenError::ValueTooLong`], [`UserTokenError::BadDuration`]: the application gave what
    ///   a token cannot have.
    /// - [`UserTokenError::Random`]: the operating system gave no random bytes.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use std::time::Duration;
    /// # use rocket_login::{Signer, UserMixin, session::UserTokenError};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # fn handler(signer: Signer<'_, User>, user: &User) -> Result<String, UserTokenError> {
    /// let day = Duration::from_secs(24 * 60 * 60);
    /// signer.for_user(user).sign("new e-mail", "alice@example.com", day)
    /// # }
    /// ```
    pub fn sign(
        &self,
        purpose: &str,
        value: &str,
        duration: Duration,
    ) -> Result<String, UserTokenError> {
        let realm = self.realm;
        let core = &realm.core;
        let uid = realm.id_of(self.user)?;
        if value.len() > MAX_VALUE {
            return Err(UserTokenError::ValueTooLong(value.len()));
        }
        if !(1..=MAX_REMEMBER).contains(&duration.as_secs()) {
            return Err(UserTokenError::BadDuration(duration));
        }
        let purpose = Purpose::of_user(&core.name, purpose);
        let key = purpose.session_hash_key(core.ring.current());
        let token = UserValue {
            id: LoginId::generate().map_err(UserTokenError::Random)?,
            expires_at: core.clock.now().saturating_add(duration),
            session_hash: SessionHasher::digest(&key, self.user),
            uid: uid.to_string(),
            value: value.to_owned(),
        };
        Ok(token.encode(&core.ring, &purpose))
    }
}

impl<U> fmt::Debug for UserSigner<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserSigner([redacted])")
    }
}

/// A valid token and its user; returned by [`Signer::find_user`](super::signer::Signer::find_user).
///
/// The example of [`Signer::find_user`](super::signer::Signer::find_user) shows it.
#[must_use = "a token can be used again until `use_up`"]
pub struct UserToken<'r, U> {
    realm: &'r Realm<U>,
    user: U,
    token: UserValue,
}

/// A token has no sessions.
const NO_SESSION: SessionId = SessionId([0; 8]);

impl<'r, U: UserMixin> UserToken<'r, U> {
    pub(super) async fn find(
        realm: &'r Realm<U>,
        req: &'r Request<'_>,
        purpose: &str,
        text: &str,
    ) -> Result<Self, UserTokenError> {
        let core = &realm.core;
        let purpose = Purpose::of_user(&core.name, purpose);
        let (token, keys) =
            UserValue::decode(&core.ring, &purpose, text).ok_or(UserTokenError::Invalid)?;
        let now = core.clock.now();
        if now >= token.expires_at {
            return Err(UserTokenError::Expired);
        }
        // Dated after every end of all logins of the user, which is not the use of the token.
        let session = session(&core.name, &token, LAST_TIME);
        let (status, _) = core.revocations.status(session, now).await?;
        if status != SessionStatus::Open {
            return Err(UserTokenError::Spent);
        }
        let user = search::load(realm, req, &token.uid).await?;
        let key = purpose.session_hash_key(keys);
        match user {
            Some(user) if SessionHasher::digest(&key, &user) == token.session_hash => {
                Ok(UserToken { realm, user, token })
            }
            _ => Err(UserTokenError::Spent),
        }
    }

    /// Returns the user whom the token was signed for, active or not.
    ///
    /// The example of [`Signer::find_user`](super::signer::Signer::find_user) shows it.
    pub fn user(&self) -> &U {
        &self.user
    }

    /// Returns the value that was signed with the token.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{Signer, UserMixin, session::UserTokenError};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # fn set_email(user: &User, email: &str) {}
    /// # async fn handler(signer: Signer<'_, User>, token: &str) -> Result<(), UserTokenError> {
    /// let token = signer.find_user("new e-mail", token).await?;
    /// let email = token.value().to_owned();
    /// set_email(&token.use_up().await?, &email);
    /// # Ok(()) }
    /// ```
    pub fn value(&self) -> &str {
        &self.token.value
    }

    /// Uses the token up, so that nobody can use it again, and returns its user.
    ///
    /// The example of [`Signer::for_user`](super::signer::Signer::for_user) shows it.
    ///
    /// Do so in a POST, before anything else changes: programs that check e-mails open every link by GET. Of several
    /// concurrent calls with one token, one succeeds.
    ///
    /// The list of ended logins remembers the use until the token expires. So a token works once on all servers if they share
    /// a store or a list. Without one, it works once on each server, and again after a restart: until it expires, or until
    /// the user's session hash changes, which a new password does.
    ///
    /// # Errors
    ///
    /// - [`UserTokenError::Spent`]: the token has just been used.
    /// - [`UserTokenError::Unavailable`]: the list failed. The token may have been used up.
    pub async fn use_up(self) -> Result<U, UserTokenError> {
        let core = &self.realm.core;
        let now = core.clock.now();
        let user = core.user(&self.token.uid);
        // A list that is full ends all logins of the user from before this date, so it must not lie in the future.
        let date = core.revocations.date(user, now).await?;
        let end = RevokeSession {
            session: session(&core.name, &self.token, date),
            successor: None,
            now,
            // The clock of another server may be behind.
            until: self.token.expires_at.plus(SKEW),
        };
        match core.revocations.revoke(end).await? {
            Revoked::Before => Err(UserTokenError::Spent),
            Revoked::Now => Ok(self.user),
            // Fails closed: the list could not remember the token.
            Revoked::WithUser { .. } => Err(RevocationError::new(
                "the list is full, so it cannot remember that a token was used: raise `login.revocation_capacity`",
            )
            .into()),
        }
    }
}

/// A token as the list of ended logins knows it.
fn session<'a>(realm: &'a str, token: &'a UserValue, created_at: UnixTime) -> SessionRef<'a> {
    SessionRef {
        realm,
        login_id: token.id,
        session_id: NO_SESSION,
        user_id: &token.uid,
        created_at,
    }
}

impl<U> fmt::Debug for UserToken<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserToken([redacted])")
    }
}

/// Why a token for a user was not signed or not accepted; as a responder it answers with its [`status`](Self::status).
///
/// Whoever guesses or changes a token learns nothing: they always get [`Invalid`](Self::Invalid).
///
/// The example of [`Signer::for_user`](super::signer::Signer::for_user) shows it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UserTokenError {
    /// The token is not genuine, or was signed for another purpose, realm or application; 404.
    #[error("this is not a token for this purpose")]
    Invalid,
    /// The token is genuine, and its time is over; 410.
    #[error("the token has expired")]
    Expired,
    /// The token is genuine, and has been used, or its user has another session hash since, or is gone; 410.
    #[error("the token was used, or its user has changed since")]
    Spent,
    /// The user could not be loaded, or the revocation list did not answer; 5xx.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The user's id is empty or too long, or the user loader could not load the user by it; 500.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The value has this many bytes, more than 2,048; 500.
    #[error(
        "the value has {0} bytes, more than {MAX_VALUE}: keep it in the database, and sign its id"
    )]
    ValueTooLong(usize),
    /// The duration is not between one second and 400 days; 500.
    #[error("a token cannot be valid for {0:?}: set a duration from 1 second to 400 days")]
    BadDuration(Duration),
    /// The operating system gave no random bytes; 500.
    #[error("the operating system gave no random bytes: {0}")]
    Random(io::Error),
}

impl UserTokenError {
    /// Returns the status of the response.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket::http::Status;
    /// use rocket_login::session::UserTokenError;
    ///
    /// assert_eq!(UserTokenError::Spent.status(), Status::Gone);
    /// ```
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Invalid => Status::NotFound,
            Self::Expired | Self::Spent => Status::Gone,
            Self::Unavailable(error) => error.status(),
            Self::Id(_) | Self::ValueTooLong(_) | Self::BadDuration(_) | Self::Random(_) => {
                Status::InternalServerError
            }
        }
    }
}

impl<'r> Responder<'r, 'static> for UserTokenError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Err(self.status())
    }
}

impl From<RevocationError> for UserTokenError {
    fn from(error: RevocationError) -> Self {
        Self::Unavailable(error.into())
    }
}
