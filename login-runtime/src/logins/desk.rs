//! The registry of one realm: the application's own code, which can panic or hang, is contained.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rocket::futures::future::BoxFuture;

use super::queue::{Queue, Write};
use super::{Begin, Begun, KnownClient, LoginRegistry, LoginRow, RegistryError, Restored, RowUser};
use crate::app::contain::contain;
use crate::clock::UnixTime;
use crate::revocation::log::entry::RealmId;
use crate::revocation::replicated::users::UserKeys;
use crate::token::LoginId;
use crate::token::secret::SecretKey;

pub(crate) struct Desk {
    registry: Arc<dyn LoginRegistry>,
    queue: Arc<Queue>,
    realm: RealmId,
    keys: UserKeys,
    timeout: Duration,
}

impl Desk {
    /// `realm` is the name of the realm, see [`UserRef::realm`](crate::UserRef::realm).
    pub(crate) fn new<'k>(
        registry: Arc<dyn LoginRegistry>,
        realm: &str,
        secrets: impl Iterator<Item = &'k SecretKey>,
        timeout: Duration,
    ) -> Self {
        Self {
            queue: Arc::new(Queue::new(Arc::clone(&registry), timeout)),
            registry,
            realm: RealmId::of(realm),
            keys: UserKeys::new(secrets),
            timeout,
        }
    }

    /// Every key of a user, the one for new rows first.
    pub(crate) fn users(&self, uid: &str) -> Vec<RowUser> {
        let realm = self.realm;
        let users = self.keys.all(uid);
        users.map(|user| RowUser { realm, user }).collect()
    }

    pub(crate) async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError> {
        self.call(|| self.registry.begin(begin)).await
    }

    pub(crate) async fn rows(
        &self,
        uid: &str,
        now: UnixTime,
    ) -> Result<Vec<LoginRow>, RegistryError> {
        let users = self.users(uid);
        self.call(|| self.registry.rows(&users, now)).await
    }

    pub(crate) async fn renew_now(&self, uid: &str, row: &LoginRow) -> Result<(), RegistryError> {
        let users = self.users(uid);
        self.call(|| self.registry.renew(row, &users)).await
    }

    pub(crate) async fn restore(
        &self,
        uid: &str,
        row: &LoginRow,
    ) -> Result<Restored, RegistryError> {
        let users = self.users(uid);
        self.call(|| self.registry.restore(row, &users)).await
    }

    pub(crate) async fn end_now(&self, uid: &str, logins: &[LoginId]) -> Result<(), RegistryError> {
        let users = self.users(uid);
        self.call(|| self.registry.end(&users, logins)).await
    }

    pub(crate) async fn remember_client(
        &self,
        user: RowUser,
        client: &KnownClient,
    ) -> Result<(), RegistryError> {
        self.call(|| self.registry.remember_client(user, client))
            .await
    }

    /// Renews a row some time soon.
    pub(crate) fn renew(&self, uid: &str, row: LoginRow) {
        let users = self.users(uid);
        let login = row.login;
        let row = Some(row);
        self.queue.push(login, Write { users, row });
    }

    /// Removes the row of a login that has ended, some time soon: what the list of ended logins knows counts at once.
    pub(crate) fn end(&self, uid: &str, login: LoginId) {
        let users = self.users(uid);
        self.queue.push(login, Write { users, row: None });
    }

    async fn call<'a, T: Send + 'a>(
        &self,
        method: impl FnOnce() -> BoxFuture<'a, Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        let answer = contain(self.timeout, method).await;
        answer.unwrap_or_else(|interrupted| Err(RegistryError::new(interrupted)))
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}
