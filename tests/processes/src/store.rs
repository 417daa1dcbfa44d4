//! The stores, and what can happen to them.

use std::process::Command;
use std::{fs, thread};

use login_engines::{Folder, Postgres, Redis};
use rocket::tokio::runtime::Builder;
use sqlx::{Connection as _, Executor as _, SqliteConnection};

/// A real store. Dropping the value stops it.
#[derive(Debug)]
pub enum Store {
    /// Redis, which waits for the disk at each change.
    Redis(Redis),
    /// PostgreSQL.
    Postgres {
        /// The server.
        server: Postgres,
        /// The address of the database.
        url: String,
    },
    /// SQLite.
    Sqlite(Folder),
}

/// A copy of what a store has on the disk.
#[derive(Debug)]
pub struct Backup(Folder);

impl Store {
    /// Starts Redis; `None` if this machine has not got it.
    pub fn redis() -> Option<Self> {
        Redis::start(&[]).map(Store::Redis)
    }

    /// Starts PostgreSQL; `None` if this machine has not got it.
    pub fn postgres() -> Option<Self> {
        Self::postgres_in(Folder::new())
    }

    fn postgres_in(folder: Folder) -> Option<Self> {
        let server = Postgres::start_in(folder, &[])?;
        let url = server.database();
        Some(Store::Postgres { server, url })
    }

    /// Makes a folder for SQLite.
    #[allow(clippy::unnecessary_wraps, reason = "it stands beside the others")]
    pub fn sqlite() -> Option<Self> {
        Some(Store::Sqlite(Folder::new()))
    }

    /// Runs a test on each store, with its files on a small disk of its own.
    pub fn each_on_small_disk(test: impl Fn(Store) + Sync) {
        let redis = || {
            // With `always` it ends when its disk is full.
            let options = ["--appendfsync", "everysec"];
            Redis::start_in(Folder::on_small_disk(20)?, &options).map(Store::Redis)
        };
        let postgres = || Self::postgres_in(Folder::on_small_disk(80)?);
        let sqlite = || Folder::on_small_disk(20).map(Store::Sqlite);
        Self::all([redis, postgres, sqlite], test);
    }

    /// Runs a test on each store that this machine has, on all at once.
    pub fn each(test: impl Fn(Store) + Sync) {
        Self::all([Self::redis, Self::postgres, Self::sqlite], test);
    }

    /// Runs a test on each store that is a server of its own.
    pub fn each_server(test: impl Fn(Store) + Sync) {
        Self::all([Self::redis, Self::postgres], test);
    }

    fn all<const N: usize>(stores: [fn() -> Option<Self>; N], test: impl Fn(Store) + Sync) {
        thread::scope(|scope| {
            let test = &test;
            for start in stores {
                scope.spawn(move || start().map(test));
            }
        });
    }

