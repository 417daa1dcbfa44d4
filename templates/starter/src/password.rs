//! Passwords: hashed and checked with argon2, away from the async threads.

use std::thread::available_parallelism;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use rocket::tokio::sync::Semaphore;
use rocket::tokio::task::spawn_blocking;

use crate::error::Cause;

/// The hash of a password that nobody knows.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$3hWXNfu8R+hNxfEIj/4Hhg$qdV8GAAOSoA4TDqaMztI9X9mwbKzpI+bVqhTcXEkJO8";

/// Hashes passwords, one per core at a time, because each hash takes 19 MiB of memory.
pub(crate) struct Hasher(Semaphore);

impl Hasher {
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Hasher(Semaphore::new(cores))
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Cause> {
        let password = password.to_owned();
        self.run(move || {
            let hash = Argon2::default().hash_password(password.as_bytes())?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Checks a password. Without a hash, because there is no such user, this takes as long.
    pub(crate) async fn verify(&self, hash: Option<&str>, password: &str) -> Result<bool, Cause> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(NOBODYS).to_owned();
        let password = password.to_owned();
        self.run(move || {
            let hash = PasswordHash::new(&hash)?;
            let matches = Argon2::default().verify_password(password.as_bytes(), &hash);
            Ok(known && matches.is_ok())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Cause> + Send + 'static,
    ) -> Result<T, Cause> {
        let _core = self.0.acquire().await?;
        // On an async thread, the hash would delay all other requests of that thread.
        spawn_blocking(work).await?
    }
}
