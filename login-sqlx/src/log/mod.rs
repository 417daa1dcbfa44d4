//! The list of ended logins in SQL.

mod read;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use rocket::async_trait;
use rocket::tokio::time;
use rocket_login::store::{
    Appended, Change, Entry, EntryError, Epoch, Key, Position, RevocationError, RevocationLog,
    Since, UnixTime,
};

use crate::connection::{Argument, Connection, Database, Dialect};
use crate::error::StoreError;
use crate::migrate::VERSION;
use crate::pool::Connections;

/// How many entries or records are read at once.
const PAGE: i64 = 1_000;

/// How many entries or records are removed at once: so few that PostgreSQL finds each one by its index.
const STEP: i64 = 100;

/// How often the database is asked for new records.
const POLL: Duration = Duration::from_millis(50);

/// How long expired entries and old records stay, by the clock of the database.
const HOUR: i64 = 3_600;

/// The list of ended logins in PostgreSQL or SQLite, in the tables that [`migrate`](crate::migrate()) makes.
///
/// # Example
///
/// ```rust,no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::SqlitePool::connect("sqlite://club.sqlite3").await?;
/// login_sqlx::migrate(&pool).await?;
/// let log = login_sqlx::SqlLog::new(&pool);
/// # Ok(()) }
/// ```
pub struct SqlLog {
    connections: Connections,
    dialect: &'static Dialect,
}

impl SqlLog {
    /// Takes the options of the application's pool, and nothing else of it; connects later.
    ///
    /// The example of [`SqlLog`] shows it.
    #[must_use]
    pub fn new(database: impl Into<Database>) -> Self {
        let Database(options) = database.into();
        SqlLog {
            dialect: options.dialect(),
            connections: Connections::new(options.existing()),
        }
    }

    async fn fetch<T: crate::connection::Row>(
        &self,
        connection: &mut Connection,
        sql: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let rows = connection.fetch(sql, arguments).await;
        rows.map_err(|error| self.connections.error(error))
    }

    async fn change(
        &self,
        connection: &mut Connection,
        sql: &str,
        arguments: &[Argument<'_>],
    ) -> Result<u64, StoreError> {
        let count = connection.change(sql, arguments).await;
        count.map_err(|error| self.connections.error(error))
    }

    async fn run(&self, connection: &mut Connection, sql: &str) -> Result<(), StoreError> {
        let done = connection.run(sql).await;
        done.map_err(|error| self.connections.error(error))
    }

    fn replica(&self) -> StoreError {
        StoreError::Replica(self.connections.options.name())
    }
}

/// The one row of the store, or nothing: replica, version, epoch, number, time, clock.
type Store = (bool, i64, Option<String>, Option<i64>, Option<i64>, i64);

struct Head {
    epoch: Epoch,
    number: i64,
    /// The largest time that was given out.
    time: i64,
    clock: i64,
}

impl SqlLog {
    /// Reads the row of the store in one statement, at the primary only; `None` if there is no list.
    async fn head(&self, connection: &mut Connection) -> Result<Option<Head>, StoreError> {
        let Dialect {
            clock, is_replica, ..
        } = self.dialect;
        let sql = format!(
            "SELECT here.is_replica, (SELECT COALESCE(MAX(version), 0) FROM rocket_login_schema), \
                    store.epoch, store.number, store.time, here.clock \
             FROM (SELECT {is_replica} AS is_replica, {clock} AS clock) AS here \
             LEFT JOIN rocket_login_store AS store ON store.id = 1"
        );
        let rows: Vec<Store> = self.fetch(connection, &sql, &[]).await?;
        let Some((is_replica, found, epoch, number, time, clock)) = rows.into_iter().next() else {
            return Ok(None);
        };
        self.check(is_replica, found)?;
        let (Some(epoch), Some(number), Some(time)) = (epoch, number, time) else {
            return Ok(None);
        };
        let epoch = epoch.parse()?;
        Ok(Some(Head {
            epoch,
            number,
            time,
            clock,
        }))
    }

    fn check(&self, is_replica: bool, found: i64) -> Result<(), StoreError> {
        if is_replica {
            return Err(self.replica());
        }
        if found != VERSION {
            return Err(StoreError::Version {
                found,
                known: VERSION,
            });
        }
        Ok(())
    }

