//! The registry of logins in SQL.

use std::fmt;
use std::time::Duration;

use rocket::async_trait;
use rocket_login::logins::{
    Begin, Begun, KnownClient, LoginId, LoginRegistry, LoginRow, RegistryError, Restored, RowUser,
    UnixTime,
};

use crate::connection::{Argument, Connection, Database, Dialect};
use crate::error::StoreError;
use crate::pool::Connections;

/// How many expired rows a login removes, of each table.
const PURGED: i64 = 20;

/// The registry of logins in PostgreSQL or SQLite, in the tables that [`migrate`](crate::migrate()) makes.
///
/// # Example
///
/// ```rust,no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::SqlitePool::connect("sqlite://club.sqlite3").await?;
/// login_sqlx::migrate(&pool).await?;
/// let registry = login_sqlx::SqlRegistry::new(&pool);
/// # Ok(()) }
/// ```
pub struct SqlRegistry {
    connections: Connections,
    dialect: &'static Dialect,
}

impl SqlRegistry {
    /// Takes the options of the application's pool, and nothing else of it; connects later.
    ///
    /// The example of [`SqlRegistry`] shows it.
    #[must_use]
    pub fn new(database: impl Into<Database>) -> Self {
        let Database(options) = database.into();
        SqlRegistry {
            dialect: options.dialect(),
            connections: Connections::new(options.existing()),
        }
    }

