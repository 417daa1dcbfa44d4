//! The list of ended logins in Redis.
//!
//! | key | type | content |
//! | --- | --- | --- |
//! | `{PREFIX}:ended` | hash | the entries by their keys, and `@form`, `@epoch`, `@number`, `@time` |
//! | `{PREFIX}:until` | sorted set | when each entry expires |
//! | `{PREFIX}:log` | stream | the records, under the ids `1-0`, `2-0`, .. |
//! | `{PREFIX}:op:ID` | string | what a change has answered, for two hours |
//!
//! The epoch stands in the table, so that a table that is evicted or deleted takes the epoch with it.
//!
//! A change is decided in Rust, from entries that were read before, and a script writes the result if none of them has
//! changed since. So the decision has one implementation, and is still one step.

mod read;
mod write;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue, RedisError, Value, cmd, pipe};
use rocket::async_trait;
use rocket_login::store::{
    Appended, Change, Entry, EntryError, Epoch, Key, OpId, Position, RevocationError,
    RevocationLog, Since, UnixTime,
};

use crate::error::{AddressError, StoreError};
use crate::launch;
use crate::link::Link;

/// How many entries or records are read at once.
const PAGE: usize = 1_000;

/// How often a change is decided again because another one came between.
const ATTEMPTS: usize = 20;

/// The form of what is in Redis.
const FORM: &str = "1";

/// The list of ended logins in Redis 7 or Valkey.
///
/// # Example
///
/// ```rust
/// use login_redis::RedisLog;
///
/// # fn main() -> Result<(), login_redis::AddressError> {
/// let log = RedisLog::open("redis://127.0.0.1:6379/")?.strict(true);
/// # Ok(()) }
/// ```
pub struct RedisLog {
    address: String,
    names: Names,
    commands: Link,
    /// Of its own, since it blocks.
    reader: Link,
    is_strict: bool,
    replicas: usize,
    replica_timeout: Duration,
    is_checked: AtomicBool,
}

struct Names {
    table: String,
    untils: String,
    log: String,
    op: String,
}

impl RedisLog {
    /// Takes the URL of a server, such as `redis://user:password@host:6379/0`; connects later.
    ///
    /// # Errors
    ///
    /// If it is not a URL of Redis.
    ///
    /// The example of [`RedisLog`] shows it.
    pub fn open(url: &str) -> Result<Self, AddressError> {
        Ok(Self::from_client(Client::open(url)?))
    }

    /// Takes a client of the re-exported [`redis`](crate::redis) crate, for settings that no URL can express, such as a
    /// client certificate.
    ///
    /// # Example
    ///
    /// ```rust
    /// use login_redis::{RedisLog, redis};
    ///
    /// # fn main() -> redis::RedisResult<()> {
    /// let log = RedisLog::from_client(redis::Client::open("redis://127.0.0.1:6379/")?);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn from_client(client: Client) -> Self {
        RedisLog {
            address: client.get_connection_info().addr().to_string(),
            names: Names::new("rocket_login"),
            commands: Link::new(client.clone()),
            reader: Link::new(client),
            is_strict: false,
            replicas: 0,
            replica_timeout: Duration::ZERO,
            is_checked: AtomicBool::new(false),
        }
    }

    /// Sets how the names of the keys begin; `rocket_login` by default.
    ///
    /// # Errors
    ///
    /// If it is empty or has a brace in it: the braces around it let Redis Cluster keep all keys on one server.
    ///
    /// # Example
    ///
    /// ```rust
    /// use login_redis::{AddressError, RedisLog};
    ///
    /// fn of_two_applications(url: &str) -> Result<[RedisLog; 2], AddressError> {
    ///     Ok([RedisLog::open(url)?.prefix("club")?, RedisLog::open(url)?.prefix("shop")?])
    /// }
    /// ```
    pub fn prefix(mut self, prefix: &str) -> Result<Self, AddressError> {
        if !is_prefix(prefix) {
            return Err(AddressError::Prefix);
        }
        self.names = Names::new(prefix);
        Ok(self)
    }

    /// Sets whether the launch stops if the server may evict keys or keeps no append-only file; `false` by default, which
    /// only warns.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.is_strict = strict;
        self
    }

    /// Sets how many replicas must confirm each change within `timeout`, by the command `WAIT`; 0 by default.
    ///
    /// That makes it less likely that a fail-over loses a logout, and does not exclude it. If fewer confirm, the logout
    /// answers 503.
    ///
    /// # Example
    ///
    /// ```rust
    /// use std::time::Duration;
    /// use login_redis::{AddressError, RedisLog};
    ///
    /// fn open(url: &str) -> Result<RedisLog, AddressError> {
    ///     Ok(RedisLog::open(url)?.wait_for_replicas(1, Duration::from_millis(200)))
    /// }
    /// ```
    #[must_use]
    pub fn wait_for_replicas(mut self, replicas: usize, timeout: Duration) -> Self {
        self.replicas = replicas;
        self.replica_timeout = timeout;
        self
    }

    async fn connection(&self, link: &Link) -> Result<MultiplexedConnection, StoreError> {
        let connection = link.connection().await;
        connection.map_err(|error| StoreError::of(error, &self.address))
    }

    /// Sends commands, and makes sure that a primary has answered them. (Not within `MULTI`: a server that is full
    /// refuses even to read in it.)
    async fn ask<T: FromRedisValue>(
        &self,
        link: &Link,
        commands: impl IntoIterator<Item = Cmd>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection(link).await?;
        let mut all = pipe();
        all.cmd("ROLE");
        for command in commands {
            all.add_command(command);
        }
        all.cmd("ROLE");
        let answer = all.query_async(&mut connection);
        let answer = link.answer(Duration::ZERO, answer).await;
        let mut answers: Vec<Value> = answer.map_err(|error| self.error(error))?;
        let after = answers.pop();
        let before = (!answers.is_empty()).then(|| answers.remove(0));
        if ![before, after].iter().flatten().all(is_primary) {
            link.close().await;
            return Err(StoreError::Replica(self.address.clone()));
        }
        let answers = redis::from_redis_value(Value::Array(answers));
        answers.map_err(|error| self.error(error.into()))
    }

    /// Runs a script that writes, which a replica refuses.
    async fn run<T: FromRedisValue>(&self, script: Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection(&self.commands).await?;
        let answer = script.query_async(&mut connection);
        let answer = self.commands.answer(Duration::ZERO, answer).await;
        answer.map_err(|error| self.error(error))
    }

    fn error(&self, error: RedisError) -> StoreError {
        StoreError::of(error, &self.address)
    }
}

