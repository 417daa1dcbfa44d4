//! The list of ended logins in a real PostgreSQL and in SQLite: what it refuses, and what it survives.
//!
//! Without PostgreSQL its tests print how to install it, and pass. If `LOGIN_STORES` is `required`, they fail.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use login_engines::{Folder, Postgres, site};
use login_sqlx::{Database, MigrateError, SqlLog, SqlRegistry, migrate};
use rocket::futures::future::join_all;
use rocket::http::Status;
use rocket::tokio::{join, time::sleep};
use rocket_login::store::{Appended, Position, RevocationError, RevocationLog, Since, UnixTime};
use rocket_login::testing::store::logout;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Executor as _, PgPool, SqlitePool};

const KEY: &str = "realm:00112233445566aa";
const ENTRY: &str = "1 realm:00112233445566aa 1800000000 - 0 1900000000";
const FOREIGN: &str = "has tables `rocket_login_..` that this version of login-sqlx has not made";
const OP: &str = "0123456789abcdef0123456789abcdef";

/// A database with the tables, and a pool as an application has one.
enum Site {
    Postgres(PgPool),
    Sqlite(SqlitePool, Folder),
}

impl Site {
    /// One of each kind that this machine has.
    async fn all() -> Vec<Self> {
        let mut all = vec![Self::sqlite().await];
        all.extend(Self::postgres().await);
        all
    }

    async fn sqlite() -> Self {
        let folder = Folder::new();
        let pool = SqlitePool::connect_with(file(&folder)).await.unwrap();
        migrate(&pool).await.unwrap();
        Self::Sqlite(pool, folder)
    }

    async fn postgres() -> Option<Self> {
        let pool = PgPool::connect_lazy(&shared()?.database()).unwrap();
        migrate(&pool).await.unwrap();
        Some(Self::Postgres(pool))
    }

    fn log(&self) -> SqlLog {
        match self {
            Self::Postgres(pool) => SqlLog::new(pool),
            Self::Sqlite(pool, _) => SqlLog::new(pool),
        }
    }

    async fn migrate(&self) -> Result<(), MigrateError> {
        match self {
            Self::Postgres(pool) => migrate(pool).await,
            Self::Sqlite(pool, _) => migrate(pool).await,
        }
    }

    async fn run(&self, sql: &str) {
        match self {
            Self::Postgres(pool) => drop(pool.execute(sql).await.unwrap()),
            Self::Sqlite(pool, _) => drop(pool.execute(sql).await.unwrap()),
        }
    }

    /// Writes an entry by hand, as number `number`.
    async fn write(&self, number: u64, op: &str, entry: &str) {
        self.run(&format!(
            "INSERT INTO rocket_login_entries (key, entry, until) VALUES ('{KEY}', '{entry}', 1900000000)
             ON CONFLICT (key) DO UPDATE SET entry = excluded.entry;
             INSERT INTO rocket_login_log (number, op, entry, had_ended, time)
             VALUES ({number}, '{op}', '{entry}', FALSE, 1);
             UPDATE rocket_login_store SET number = {number};"
        ))
        .await;
    }
}

/// One server for all tests that do not break it.
fn shared() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::start(&[])).as_ref()
}

