//! What can go wrong with a store in Redis, and the fix.

use redis::{ErrorKind, RedisError};
use rocket_login::logins::{RegistryError, RowError};
use rocket_login::store::{EntryError, RevocationError};
use thiserror::Error;

/// Why an address is not one of a Redis server.
///
/// # Example
///
/// ```rust
/// use login_redis::{AddressError, RedisLog};
///
/// let error = RedisLog::open("http://redis.internal").unwrap_err();
/// assert!(matches!(error, AddressError::Url(_)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is not a URL of Redis. The message does not repeat it, since it can contain a password.
    #[error(
        "`login.store.url` is not an address of Redis or Valkey ({0}): write it as \
         `redis://user:password@host:6379/0`, or with `rediss://` for TLS, which requires the feature `tls` of \
         login-redis"
    )]
    Url(#[source] Cause),
    /// The prefix is empty, or has a brace in it.
    #[error("the prefix of the keys is empty or has a brace in it: choose another one")]
    Prefix,
}

/// An error of the `redis` crate.
///
/// The example of [`AddressError`] shows it.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct Cause(RedisError);

impl From<RedisError> for AddressError {
    fn from(error: RedisError) -> Self {
        Self::Url(Cause(error))
    }
}

/// Why the store could not be read or written.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error(
        "Redis at {address} cannot be reached ({error}): is it running, and is `login.store.url` right, with `rediss://` \
         for TLS and `redis://` without?"
    )]
    Unreachable { address: String, error: RedisError },
    #[error(
        "the certificate of Redis at {address} is not trusted ({error}): add the authority that has signed it to the \
         certificates of the operating system, or name its file in the variable `SSL_CERT_FILE`, and use a name in \
         `login.store.url` that the certificate is for"
    )]
    Certificate { address: String, error: RedisError },
    #[error("Redis at {address} refuses the user or the password in `login.store.url` ({error})")]
    Password { address: String, error: RedisError },
    #[error(
        "the user in `login.store.url` may not use a command ({error}): allow it DEL, EVAL, EXISTS, EXPIRE, EXPIREAT, \
         EXPIRETIME, INFO, PING, ROLE, TIME, TYPE, WAIT and the commands for strings, hashes, sorted sets and streams"
    )]
    Permission { error: RedisError },
    #[error(
        "Redis at {address} is full ({error}): give it more memory or disk, or raise its `maxmemory`"
    )]
    Full { address: String, error: RedisError },
    #[error("Redis at {address} fails: {error}")]
    Server { address: String, error: RedisError },
    #[error("Redis at {0} is a replica: set `login.store.url` to the address of the primary")]
    Replica(String),
    #[error(
        "the key `{0}` belongs to another program: use another database of this Redis, or another prefix for the list \
         of ended logins"
    )]
    Foreign(String),
    #[error(
        "the list of ended logins in Redis has form {0}, and this server reads form 1: run one version of login-redis \
         on all servers"
    )]
    Form(String),
    #[error("the list of ended logins in Redis was removed while it was in use")]
    RemovedMeanwhile,
    #[error("the operating system gives no random bytes: {0}")]
    Random(std::io::Error),
    #[error("other servers change the same login all the time")]
    Contended,
    #[error(
        "only {confirmed} of {wanted} replicas have confirmed the change in time: check the replicas, or lower the \
         number that must confirm"
    )]
    Replicas { confirmed: usize, wanted: usize },
    #[error("{0}, and the store is strict")]
    Unsafe(&'static str),
    #[error(transparent)]
    Entry(#[from] EntryError),
    #[error(transparent)]
    Row(#[from] RowError),
}

impl StoreError {
    /// Names the reason and the fix for an error of the server at `address`.
    pub(crate) fn of(error: RedisError, address: &str) -> Self {
        let address = address.to_owned();
        // A pipeline has several errors, and the first one is the cause.
        let errors = error.clone().into_server_errors();
        let first = errors.as_deref().and_then(|errors| errors.first());
        match first.map(|(_, error)| error.code()) {
            Some("NOAUTH" | "WRONGPASS") => Self::Password { address, error },
            Some("NOPERM") => Self::Permission { error },
            Some("READONLY") => Self::Replica(address),
            Some("OOM" | "MISCONF") => Self::Full { address, error },
            _ if is_refused_in_script(&error) => Self::Permission { error },
            _ => match error.kind() {
                ErrorKind::AuthenticationFailed => Self::Password { address, error },
                // The crate has no kind for it.
                ErrorKind::Io if error.to_string().contains("peer certificate") => {
                    Self::Certificate { address, error }
                }
                ErrorKind::Io => Self::Unreachable { address, error },
                _ => Self::Server { address, error },
            },
        }
    }
}

/// Whether a script lacks a right, for which Redis has no code: 7.0 says the first, later versions and Valkey the second.
fn is_refused_in_script(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("The user executing the script") || text.contains("ACL failure in script")
}

impl From<AddressError> for RevocationError {
    fn from(error: AddressError) -> Self {
        Self::new(error)
    }
}

impl From<AddressError> for RegistryError {
    fn from(error: AddressError) -> Self {
        Self::new(error)
    }
}

impl From<StoreError> for RevocationError {
    fn from(error: StoreError) -> Self {
        Self::new(error)
    }
}
