//! A connection to one of the databases, and the few things in which they differ.

use std::fmt;
use std::time::Duration;
#[cfg(feature = "sqlite")]
use std::time::Instant;

use rocket::futures::future::BoxFuture;
#[cfg(feature = "sqlite")]
use rocket::tokio::time::sleep;
#[cfg(feature = "postgres")]
use sqlx::postgres::PgConnectOptions;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, FromRow};

use crate::error::AddressError;

/// A database of the application, made from its pool: from `&sqlx::PgPool` with the feature `postgres`, from
/// `&sqlx::SqlitePool` with the feature `sqlite`.
///
/// Only the options of the pool are used: the list opens connections of its own.
///
/// The example of [`Database::from_url`] shows it.
#[derive(Clone, Debug)]
pub struct Database(pub(crate) Options);

impl Database {
    /// Takes a URL such as `postgres://user:password@host/database` or `sqlite://file.sqlite3`; connects later.
    ///
    /// # Errors
    ///
    /// If it is not a URL of a database whose feature is enabled.
    ///
    /// # Example
    ///
    /// ```rust
    /// use login_sqlx::Database;
    ///
    /// # fn main() {
    /// let error = Database::from_url("mysql://root:S3cret@localhost").unwrap_err();
    /// assert!(!error.to_string().contains("S3cret"));
    /// # }
    /// ```
    pub fn from_url(url: &str) -> Result<Self, AddressError> {
        let wrong = |error| AddressError(Some(error));
        match url.split_once(':').map(|(scheme, _)| scheme) {
            #[cfg(feature = "postgres")]
            Some("postgres" | "postgresql") => {
                Ok(Self(Options::Postgres(url.parse().map_err(wrong)?)))
            }
            #[cfg(feature = "sqlite")]
            Some("sqlite") => {
                let options: SqliteConnectOptions = url.parse().map_err(wrong)?;
                // Its readers and its writer do not wait for each other.
                let options = options.journal_mode(SqliteJournalMode::Wal);
                Ok(Self(Options::Sqlite(options)))
            }
            _ => Err(AddressError(None)),
        }
    }
}

#[cfg(feature = "postgres")]
impl From<&sqlx::PgPool> for Database {
    fn from(pool: &sqlx::PgPool) -> Self {
        Self(Options::Postgres(pool.connect_options().as_ref().clone()))
    }
}

#[cfg(feature = "sqlite")]
impl From<&sqlx::SqlitePool> for Database {
    fn from(pool: &sqlx::SqlitePool) -> Self {
        Self(Options::Sqlite(pool.connect_options().as_ref().clone()))
    }
}

/// How long the database may take for one call.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How to connect.
#[derive(Clone)]
pub(crate) enum Options {
    #[cfg(feature = "postgres")]
    Postgres(PgConnectOptions),
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConnectOptions),
}

pub(crate) enum Connection {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgConnection),
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqliteConnection),
}

/// An argument of a statement.
pub(crate) enum Argument<'a> {
    Text(&'a str),
    Number(i64),
    Flag(bool),
}

/// The words in which the databases differ.
pub(crate) struct Dialect {
    /// An expression for the clock, in seconds.
    pub(crate) clock: &'static str,
    /// An expression for whether this is not the primary.
    pub(crate) is_replica: &'static str,
    /// An expression for whether nothing survives a restart.
    pub(crate) is_in_memory: &'static str,
    /// Begins a transaction that waits for no disk less than it must.
    pub(crate) begin: &'static str,
    /// The end of a `SELECT` that locks its rows.
    pub(crate) lock: &'static str,
    /// Waits for a lock with a name, until the end of the transaction; `None` if only one transaction writes at a time.
    pub(crate) lock_name: Option<&'static str>,
    /// Begins a transaction that no other migration runs beside.
    pub(crate) begin_migration: &'static str,
}

/// A server that is stopped within a transaction would hold its lock for ever, hence the timeout. `remote_apply` and its
/// like stay as they are: they promise more.
#[cfg(feature = "postgres")]
const POSTGRES: Dialect = Dialect {
    clock: "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)",
    is_replica: "pg_is_in_recovery()",
    is_in_memory: "FALSE",
    begin: "BEGIN ISOLATION LEVEL READ COMMITTED; \
            SET LOCAL idle_in_transaction_session_timeout = '3s'; \
            SET LOCAL lock_timeout = '3s'; \
            SELECT set_config('synchronous_commit', 'on', TRUE) \
            WHERE current_setting('synchronous_commit') IN ('off', 'local')",
    lock: "FOR UPDATE",
    lock_name: Some("SELECT pg_advisory_xact_lock(hashtextextended($1, 7815278011530846317))"),
    // The number is arbitrary: it only has to be the same in every version of this crate.
    // The notice that a table exists is no news.
    begin_migration: "BEGIN; SET LOCAL client_min_messages = 'warning'; \
                      SELECT pg_advisory_xact_lock(7815278011530846317)",
};

#[cfg(feature = "sqlite")]
const SQLITE: Dialect = Dialect {
    clock: "CAST(strftime('%s', 'now') AS INTEGER)",
    is_replica: "FALSE",
    is_in_memory: "(SELECT file FROM pragma_database_list WHERE name = 'main') = ''",
    begin: "BEGIN IMMEDIATE",
    lock: "",
    lock_name: None,
    begin_migration: "BEGIN IMMEDIATE",
};