    async fn date(&self, keys: &[Key]) -> Result<UnixTime, StoreError> {
        let mut connection = self.connections.connection().await?;
        let head = match self.head(&mut connection).await? {
            // There is no list yet, or it has just been removed.
            None => {
                self.position(&mut connection).await?;
                self.head(&mut connection).await?
            }
            head => head,
        };
        let mut head = head.ok_or(StoreError::RemovedMeanwhile)?;
        if head.clock > head.time {
            let update = "UPDATE rocket_login_store SET time = $1 WHERE time < $1";
            self.change(&mut connection, update, &[Argument::Number(head.clock)])
                .await?;
            // Another server may have saved a later time.
            head = self
                .head(&mut connection)
                .await?
                .ok_or(StoreError::RemovedMeanwhile)?;
        }
        let keys: Vec<_> = keys.iter().map(Key::to_string).collect();
        let entries = self.entries(&mut connection, &keys).await?;
        self.connections.give_back(connection);
        let now = UnixTime::from_secs(unsigned(head.time)?);
        Ok(entries.values().fold(now, |now, entry| now.max(entry.at())))
    }

    async fn entries(
        &self,
        connection: &mut Connection,
        keys: &[String],
    ) -> Result<HashMap<String, Entry>, StoreError> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let names: Vec<_> = (1..=keys.len())
            .map(|number| format!("${number}"))
            .collect();
        let sql = format!(
            "SELECT key, entry FROM rocket_login_entries WHERE key IN ({})",
            names.join(", ")
        );
        let arguments: Vec<_> = keys.iter().map(|key| Argument::Text(key)).collect();
        let rows: Vec<(String, String)> = self.fetch(connection, &sql, &arguments).await?;
        let entries = rows.into_iter().map(|(key, text)| {
            let entry = parse(&key, &text)?;
            Ok((key, entry))
        });
        entries.collect()
    }

    async fn remove(&self, until: UnixTime, limit: usize) -> Result<usize, StoreError> {
        let mut connection = self.connections.connection().await?;
        let Some(head) = self.head(&mut connection).await? else {
            return Ok(0);
        };
        let hour_ago = head.clock.saturating_sub(HOUR);
        let limit = i64::try_from(limit).unwrap_or(STEP).min(STEP);
        let entries = "DELETE FROM rocket_login_entries WHERE until < $1 AND key IN \
                       (SELECT key FROM rocket_login_entries WHERE until < $1 ORDER BY until LIMIT $2)";
        let before = signed(until.as_secs()).min(hour_ago);
        let arguments = [Argument::Number(before), Argument::Number(limit)];
        let removed = self.change(&mut connection, entries, &arguments).await?;
        let oldest = "SELECT MIN(number) FROM rocket_login_log";
        let oldest: Vec<(Option<i64>,)> = self.fetch(&mut connection, oldest, &[]).await?;
        if let Some(&(Some(oldest),)) = oldest.first() {
            // Never the newest one.
            let end = oldest.saturating_add(limit).min(head.number);
            let records =
                "DELETE FROM rocket_login_log WHERE number >= $1 AND number < $2 AND time < $3";
            let arguments = [oldest, end, hour_ago].map(Argument::Number);
            self.change(&mut connection, records, &arguments).await?;
        }
        self.connections.give_back(connection);
        Ok(usize::try_from(removed).unwrap_or(usize::MAX))
    }
}

#[async_trait]
impl RevocationLog for SqlLog {
    async fn snapshot(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, RevocationError> {
        // A large table takes longer than any other call.
        let patience = Duration::from_secs(60);
        Ok(self
            .connections
            .within(patience, self.read_table(entry))
            .await?)
    }

    async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> {
        let start = Instant::now();
        loop {
            let since = self
                .connections
                .within(Duration::ZERO, self.read_log(position))
                .await?;
            let is_empty = matches!(&since, Since::Records { records, .. } if records.is_empty());
            let left = wait.saturating_sub(start.elapsed());
            if !is_empty || left.is_zero() {
                return Ok(since);
            }
            time::sleep(POLL.min(left)).await;
        }
    }

    async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> {
        self.connections
            .within(Duration::ZERO, self.write(epoch, change))
            .await
    }

    async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> {
        Ok(self
            .connections
            .within(Duration::ZERO, self.date(keys))
            .await?)
    }

    async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> {
        Ok(self
            .connections
            .within(Duration::ZERO, self.remove(until, limit))
            .await?)
    }
}

fn parse(key: &str, text: &str) -> Result<Entry, StoreError> {
    let entry: Entry = text.parse()?;
    if entry.key().to_string() == key {
        Ok(entry)
    } else {
        Err(EntryError::Malformed.into())
    }
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| EntryError::Malformed.into())
}

/// No number here is too large: the times of entries are below 2⁵³.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl fmt::Debug for SqlLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlLog")
            .field("database", &self.connections.options)
            .finish_non_exhaustive()
    }
}
