//! The registry of logins in Redis.
//!
//! The rows of a user are a hash, `{PREFIX}:logins:USER`, which expires with the last of them. Its fields are the ids of the
//! logins; a value is when the row expires, a space, and the row. The clients that are remembered of a user are a hash,
//! `{PREFIX}:clients:USER`: when each is forgotten, by name.

use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue, cmd, pipe};
use rocket::async_trait;
use rocket_login::logins::{
    Begin, Begun, KnownClient, LoginId, LoginRegistry, LoginRow, RegistryError, Restored, RowError,
    RowUser, UnixTime,
};

use crate::error::{AddressError, StoreError};
use crate::link::Link;
use crate::log::{is_prefix, script};

/// How often a renewal or a restore is decided again because another one came between.
const ATTEMPTS: usize = 20;

/// What `login.lua` returns: the outcome, the rows with the numbers of their keys, and the clients.
type Inserted = (String, Vec<(usize, String)>, Vec<(String, u64)>);

/// The registry of logins in Redis 7 or Valkey.
///
/// # Example
///
/// ```rust
/// use login_redis::RedisRegistry;
///
/// # fn main() -> Result<(), login_redis::AddressError> {
/// let registry = RedisRegistry::open("redis://127.0.0.1:6379/")?;
/// # Ok(()) }
/// ```
pub struct RedisRegistry {
    address: String,
    prefix: String,
    commands: Link,
}

impl RedisRegistry {
    /// Takes the URL of a server, such as `redis://user:password@host:6379/0`; connects later.
    ///
    /// # Errors
    ///
    /// If it is not a URL of Redis.
    ///
    /// The example of [`RedisRegistry`] shows it.
    pub fn open(url: &str) -> Result<Self, AddressError> {
        Ok(Self::from_client(Client::open(url)?))
    }

    /// Takes a client of the re-exported [`redis`](crate::redis) crate, for settings that no URL can express.
    ///
    /// # Example
    ///
    /// ```rust
    /// use login_redis::{RedisRegistry, redis};
    ///
    /// # fn main() -> redis::RedisResult<()> {
    /// let registry = RedisRegistry::from_client(redis::Client::open("redis://127.0.0.1:6379/")?);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn from_client(client: Client) -> Self {
        RedisRegistry {
            address: client.get_connection_info().addr().to_string(),
            prefix: "rocket_login".to_owned(),
            commands: Link::new(client),
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
    /// use login_redis::{AddressError, RedisRegistry};
    ///
    /// fn open(url: &str) -> Result<RedisRegistry, AddressError> {
    ///     RedisRegistry::open(url)?.prefix("club")
    /// }
    /// ```
    pub fn prefix(mut self, prefix: &str) -> Result<Self, AddressError> {
        if !is_prefix(prefix) {
            return Err(AddressError::Prefix);
        }
        prefix.clone_into(&mut self.prefix);
        Ok(self)
    }

    fn keys(&self, users: &[RowUser]) -> Vec<String> {
        let key = |user| format!("{{{}}}:logins:{user}", self.prefix);
        users.iter().map(key).collect()
    }

    fn client_key(&self, user: RowUser) -> String {
        format!("{{{}}}:clients:{user}", self.prefix)
    }

    async fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        let connection = self.commands.working_connection().await;
        connection.map_err(|error| StoreError::of(error, &self.address))
    }

