//! The registry of logins: where a user is logged in, and when each of these logins was last used.
//!
//! It only informs. Whether a login has ended is known to the list of ended logins alone, so a registry that is wrong or
//! behind lets nobody in.

pub(crate) mod client;
pub(crate) mod desk;
mod memory;
mod queue;
pub(crate) mod restores;
pub(crate) mod row;

pub use self::memory::MemoryRegistry;
pub use self::row::{LoginHandle, LoginRow, Restored, RowError, RowUser};

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::printable::Printable;
use crate::token::LoginId;

/// A registry of the logins that go on, one row for each; see [`LoginManager::login_registry`].
///
/// A registry is written at a login, at a logout, when a remember cookie begins a session, and at most every five minutes
/// while a login is in use. It is read when somebody asks for a list of logins, and never on another request. `rocket_login::testing::registry` has the tests that
/// every registry must pass.
///
/// A user can have several [`RowUser`]s, because the key that hides users' ids can change; every method gets all of them.
/// A row whose [`until`](LoginRow::until) has come no longer counts. Remove such rows sometimes, for example some of them
/// at each [`begin`](Self::begin).
///
/// [`LoginManager::login_registry`]: crate::LoginManager::login_registry
///
/// # Example
///
/// ```rust
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use rocket_login::logins::{
///     Begin, Begun, KnownClient, LoginId, LoginRegistry, LoginRow, MemoryRegistry, RegistryError, Restored,
///     RowUser, UnixTime,
/// };
///
/// /// Counts the logins that begin.
/// struct Counted(MemoryRegistry, AtomicUsize);
///
/// #[rocket::async_trait]
/// impl LoginRegistry for Counted {
///     async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError> {
///         let begun = self.0.begin(begin).await?;
///         if let Begun::Inserted { .. } = begun {
///             self.1.fetch_add(1, Ordering::Relaxed);
///         }
///         Ok(begun)
///     }
///
///     async fn rows(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, RegistryError> {
///         self.0.rows(users, now).await
///     }
///
///     async fn renew(&self, row: &LoginRow, users: &[RowUser]) -> Result<(), RegistryError> {
///         self.0.renew(row, users).await
///     }
///
///     async fn restore(&self, row: &LoginRow, users: &[RowUser]) -> Result<Restored, RegistryError> {
///         self.0.restore(row, users).await
///     }
///
///     async fn end(&self, users: &[RowUser], logins: &[LoginId]) -> Result<(), RegistryError> {
///         self.0.end(users, logins).await
///     }
///
///     async fn remember_client(&self, user: RowUser, client: &KnownClient) -> Result<(), RegistryError> {
///         self.0.remember_client(user, client).await
///     }
/// }
/// ```
#[rocket::async_trait]
pub trait LoginRegistry: Any + Send + Sync {
    /// Inserts the row of a new login, unless its user has [too many](Begin::max), in one step that no other insert for
    /// the same user can interleave with. A row of the same login that is there is replaced.
    ///
    /// # Errors
    ///
    /// If it is not certain that the row is there.
    async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError>;

    /// Returns the rows of a user that count at `now`, in any order.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    async fn rows(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, RegistryError>;

    /// [Joins](LoginRow::joined) a row with the one that is there under any of the users for the same login, in one step;
    /// inserts it if there is none.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    async fn renew(&self, row: &LoginRow, users: &[RowUser]) -> Result<(), RegistryError>;

    /// Decides what follows when a remember cookie restores the login of a row: takes the row that is there under any of
    /// the users for the same login, calls [`restored`](LoginRow::restored), and writes the row that
    /// [`changed`](Restored::changed) returns, all in one step.
    ///
    /// # Errors
    ///
    /// If it is not certain that the row was written.
    async fn restore(&self, row: &LoginRow, users: &[RowUser]) -> Result<Restored, RegistryError>;

    /// Removes rows of a user. It is not an error if they are not there.
    ///
    /// # Errors
    ///
    /// If they cannot be removed.
    async fn end(&self, users: &[RowUser], logins: &[LoginId]) -> Result<(), RegistryError>;

    /// Remembers a client that a user has logged in with, also when the login has ended. It is forgotten at its
    /// [`until`](KnownClient::until), which replaces the one of a client with this name that is there.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    async fn remember_client(
        &self,
        user: RowUser,
        client: &KnownClient,
    ) -> Result<(), RegistryError>;
}

/// A client that a user has logged in with, for [`LoginRegistry::remember_client`].
///
/// The example of [`LoginRegistry`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownClient {
    /// Such as "Firefox on Linux": at most 100 characters, and never empty.
    pub name: String,
    /// When it is forgotten.
    pub until: UnixTime,
}

/// A new login, for [`LoginRegistry::begin`].
///
/// The example of [`LoginRegistry`] shows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Begin {
    /// Its row.
    pub row: LoginRow,
    /// Every key of its user; the row's own is the first.
    pub users: Vec<RowUser>,
    /// The logins that this one replaces: their rows stay, and do not count.
    pub replaced: Vec<LoginId>,
    /// How many logins the user may have with this one; `None` for any number.
    pub max: Option<usize>,
    /// The time of the request.
    pub now: UnixTime,
}

impl Begin {
    /// Returns what is to be done: a registry calls it with the user's rows that count, and inserts [`row`](Self::row) if
    /// it is `true`.
    #[must_use]
    pub fn has_room<'r>(&self, rows: impl IntoIterator<Item = &'r LoginRow>) -> bool {
        let counts = |row: &&LoginRow| !self.replaced.contains(&row.login);
        let count = rows.into_iter().filter(counts).count();
        self.max.is_none_or(|max| count < max)
    }
}

/// The result of [`LoginRegistry::begin`].
///
/// The example of [`LoginRegistry`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The row was inserted.
    Inserted {
        /// The user's other rows, from the same moment.
        others: Vec<LoginRow>,
        /// The clients that are remembered of the user, under any of its keys.
        clients: Vec<KnownClient>,
    },
    /// The user has too many logins, so nothing was inserted. These are the rows.
    Full(Vec<LoginRow>),
}

/// Why a [`LoginRegistry`] could not be read or written.
///
/// # Example
///
/// ```rust
/// use rocket_login::logins::RegistryError;
///
/// let error = RegistryError::new("connection refused");
/// assert_eq!(error.to_string(), "the registry of logins failed: connection refused");
/// ```
#[derive(Clone)]
pub struct RegistryError(Arc<dyn Error + Send + Sync>);

impl RegistryError {
    /// Creates an error; `cause` is logged.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into().into())
    }

    /// What the application's registry said.
    pub(crate) fn cause(&self) -> impl fmt::Display {
        Printable(&self.0)
    }
}

/// Omits the cause, which may contain personal data.
impl fmt::Debug for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistryError")
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the registry of logins failed: {}", Printable(&self.0))
    }
}

impl Error for RegistryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