    /// Returns the name of the product.
    pub fn name(&self) -> &'static str {
        match self {
            Store::Redis(_) => "Redis",
            Store::Postgres { .. } => "PostgreSQL",
            Store::Sqlite(_) => "SQLite",
        }
    }

    /// Returns the URL.
    pub fn url(&self) -> String {
        match self {
            Store::Redis(redis) => redis.url(),
            Store::Postgres { url, .. } => url.clone(),
            Store::Sqlite(folder) => format!("sqlite://{}/list.sqlite3?mode=rwc", path(folder)),
        }
    }

    /// Returns the port, where there is one.
    pub fn port(&self) -> u16 {
        match self {
            Store::Redis(redis) => redis.port(),
            Store::Postgres { server, .. } => server.port(),
            Store::Sqlite(_) => 0,
        }
    }

    /// Ends the store at once, as `kill -9` does.
    pub fn kill(&mut self) {
        match self {
            Store::Redis(redis) => redis.kill(),
            Store::Postgres { server, .. } => server.kill(),
            Store::Sqlite(_) => {}
        }
    }

    /// Starts the store again.
    pub fn restart(&mut self) {
        match self {
            Store::Redis(redis) => redis.restart(),
            Store::Postgres { server, .. } => server.restart(),
            Store::Sqlite(_) => {}
        }
    }

    /// Stops the store without closing its sockets, as `kill -STOP` does.
    pub fn freeze(&self) {
        match self {
            Store::Redis(redis) => redis.freeze(),
            Store::Postgres { server, .. } => server.freeze(),
            Store::Sqlite(_) => {}
        }
    }

    /// Lets the store continue.
    pub fn thaw(&self) {
        match self {
            Store::Redis(redis) => redis.thaw(),
            Store::Postgres { server, .. } => server.thaw(),
            Store::Sqlite(_) => {}
        }
    }

    /// Copies what the store has on the disk.
    pub fn backup(&mut self) -> Backup {
        let backup = Folder::new();
        if let Store::Sqlite(_) = self {
            self.change(&format!("VACUUM INTO '{}/list.sqlite3'", path(&backup)));
            return Backup(backup);
        }
        self.kill();
        copy(self.folder(), &backup);
        self.restart();
        Backup(backup)
    }

    /// Puts a copy into the place of what the store has.
    pub fn restore(&mut self, backup: &Backup) {
        if let Store::Sqlite(_) = self {
            // A file that is in use must not be replaced.
            let tables = [
                "rocket_login_store",
                "rocket_login_entries",
                "rocket_login_log",
            ];
            let replace = tables.map(|table| {
                format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM old.{table};")
            });
            self.change(&format!(
                "ATTACH '{}/list.sqlite3' AS old; BEGIN IMMEDIATE; {} COMMIT",
                path(&backup.0),
                replace.concat()
            ));
            return;
        }
        self.kill();
        for file in fs::read_dir(self.folder().path()).unwrap() {
            let file = file.unwrap().path();
            if file.is_dir() {
                fs::remove_dir_all(file).unwrap();
            }
        }
        copy(&backup.0, self.folder());
        self.restart();
    }

    /// Removes everything from the store.
    pub fn wipe(&self) {
        match self {
            Store::Redis(redis) => drop(redis.ask(&["FLUSHALL"])),
            _ => self.change(
                "DELETE FROM rocket_login_store; DELETE FROM rocket_login_entries; DELETE FROM rocket_login_log",
            ),
        }
    }

    /// Removes all records from the log but the newest one.
    pub fn trim(&self) {
        match self {
            Store::Redis(redis) => drop(redis.ask(&["XTRIM", LOG, "MAXLEN", "1"])),
            _ => self.change(
                "DELETE FROM rocket_login_log WHERE number < (SELECT number FROM rocket_login_store)",
            ),
        }
    }

    /// Sets the largest time that the store has given out.
    pub fn set_time(&self, time: u64) {
        match self {
            Store::Redis(redis) => drop(redis.ask(&["HSET", TABLE, "@time", &time.to_string()])),
            _ => self.change(&format!("UPDATE rocket_login_store SET time = {time}")),
        }
    }

    /// Refuses or takes changes again; reads go on.
    pub fn set_full(&self, is_full: bool) {
        match self {
            Store::Redis(redis) => {
                let limit = if is_full { "1" } else { "0" };
                redis.ask(&["CONFIG", "SET", "maxmemory", limit]);
            }
            Store::Postgres { server, url } => {
                let name = database(url);
                let sql =
                    format!("ALTER DATABASE {name} SET default_transaction_read_only = {is_full}");
                server.run("postgres", &sql);
                // The setting is for new connections.
                let end = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                );
                server.run("postgres", &end);
            }
            Store::Sqlite(_) if is_full => self.change(
                "CREATE TRIGGER full BEFORE INSERT ON rocket_login_log \
                 BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END",
            ),
            Store::Sqlite(_) => self.change("DROP TRIGGER full"),
        }
    }

    /// Leaves no room on the [small disk](Self::each_on_small_disk).
    pub fn fill_disk(&self) {
        if let Store::Sqlite(_) = self {
            // Otherwise there is room in its log for the next changes.
            self.change("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        self.folder().fill();
    }

    /// Runs statements in the database.
    pub fn change(&self, sql: &str) {
        match self {
            Store::Redis(_) => {}
            Store::Postgres { server, url } => drop(server.run(database(url), sql)),
            Store::Sqlite(_) => self.sql(sql, || ()),
        }
    }

    /// Runs statements of SQLite, and something else before their connection closes.
    pub fn sql(&self, sql: &str, meanwhile: impl FnOnce()) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
            connection.execute(sql).await.unwrap();
            meanwhile();
        });
    }

    /// Returns how many bytes the store uses.
    pub fn size(&self) -> u64 {
        match self {
            Store::Redis(redis) => {
                let info = redis.ask(&["INFO", "memory"]);
                let line = info
                    .lines()
                    .find_map(|line| line.strip_prefix("used_memory:"));
                line.and_then(|number| number.trim().parse().ok())
                    .unwrap_or(0)
            }
            Store::Postgres { server, url } => {
                let sql = "SELECT pg_database_size(current_database())";
                server.run(database(url), sql).parse().unwrap_or(0)
            }
            Store::Sqlite(folder) => {
                let file = folder.path().join("list.sqlite3");
                file.metadata().map_or(0, |metadata| metadata.len())
            }
        }
    }

    /// Returns the folder with the files of the store.
    pub fn folder(&self) -> &Folder {
        match self {
            Store::Redis(redis) => redis.folder(),
            Store::Postgres { server, .. } => server.folder(),
            Store::Sqlite(folder) => folder,
        }
    }
}

const TABLE: &str = "{rocket_login}:ended";
const LOG: &str = "{rocket_login}:log";

/// The name of the database in a URL.
fn database(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

fn path(folder: &Folder) -> String {
    folder.path().display().to_string()
}

/// Copies with owners and rights, since PostgreSQL checks them.
fn copy(from: &Folder, to: &Folder) {
    let from = from.path().join(".");
    let status = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to.path())
        .status();
    assert!(status.unwrap().success());
}
