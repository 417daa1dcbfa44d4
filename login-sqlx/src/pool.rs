//! Connections of the list's own, which a full pool of the application does not keep waiting.

use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rocket::tokio::time;

use crate::connection::{Connection, Options, PATIENCE};
use crate::error::StoreError;

pub(crate) struct Connections {
    pub(crate) options: Options,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Connection>,
    /// Which database they lead to.
    identity: Option<(u64, u64)>,
}

/// How many connections stay open.
const KEPT: usize = 4;

impl Connections {
    pub(crate) fn new(options: Options) -> Self {
        Connections {
            options,
            idle: Mutex::default(),
        }
    }

    /// Returns a connection; [`give_back`](Self::give_back) keeps it open for the next call. After an error, and in a
    /// call that is dropped halfway, it is closed, which rolls its transaction back.
    pub(crate) async fn connection(&self) -> Result<Connection, StoreError> {
        while let Some(mut connection) = self.idle() {
            // The server may have closed it since: after a restart, or because nobody used it.
            if connection.ping().await.is_ok() {
                return Ok(connection);
            }
        }
        self.connect().await
    }

    /// Returns a connection that may be closed, for a caller that asks again and again.
    pub(crate) async fn unchecked_connection(&self) -> Result<Connection, StoreError> {
        match self.idle() {
            Some(connection) => Ok(connection),
            None => self.connect().await,
        }
    }

    async fn connect(&self) -> Result<Connection, StoreError> {
        let connected = self.options.connect().await;
        connected.map_err(|error| self.error(error))
    }

    fn idle(&self) -> Option<Connection> {
        let identity = self.options.identity();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.identity != identity {
            mem::take(&mut *idle);
            idle.identity = identity;
        }
        idle.connections.pop()
    }

    pub(crate) fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.connections.len() < KEPT {
            idle.connections.push(connection);
        }
    }

    /// Limits how long a call may take that waits for `wait` by intention.
    pub(crate) async fn within<T, E: From<StoreError>>(
        &self,
        wait: Duration,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let answer = time::timeout(PATIENCE.saturating_add(wait), call).await;
        answer.unwrap_or_else(|_| {
            self.close_idle();
            Err(StoreError::Late(self.options.name()).into())
        })
    }

    pub(crate) fn error(&self, error: sqlx::Error) -> StoreError {
        if matches!(error, sqlx::Error::Io(_)) {
            self.close_idle();
        }
        StoreError::of(error, self.options.name())
    }

    /// One connection has broken or hangs, and the others with it.
    fn close_idle(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.connections.clear();
    }
}
