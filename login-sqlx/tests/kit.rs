//! The lists of ended logins, and the registries of logins, in a real PostgreSQL and in SQLite do what every store must.
//!
//! Without PostgreSQL its test prints how to install it, and passes. If `LOGIN_STORES` is `required`, it fails.

use std::sync::atomic::{AtomicUsize, Ordering};

use login_engines::{Folder, Postgres};
use login_sqlx::{SqlLog, SqlRegistry};
use rocket_login::testing::{registry, store};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Executor as _, PgPool, SqlitePool};

/// Starts a server with a user who may not create tables.
async fn postgres_with_worker() -> Option<Postgres> {
    let postgres = Postgres::start(&[])?;
    let pool = PgPool::connect_lazy(&postgres.database()).unwrap();
    pool.execute("CREATE ROLE worker LOGIN").await.unwrap();
    Some(postgres)
}

/// Creates the tables in a database of its own, and gives the user the rights that docs/OPERATING.md names.
async fn pool_of_worker(postgres: &Postgres) -> PgPool {
    let url = postgres.database();
    let owner = PgPool::connect_lazy(&url).unwrap();
    login_sqlx::migrate(&owner).await.unwrap();
    owner
        .execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO worker")
        .await
        .unwrap();
    owner.close().await;
    let options: PgConnectOptions = url.parse().unwrap();
    let worker = PgPool::connect_lazy_with(options.username("worker"));
    // As `from_url` does at each launch.
    login_sqlx::migrate(&worker).await.unwrap();
    worker
}

#[rocket::async_test]
async fn postgres_does_what_every_store_must_for_a_user_with_few_rights() {
    let Some(postgres) = postgres_with_worker().await else {
        return;
    };
    Box::pin(store::conforms(async || {
        let pool = pool_of_worker(&postgres).await;
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
async fn a_registry_in_postgres_does_what_every_registry_must_for_a_user_with_few_rights() {
    let Some(postgres) = postgres_with_worker().await else {
        return;
    };
    Box::pin(registry::conforms(async || {
        let pool = pool_of_worker(&postgres).await;
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
