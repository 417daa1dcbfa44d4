//! A connection that is opened again after it broke.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, ServerErrorKind, cmd,
};
use rocket::tokio::sync::Mutex;
use rocket::tokio::time;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// One connection to the server.
///
/// The crate's own `ConnectionManager` keeps a connection whose answers do not come, until the kernel gives it up after
/// a quarter of an hour. Here a late answer ends the connection.
pub(crate) struct Link {
    client: Client,
    open: Mutex<Option<MultiplexedConnection>>,
    /// Whether a caller has gone before its answer came.
    is_suspect: AtomicBool,
}

impl Link {
    pub(crate) fn new(client: Client) -> Self {
        Link {
            client,
            open: Mutex::new(None),
            is_suspect: AtomicBool::new(false),
        }
    }

    /// Returns the connection, for commands inside [`answer`](Self::answer).
    pub(crate) async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        let mut open = self.open.lock().await;
        if self.is_suspect.swap(false, Ordering::Relaxed) {
            *open = None;
        }
        if let Some(connection) = &*open {
            return Ok(connection.clone());
        }
        #[cfg(feature = "tls")]
        if matches!(
            self.client.get_connection_info().addr(),
            redis::ConnectionAddr::TcpTls { .. }
        ) {
            choose_cryptography();
        }
        // `answer` has the time limit: a reader blocks longer than others.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(None);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        Ok(open.insert(connecting.await?).clone())
    }

    /// Returns a connection that the server still knows. It may have closed the one from before: after a restart, or
    /// because nobody used it.
    pub(crate) async fn working_connection(&self) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.connection().await?;
        let ping = cmd("PING");
        let ping = ping.query_async(&mut connection);
        match self.answer::<()>(Duration::ZERO, ping).await {
            Ok(()) => Ok(connection),
            Err(_) => self.connection().await,
        }
    }

    /// Waits for the answer to commands that block for `wait` by intention.
    pub(crate) async fn answer<T>(
        &self,
        wait: Duration,
        commands: impl Future<Output = RedisResult<T>>,
    ) -> RedisResult<T> {
        let mut unanswered = Unanswered(Some(&self.is_suspect));
        let answer = time::timeout(PATIENCE.saturating_add(wait), commands).await;
        unanswered.0 = None;
        let answer = answer.unwrap_or_else(|_| Err(late()));
        if answer.as_ref().is_err_and(ends_connection) {
            self.close().await;
        }
        answer
    }

    /// Makes the next command open another connection.
    pub(crate) async fn close(&self) {
        *self.open.lock().await = None;
    }
}

/// Chooses the cryptography of TLS, unless the application has done so: rustls panics if no crate of the program enables
/// one, and also if two crates enable different ones.
#[cfg(feature = "tls")]
fn choose_cryptography() {
    let chosen = rustls::crypto::ring::default_provider().install_default();
    // The application's choice stays.
    drop(chosen);
}

/// Remembers that a caller has given up.
struct Unanswered<'a>(Option<&'a AtomicBool>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(is_suspect) = self.0 {
            is_suspect.store(true, Ordering::Relaxed);
        }
    }
}

fn late() -> RedisError {
    io::Error::new(io::ErrorKind::TimedOut, "the server does not answer").into()
}

/// Whether another connection can do better: this one broke, or leads to a server that has become a replica.
fn ends_connection(error: &RedisError) -> bool {
    let is_replica = matches!(
        error.kind(),
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
    );
    is_replica || error.is_io_error() || error.is_unrecoverable_error()
}
