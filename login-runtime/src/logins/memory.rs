//! The registry of logins in this process's memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Begin, Begun, KnownClient, LoginRegistry, LoginRow, RegistryError, Restored, RowUser};
use crate::clock::UnixTime;
use crate::token::LoginId;

/// A registry of logins in this process's memory.
///
/// It is neither shared nor persistent: after a restart, a login is in it again five minutes after its next use at the
/// latest. A row takes about 400 bytes, and a remembered client 100. Of a user, it keeps the newest 1,000.
///
/// # Example
///
/// ```rust
/// # use rocket_login::{LoginManager, UserMixin, user_loader};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
/// use rocket_login::logins::MemoryRegistry;
///
/// let manager = LoginManager::new(load_user).login_registry(MemoryRegistry::new());
/// ```
#[derive(Default)]
pub struct MemoryRegistry(Mutex<State>);

#[derive(Default)]
struct State {
    users: HashMap<RowUser, Vec<LoginRow>>,
    clients: HashMap<RowUser, Vec<KnownClient>>,
    /// How many users there are when the expired rows are next removed from all of them.
    purge_at: usize,
}

/// How many rows of one user are kept.
const MOST: usize = 1_000;

impl MemoryRegistry {
    /// Returns an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change leaves a whole state behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rows(&self, users: &[RowUser], now: UnixTime) -> Vec<LoginRow> {
        let rows = users.iter().filter_map(|user| self.users.get(user));
        let rows = rows.flatten().filter(|row| row.until > now);
        rows.cloned().collect()
    }

    fn clients(&self, users: &[RowUser], now: UnixTime) -> Vec<KnownClient> {
        let clients = users.iter().filter_map(|user| self.clients.get(user));
        let clients = clients.flatten().filter(|client| client.until > now);
        clients.cloned().collect()
    }

    fn insert(&mut self, row: LoginRow, now: UnixTime) {
        if self.users.len() >= self.purge_at {
            self.users.retain(|_, rows| {
                rows.retain(|row| row.until > now);
                !rows.is_empty()
            });
            self.clients.retain(|_, clients| {
                clients.retain(|client| client.until > now);
                !clients.is_empty()
            });
            self.purge_at = self.users.len().saturating_mul(2).max(64);
        }
        let rows = self.users.entry(row.user).or_default();
        rows.retain(|held| held.until > now && held.login != row.login);
        if rows.len() >= MOST {
            rows.remove(0);
        }
        rows.push(row);
    }

    /// Puts a row in the place of the one of the same login, or inserts it.
    fn put(&mut self, row: LoginRow, users: &[RowUser]) {
        match self.row(users, row.login) {
            Some(held) => *held = row,
            None => {
                let now = row.seen_at;
                self.insert(row, now);
            }
        }
    }

    fn row(&mut self, users: &[RowUser], login: LoginId) -> Option<&mut LoginRow> {
        let holder = users.iter().find(|user| {
            let rows = self.users.get(user);
            rows.is_some_and(|rows| rows.iter().any(|row| row.login == login))
        })?;
        let rows = self.users.get_mut(holder)?;
        rows.iter_mut().find(|row| row.login == login)
    }
}

#[rocket::async_trait]
impl LoginRegistry for MemoryRegistry {
    async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError> {
        let mut state = self.state();
        let rows = state.rows(&begin.users, begin.now);
        if !begin.has_room(&rows) {
            return Ok(Begun::Full(rows));
        }
        state.insert(begin.row.clone(), begin.now);
        Ok(Begun::Inserted {
            others: rows,
            clients: state.clients(&begin.users, begin.now),
        })
    }

    async fn rows(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, RegistryError> {
        Ok(self.state().rows(users, now))
    }

    async fn renew(&self, row: &LoginRow, users: &[RowUser]) -> Result<(), RegistryError> {
        let mut state = self.state();
        let held = state.row(users, row.login);
        let joined = held.map_or_else(|| row.clone(), |held| held.joined(row));
        state.put(joined, users);
        Ok(())
    }

    async fn restore(&self, row: &LoginRow, users: &[RowUser]) -> Result<Restored, RegistryError> {
        let mut state = self.state();
        let restored = row.restored(state.row(users, row.login).as_deref());
        if let Some(row) = restored.changed() {
            state.put(row.clone(), users);
        }
        Ok(restored)
    }

    async fn end(&self, users: &[RowUser], logins: &[LoginId]) -> Result<(), RegistryError> {
        let mut state = self.state();
        for user in users {
            if let Some(rows) = state.users.get_mut(user) {
                rows.retain(|row| !logins.contains(&row.login));
                if rows.is_empty() {
                    state.users.remove(user);
                }
            }
        }
        Ok(())
    }

    async fn remember_client(
        &self,
        user: RowUser,
        client: &KnownClient,
    ) -> Result<(), RegistryError> {
        let mut state = self.state();
        let clients = state.clients.entry(user).or_default();
        clients.retain(|held| held.name != client.name);
        clients.push(client.clone());
        Ok(())
    }
}

impl fmt::Debug for MemoryRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRegistry").finish_non_exhaustive()
    }
}
