//! The database, opened and migrated at launch.

use rocket::fairing::AdHoc;
use rocket::figment::value::magic::RelativePathBuf;
use rocket::{Build, Rocket};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use crate::error::Cause;

pub(crate) fn stage() -> AdHoc {
    AdHoc::try_on_ignite("Database", |rocket| async {
        match open(&rocket).await {
            Ok(db) => Ok(rocket.manage(db)),
            Err(error) => {
                error!("cannot open the database: {error}");
                Err(rocket)
            }
        }
    })
}

async fn open(rocket: &Rocket<Build>) -> Result<SqlitePool, Cause> {
    let path: RelativePathBuf = rocket.figment().extract_inner("app.database")?;
    let options = SqliteConnectOptions::new()
        .filename(path.relative())
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let db = SqlitePool::connect_with(options).await?;
    sqlx::migrate!().run(&db).await?;
    login_sqlx::migrate(&db).await?;
    Ok(db)
}