    async fn ask<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        commands: impl IntoIterator<Item = Cmd>,
    ) -> Result<T, StoreError> {
        let mut all = pipe();
        for command in commands {
            all.add_command(command);
        }
        let answer = all.query_async(connection);
        let answer = self.commands.answer(Duration::ZERO, answer).await;
        answer.map_err(|error| StoreError::of(error, &self.address))
    }

    async fn insert(&self, new: &Begin) -> Result<Begun, StoreError> {
        let mut keys = self.keys(&new.users);
        keys.extend(new.users.iter().map(|user| self.client_key(*user)));
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let row = &new.row;
        let mut arguments = vec![
            new.now.as_secs().to_string(),
            new.max.map_or("-".to_owned(), |max| max.to_string()),
            hexadecimal(row.login()),
            content(row),
            row.until().as_secs().to_string(),
        ];
        arguments.extend(new.replaced.iter().copied().map(hexadecimal));
        let insert = script(include_str!("lua/login.lua"), &keys, &arguments);
        let mut connection = self.connection().await?;
        let ((outcome, rows, clients),): (Inserted,) = self.ask(&mut connection, [insert]).await?;
        let rows = rows.iter().map(|(number, content)| {
            let user = new.users.get(*number).ok_or(RowError::Malformed)?;
            parse(*user, content)
        });
        let rows = rows.collect::<Result<_, _>>()?;
        Ok(match outcome.as_str() {
            "inserted" => {
                let client = |(name, until)| KnownClient {
                    name,
                    until: UnixTime::from_secs(until),
                };
                Begun::Inserted {
                    others: rows,
                    clients: clients.into_iter().map(client).collect(),
                }
            }
            _ => Begun::Full(rows),
        })
    }

    async fn remember(&self, user: RowUser, client: &KnownClient) -> Result<(), StoreError> {
        let key = self.client_key(user);
        let arguments = [client.name.clone(), client.until.as_secs().to_string()];
        let remember = script(include_str!("lua/client.lua"), &[&key], &arguments);
        let mut connection = self.connection().await?;
        self.ask(&mut connection, [remember]).await
    }

    async fn list(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, StoreError> {
        let read = |key| cmd("HVALS").arg(key).take();
        let mut connection = self.connection().await?;
        let reads = self.keys(users).into_iter().map(read);
        let found: Vec<Vec<String>> = self.ask(&mut connection, reads).await?;
        let mut rows = Vec::new();
        for (user, contents) in users.iter().zip(found) {
            for content in contents {
                let row = parse(*user, &content)?;
                if row.until() > now {
                    rows.push(row);
                }
            }
        }
        Ok(rows)
    }

    /// Writes what `change` makes of the row of a login, if it makes a row of it.
    async fn update(
        &self,
        login: LoginId,
        users: &[RowUser],
        mut change: impl FnMut(Option<&LoginRow>) -> Option<LoginRow>,
    ) -> Result<(), StoreError> {
        let login = hexadecimal(login);
        let keys = self.keys(users);
        let mut connection = self.connection().await?;
        for _ in 0..ATTEMPTS {
            let read = |key| cmd("HGET").arg(key).arg(&login).take();
            let found: Vec<Option<String>> =
                self.ask(&mut connection, keys.iter().map(read)).await?;
            let held = users.iter().zip(&keys).zip(&found);
            let mut held = held.filter_map(|(at, content)| Some((at, content.as_deref()?)));
            let (key, before, changed) = match held.next() {
                Some(((user, key), before)) => (key, before, change(Some(&parse(*user, before)?))),
                None => match keys.first() {
                    Some(key) => (key, "", change(None)),
                    None => return Ok(()),
                },
            };
            let Some(row) = changed else { return Ok(()) };
            let arguments = [
                login.clone(),
                before.to_owned(),
                content(&row),
                row.until().as_secs().to_string(),
            ];
            let renew = script(include_str!("lua/renew.lua"), &[key], &arguments);
            let (is_written,): (bool,) = self.ask(&mut connection, [renew]).await?;
            if is_written {
                return Ok(());
            }
        }
        Err(StoreError::Contended)
    }

    async fn join(&self, row: &LoginRow, users: &[RowUser]) -> Result<(), StoreError> {
        let join = |held: Option<&LoginRow>| {
            Some(held.map_or_else(|| row.clone(), |held| held.joined(row)))
        };
        self.update(row.login(), users, join).await
    }

    async fn count(&self, row: &LoginRow, users: &[RowUser]) -> Result<Restored, StoreError> {
        let mut restored = Restored::Reused;
        let count = |held: Option<&LoginRow>| {
            restored = row.restored(held);
            restored.changed().cloned()
        };
        self.update(row.login(), users, count).await?;
        Ok(restored)
    }

    async fn remove(&self, users: &[RowUser], logins: &[LoginId]) -> Result<(), StoreError> {
        if logins.is_empty() {
            return Ok(());
        }
        let logins: Vec<_> = logins.iter().copied().map(hexadecimal).collect();
        let remove = |key| cmd("HDEL").arg(key).arg(&logins).take();
        let mut connection = self.connection().await?;
        let removals = self.keys(users).into_iter().map(remove);
        let _: Vec<usize> = self.ask(&mut connection, removals).await?;
        Ok(())
    }
}

#[async_trait]
impl LoginRegistry for RedisRegistry {
    async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError> {
        self.insert(begin).await.map_err(RegistryError::new)
    }

    async fn rows(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, RegistryError> {
        self.list(users, now).await.map_err(RegistryError::new)
    }

    async fn renew(&self, row: &LoginRow, users: &[RowUser]) -> Result<(), RegistryError> {
        self.join(row, users).await.map_err(RegistryError::new)
    }

    async fn restore(&self, row: &LoginRow, users: &[RowUser]) -> Result<Restored, RegistryError> {
        self.count(row, users).await.map_err(RegistryError::new)
    }

    async fn end(&self, users: &[RowUser], logins: &[LoginId]) -> Result<(), RegistryError> {
        self.remove(users, logins).await.map_err(RegistryError::new)
    }

    async fn remember_client(
        &self,
        user: RowUser,
        client: &KnownClient,
    ) -> Result<(), RegistryError> {
        let written = self.remember(user, client).await;
        written.map_err(RegistryError::new)
    }
}

fn hexadecimal(login: LoginId) -> String {
    format!("{:032x}", u128::from_be_bytes(*login.as_bytes()))
}

fn content(row: &LoginRow) -> String {
    format!("{} {row}", row.until().as_secs())
}

fn parse(user: RowUser, content: &str) -> Result<LoginRow, RowError> {
    let (_, text) = content.split_once(' ').ok_or(RowError::Malformed)?;
    LoginRow::parse(user, text)
}

impl fmt::Debug for RedisRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRegistry")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
