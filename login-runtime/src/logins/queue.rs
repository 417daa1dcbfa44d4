//! Writes that nobody waits for: at most one for each login, and not too many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::tokio;
use tracing::warn;

use super::{LoginRegistry, LoginRow, RegistryError, RowUser};
use crate::app::contain::contain;
use crate::token::LoginId;

/// How many logins may wait. One that finds no place is written by its next renewal.
const MOST: usize = 10_000;

pub(super) struct Queue {
    registry: Arc<dyn LoginRegistry>,
    timeout: Duration,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    writes: HashMap<LoginId, Write>,
    is_writing: bool,
    has_failed: bool,
}

pub(super) struct Write {
    /// Every key of the user.
    pub(super) users: Vec<RowUser>,
    /// The row; `None` to remove it.
    pub(super) row: Option<LoginRow>,
}

impl Queue {
    pub(super) fn new(registry: Arc<dyn LoginRegistry>, timeout: Duration) -> Self {
        Self {
            registry,
            timeout,
            waiting: Mutex::default(),
        }
    }

    /// Adds a write, joined with one for the same login. An end stays an end.
    pub(super) fn push(self: &Arc<Self>, login: LoginId, mut write: Write) {
        let mut waiting = self.waiting();
        match waiting.writes.get(&login) {
            Some(Write { row: None, .. }) => return,
            Some(Write {
                row: Some(held), ..
            }) => write.row = write.row.map(|row| held.joined(&row)),
            None if waiting.writes.len() >= MOST => return,
            None => {}
        }
        waiting.writes.insert(login, write);
        if !std::mem::replace(&mut waiting.is_writing, true) {
            tokio::spawn(Arc::clone(self).write());
        }
    }

    /// Writes until nothing waits.
    async fn write(self: Arc<Self>) {
        while let Some((login, Write { users, row })) = self.next() {
            let written = contain(self.timeout, || match &row {
                Some(row) => self.registry.renew(row, &users),
                None => {
                    let registry = &self.registry;
                    let users = &users;
                    Box::pin(async move { registry.end(users, &[login]).await })
                }
            });
            let written = written.await;
            self.report(written.unwrap_or_else(|error| Err(RegistryError::new(error))));
        }
    }

    fn next(&self) -> Option<(LoginId, Write)> {
        let mut waiting = self.waiting();
        let login = waiting.writes.keys().next().copied();
        let next = login.and_then(|login| waiting.writes.remove_entry(&login));
        waiting.is_writing = next.is_some();
        next
    }

    /// Logs the first failure after a success.
    fn report(&self, written: Result<(), RegistryError>) {
        let mut waiting = self.waiting();
        let had_failed = std::mem::replace(&mut waiting.has_failed, written.is_err());
        if let Err(error) = written
            && !had_failed
        {
            warn!("{error}; the list of a user's logins is behind until it can be written again");
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
