//! The guard by which an application signs short values of its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Ignite, Request, Rocket, Sentinel, async_trait};
use tracing::error;

use crate::access::denial::Refusal;
use crate::realm::{AnyRealm, Realms};
use crate::token::value;

/// Signs and reads an application's own short values: the token of a newsletter, the state of a form.
///
/// Each purpose has a key of its own, so that no value stands in for another's, nor for a login.
/// Values are signed, not encrypted. Flask-Login's `encode_cookie` and `decode_cookie`, with an expiry.
///
/// # Example
///
/// ```rust
/// # use rocket::get;
/// use std::time::Duration;
/// use rocket_login::Signer;
///
/// #[get("/invite")]
/// fn invite(signer: Signer) -> Option<String> {
///     let token = signer.encode_cookie("invitation", "group 7", Duration::from_secs(3600))?;
///     assert_eq!(signer.decode_cookie("invitation", &token).as_deref(), Some("group 7"));
///     assert_eq!(signer.decode_cookie("newsletter", &token), None);
///     Some(token)
/// }
/// ```
pub struct Signer(Arc<dyn AnyRealm>);

impl Signer {
    /// Returns the signed value, fit for a cookie or a URL; it holds for `duration`, in whole seconds.
    ///
    /// `None` for a value of more than 2,048 bytes.
    #[must_use]
    pub fn encode_cookie(&self, purpose: &str, value: &str, duration: Duration) -> Option<String> {
        let core = self.0.core();
        let expires_at = core.clock.now().saturating_add(duration);
        value::encode(&core.ring, &own(purpose), value, expires_at)
    }

    /// Returns the value, if it was signed here for this purpose and has not expired.
    #[must_use]
    pub fn decode_cookie(&self, purpose: &str, cookie: &str) -> Option<String> {
        let core = self.0.core();
        value::decode(&core.ring, &own(purpose), cookie, core.clock.now())
    }
}

/// The application's purposes stand apart from the library's own.
fn own(purpose: &str) -> String {
    format!("application: {purpose}")
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer([redacted])")
    }
}

#[async_trait]
impl<'r> FromRequest<'r> for Signer {
    type Error = Refusal;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Refusal> {
        match Realms::all(req.rocket()).into_iter().next() {
            Some(realm) => Outcome::Success(Signer(Arc::clone(realm))),
            None => Refusal::NoManager.outcome(),
        }
    }
}

impl Sentinel for Signer {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let missing = Realms::all(rocket).is_empty();
        if missing {
            error!(
                "a route asks for a `Signer`, but no `LoginManager` is attached: \
                 add `.attach(LoginManager::new(load_user))` to the rocket"
            );
        }
        missing
    }
}
