//! With many entries, no query of a list reads a whole table, and what is old is removed in small steps.
//!
//! Without PostgreSQL its tests print how to install it, and pass. If `LOGIN_STORES` is `required`, they fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use login_engines::{Folder, Postgres, Recorder, site};
use login_sqlx::{SqlLog, SqlRegistry, migrate};
use rocket_login::logins::{KnownClient, LoginRegistry};
use rocket_login::store::{Position, RevocationLog as _, UnixTime};
use rocket_login::testing::store::logout;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Executor as _, PgPool, Row as _, SqlitePool};

const ENTRIES: usize = 100_000;

/// How many entries and how many records are old.
const OLD: usize = ENTRIES / 50;

/// How much is removed at once, and how much the caller wants.
const STEP: usize = 100;
const WANTED: usize = 500;

/// The tables that grow.
const TABLES: [&str; 2] = ["rocket_login_entries", "rocket_login_log"];

/// The tables of the registry, which grow.
const REGISTRY: [&str; 2] = ["rocket_login_logins", "rocket_login_clients"];

/// What SQLite may read whole.
const ONE_ROW: [&str; 4] = ["CONSTANT ROW", "here", "rocket_login_schema", "store"];

/// Lets PostgreSQL write the plan of each query into its log.
const EXPLAIN: [&str; 2] = [
    "session_preload_libraries=auto_explain",
    "auto_explain.log_min_duration=0",
];

/// The words of PostgreSQL for which SQLite has others.
const DIALECT: [(&str, &str); 3] = [
    ("pg_is_in_recovery()", "FALSE"),
    (
        "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)",
        "CAST(strftime('%s', 'now') AS INTEGER)",
    ),
    ("FOR UPDATE", ""),
];

fn fill() -> String {
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ENTRIES})"
    );
    let key = "'realm:' || (1000000000000000 + n)";
    let op = "'0000000000000000' || (1000000000000000 + n)";
    let until = "CASE WHEN n % 50 = 0 THEN 10 ELSE 1900000000 END";
    let time = format!("CASE WHEN n <= {OLD} THEN 1 ELSE 1900000000 END");
    let entry = format!("'1 ' || {key} || ' 5 - 0 ' || {until}");
    format!(
        "INSERT INTO rocket_login_entries (key, entry, until) {numbers} SELECT {key}, {entry}, {until} FROM numbers; \
         INSERT INTO rocket_login_log (number, op, entry, had_ended, time) \
         {numbers} SELECT n, {op}, {entry}, FALSE, {time} FROM numbers; \
         UPDATE rocket_login_store SET number = {ENTRIES}"
    )
}

/// Does everything that a list can do.
async fn use_all_of(log: &SqlLog) {
    let mut count = 0;
    let head = log.snapshot(&mut |_| count += 1).await.unwrap();
    assert_eq!(count, ENTRIES);
    // More often than PostgreSQL makes a plan for the arguments of a call.
    for number in 1..=8 {
        let change = logout();
        for _ in 0..2 {
            log.append(&head.epoch, &change).await.unwrap();
        }
        let older = Position {
            number: number * 9_000,
            ..head
        };
        for position in [&head, &older] {
            log.since(position, Duration::ZERO).await.unwrap();
        }
        let key = "realm:1000000000000001".parse().unwrap();
        log.now(&[key]).await.unwrap();
        log.purge(UnixTime::from_secs(5), WANTED).await.unwrap();
        log.purge(UnixTime::from_secs(20), WANTED).await.unwrap();
    }
}

/// The queries about the large tables in the log of PostgreSQL, with the lines of their plans.
fn plans(server: &Postgres, tables: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let output = fs::read_to_string(server.folder().path().join("output")).unwrap();
    let mut plans = BTreeMap::<_, BTreeSet<_>>::new();
    let mut query = None;
    for line in output.lines() {
        let Some(line) = line.strip_prefix('\t') else {
            query = None;
            continue;
        };
        if let Some(text) = line.strip_prefix("Query Text: ") {
            let is_of_list = tables.iter().any(|table| text.contains(table));
            query = is_of_list.then(|| text.to_owned());
        } else if let Some(query) = &query {
            let lines = plans.entry(query.clone()).or_default();
            lines.insert(line.trim().to_owned());
        }
    }
    plans
}

