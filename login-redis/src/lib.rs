//! Keeps the ended logins of [rocket-login](rocket_login) in Redis or Valkey, so that a logout holds on every server and
//! after a restart.
//!
//! One line in the application:
//!
//! ```rust,no_run
//! # #[macro_use] extern crate rocket;
//! # use rocket_login::{LoginManager, UserMixin, user_loader};
//! # #[derive(UserMixin)] struct User { id: i64 }
//! # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
//! #[launch]
//! fn rocket() -> _ {
//!     rocket::build().attach(LoginManager::new(load_user).revocation_store(login_redis::from_url))
//! }
//! ```
//!
//! and one in Rocket.toml, or the variable `ROCKET_LOGIN='{store={url="redis://.."}}'`:
//!
//! ```toml
//! [default.login.store]
//! url = "redis://user:password@redis.internal:6379/0"
//! ```
//!
//! The server must be a primary of Redis 7 or newer, or of any Valkey, with `maxmemory-policy noeviction` and
//! `appendonly yes`. The launch warns if the server may evict the list or keeps no append-only file, or stops with
//! [`RedisLog::strict`]. For `rediss://`, which is TLS
//! with the certificates of the operating system, enable the feature `tls`.
//!
//! The [registry of logins](rocket_login::logins) goes into the same Redis, with
//! `.login_registry_from(login_redis::registry_from_url)`.
//!
//! For everything that has no setting, open the list yourself:
//!
//! ```rust,no_run
//! # use std::time::Duration;
//! # use rocket_login::{LoginManager, UserMixin, user_loader};
//! # #[derive(UserMixin)] struct User { id: i64 }
//! # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
//! use login_redis::RedisLog;
//!
//! let manager = LoginManager::new(load_user).revocation_store(|setup| {
//!     Box::pin(async move {
//!         let log = RedisLog::open(setup.url()?)?.prefix("club")?;
//!         Ok(log.strict(true).wait_for_replicas(1, Duration::from_millis(200)))
//!     })
//! });
//! ```

mod error;
mod launch;
mod link;
mod log;
mod registry;

pub use redis;

pub use self::error::{AddressError, Cause};
pub use self::log::RedisLog;
pub use self::registry::RedisRegistry;

use rocket::futures::future::{BoxFuture, ready};
use rocket_login::logins::RegistryError;
use rocket_login::store::{RevocationError, StoreSetup};

/// Opens the list at the setting `login.store.url`, for
/// [`LoginManager::revocation_store`](rocket_login::LoginManager::revocation_store).
///
/// # Errors
///
/// If the setting is missing, or is not a URL of Redis.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{LoginManager, UserMixin, user_loader};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
/// let manager = LoginManager::new(load_user).revocation_store(login_redis::from_url);
/// ```
#[must_use]
pub fn from_url(setup: StoreSetup<'_>) -> BoxFuture<'_, Result<RedisLog, RevocationError>> {
    Box::pin(ready(open(setup)))
}

fn open(setup: StoreSetup<'_>) -> Result<RedisLog, RevocationError> {
    Ok(RedisLog::open(setup.url()?)?)
}

/// Opens the registry of logins at the setting `login.store.url`, for
/// [`LoginManager::login_registry_from`](rocket_login::LoginManager::login_registry_from).
///
/// # Errors
///
/// If the setting is missing, or is not a URL of Redis.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{LoginManager, UserMixin, user_loader};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
/// let manager = LoginManager::new(load_user)
///     .revocation_store(login_redis::from_url)
///     .login_registry_from(login_redis::registry_from_url);
/// ```
#[must_use]
pub fn registry_from_url(
    setup: StoreSetup<'_>,
) -> BoxFuture<'_, Result<RedisRegistry, RegistryError>> {
    Box::pin(ready(open_registry(setup)))
}

fn open_registry(setup: StoreSetup<'_>) -> Result<RedisRegistry, RegistryError> {
    let url = setup.url().map_err(RegistryError::new)?;
    Ok(RedisRegistry::open(url)?)
}
