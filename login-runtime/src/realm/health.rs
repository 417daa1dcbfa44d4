//! How the stores of ended logins are doing, for an application's health check.

use std::convert::Infallible;
use std::time::Duration;

use rocket::Request;
use rocket::request::{FromRequest, Outcome};

use super::registry::Realms;
use crate::revocation::replicated::Health;

/// A request guard that says whether the server's copies of the stores of ended logins are fresh.
///
/// It never fails and asks no store. Without a store, the lists are in the process's memory and always fresh.
///
/// # Example
///
/// ```rust
/// # use rocket::{get, http::Status};
/// use rocket_login::store::StoreHealth;
///
/// #[get("/health")]
/// fn health(store: StoreHealth) -> Status {
///     if store.is_fresh() { Status::Ok } else { Status::ServiceUnavailable }
/// }
///
/// #[get("/metrics")]
/// fn metrics(store: StoreHealth) -> String {
///     let age = store.age().unwrap_or_default();
///     format!("age {age:?}, entries {}, losses {}", store.entries(), store.losses())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StoreHealth(Vec<Health>);

impl StoreHealth {
    /// Returns whether every copy is fresh: it knows all logouts but the latest, for which `login.store.max_staleness` is
    /// the limit.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.0.iter().all(|health| health.is_fresh)
    }

    /// Returns how old the oldest copy is: the time since it was last seen to be complete. `None` without a store.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.0.iter().map(|health| health.age).max()
    }

    /// Returns how many logins and users have entries in the copies, each with about 60 bytes.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.0
            .iter()
            .fold(0, |sum, health| sum.saturating_add(health.entries))
    }

    /// Returns how often a store has lost changes or was replaced since the server was started.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.0
            .iter()
            .fold(0, |sum, health| sum.saturating_add(health.losses))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for StoreHealth {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let realms = Realms::all(req.rocket()).iter();
        let health = realms.filter_map(|realm| realm.core().revocations.health());
        Outcome::Success(Self(health.collect()))
    }
}