#[rocket::async_test]
async fn each_query_uses_an_index() {
    let Some(server) = Postgres::start(&EXPLAIN) else {
        return;
    };
    let pool = PgPool::connect_lazy(&server.database()).unwrap();
    migrate(&pool).await.unwrap();
    let log = SqlLog::new(&pool);
    log.snapshot(&mut |_| ()).await.unwrap();
    pool.execute(&*fill()).await.unwrap();
    pool.execute("ANALYZE").await.unwrap();
    use_all_of(&log).await;
    let plans: BTreeMap<_, _> = plans(&server, &TABLES)
        .into_iter()
        // What fills the tables, and a new list removes all that an old one has left.
        .filter(|(query, _)| {
            !query.contains("RECURSIVE") && query != "DELETE FROM rocket_login_log"
        })
        .collect();
    let is_used = |index: &str| {
        let mut lines = plans.values().flatten();
        lines.any(|line| line.contains(&format!(" using {index} ")))
    };
    for index in ["entries_pkey", "entries_until", "log_pkey", "log_op"] {
        assert!(
            is_used(&format!("rocket_login_{index}")),
            "{index}: {plans:#?}"
        );
    }
    assert_no_table_is_read_whole(&plans).await;
}

/// Neither by PostgreSQL nor by SQLite.
async fn assert_no_table_is_read_whole(plans: &BTreeMap<String, BTreeSet<String>>) {
    for (query, lines) in plans {
        for table in [TABLES, REGISTRY].concat() {
            let scan = format!("Seq Scan on {table}");
            let is_scanned = lines.iter().any(|line| line.contains(&scan));
            assert!(!is_scanned, "PostgreSQL: {query}: {lines:#?}");
        }
    }

    // The same queries in SQLite, whose plans do not depend on the arguments.
    let (pool, _folder) = sqlite().await;
    pool.execute("ANALYZE").await.unwrap();
    for query in plans.keys() {
        let query = DIALECT.iter().fold(query.clone(), |query, (word, other)| {
            query.replace(word, other)
        });
        let explain = format!("EXPLAIN QUERY PLAN {query}");
        for row in pool.fetch_all(&*explain).await.unwrap() {
            let line: String = row.get("detail");
            // SQLite names the kind of join behind the table.
            let scanned = line.trim_end_matches(" LEFT-JOIN");
            let scanned = scanned.strip_prefix("SCAN ").unwrap_or("store");
            let has_one_row = ONE_ROW.contains(&scanned);
            // In the order of an index, and not to its end.
            let is_limited = line.contains(" USING ") && query.contains("LIMIT");
            assert!(has_one_row || is_limited, "SQLite: {query}: {line}");
        }
    }
}

fn fill_logins() -> String {
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ENTRIES})"
    );
    let until = "CASE WHEN n % 50 = 0 THEN 10 ELSE 1900000000 END";
    let [logins, clients] = REGISTRY;
    format!(
        "INSERT INTO {logins} (login, owner, content, until) {numbers} \
         SELECT 'login ' || n, 'owner ' || (n / 5), '', {until} FROM numbers; \
         INSERT INTO {clients} (owner, client, until) {numbers} \
         SELECT 'owner ' || (n / 5), 'client ' || n, {until} FROM numbers"
    )
}

