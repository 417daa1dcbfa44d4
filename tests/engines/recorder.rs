//! A registry that only keeps what it is called with.

use std::sync::{Arc, Mutex};

use rocket::async_trait;
use rocket_login::logins::{
    Begin, Begun, KnownClient, LoginId, LoginRegistry, LoginRow, RegistryError, Restored, RowUser,
    UnixTime,
};

/// Keeps the logins that a registry would begin, as the library makes them, for the tests of a registry.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<Begin>>>);

impl Recorder {
    /// Takes the logins that have begun since the last call.
    ///
    /// # Panics
    ///
    /// If a thread has panicked while it kept one.
    #[must_use]
    pub fn take(&self) -> Vec<Begin> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[async_trait]
impl LoginRegistry for Recorder {
    async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError> {
        self.0.lock().unwrap().push(begin.clone());
        Ok(Begun::Inserted {
            others: Vec::new(),
            clients: Vec::new(),
        })
    }

    async fn rows(&self, _: &[RowUser], _: UnixTime) -> Result<Vec<LoginRow>, RegistryError> {
        Ok(Vec::new())
    }

    async fn renew(&self, _: &LoginRow, _: &[RowUser]) -> Result<(), RegistryError> {
        Ok(())
    }

    async fn restore(&self, row: &LoginRow, _: &[RowUser]) -> Result<Restored, RegistryError> {
        Ok(Restored::Same(row.clone()))
    }

    async fn end(&self, _: &[RowUser], _: &[LoginId]) -> Result<(), RegistryError> {
        Ok(())
    }

    async fn remember_client(&self, _: RowUser, _: &KnownClient) -> Result<(), RegistryError> {
        Ok(())
    }
}