    async fn change(
        &self,
        connection: &mut Connection,
        sql: &str,
        arguments: &[Argument<'_>],
    ) -> Result<(), StoreError> {
        let changed = connection.change(sql, arguments).await;
        changed
            .map(drop)
            .map_err(|error| self.connections.error(error))
    }

    async fn run(&self, connection: &mut Connection, sql: &str) -> Result<(), StoreError> {
        let done = connection.run(sql).await;
        done.map_err(|error| self.connections.error(error))
    }

    /// Begins a transaction that no other one for the same user interleaves with.
    async fn lock(&self, owners: &[String]) -> Result<Connection, StoreError> {
        let mut connection = self.connections.connection().await?;
        self.run(&mut connection, self.dialect.begin).await?;
        if let Some(lock) = self.dialect.lock_name {
            // In one order, so that two servers with different keys do not wait for each other.
            let mut names: Vec<_> = owners.iter().collect();
            names.sort();
            for name in names {
                self.change(&mut connection, lock, &[Argument::Text(name)])
                    .await?;
            }
        }
        Ok(connection)
    }

    async fn commit(&self, mut connection: Connection) -> Result<(), StoreError> {
        self.run(&mut connection, "COMMIT").await?;
        self.connections.give_back(connection);
        Ok(())
    }

    /// The rows of a user that satisfy a condition on `until` or `login`.
    async fn select(
        &self,
        connection: &mut Connection,
        users: &[RowUser],
        condition: &str,
        argument: Argument<'_>,
    ) -> Result<Vec<LoginRow>, StoreError> {
        let owners = names(users);
        let sql = format!(
            "SELECT owner, content FROM rocket_login_logins WHERE {condition} $1 AND owner IN ({})",
            places(2, owners.len())
        );
        let mut arguments = vec![argument];
        arguments.extend(owners.iter().map(|owner| Argument::Text(owner)));
        let found = connection.fetch(&sql, &arguments).await;
        let found: Vec<(String, String)> = found.map_err(|error| self.connections.error(error))?;
        let rows = found.into_iter().filter_map(|(owner, content)| {
            let known = owners.iter().zip(users).find(|(name, _)| **name == owner);
            known.map(|(_, user)| LoginRow::parse(*user, &content))
        });
        Ok(rows.collect::<Result<_, _>>()?)
    }

    async fn put(&self, connection: &mut Connection, row: &LoginRow) -> Result<(), StoreError> {
        let put = "INSERT INTO rocket_login_logins (login, owner, content, until) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (login) DO UPDATE SET content = excluded.content, until = excluded.until";
        let [login, owner, content] = [
            hexadecimal(row.login()),
            row.user().to_string(),
            row.to_string(),
        ];
        let arguments = [
            Argument::Text(&login),
            Argument::Text(&owner),
            Argument::Text(&content),
            Argument::Number(signed(row.until())),
        ];
        self.change(connection, put, &arguments).await
    }

    async fn insert(&self, new: &Begin) -> Result<Begun, StoreError> {
        let mut connection = self.lock(&names(&new.users)).await?;
        let now = Argument::Number(signed(new.now));
        let rows = self
            .select(&mut connection, &new.users, "until >", now)
            .await?;
        if !new.has_room(&rows) {
            self.run(&mut connection, "ROLLBACK").await?;
            self.connections.give_back(connection);
            return Ok(Begun::Full(rows));
        }
        let clients = self.clients(&mut connection, &new.users, new.now).await?;
        self.put(&mut connection, &new.row).await?;
        self.run(&mut connection, "COMMIT").await?;
        // A failure here is not one of the login; another login removes them.
        if self.purge(&mut connection, new.now).await.is_ok() {
            self.connections.give_back(connection);
        }
        Ok(Begun::Inserted {
            others: rows,
            clients,
        })
    }

    async fn clients(
        &self,
        connection: &mut Connection,
        users: &[RowUser],
        now: UnixTime,
    ) -> Result<Vec<KnownClient>, StoreError> {
        let owners = names(users);
        let sql = format!(
            "SELECT client, until FROM rocket_login_clients WHERE until > $1 AND owner IN ({})",
            places(2, owners.len())
        );
        let mut arguments = vec![Argument::Number(signed(now))];
        arguments.extend(owners.iter().map(|owner| Argument::Text(owner)));
        let found = connection.fetch(&sql, &arguments).await;
        let found: Vec<(String, i64)> = found.map_err(|error| self.connections.error(error))?;
        let client = |(name, until)| KnownClient {
            name,
            until: UnixTime::from_secs(u64::try_from(until).unwrap_or(0)),
        };
        Ok(found.into_iter().map(client).collect())
    }

    async fn remember(&self, user: RowUser, client: &KnownClient) -> Result<(), StoreError> {
        let put = "INSERT INTO rocket_login_clients (owner, client, until) VALUES ($1, $2, $3) \
                   ON CONFLICT (owner, client) DO UPDATE SET until = excluded.until";
        let owner = user.to_string();
        let arguments = [
            Argument::Text(&owner),
            Argument::Text(&client.name),
            Argument::Number(signed(client.until)),
        ];
        let mut connection = self.connections.connection().await?;
        self.change(&mut connection, put, &arguments).await?;
        self.connections.give_back(connection);
        Ok(())
    }

    async fn purge(&self, connection: &mut Connection, now: UnixTime) -> Result<(), StoreError> {
        let logins = "DELETE FROM rocket_login_logins WHERE login IN \
                      (SELECT login FROM rocket_login_logins WHERE until < $1 ORDER BY until LIMIT $2)";
        let clients = "DELETE FROM rocket_login_clients WHERE (owner, client) IN \
                       (SELECT owner, client FROM rocket_login_clients WHERE until < $1 ORDER BY until LIMIT $2)";
        let arguments = [Argument::Number(signed(now)), Argument::Number(PURGED)];
        for purge in [logins, clients] {
            self.change(connection, purge, &arguments).await?;
        }
        Ok(())
    }

    async fn list(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, StoreError> {
        let mut connection = self.connections.connection().await?;
        let now = Argument::Number(signed(now));
        let rows = self.select(&mut connection, users, "until >", now).await?;
        self.connections.give_back(connection);
        Ok(rows)
    }

    /// Writes what `change` makes of the row of a login, if it makes a row of it.
    async fn update(
        &self,
        login: LoginId,
        users: &[RowUser],
        change: impl FnOnce(Option<&LoginRow>) -> Option<LoginRow>,
    ) -> Result<(), StoreError> {
        let mut connection = self.lock(&names(users)).await?;
        let login = hexadecimal(login);
        let login = Argument::Text(&login);
        let held = self
            .select(&mut connection, users, "login =", login)
            .await?;
        if let Some(row) = change(held.first()) {
            self.put(&mut connection, &row).await?;
        }
        self.commit(connection).await
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
        let mut connection = self.connections.connection().await?;
        let names = names(users);
        let sql = format!(
            "DELETE FROM rocket_login_logins WHERE owner IN ({}) AND login IN ({})",
            places(1, names.len()),
            places(names.len().saturating_add(1), logins.len())
        );
        let logins: Vec<_> = logins.iter().copied().map(hexadecimal).collect();
        let arguments = names.iter().chain(&logins);
        let arguments: Vec<_> = arguments.map(|text| Argument::Text(text)).collect();
        self.change(&mut connection, &sql, &arguments).await?;
        self.connections.give_back(connection);
        Ok(())
    }

    async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, RegistryError> {
        let answer = self.connections.within(Duration::ZERO, call).await;
        answer.map_err(RegistryError::new)
    }
}

#[async_trait]
impl LoginRegistry for SqlRegistry {
    async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError> {
        self.within(self.insert(begin)).await
    }

    async fn rows(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, RegistryError> {
        self.within(self.list(users, now)).await
    }

    async fn renew(&self, row: &LoginRow, users: &[RowUser]) -> Result<(), RegistryError> {
        self.within(self.join(row, users)).await
    }

    async fn restore(&self, row: &LoginRow, users: &[RowUser]) -> Result<Restored, RegistryError> {
        self.within(self.count(row, users)).await
    }

    async fn end(&self, users: &[RowUser], logins: &[LoginId]) -> Result<(), RegistryError> {
        self.within(self.remove(users, logins)).await
    }

    async fn remember_client(
        &self,
        user: RowUser,
        client: &KnownClient,
    ) -> Result<(), RegistryError> {
        self.within(self.remember(user, client)).await
    }
}

fn names(users: &[RowUser]) -> Vec<String> {
    users.iter().map(RowUser::to_string).collect()
}

/// The places of `count` arguments, from number `first` on.
fn places(first: usize, count: usize) -> String {
    let places = (first..).take(count).map(|number| format!("${number}"));
    places.collect::<Vec<_>>().join(", ")
}

fn hexadecimal(login: LoginId) -> String {
    format!("{:032x}", u128::from_be_bytes(*login.as_bytes()))
}

fn signed(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

impl fmt::Debug for SqlRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlRegistry")
            .field("database", &self.connections.options)
            .finish_non_exhaustive()
    }
}
