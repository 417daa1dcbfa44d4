//! The guard that signs an application's own short values.

use std::fmt;
use std::time::Duration;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel};

use crate::access::denial::GuardError;
use crate::app::user::UserMixin;
use crate::realm::registry::manager_is_missing;
use crate::realm::{Realm, RealmCore};
use crate::token::value;

/// Signs and verifies an application's own short values, such as an invitation or the state of a form.
///
/// It uses the keys of the manager for `U`. Each purpose has its own key, so a value that was signed for one purpose is
/// worthless for another, and never a login. Values are signed, not encrypted. Flask-Login's `encode_cookie` and
/// `decode_cookie`, with an expiry.
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
pub struct Signer<'r, U>(&'r Realm<U>);

impl<U> Clone for Signer<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for Signer<'_, U> {}

impl<U: UserMixin> Signer<'_, U> {
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
        value::encode(&core.ring, &own(purpose), value, expires_at)
    }

    /// Returns the value, if it was signed for this purpose and has not expired.
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
        value::decode(&core.ring, &own(purpose), signed, core.clock.now())
    }

    fn core(&self) -> &RealmCore {
        &self.0.core
    }
}

/// Keeps the application's purposes apart from the library's own.
fn own(purpose: &str) -> String {
    format!("application: {purpose}")
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
            Some(realm) => Outcome::Success(Signer(realm)),
            None => GuardError::NoManager.outcome(),
        }
    }
}

impl<U: UserMixin> Sentinel for Signer<'_, U> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        manager_is_missing::<U>(rocket)
    }
}
