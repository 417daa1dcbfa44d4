//! Keeps the ended logins of rocket-login in PostgreSQL or SQLite, so that a logout holds on every server and after a
//! restart.

// Here, since rustdoc resolves no link above it.
#![cfg(any(feature = "postgres", feature = "sqlite"))]
//!
//! Enable the feature `postgres` or `sqlite`, and for TLS to PostgreSQL the feature `tls`. With the application's own
//! pool, which a fairing manages:
//!
//! ```rust,no_run
//! # #[macro_use] extern crate rocket;
//! # use rocket::fairing::AdHoc;
//! # use rocket_login::{LoginManager, UserMixin, user_loader};
//! # #[derive(UserMixin)] struct User { id: i64 }
//! # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
//! # type Result = std::result::Result<sqlx::SqlitePool, Box<dyn std::error::Error>>;
//! use sqlx::SqlitePool;
//!
//! async fn open() -> Result {
//!     let db = SqlitePool::connect("sqlite://club.sqlite3?mode=rwc").await?;
//!     login_sqlx::migrate(&db).await?;
//!     Ok(db)
//! }
//!
//! # fn stage() -> AdHoc {
//! #     AdHoc::try_on_ignite("Database", |rocket| async {
//! #         match open().await { Ok(db) => Ok(rocket.manage(db)), Err(_) => Err(rocket) }
//! #     })
//! # }
//! #[launch]
//! fn rocket() -> _ {
//!     rocket::build()
//!         .attach(stage()) // manages what `open` returns
//!         .attach(LoginManager::new(load_user).revocation_store(login_sqlx::from_pool::<SqlitePool>))
//! }
//! ```
//!
//! Or with a database only for this, at the setting `login.store.url`:
//!
//! ```rust
//! # use rocket_login::{LoginManager, UserMixin, user_loader};
//! # #[derive(UserMixin)] struct User { id: i64 }
//! # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
//! let manager = LoginManager::new(load_user).revocation_store(login_sqlx::from_url);
//! ```
//!
//! The [registry of logins](rocket_login::logins) goes into the same database, with
//! `.login_registry_from(login_sqlx::registry_from_pool::<SqlitePool>)` or `.login_registry_from(login_sqlx::registry_from_url)`.
//!
//! SQLite serves one machine, with one process or several. Its file must be on a local disk.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod connection;
mod error;
mod log;
mod migrate;
mod pool;
mod registry;

pub use self::connection::Database;
pub use self::error::{AddressError, MigrateError};
pub use self::log::SqlLog;
pub use self::migrate::migrate;
pub use self::registry::SqlRegistry;

use std::any::type_name;

use rocket::futures::future::BoxFuture;
use rocket_login::logins::RegistryError;
use rocket_login::store::{RevocationError, StoreSetup};

/// Opens the list in the database of a pool that the application manages, for
/// [`LoginManager::revocation_store`](rocket_login::LoginManager::revocation_store).
///
/// The database must have the tables that [`migrate()`] creates.
///
/// # Errors
///
/// If no such pool is managed.
///
/// # Example
///
/// The example of the crate has the fairing that manages the pool.
///
/// ```rust
/// # use rocket_login::{LoginManager, UserMixin, user_loader};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
/// use sqlx::SqlitePool;
///
/// let manager = LoginManager::new(load_user).revocation_store(login_sqlx::from_pool::<SqlitePool>);
/// ```
#[must_use]
pub fn from_pool<P>(setup: StoreSetup<'_>) -> BoxFuture<'_, Result<SqlLog, RevocationError>>
where
    P: Send + Sync + 'static,
    for<'p> &'p P: Into<Database>,
{
    Box::pin(async move {
        let pool = managed::<P>(setup).map_err(RevocationError::new)?;
        Ok(SqlLog::new(pool))
    })
}

/// Opens the registry of logins in the database of a pool that the application manages, for
/// [`LoginManager::login_registry_from`](rocket_login::LoginManager::login_registry_from).
///
/// The database must have the tables that [`migrate()`] creates.
///
/// # Errors
///
/// If no such pool is managed.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{LoginManager, UserMixin, user_loader};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
/// use sqlx::SqlitePool;
///
/// let manager = LoginManager::new(load_user)
///     .revocation_store(login_sqlx::from_pool::<SqlitePool>)
///     .login_registry_from(login_sqlx::registry_from_pool::<SqlitePool>);
/// ```
#[must_use]
pub fn registry_from_pool<P>(
    setup: StoreSetup<'_>,
) -> BoxFuture<'_, Result<SqlRegistry, RegistryError>>
where
    P: Send + Sync + 'static,
    for<'p> &'p P: Into<Database>,
{
    Box::pin(async move {
        let pool = managed::<P>(setup).map_err(RegistryError::new)?;
        Ok(SqlRegistry::new(pool))
    })
}

fn managed<P: Send + Sync + 'static>(setup: StoreSetup<'_>) -> Result<&P, String> {
    setup.rocket().state().ok_or_else(|| {
        format!(
            "no `{}` is managed; attach the fairing that manages it before the `LoginManager`",
            type_name::<P>()
        )
    })
}

/// Opens the registry of logins in the database at the setting `login.store.url`, for
/// [`LoginManager::login_registry_from`](rocket_login::LoginManager::login_registry_from).
///
/// It creates the tables, or brings them up to date, as [`migrate()`] does.
///
/// # Errors
///
/// If the setting is missing, or is not a URL of a database whose feature is enabled; if the tables cannot be created.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{LoginManager, UserMixin, user_loader};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
/// let manager = LoginManager::new(load_user)
///     .revocation_store(login_sqlx::from_url)
///     .login_registry_from(login_sqlx::registry_from_url);
/// ```
#[must_use]
pub fn registry_from_url(
    setup: StoreSetup<'_>,
) -> BoxFuture<'_, Result<SqlRegistry, RegistryError>> {
    Box::pin(async move {
        let url = setup.url().map_err(RegistryError::new)?;
        let database = Database::from_url(url)?;
        migrate(database.clone()).await?;
        Ok(SqlRegistry::new(database))
    })
}

/// Opens the list in the database at the setting `login.store.url`, for
/// [`LoginManager::revocation_store`](rocket_login::LoginManager::revocation_store).
///
/// It creates the tables, or brings them up to date, as [`migrate()`] does.
///
/// # Errors
///
/// If the setting is missing, or is not a URL of a database whose feature is enabled; if the tables cannot be created.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{LoginManager, UserMixin, user_loader};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
/// let manager = LoginManager::new(load_user).revocation_store(login_sqlx::from_url);
/// ```
#[must_use]
pub fn from_url(setup: StoreSetup<'_>) -> BoxFuture<'_, Result<SqlLog, RevocationError>> {
    Box::pin(async move {
        let database = Database::from_url(setup.url()?)?;
        migrate(database.clone()).await?;
        Ok(SqlLog::new(database))
    })
}