fn file(folder: &Folder) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(folder.path().join("club.sqlite3"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
}

/// Reads the whole list.
async fn read(log: &SqlLog) -> Result<(Position, usize), RevocationError> {
    let mut count = 0;
    let position = log.snapshot(&mut |_| count += 1).await?;
    Ok((position, count))
}

async fn refusal(log: &SqlLog) -> String {
    let error = read(log).await.unwrap_err().to_string();
    assert!(!error.contains("S3cret"), "{error}");
    error
}

async fn since(log: &SqlLog, position: &Position) -> Result<Since, RevocationError> {
    log.since(position, Duration::ZERO).await
}

async fn append(log: &SqlLog, position: &Position) -> Result<Appended, RevocationError> {
    log.append(&position.epoch, &logout()).await
}

fn no_records() -> Since {
    Since::Records {
        records: Vec::new(),
        is_head: true,
    }
}

#[rocket::async_test]
async fn without_its_tables_it_says_how_to_create_them() {
    for site in Site::all().await {
        for table in ["log", "entries", "store", "schema"] {
            site.run(&format!("DROP TABLE rocket_login_{table}")).await;
            let error = refusal(&site.log()).await;
            assert!(
                error.contains("call `login_sqlx::migrate(&pool).await`"),
                "{error}"
            );
        }
    }
}

#[rocket::async_test]
async fn tables_of_another_version_are_refused() {
    for site in Site::all().await {
        let (position, _) = read(&site.log()).await.unwrap();
        for (version, fix) in [
            (0, "call `login_sqlx::migrate(&pool).await`"),
            (7, "run one version of login-sqlx on all servers"),
        ] {
            site.run(&format!(
                "DELETE FROM rocket_login_schema; \
                 INSERT INTO rocket_login_schema (version) VALUES ({version})"
            ))
            .await;
            let text = format!("have version {version}, and this server has version 3: {fix}");
            let error = refusal(&site.log()).await;
            assert!(error.contains(&text), "{error}");
            let error = since(&site.log(), &position).await.unwrap_err().to_string();
            assert!(error.contains(&text), "{error}");
            assert!(append(&site.log(), &position).await.is_err());
            assert!(site.log().now(&[]).await.is_err());
        }
        let error = site.migrate().await.unwrap_err().to_string();
        assert!(error.contains("have version 7"), "{error}");
    }
}

#[rocket::async_test]
async fn tables_of_the_first_version_keep_their_entries_when_they_are_brought_up_to_date() {
    for site in Site::all().await {
        let (position, _) = read(&site.log()).await.unwrap();
        append(&site.log(), &position).await.unwrap();
        site.run("DROP TABLE rocket_login_logins; DROP TABLE rocket_login_clients")
            .await;
        site.run("DELETE FROM rocket_login_schema WHERE version > 1")
            .await;
        let error = refusal(&site.log()).await;
        assert!(error.contains("have version 1"), "{error}");
        site.migrate().await.unwrap();
        assert_eq!(read(&site.log()).await.unwrap().1, 1);
        site.run("DELETE FROM rocket_login_logins; DELETE FROM rocket_login_clients")
            .await;
    }
}

#[rocket::async_test]
async fn tables_of_another_program_are_refused_and_not_touched() {
    for (columns, values) in [
        ("name TEXT", "'club'"),
        (
            "id BIGINT, epoch TEXT, number TEXT, time TEXT",
            "1, 'x', 'x', 'x'",
        ),
    ] {
        for site in Site::all().await {
            site.run("DROP TABLE rocket_login_store").await;
            site.run(&format!("CREATE TABLE rocket_login_store ({columns})"))
                .await;
            site.run(&format!("INSERT INTO rocket_login_store VALUES ({values})"))
                .await;
            let error = refusal(&site.log()).await;
            assert!(error.contains(FOREIGN), "{error}");
            // As if it was there before ours.
            site.run("DROP TABLE rocket_login_schema").await;
            site.run("CREATE TABLE rocket_login_schema (version BIGINT PRIMARY KEY)")
                .await;
            let error = site.migrate().await.unwrap_err().to_string();
            assert!(error.contains(FOREIGN), "{error}");
            site.run("DROP TABLE rocket_login_schema").await;
            site.run("CREATE TABLE rocket_login_schema (name TEXT)")
                .await;
            let error = site.migrate().await.unwrap_err().to_string();
            assert!(error.contains(FOREIGN), "{error}");
        }
    }
}

#[rocket::async_test]
async fn several_servers_can_migrate_at_once_beside_the_application() {
    let folder = Folder::new();
    let sqlite = SqlitePool::connect_with(file(&folder)).await.unwrap();
    sqlite
        .execute("CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY)")
        .await
        .unwrap();
    for done in join_all((0..8).map(|_| migrate(&sqlite))).await {
        done.unwrap();
    }
    read(&SqlLog::new(&sqlite)).await.unwrap();
    let Some(server) = shared() else { return };
    let postgres = PgPool::connect_lazy(&server.database()).unwrap();
    for done in join_all((0..8).map(|_| migrate(&postgres))).await {
        done.unwrap();
    }
    read(&SqlLog::new(&postgres)).await.unwrap();
}

#[rocket::async_test]
async fn several_servers_can_create_one_file_at_once() {
    for _ in 0..20 {
        let folder = Folder::new();
        let file = folder.path().join("list.sqlite3");
        let url = format!("sqlite://{}?mode=rwc", file.display());
        let database = Database::from_url(&url).unwrap();
        for done in join_all((0..8).map(|_| migrate(database.clone()))).await {
            done.unwrap();
        }
    }
}

#[rocket::async_test]
async fn a_database_that_does_not_run_is_named() {
    let pool = PgPool::connect_lazy("postgres://app:S3cret@127.0.0.1:1/club").unwrap();
    let error = refusal(&SqlLog::new(&pool)).await;
    assert!(
        error.contains("PostgreSQL at 127.0.0.1:1 cannot be reached"),
        "{error}"
    );
    let error = migrate(&pool).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached"), "{error}");
    assert!(!format!("{:?}", SqlLog::new(&pool)).contains("S3cret"));

    let pool = SqlitePool::connect_lazy("sqlite:///nowhere/club.sqlite3").unwrap();
    let error = refusal(&SqlLog::new(&pool)).await;
    assert!(
        error.contains("SQLite in /nowhere/club.sqlite3 cannot be opened")
            && error.contains("?mode=rwc"),
        "{error}"
    );
}

#[rocket::async_test]
async fn a_wrong_password_is_named_and_not_shown() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let host = server.user_with_password("S3cret");
    for user in ["app:S3cret%20wrong", "app", "nobody:S3cret"] {
        let pool = PgPool::connect_lazy(&format!("postgres://{user}@{host}/postgres")).unwrap();
        let error = refusal(&SqlLog::new(&pool)).await;
        let is_named = error.contains("refuses the user or the password")
            || (user == "app" && error.contains("password"));
        assert!(is_named, "{error}");
    }
}