impl Names {
    fn new(prefix: &str) -> Self {
        let name = |name: &str| format!("{{{prefix}}}:{name}");
        Names {
            table: name("ended"),
            untils: name("until"),
            log: name("log"),
            op: name("op"),
        }
    }
}

pub(crate) fn is_prefix(prefix: &str) -> bool {
    !prefix.is_empty() && !prefix.contains(['{', '}'])
}

/// A script, whole each time: it is short, and a server that has restarted does not know it.
pub(crate) fn script(text: &str, keys: &[&str], arguments: &[String]) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(text).arg(keys.len()).arg(keys).arg(arguments);
    command
}

fn is_primary(role: &Value) -> bool {
    let Value::Array(parts) = role else {
        return false;
    };
    let name = parts.first().map(redis::from_redis_value_ref::<String>);
    matches!(name, Some(Ok(name)) if name == "master")
}

/// A page of the table: where the next one begins, and fields with their values.
type Page = (u64, Vec<(String, String)>);

/// What `now.lua` returns: the time, and the epoch before the entries.
type Now = Option<(u64, Vec<Option<String>>)>;

#[async_trait]
impl RevocationLog for RedisLog {
    async fn snapshot(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, RevocationError> {
        if !self.is_checked.load(Ordering::Relaxed) {
            self.check().await?;
            self.is_checked.store(true, Ordering::Relaxed);
        }
        let position = self.position().await?;
        let mut cursor = 0_u64;
        loop {
            let mut scan = cmd("HSCAN");
            scan.arg(&self.names.table)
                .arg(cursor)
                .arg("COUNT")
                .arg(PAGE);
            let ((next, fields),): (Page,) = self.ask(&self.commands, [scan]).await?;
            for (key, text) in fields {
                if !key.starts_with('@') {
                    entry(parse(&key, &text)?);
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        match self.read(&self.commands, 0, 0).await?.list {
            Some((epoch, _)) if epoch == position.epoch => Ok(position),
            _ => Err(StoreError::RemovedMeanwhile.into()),
        }
    }

    async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> {
        if !wait.is_zero() {
            self.wait(position, wait).await?;
        }
        let read = self.read(&self.reader, position.number, PAGE).await?;
        let Some((epoch, number)) = read.list else {
            return Ok(Since::Changed);
        };
        let op = read.at.map_or(OpId::NONE, |record| record.op);
        Ok(Since::read(position, (epoch, number), op, read.after))
    }

    async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> {
        for _ in 0..ATTEMPTS {
            if let Some(appended) = self.attempt(epoch, change).await? {
                return Ok(appended);
            }
        }
        Err(StoreError::Contended.into())
    }

    async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> {
        let arguments: Vec<_> = keys.iter().map(Key::to_string).collect();
        let now = script(
            include_str!("../lua/now.lua"),
            &[&self.names.table],
            &arguments,
        );
        let answer: Now = match self.run(now.clone()).await? {
            // There is no list yet, or it has just been removed.
            None => {
                self.position().await?;
                self.run(now).await?
            }
            answer => answer,
        };
        let (time, entries) = answer.ok_or(StoreError::RemovedMeanwhile)?;
        let mut now = UnixTime::from_secs(time);
        for (key, text) in arguments.iter().zip(entries.iter().skip(1)) {
            if let Some(text) = text {
                now = now.max(parse(key, text)?.at());
            }
        }
        Ok(now)
    }

    async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> {
        let Names {
            table, untils, log, ..
        } = &self.names;
        let arguments = [until.as_secs().to_string(), limit.min(PAGE).to_string()];
        let purge = include_str!("../lua/purge.lua");
        Ok(self
            .run(script(purge, &[table, untils, log], &arguments))
            .await?)
    }
}

impl RedisLog {
    async fn check(&self) -> Result<(), StoreError> {
        let mut connection = self.connection(&self.commands).await?;
        let mut info = pipe();
        info.cmd("INFO")
            .arg("memory")
            .cmd("INFO")
            .arg("persistence");
        let info = info.query_async(&mut connection);
        let info: Vec<String> = match self.commands.answer(Duration::ZERO, info).await {
            Ok(info) => info,
            Err(error) => match self.error(error) {
                // A hosted Redis may forbid the question.
                StoreError::Permission { .. } => return Ok(()),
                error => return Err(error),
            },
        };
        for risk in launch::risks(&info.concat()) {
            if self.is_strict {
                return Err(StoreError::Unsafe(risk));
            }
            tracing::warn!("{risk}");
        }
        Ok(())
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

impl fmt::Debug for RedisLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLog")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