macro_rules! row_trait {
    ($feature:literal $name:ident $row:path) => {
        #[cfg(feature = $feature)]
        pub(crate) trait $name: for<'r> FromRow<'r, $row> {}
        #[cfg(feature = $feature)]
        impl<T: for<'r> FromRow<'r, $row>> $name for T {}
        #[cfg(not(feature = $feature))]
        pub(crate) trait $name {}
        #[cfg(not(feature = $feature))]
        impl<T> $name for T {}
    };
}
row_trait!("postgres" FromPostgres sqlx::postgres::PgRow);
row_trait!("sqlite" FromSqlite sqlx::sqlite::SqliteRow);

/// What a row of any of the databases can become.
pub(crate) trait Row: FromPostgres + FromSqlite + Send + Unpin {}
impl<T: FromPostgres + FromSqlite + Send + Unpin> Row for T {}

/// Prints no password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Options {
    /// The options of a list that exists: a file that has been moved away must not come back empty.
    pub(crate) fn existing(self) -> Self {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => Self::Sqlite(options.create_if_missing(false)),
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => Self::Postgres(options),
        }
    }

    pub(crate) async fn connect(&self) -> sqlx::Result<Connection> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => {
                let options = options.clone().disable_statement_logging();
                Ok(Connection::Postgres(options.connect().await?))
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => {
                let options = options
                    .clone()
                    .synchronous(SqliteSynchronous::Full)
                    .disable_statement_logging();
                Ok(Connection::Sqlite(connect_in_turn(&options).await?))
            }
        }
    }

    pub(crate) fn dialect(&self) -> &'static Dialect {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => &POSTGRES,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => &SQLITE,
        }
    }

    /// What the options lead to, if that can change under an open connection: a restored file of SQLite is another file
    /// with the same name.
    pub(crate) fn identity(&self) -> Option<(u64, u64)> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => file_identity(options.get_filename()),
        }
    }

    /// The name of the database, without a password.
    pub(crate) fn name(&self) -> String {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => format!(
                "PostgreSQL at {}:{}",
                options.get_host(),
                options.get_port()
            ),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => format!("SQLite in {}", options.get_filename().display()),
        }
    }
}

/// Waits while another server creates the file. SQLite does not wait by itself there: the change to the journal mode WAL
/// fails at once if the file is in use, whatever its busy timeout is.
#[cfg(feature = "sqlite")]
async fn connect_in_turn(options: &SqliteConnectOptions) -> sqlx::Result<sqlx::SqliteConnection> {
    const BUSY: &str = "5";
    let start = Instant::now();
    loop {
        let connection = options.connect().await;
        let is_busy = matches!(&connection, Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(BUSY));
        if !is_busy || start.elapsed() >= PATIENCE {
            return connection;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(all(feature = "sqlite", unix))]
fn file_identity(path: &std::path::Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(all(feature = "sqlite", not(unix)))]
fn file_identity(_: &std::path::Path) -> Option<(u64, u64)> {
    None
}

macro_rules! bind {
    ($query:expr, $arguments:expr) => {{
        let mut query = $query;
        for argument in $arguments {
            query = match argument {
                Argument::Text(text) => query.bind(*text),
                Argument::Number(number) => query.bind(*number),
                Argument::Flag(flag) => query.bind(*flag),
            };
        }
        query
    }};
}

/// The futures are boxed, since the compiler cannot see that those of sqlx are `Send`.
impl Connection {
    /// Asks the database whether it still knows the connection.
    pub(crate) fn ping(&mut self) -> BoxFuture<'_, sqlx::Result<()>> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.ping(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.ping(),
        }
    }

    /// Runs one statement with arguments, and returns its rows.
    pub(crate) fn fetch<'c, T: Row + 'c>(
        &'c mut self,
        sql: &'c str,
        arguments: &'c [Argument<'c>],
    ) -> BoxFuture<'c, sqlx::Result<Vec<T>>> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                Box::pin(bind!(sqlx::query_as(sql), arguments).fetch_all(connection))
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                Box::pin(bind!(sqlx::query_as(sql), arguments).fetch_all(connection))
            }
        }
    }

    /// Runs one statement with arguments, and returns how many rows it has changed.
    pub(crate) fn change<'c>(
        &'c mut self,
        sql: &'c str,
        arguments: &'c [Argument<'c>],
    ) -> BoxFuture<'c, sqlx::Result<u64>> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let done = bind!(sqlx::query(sql), arguments).execute(connection);
                Box::pin(async { Ok(done.await?.rows_affected()) })
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                let done = bind!(sqlx::query(sql), arguments).execute(connection);
                Box::pin(async { Ok(done.await?.rows_affected()) })
            }
        }
    }

    /// Runs statements without arguments.
    pub(crate) fn run<'c>(&'c mut self, sql: &'c str) -> BoxFuture<'c, sqlx::Result<()>> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                let done = connection.execute(sql);
                Box::pin(async { done.await.map(drop) })
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                let done = connection.execute(sql);
                Box::pin(async { done.await.map(drop) })
            }
        }
    }
}
