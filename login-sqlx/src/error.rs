//! What can go wrong with a store in SQL, and the fix.

use rocket_login::logins::{RegistryError, RowError};
use rocket_login::store::{EntryError, RevocationError};
use thiserror::Error;

/// Why the tables could not be created.
///
/// # Example
///
/// ```rust,no_run
/// use login_sqlx::MigrateError;
///
/// async fn prepare(db: &sqlx::SqlitePool) -> Result<(), MigrateError> {
///     login_sqlx::migrate(db).await
/// }
/// ```
#[derive(Debug, Error)]
#[error(transparent)]
pub struct MigrateError(#[from] StoreError);

/// Why an address is not one of a database. The message does not repeat it, since it can contain a password.
///
/// The example of [`Database::from_url`](crate::Database::from_url) shows it.
#[derive(Debug, Error)]
#[error(
    "`login.store.url` is not an address of {}: write {}",
    join(" or ", ["PostgreSQL", "SQLite"]),
    join(" or ", ["`postgres://user:password@host/database`", "`sqlite://file.sqlite3?mode=rwc`"])
)]
pub struct AddressError(#[source] pub(crate) Option<sqlx::Error>);

/// Joins what this build can do, by its features.
fn join(or: &str, [postgres, sqlite]: [&str; 2]) -> String {
    let features = [
        (cfg!(feature = "postgres"), postgres),
        (cfg!(feature = "sqlite"), sqlite),
    ];
    let known = features.into_iter().filter(|(is_known, _)| *is_known);
    known.map(|(_, name)| name).collect::<Vec<_>>().join(or)
}

/// Why the store could not be read or written.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error("{name} cannot be reached ({error}): is it running, and is its address right?")]
    Unreachable { name: String, error: sqlx::Error },
    #[error(
        "{name} cannot be opened ({error}): is the path right? To let the launch create the file, end the address with \
         `?mode=rwc`"
    )]
    NoFile { name: String, error: sqlx::Error },
    #[error(
        "the certificate of {name} is not trusted ({error}): name the file of the authority that has signed it as \
         `sslrootcert` in the address of the database, and use a host there that the certificate is for"
    )]
    Certificate { name: String, error: sqlx::Error },
    #[error("{name} refuses the user or the password ({error})")]
    Password { name: String, error: sqlx::Error },
    #[error(
        "{name} cannot be written ({error}): free some of its disk, or give the user of the pool the right to write"
    )]
    ReadOnly { name: String, error: sqlx::Error },
    #[error("{name} fails: {error}")]
    Database { name: String, error: sqlx::Error },
    #[error("{0} does not answer in time")]
    Late(String),
    #[error("{0} is a replica: connect to the primary")]
    Replica(String),
    #[error(
        "{name} has no tables for ended logins: call `login_sqlx::migrate(&pool).await` before the launch ({error})"
    )]
    NoTables { name: String, error: sqlx::Error },
    #[error(
        "{name} has tables `rocket_login_..` that this version of login-sqlx has not made ({error}): run one version of \
         login-sqlx on all servers; if another program has made them, use another database for the list of ended logins"
    )]
    Foreign { name: String, error: sqlx::Error },
    #[error(
        "the tables for ended logins have version {found}, and this server has version {known}: {}",
        if found < known { "call `login_sqlx::migrate(&pool).await` before the launch" }
        else { "run one version of login-sqlx on all servers" }
    )]
    Version { found: i64, known: i64 },
    #[error("the list of ended logins was removed while it was in use")]
    RemovedMeanwhile,
    #[error("a database in memory forgets every logout at a restart: give SQLite a file")]
    InMemory,
    #[error("the operating system gives no random bytes: {0}")]
    Random(std::io::Error),
    #[error(transparent)]
    Entry(#[from] EntryError),
    #[error(transparent)]
    Row(#[from] RowError),
}

impl StoreError {
    /// Names the reason and the fix for an error of the database called `name`.
    pub(crate) fn of(error: sqlx::Error, name: String) -> Self {
        let database = error.as_database_error();
        let code = database.and_then(sqlx::error::DatabaseError::code);
        let message = database.map_or("", |error| error.message());
        match code.as_deref() {
            // PostgreSQL: wrong authorization.
            Some("28000" | "28P01") => Self::Password { name, error },
            // An unknown table.
            Some("42P01") => Self::NoTables { name, error },
            // A table that exists, an unknown column.
            Some("42P07" | "42703") => Self::Foreign { name, error },
            // No right to write, a read-only transaction, a full disk.
            Some("42501" | "25006" | "53100") => Self::ReadOnly { name, error },
            // SQLite: READONLY and FULL, with their extended codes.
            Some("8" | "13" | "264" | "520" | "776" | "1032" | "1288" | "1544") => {
                Self::ReadOnly { name, error }
            }
            Some("1") if message.starts_with("no such table") => Self::NoTables { name, error },
            Some("1")
                if message.contains("no such column") || message.contains("already exists") =>
            {
                Self::Foreign { name, error }
            }
            // SQLite: CANTOPEN.
            Some("14") => Self::NoFile { name, error },
            _ => match error {
                // sqlx has no variant for it.
                sqlx::Error::Io(cause) if cause.to_string().contains("peer certificate") => {
                    let error = sqlx::Error::Io(cause);
                    Self::Certificate { name, error }
                }
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => {
                    Self::Unreachable { name, error }
                }
                // A column of another type.
                sqlx::Error::ColumnDecode { .. } => Self::Foreign { name, error },
                error => Self::Database { name, error },
            },
        }
    }
}

impl From<AddressError> for RevocationError {
    fn from(error: AddressError) -> Self {
        Self::new(error)
    }
}

impl From<MigrateError> for RevocationError {
    fn from(error: MigrateError) -> Self {
        Self::new(error)
    }
}

impl From<AddressError> for RegistryError {
    fn from(error: AddressError) -> Self {
        Self::new(error)
    }
}

impl From<MigrateError> for RegistryError {
    fn from(error: MigrateError) -> Self {
        Self::new(error)
    }
}

impl From<StoreError> for RevocationError {
    fn from(error: StoreError) -> Self {
        Self::new(error)
    }
}
