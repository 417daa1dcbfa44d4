//! Keeps the ended logins of [rocket-login](rocket_login) in PostgreSQL or SQLite, so that a logout holds on every server
//! and after a restart.
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
//!     let db = SqlitePool::connect("sqlite://club.sqlite3").await?;
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
//! SQLite serves one machine, with one process or several. Its file must be on a local disk.

#![cfg(any(feature = "postgres", feature = "sqlite"))]

mod connection;
mod error;
mod log;
mod migrate;
mod pool;

pub use self::connection::Database;
pub use self::error::{AddressError, MigrateError};
pub use self::log::SqlLog;
pub use self::migrate::migrate;

use std::any::type_name;

use rocket::futures::future::BoxFuture;
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
/// See [the crate](crate).
#[must_use]
pub fn from_pool<P>(setup: StoreSetup<'_>) -> BoxFuture<'_, Result<SqlLog, RevocationError>>
where
    P: Send + Sync + 'static,
    for<'p> &'p P: Into<Database>,
{
    Box::pin(async move {
        let pool: Option<&P> = setup.rocket().state();
        pool.map(SqlLog::new).ok_or_else(|| {
            RevocationError::new(format!(
                "no `{}` is managed; attach the fairing that manages it before the `LoginManager`",
                type_name::<P>()
            ))
        })
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
/// See [the crate](crate).
#[must_use]
pub fn from_url(setup: StoreSetup<'_>) -> BoxFuture<'_, Result<SqlLog, RevocationError>> {
    Box::pin(async move {
        let database = Database::from_url(setup.url()?)?;
        migrate(database.clone()).await?;
        Ok(SqlLog::new(database))
    })
}
