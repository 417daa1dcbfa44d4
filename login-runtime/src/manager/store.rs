//! How a manager opens its store of ended logins.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use rocket::futures::future::BoxFuture;
use rocket::{Build, Rocket};

use crate::clock::Clock;
use crate::config::Config;
use crate::logins::{LoginRegistry, MemoryRegistry, RegistryError};
use crate::revocation::log::RevocationLog;
use crate::revocation::replicated::freshness::Limits;
use crate::revocation::replicated::{Plan, Replicated};
use crate::revocation::{MemoryRevocations, RevocationError, RevocationList, Revocations, Wakes};
use crate::token::secret::SecretKey;

/// What a store of ended logins is opened with, see
/// [`LoginManager::revocation_store`](crate::LoginManager::revocation_store).
///
/// # Example
///
/// ```rust
/// use rocket_login::store::{RevocationError, StoreSetup};
///
/// /// The pool that a fairing manages, or else the address of a database only for this list.
/// fn database(setup: StoreSetup<'_>) -> Result<String, RevocationError> {
///     match setup.rocket().state::<String>() {
///         Some(managed) => Ok(managed.clone()),
///         None => setup.url().map(str::to_owned),
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct StoreSetup<'r> {
    rocket: &'r Rocket<Build>,
    url: Option<&'r str>,
}

impl<'r> StoreSetup<'r> {
    fn new(config: &'r Config, rocket: &'r Rocket<Build>) -> Self {
        StoreSetup {
            rocket,
            url: config.store_url.as_ref().map(|url| url.0.as_str()),
        }
    }

    /// Returns the application: its managed state and its configuration.
    ///
    /// What is managed by a fairing is there if that fairing was attached before the manager.
    #[must_use]
    pub fn rocket(&self) -> &'r Rocket<Build> {
        self.rocket
    }

    /// Returns the setting `url` of the store.
    ///
    /// # Errors
    ///
    /// If it is not set; the launch then stops, and its message names the setting.
    pub fn url(&self) -> Result<&'r str, RevocationError> {
        self.url.ok_or_else(|| {
            RevocationError::new("its address is not known; set `login.store.url` in Rocket.toml")
        })
    }
}

impl fmt::Debug for StoreSetup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSetup").finish_non_exhaustive()
    }
}

/// Where a manager's registry of logins comes from.
#[derive(Default)]
pub(super) enum RegistrySource {
    #[default]
    None,
    Ready(Arc<dyn LoginRegistry>),
    Open(Box<OpenRegistry>),
}

type OpenRegistry = dyn for<'r> FnOnce(StoreSetup<'r>) -> BoxFuture<'r, Result<Arc<dyn LoginRegistry>, RegistryError>>
    + Send;

impl RegistrySource {
    pub(super) fn opened_by<L: LoginRegistry>(
        open: impl for<'r> FnOnce(StoreSetup<'r>) -> BoxFuture<'r, Result<L, RegistryError>>
        + Send
        + 'static,
    ) -> Self {
        Self::Open(Box::new(move |setup| {
            Box::pin(async move {
                let registry: Arc<dyn LoginRegistry> = Arc::new(open(setup).await?);
                Ok(registry)
            })
        }))
    }

    pub(super) async fn open(
        self,
        config: &Config,
        has_logins: bool,
        rocket: &Rocket<Build>,
    ) -> Result<Option<Arc<dyn LoginRegistry>>, Vec<String>> {
        match self {
            // Settings of all realms may be meant for the others.
            Self::None if !has_logins => Ok(None),
            Self::None => match config.needing_a_registry() {
                mistakes if mistakes.is_empty() => Ok(None),
                mistakes => Err(mistakes),
            },
            Self::Ready(registry) => Ok(Some(registry)),
            Self::Open(open) => match open(StoreSetup::new(config, rocket)).await {
                Ok(registry) => Ok(Some(registry)),
                Err(error) => Err(vec![format!(
                    "the registry of logins cannot be used: {}; the settings of its store are under `login.store`",
                    error.cause()
                )]),
            },
        }
    }
}

/// Returns what is wrong with a registry that outlives the list of ended logins beside it.
pub(super) fn mismatch(
    registry: Option<&dyn LoginRegistry>,
    revocations: &Revocations,
) -> Option<String> {
    let registry: &dyn Any = registry?;
    let is_mismatch =
        matches!(revocations, Revocations::Memory(_)) && !registry.is::<MemoryRegistry>();
    is_mismatch.then(|| {
        "the registry of logins can be shared and survive a restart, but the list of ended logins is only in this process: a login \
         that ends here goes on elsewhere and after a restart; add `.revocation_store(..)`, such as the one of the same crate"
            .to_owned()
    })
}

/// Where a manager's list of ended logins comes from.
#[derive(Default)]
pub(super) enum Source {
    #[default]
    Memory,
    List(Box<dyn RevocationList>),
    Store(Box<Open>),
}

type Open = dyn for<'r> FnOnce(StoreSetup<'r>, Plan<'r>) -> BoxFuture<'r, Result<Replicated, RevocationError>>
    + Send;

impl Source {
    pub(super) fn store<L: RevocationLog>(
        open: impl for<'r> FnOnce(StoreSetup<'r>) -> BoxFuture<'r, Result<L, RevocationError>>
        + Send
        + 'static,
    ) -> Self {
        Self::Store(Box::new(move |setup, plan| {
            Box::pin(async move { Replicated::launch(open(setup).await?, plan).await })
        }))
    }

    /// Makes the list; `name` is the realm's name in it.
    pub(super) async fn open(
        self,
        config: &Config,
        clock: Clock,
        name: &str,
        rocket: &Rocket<Build>,
    ) -> Result<Revocations, String> {
        let open = match self {
            Self::Memory => {
                let list = MemoryRevocations::new(config.revocation_capacity);
                return Ok(Revocations::Memory(Box::new(list)));
            }
            Self::List(list) => {
                return Ok(Revocations::Shared {
                    list,
                    timeout: config.loader_timeout,
                    wakes: Wakes::default(),
                });
            }
            Self::Store(open) => open,
        };
        let setup = StoreSetup::new(config, rocket);
        let plan = Plan {
            realm: name,
            limits: Limits {
                max_staleness: config.store_max_staleness,
                stale_wait: config.store_stale_wait,
                serve_for: config.store_on_stale.serve_for(),
            },
            on_loss: config.store_on_loss,
            secrets: secrets(config).collect(),
            longest_session: config.longest_session(),
            clock,
        };
        match open(setup, plan).await {
            Ok(list) => Ok(Revocations::Replicated(Box::new(list))),
            Err(error) => Err(format!(
                "the store of ended logins cannot be used, and without it a logout would not hold: {}; its settings are under \
                 `login.store`",
                error.cause()
            )),
        }
    }
}

/// The secrets that hide users, the one for new entries first: of the signing ones the oldest, which all servers know
/// while a new one is introduced.
pub(super) fn secrets(config: &Config) -> impl Iterator<Item = &SecretKey> {
    let retired = config.secret_key_fallbacks.iter().rev();
    let signing = retired.chain([&config.secret_key]);
    config.store_key.iter().chain(signing)
}
