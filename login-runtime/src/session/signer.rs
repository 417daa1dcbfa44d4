//! The guard that signs an application's own short values.

use std::fmt;
use std::time::Duration;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use super::user_token::{UserSigner, UserToken, UserTokenError};
use crate::access::denial::GuardError;
use crate::app::user::UserMixin;
use crate::realm::registry::manager_is_missing;
use crate::realm::{Realm, RealmCore};
use crate::token::value::{self, Purpose};

/// Signs and verifies an application's own short values, such as an invitation or the state of a form.
///
/// It uses the keys of the manager for `U`. Each purpose has its own key in each realm, so a value that was signed for one
/// purpose or realm is worthless for another, and never a login. Values are signed, not encrypted. Flask-Login's `encode_cookie` and
/// `decode_cookie`, with an expiry.
///
/// [`for_user`](Self::for_user) signs tokens for one user, such as a link to reset a password.
///
/// # Example
///
/// ```rust
/// # use rocket::get;
/// # use rocket_login::UserMixin;
/// # #[derive(UserMixin)] struct User { id: i64 }
/// use std::time::Duration;
/// use rocket_login::Signer;
///
/// #[get("/invite")]
/// fn invite(signer: Signer<'_, User>) -> Option<String> {
///     let token = signer.sign("invitation", "group 7", Duration::from_secs(3600))?;
///     assert_eq!(signer.verify("invitation", &token).as_deref(), Some("group 7"));
///     assert_eq!(signer.verify("newsletter", &token), None);
///     Some(token)
/// }
/// ```
pub struct Signer<'r, U> {
    realm: &'r Realm<U>,
    req: &'r Request<'r>,
}

impl<U> Clone for Signer<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for Signer<'_, U> {}

impl<'r, U: UserMixin> Signer<'r, U> {
    /// Returns the signed value, which fits into a cookie or a URL. It is valid for `duration`, in whole seconds.
    ///
    /// Returns `None` if `value` has more than 2,048 bytes.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use std::time::Duration;
    /// # use rocket_login::{Signer, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # fn handler(signer: Signer<'_, User>) -> Option<String> {
    /// signer.sign("unsubscribe", "alice@example.com", Duration::from_secs(30 * 24 * 60 * 60))
    /// # }
    /// ```
    #[doc(alias = "encode_cookie")]
    #[must_use]
    pub fn sign(&self, purpose: &str, value: &str, duration: Duration) -> Option<String> {
        let core = self.core();
        let expires_at = core.clock.now().saturating_add(duration);
        let purpose = Purpose::of_application(&core.name, purpose);
        value::encode(&core.ring, &purpose, value, expires_at)
    }

    /// Returns the value, if it was signed for this purpose in this realm and has not expired.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{Signer, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # fn handler(signer: Signer<'_, User>, token: &str) -> Option<String> {
    /// signer.verify("unsubscribe", token)
    /// # }
    /// ```
    #[doc(alias = "decode_cookie")]
    #[must_use]
    pub fn verify(&self, purpose: &str, signed: &str) -> Option<String> {
        let core = self.core();
        let purpose = Purpose::of_application(&core.name, purpose);
        value::decode(&core.ring, &purpose, signed, core.clock.now())
    }

    /// Signs tokens for one user: a link to reset a password, or to verify an e-mail address.
    ///
    /// A token is for one purpose and one user, expires, and can be [used up](UserToken::use_up). It dies when the user's
    /// [`session_hash`](UserMixin::session_hash) changes: a link to reset a password dies with the next new password, whoever
    /// sets it. Without a session hash it lives until it expires or is used up. Django's `PasswordResetTokenGenerator`, Rails'
    /// `generates_token_for`.
    ///
    /// Whoever has the link can use it: let it live for minutes or hours. Put the token into the query, as in the example:
    /// our log lines name paths and no queries. Rocket's own line at the log level `normal` names both.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::form::Form;
    /// # use rocket::post;
    /// # use rocket_login::UserMixin;
    /// # #[derive(UserMixin)] struct User { id: i64, #[user(session_hash)] password_hash: String }
    /// # fn find_by_email(email: &str) -> Option<User> { None }
    /// # fn send(email: &str, text: &str) {}
    /// # async fn set_password(user: &User, password: &str) {}
    /// use std::time::Duration;
    /// use rocket_login::{Signer, session::UserTokenError};
    ///
    /// #[post("/forgotten", data = "<email>")]
    /// fn forgotten(email: &str, signer: Signer<'_, User>) -> Result<&'static str, UserTokenError> {
    ///     if let Some(user) = find_by_email(email) {
    ///         let token = signer.for_user(&user).sign("new password", "", Duration::from_secs(30 * 60))?;
    ///         send(email, &format!("https://app.example/reset?token={token}"));
    ///     }
    ///     // The same for every address, so that nobody learns who has an account.
    ///     Ok("If there is an account, a mail is on its way.")
    /// }
    ///
    /// #[post("/reset?<token>", data = "<password>")]
    /// async fn reset(
    ///     token: &str,
    ///     password: &str,
    ///     signer: Signer<'_, User>,
    /// ) -> Result<&'static str, UserTokenError> {
    ///     let user = signer.find_user("new password", token).await?.use_up().await?;
    ///     // All logins of the user end too, because their session hash changes.
    ///     set_password(&user, password).await;
    ///     Ok("You have a new password.")
    /// }
    /// ```
    #[must_use]
    pub fn for_user<'s>(&self, user: &'s U) -> UserSigner<'s, 'r, U> {
        UserSigner::new(self.realm, user)
    }

    /// Verifies a token that [`for_user`](Self::for_user) has signed for this purpose, and loads its user.
    ///
    /// The token stays valid until [`use_up`](UserToken::use_up): a GET can show the form, and its POST uses the token up.
    ///
    /// # Errors
    ///
    /// - [`UserTokenError::Invalid`]: the token is not genuine, or is for another purpose, realm or application.
    /// - [`UserTokenError::Expired`], [`UserTokenError::Spent`]: it was genuine.
    /// - [`UserTokenError::Unavailable`]: the user loader or the revocation list failed.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket_login::UserMixin;
    /// # #[derive(UserMixin)] struct User { id: i64, name: String }
    /// use rocket_login::{Signer, session::UserTokenError};
    ///
    /// #[get("/reset?<token>")]
    /// async fn form(token: &str, signer: Signer<'_, User>) -> Result<String, UserTokenError> {
    ///     let token = signer.find_user("new password", token).await?;
    ///     Ok(format!("Choose a new password, {}", token.user().name))
    /// }
    /// ```
    pub async fn find_user(
        &self,
        purpose: &str,
        token: &str,
    ) -> Result<UserToken<'r, U>, UserTokenError> {
        UserToken::find(self.realm, self.req, purpose, token).await
    }

    fn core(&self) -> &RealmCore {
        &self.realm.core
    }
}

impl<U> fmt::Debug for Signer<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer([redacted])")
    }
}

#[rocket::async_trait]
impl<'r, U: UserMixin> FromRequest<'r> for Signer<'r, U> {
    type Error = GuardError;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, GuardError> {
        match Realm::<U>::of(req.rocket()) {
            Some(realm) => Outcome::Success(Signer { realm, req }),
            None => GuardError::NoManager.outcome(),
        }
    }
}

impl<U: UserMixin> Sentinel for Signer<'_, U> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}
