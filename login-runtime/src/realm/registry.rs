//! Every realm of an application.

use std::any::TypeId;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rocket::{Ignite, Phase, Rocket};
use tracing::error;

use super::Realm;
use super::any::AnyRealm;
use crate::app::user::{UserMixin, UserType};

/// The realms in the order in which their managers were attached.
///
/// Managers are attached one after another, so the list grows until the first guard or audit looks at it. From then on
/// it is fixed, and requests read it without a lock.
#[derive(Default)]
pub(crate) struct Realms {
    attaching: Mutex<Vec<Arc<dyn AnyRealm>>>,
    attached: OnceLock<Attached>,
}

struct Attached {
    realms: Vec<Arc<dyn AnyRealm>>,
    /// Those of the realms, in the same order: with eight realms, to ask each one took 130 instructions more.
    user_types: Vec<TypeId>,
}

impl Realms {
    /// Adds a realm; `false` if the list is fixed already.
    pub(crate) fn add(&self, realm: Arc<dyn AnyRealm>) -> bool {
        let mut attaching = self
            .attaching
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_open = self.attached.get().is_none();
        if is_open {
            attaching.push(realm);
        }
        is_open
    }

    /// Returns the realms that are attached so far, while managers are still being attached.
    pub(crate) fn so_far<P: Phase>(rocket: &Rocket<P>) -> Vec<Arc<dyn AnyRealm>> {
        rocket.state().map_or_else(Vec::new, |realms: &Self| {
            let attaching = realms.attaching.lock();
            attaching.unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    /// Returns every realm.
    pub(crate) fn all<P: Phase>(rocket: &Rocket<P>) -> &[Arc<dyn AnyRealm>] {
        Self::attached(rocket).map_or(&[], |attached| &attached.realms)
    }

    fn attached<P: Phase>(rocket: &Rocket<P>) -> Option<&Attached> {
        let Realms {
            attaching,
            attached,
        } = rocket.state()?;
        Some(attached.get_or_init(|| {
            let attaching = attaching.lock();
            let realms = attaching.unwrap_or_else(PoisonError::into_inner).clone();
            let user_types = realms.iter().map(|realm| realm.core().user_type.id);
            Attached {
                user_types: user_types.collect(),
                realms,
            }
        }))
    }

    /// Returns the realm of the user type that a guard names, or else the only realm there is.
    pub(crate) fn of_guard<P: Phase>(
        rocket: &Rocket<P>,
        user_type: Option<UserType>,
    ) -> Option<&dyn AnyRealm> {
        let attached = Self::attached(rocket)?;
        match (user_type, attached.realms.as_slice()) {
            (Some(UserType { id, .. }), realms) => {
                let at = attached.user_types.iter().position(|other| *other == id)?;
                Some(&**realms.get(at)?)
            }
            (None, [realm]) => Some(&**realm),
            // Fails closed: with several realms, a guard that names none could mean any of them.
            (None, _) => None,
        }
    }
}

/// Panics if a rocket is not ignited: its managers have not read their settings, and its guards are not known.
#[track_caller]
#[expect(
    clippy::disallowed_macros,
    reason = "for tests, which must not go on with a wrong answer"
)]
pub(crate) fn require_ignition<P: Phase>(_: &Rocket<P>) {
    assert!(
        std::any::type_name::<P>() != std::any::type_name::<rocket::Build>(),
        "this rocket is not ignited, so nothing is known of its `LoginManager` and its guards: start a `Client` and use \
         `client.rocket()`, or ignite it with `rocket.ignite().await`"
    );
}

/// Returns whether the launch must stop because no manager for `U` is attached, and logs the fix.
pub fn manager_is_missing<U: UserMixin>(rocket: &Rocket<Ignite>) -> bool {
    let missing = Realm::<U>::of(rocket).is_none();
    if missing {
        let name = std::any::type_name::<U>();
        error!(
            "a route requires a `{name}`, but no `LoginManager` for that type is attached: \
             add `.attach(LoginManager::new(load_user))` with a `#[user_loader]` that returns `{name}`"
        );
    }
    missing
}
