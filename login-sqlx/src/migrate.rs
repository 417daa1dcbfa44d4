//! The tables, and their changes from version to version.

use crate::connection::{Argument, Connection, Database};
use crate::error::{MigrateError, StoreError};

/// What leads from each version of the tables to the next one. sqlx's own migrations are not used, since they share one
/// table with those of the application, and refuse each other's.
const MIGRATIONS: [&str; 3] = [
    include_str!("../migrations/1.sql"),
    include_str!("../migrations/2.sql"),
    include_str!("../migrations/3.sql"),
];

/// The version that this crate reads.
#[allow(
    clippy::cast_possible_wrap,
    reason = "the number of migrations is small"
)]
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS rocket_login_schema (version BIGINT PRIMARY KEY)";

/// Creates the tables for ended logins and for the registry of logins, or brings them up to date. Their names begin with `rocket_login_`.
///
/// It changes nothing if they are up to date, and several servers may call it at the same time. To create or change them,
/// the user of the pool must have the right to create tables; if it has not, call it once as another user.
///
/// # Errors
///
/// If the database cannot be reached or written, or has tables of a later version of this crate.
///
/// # Example
///
/// ```rust,no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::SqlitePool::connect("sqlite://club.sqlite3").await?;
/// login_sqlx::migrate(&pool).await?;
/// # Ok(()) }
/// ```
pub async fn migrate(database: impl Into<Database>) -> Result<(), MigrateError> {
    let Database(options) = database.into();
    let failed = |error| StoreError::of(error, options.name());
    let mut connection = options.connect().await.map_err(failed)?;
    // PostgreSQL refuses even `CREATE TABLE IF NOT EXISTS` to a user without the right to create tables.
    if version(&mut connection)
        .await
        .is_ok_and(|found| found == VERSION)
    {
        return Ok(());
    }
    connection
        .run(options.dialect().begin_migration)
        .await
        .map_err(failed)?;
    connection.run(CREATE).await.map_err(failed)?;
    let found = version(&mut connection).await.map_err(failed)?;
    if found > VERSION {
        return Err(StoreError::Version {
            found,
            known: VERSION,
        }
        .into());
    }
    for (migration, version) in MIGRATIONS.iter().zip(1..) {
        if version > found {
            connection.run(migration).await.map_err(failed)?;
            let insert = "INSERT INTO rocket_login_schema (version) VALUES ($1)";
            let version = [Argument::Number(version)];
            connection.change(insert, &version).await.map_err(failed)?;
        }
    }
    connection.run("COMMIT").await.map_err(failed)?;
    Ok(())
}

/// The version of the tables; 0 before the first migration.
async fn version(connection: &mut Connection) -> sqlx::Result<i64> {
    let select = "SELECT COALESCE(MAX(version), 0) FROM rocket_login_schema";
    let rows: Vec<(i64,)> = connection.fetch(select, &[]).await?;
    Ok(rows.first().map_or(0, |row| row.0))
}
