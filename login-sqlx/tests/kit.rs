//! The lists of ended logins, and the registries of logins, in a real PostgreSQL and in SQLite do what every store must.
//!
//! Without PostgreSQL its test prints how to install it, and passes. If `LOGIN_STORES` is `required`, it fails.

use std::sync::atomic::{AtomicUsize, Ordering};

use login_engines::{Folder, Postgres};
use login_sqlx::{SqlLog, SqlRegistry};
use rocket_login::testing::{registry, store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{PgPool, SqlitePool};

#[rocket::async_test]
async fn postgres_does_what_every_store_must() {
    let Some(postgres) = Postgres::start(&[]) else {
        return;
    };
    Box::pin(store::conforms(async || {
        let pool = PgPool::connect_lazy(&postgres.database()).unwrap();
        login_sqlx::migrate(&pool).await.unwrap();
        [(); 2].map(|()| SqlLog::new(&pool))
    }))
    .await;
}

#[rocket::async_test]
async fn sqlite_does_what_every_store_must() {
    let folder = Folder::new();
    for journal in [SqliteJournalMode::Wal, SqliteJournalMode::Delete] {
        let count = AtomicUsize::new(0);
        Box::pin(store::conforms(async || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            let options = SqliteConnectOptions::new()
                .filename(folder.path().join(format!("{journal:?}-{number}.sqlite3")))
                .create_if_missing(true)
                .journal_mode(journal);
            let pool = SqlitePool::connect_with(options).await.unwrap();
            login_sqlx::migrate(&pool).await.unwrap();
            [(); 2].map(|()| SqlLog::new(&pool))
        }))
        .await;
    }
}

#[rocket::async_test]
async fn a_registry_in_postgres_does_what_every_registry_must() {
    let Some(postgres) = Postgres::start(&[]) else {
        return;
    };
    Box::pin(registry::conforms(async || {
        let pool = PgPool::connect_lazy(&postgres.database()).unwrap();
        login_sqlx::migrate(&pool).await.unwrap();
        [(); 2].map(|()| SqlRegistry::new(&pool))
    }))
    .await;
}

#[rocket::async_test]
async fn a_registry_in_sqlite_does_what_every_registry_must() {
    let folder = Folder::new();
    let count = AtomicUsize::new(0);
    Box::pin(registry::conforms(async || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join(format!("{number}.sqlite3")))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        login_sqlx::migrate(&pool).await.unwrap();
        [(); 2].map(|()| SqlRegistry::new(&pool))
    }))
    .await;
}