#[rocket::async_test]
async fn a_database_that_may_not_be_written_is_named() {
    let folder = Folder::new();
    let pool = SqlitePool::connect_with(file(&folder)).await.unwrap();
    migrate(&pool).await.unwrap();
    let reader = SqlitePool::connect_with(file(&folder).read_only(true))
        .await
        .unwrap();
    let error = refusal(&SqlLog::new(&reader)).await;
    assert!(error.contains("cannot be written"), "{error}");

    let Some(server) = shared() else { return };
    let url = server.database();
    let pool = PgPool::connect_lazy(&url).unwrap();
    migrate(&pool).await.unwrap();
    let options: PgConnectOptions = url.parse().unwrap();
    let reader = options
        .clone()
        .options([("default_transaction_read_only", "on")]);
    let error = refusal(&SqlLog::new(&PgPool::connect_lazy_with(reader))).await;
    assert!(error.contains("cannot be written"), "{error}");
    pool.execute("CREATE ROLE guest LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
        .await
        .unwrap();
    let guest = PgPool::connect_lazy_with(options.username("guest"));
    let error = refusal(&SqlLog::new(&guest)).await;
    assert!(error.contains("cannot be written"), "{error}");
}

#[rocket::async_test]
async fn a_full_database_fails_and_keeps_what_it_has() {
    let folder = Folder::new();
    let pool = SqlitePool::connect_with(file(&folder)).await.unwrap();
    migrate(&pool).await.unwrap();
    let full = file(&folder).pragma("max_page_count", "1");
    let full = SqlLog::new(&SqlitePool::connect_lazy_with(full));
    let (position, _) = read(&full).await.unwrap();
    let mut confirmed = 0;
    let error = loop {
        match append(&full, &position).await {
            Ok(_) => confirmed += 1,
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("cannot be written"), "{error}");
    assert_eq!(read(&full).await.unwrap().1, confirmed);
    append(&SqlLog::new(&pool), &position).await.unwrap();
}

#[rocket::async_test]
async fn a_database_in_memory_is_refused() {
    let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let error = refusal(&SqlLog::new(&pool)).await;
    assert!(error.contains("give SQLite a file"), "{error}");
}

#[rocket::async_test]
async fn a_replica_is_not_read() {
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let pool = PgPool::connect_lazy(&server.database()).unwrap();
    migrate(&pool).await.unwrap();
    let (position, _) = read(&SqlLog::new(&pool)).await.unwrap();
    let replica = server.replica().unwrap();
    let options = pool.connect_options().as_ref().clone().port(replica.port());
    let log = SqlLog::new(&PgPool::connect_lazy_with(options));
    for error in [
        read(&log).await.unwrap_err(),
        since(&log, &position).await.unwrap_err(),
        log.now(&[]).await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(
            error.contains("is a replica: connect to the primary"),
            "{error}"
        );
    }
    assert!(append(&log, &position).await.is_err());
}

#[rocket::async_test]
async fn an_entry_that_does_not_parse_is_an_error() {
    for site in Site::all().await {
        let log = site.log();
        for (entry, number) in ["", "nonsense", "1 realm:00 1 - 0 1", "2 anything"]
            .iter()
            .zip(1..)
        {
            let (position, _) = loop {
                site.run("DELETE FROM rocket_login_entries").await;
                site.run("DELETE FROM rocket_login_log").await;
                if let Ok(read) = read(&log).await {
                    break read;
                }
            };
            assert_eq!(position.number, 0, "{number}");
            site.write(1, OP, entry).await;
            assert!(read(&log).await.is_err(), "{entry}");
            assert!(since(&log, &position).await.is_err(), "{entry}");
            assert!(log.now(&[KEY.parse().unwrap()]).await.is_err(), "{entry}");
        }
        site.run("UPDATE rocket_login_store SET epoch = 'nonsense'")
            .await;
        assert!(read(&log).await.is_err());
        assert!(log.now(&[]).await.is_err());
    }
}

#[rocket::async_test]
async fn a_part_that_is_removed_begins_a_new_epoch() {
    for site in Site::all().await {
        for table in ["rocket_login_store", "rocket_login_log"] {
            let log = site.log();
            let (empty, _) = read(&log).await.unwrap();
            append(&log, &empty).await.unwrap();
            let (full, _) = read(&log).await.unwrap();
            assert_eq!((full.epoch, full.number), (empty.epoch, 1));
            site.run(&format!("DELETE FROM {table}")).await;
            for position in [&empty, &full] {
                assert_eq!(
                    since(&log, position).await.unwrap(),
                    Since::Changed,
                    "{table}"
                );
            }
            let (after, _) = read(&log).await.unwrap();
            assert_ne!(after.epoch, full.epoch, "{table}");
            assert_eq!(since(&log, &after).await.unwrap(), no_records());
            assert_eq!(append(&log, &full).await.unwrap(), Appended::Changed);
            site.run("DELETE FROM rocket_login_store").await;
        }
    }
}

#[rocket::async_test]
async fn a_log_that_is_shorter_or_trimmed_or_other_is_noticed() {
    for site in Site::all().await {
        let log = site.log();
        let (empty, _) = read(&log).await.unwrap();
        site.write(1, OP, ENTRY).await;
        let (first, _) = read(&log).await.unwrap();
        for number in 2..=5 {
            site.write(number, OP, ENTRY).await;
        }
        let (fifth, _) = read(&log).await.unwrap();
        let Since::Records { records, is_head } = since(&log, &first).await.unwrap() else {
            panic!("nothing has changed");
        };
        let numbers: Vec<_> = records.iter().map(|record| record.number).collect();
        assert_eq!((numbers, is_head), (vec![2, 3, 4, 5], true));

        // Trimmed past the reader.
        site.run("DELETE FROM rocket_login_log WHERE number < 4")
            .await;
        assert_eq!(since(&log, &first).await.unwrap(), Since::Changed);
        assert_eq!(since(&log, &empty).await.unwrap(), Since::Changed);
        assert_eq!(since(&log, &fifth).await.unwrap(), no_records());

        // A gap.
        site.write(7, OP, ENTRY).await;
        assert_eq!(since(&log, &fifth).await.unwrap(), Since::Changed);

        // The same number, and another op id.
        site.run("DELETE FROM rocket_login_log").await;
        site.write(5, &"f".repeat(32), ENTRY).await;
        assert_eq!(since(&log, &fifth).await.unwrap(), Since::Changed);

        // A number that is lower.
        site.run("DELETE FROM rocket_login_log").await;
        site.write(4, OP, ENTRY).await;
        assert_eq!(since(&log, &fifth).await.unwrap(), Since::Changed);
    }
}

#[rocket::async_test]
async fn a_server_that_crashes_or_hangs_is_an_error_until_it_answers() {
    let Some(mut server) = Postgres::start(&[]) else {
        return;
    };
    let pool = PgPool::connect_lazy(&server.database()).unwrap();
    migrate(&pool).await.unwrap();
    let log = SqlLog::new(&pool);
    let (position, _) = read(&log).await.unwrap();
    server.freeze();
    let start = Instant::now();
    let error = since(&log, &position).await.unwrap_err().to_string();
    assert!(error.contains("does not answer in time"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
    server.thaw();
    assert_eq!(since(&log, &position).await.unwrap(), no_records());

    server.kill();
    assert!(since(&log, &position).await.is_err());
    assert!(append(&log, &position).await.is_err());
    server.restart();
    assert_eq!(since(&log, &position).await.unwrap(), no_records());
    append(&log, &position).await.unwrap();
}

#[rocket::async_test]
async fn the_first_login_after_a_restart_or_an_idle_timeout_of_the_server_begins() {
    let Some(mut server) = Postgres::start(&[]) else {
        return;
    };
    let pool = PgPool::connect_lazy(&server.database()).unwrap();
    migrate(&pool).await.unwrap();
    let client = site::with_registry(SqlRegistry::new(&pool)).await;
    let login = async || client.post("/login").dispatch().await.status();
    assert_eq!(login().await, Status::Ok);
    server.kill();
    server.restart();
    assert_eq!(login().await, Status::Ok);
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
    let other = PgPool::connect(&server.database()).await.unwrap();
    other.execute(end).await.unwrap();
    assert_eq!(login().await, Status::Ok);
}

#[rocket::async_test]
async fn what_is_confirmed_survives_a_crash_where_commits_do_not_wait() {
    let options = ["synchronous_commit=off", "wal_writer_delay=10s"];
    let Some(mut server) = Postgres::start(&options) else {
        return;
    };
    let pool = PgPool::connect_lazy(&server.database()).unwrap();
    migrate(&pool).await.unwrap();
    let (position, _) = read(&SqlLog::new(&pool)).await.unwrap();
    for confirmed in 1..=3 {
        append(&SqlLog::new(&pool), &position).await.unwrap();
        server.kill();
        server.restart();
        assert_eq!(read(&SqlLog::new(&pool)).await.unwrap().1, confirmed);
    }
}

#[rocket::async_test]
async fn a_slow_transaction_delays_a_logout_and_no_reader() {
    for site in Site::all().await {
        let log = site.log();
        let (position, _) = read(&log).await.unwrap();
        let other = site.log();
        let hold = async {
            match &site {
                Site::Postgres(pool) => {
                    let mut slow = pool.begin().await.unwrap();
                    slow.execute("UPDATE rocket_login_store SET time = time")
                        .await
                        .unwrap();
                    sleep(Duration::from_millis(800)).await;
                    slow.commit().await.unwrap();
                }
                Site::Sqlite(pool, _) => {
                    let mut slow = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
                    slow.execute("UPDATE rocket_login_store SET time = time")
                        .await
                        .unwrap();
                    sleep(Duration::from_millis(800)).await;
                    slow.commit().await.unwrap();
                }
            }
        };
        let logout = async {
            sleep(Duration::from_millis(200)).await;
            let start = Instant::now();
            append(&log, &position).await.unwrap();
            assert!(start.elapsed() > Duration::from_millis(300));
        };
        let reader = async {
            sleep(Duration::from_millis(200)).await;
            let start = Instant::now();
            assert_eq!(since(&other, &position).await.unwrap(), no_records());
            assert!(start.elapsed() < Duration::from_millis(300));
        };
        join!(hold, logout, reader);
        let since = since(&log, &position).await.unwrap();
        assert!(matches!(since, Since::Records { records, .. } if records.len() == 1));
    }
}

#[rocket::async_test]
async fn an_exhausted_pool_of_the_application_does_not_matter() {
    let Some(server) = shared() else { return };
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let pool = options.connect_lazy(&server.database()).unwrap();
    migrate(&pool).await.unwrap();
    let _held = pool.acquire().await.unwrap();
    let log = SqlLog::new(&pool);
    let (position, _) = read(&log).await.unwrap();
    append(&log, &position).await.unwrap();
}

#[rocket::async_test]
async fn a_file_that_is_moved_away_or_restored_is_noticed() {
    let Site::Sqlite(pool, folder) = Site::sqlite().await else {
        unreachable!()
    };
    let log = SqlLog::new(&pool);
    let (empty, _) = read(&log).await.unwrap();
    pool.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .unwrap();
    let [file, backup] = ["club.sqlite3", "backup.sqlite3"].map(|name| folder.path().join(name));
    fs::copy(&file, &backup).unwrap();
    append(&log, &empty).await.unwrap();
    let (position, _) = read(&log).await.unwrap();
    pool.close().await;

    for name in ["club.sqlite3", "club.sqlite3-wal", "club.sqlite3-shm"] {
        let _ = fs::remove_file(folder.path().join(name));
    }
    assert!(since(&log, &position).await.is_err());
    assert!(append(&log, &position).await.is_err());
    assert!(!file.exists(), "an empty list must not take its place");

    fs::rename(&backup, &file).unwrap();
    assert_eq!(since(&log, &position).await.unwrap(), Since::Changed);
    assert_eq!(read(&log).await.unwrap().0, empty);
    append(&log, &empty).await.unwrap();
}

#[rocket::async_test]
async fn old_records_are_removed_and_never_the_newest() {
    for site in Site::all().await {
        let log = site.log();
        read(&log).await.unwrap();
        for number in 1..=5 {
            site.write(number, OP, ENTRY).await;
        }
        let (position, _) = read(&log).await.unwrap();
        for _ in 0..3 {
            log.purge(UnixTime::from_secs(1), 2).await.unwrap();
        }
        assert_eq!(since(&log, &position).await.unwrap(), no_records());
        let before = Position {
            number: 4,
            ..position
        };
        assert_eq!(since(&log, &before).await.unwrap(), Since::Changed);
    }
}