#[rocket::async_test]
async fn each_query_of_a_registry_uses_an_index() {
    let Some(server) = Postgres::start(&EXPLAIN) else {
        return;
    };
    let recorder = Recorder::default();
    let client = site::with_registry(recorder.clone()).await;
    client.post("/login").dispatch().await;
    let begin = recorder.take().pop().unwrap();

    let pool = PgPool::connect_lazy(&server.database()).unwrap();
    migrate(&pool).await.unwrap();
    pool.execute(&*fill_logins()).await.unwrap();
    pool.execute(&*format!("ANALYZE {}", REGISTRY.join(", ")))
        .await
        .unwrap();
    let registry = SqlRegistry::new(&pool);
    let (row, users) = (&begin.row, &begin.users);
    let client = KnownClient {
        name: "Firefox on Linux".to_owned(),
        until: row.until(),
    };
    // More often than PostgreSQL makes a plan for the arguments of a call.
    for _ in 0..8 {
        registry.begin(&begin).await.unwrap();
        registry.renew(row, users).await.unwrap();
        let rows = registry.rows(users, begin.now).await.unwrap();
        assert_eq!(rows.len(), 1);
        registry.end(users, &[row.login()]).await.unwrap();
        registry.remember_client(users[0], &client).await.unwrap();
    }
    let mut plans = plans(&server, &REGISTRY);
    plans.retain(|query, _| !query.contains("RECURSIVE") && !query.contains("ANALYZE"));
    for index in [
        "logins_pkey",
        "logins_owner",
        "logins_until",
        "clients_pkey",
        "clients_until",
    ] {
        let mut lines = plans.values().flatten();
        let index = format!(" using rocket_login_{index} ");
        assert!(
            lines.any(|line| line.contains(&index)),
            "{index}: {plans:#?}"
        );
    }
    assert_no_table_is_read_whole(&plans).await;
}

async fn sqlite() -> (SqlitePool, Folder) {
    let folder = Folder::new();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("club.sqlite3"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    migrate(&pool).await.unwrap();
    SqlLog::new(&pool).snapshot(&mut |_| ()).await.unwrap();
    pool.execute(&*fill()).await.unwrap();
    pool.execute(&*fill_logins()).await.unwrap();
    (pool, folder)
}

/// Removes what is old, and checks each step.
async fn remove_in_steps(log: &SqlLog, count: impl AsyncFn() -> [usize; 2]) {
    let head = log.snapshot(&mut |_| ()).await.unwrap();
    let mut before = [ENTRIES; 2];
    assert_eq!(count().await, before);
    for _ in 0..OLD / STEP {
        let removed = log.purge(UnixTime::from_secs(20), WANTED).await.unwrap();
        assert_eq!(removed, STEP);
        let after = count().await;
        assert_eq!(after, before.map(|count| count - STEP));
        before = after;
    }
    assert_eq!(log.purge(UnixTime::from_secs(20), WANTED).await.unwrap(), 0);
    assert_eq!(count().await, [ENTRIES - OLD; 2]);
    assert_eq!(log.snapshot(&mut |_| ()).await.unwrap(), head);
}

const COUNT: &str =
    "SELECT count(*) FROM rocket_login_entries UNION ALL SELECT count(*) FROM rocket_login_log";

#[rocket::async_test]
async fn what_is_old_is_removed_in_small_steps() {
    let (pool, _folder) = sqlite().await;
    let count = async || {
        let counts: Vec<i64> = sqlx::query_scalar(COUNT).fetch_all(&pool).await.unwrap();
        [0, 1].map(|table| usize::try_from(counts[table]).unwrap())
    };
    remove_in_steps(&SqlLog::new(&pool), count).await;

    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    let pool = PgPool::connect_lazy(&server.database()).unwrap();
    migrate(&pool).await.unwrap();
    SqlLog::new(&pool).snapshot(&mut |_| ()).await.unwrap();
    pool.execute(&*fill()).await.unwrap();
    let count = async || {
        let counts: Vec<i64> = sqlx::query_scalar(COUNT).fetch_all(&pool).await.unwrap();
        [0, 1].map(|table| usize::try_from(counts[table]).unwrap())
    };
    remove_in_steps(&SqlLog::new(&pool), count).await;
}
