//! Passwords: hashed and checked with argon2, away from the async threads and not too many at once.

use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::Argon2;
use argon2::password_hash::phc::{self, PasswordHash};
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use data_encoding::BASE32_NOPAD;
use rocket::tokio::sync::{AcquireError, Semaphore, TryAcquireError};
use rocket::tokio::task::{JoinError, spawn_blocking};

use crate::error::Cause;

/// How many passwords may wait for each core. At about 20 ms per hash, the last one waits 0.6 s.
const WAITING_PER_CORE: usize = 32;

/// A hash of an unknown password, with the same parameters as the hashes of [`Hasher::hash`].
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$3hWXNfu8R+hNxfEIj/4Hhg$qdV8GAAOSoA4TDqaMztI9X9mwbKzpI+bVqhTcXEkJO8";

/// Hashes passwords, one per core at a time.
///
/// Each hash fills a core and takes 19 MiB. More hashes at once would not be faster, and anybody
/// who sends many logins could use up the memory.
pub(crate) struct Hasher {
    cores: Arc<Semaphore>,
    /// For the hashes that run and those that wait.
    places: Arc<Semaphore>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    #[error("argon2 fails: {0}")]
    Argon2(#[from] password_hash::Error),
    #[error("a stored hash is damaged: {0}")]
    Stored(#[from] phc::Error),
    #[error("a hash was stopped: {0}")]
    Stopped(#[from] JoinError),
}

impl From<TryAcquireError> for HashError {
    fn from(_: TryAcquireError) -> Self {
        Self::Busy
    }
}

impl From<AcquireError> for HashError {
    fn from(_: AcquireError) -> Self {
        Self::Busy
    }
}

impl Hasher {
    /// Creates a hasher for all cores of the machine.
    pub(crate) fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self::with(cores, cores * WAITING_PER_CORE)
    }

    fn with(cores: usize, waiting: usize) -> Self {
        Hasher {
            cores: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores + waiting)),
        }
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, HashError> {
        let password = password.to_owned();
        self.run(move || {
            let hash = Argon2::default().hash_password(password.as_bytes())?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Checks a password. Without a hash, because there is no such user, this takes as long.
    pub(crate) async fn verify(
        &self,
        hash: Option<&str>,
        password: &str,
    ) -> Result<bool, HashError> {
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

    /// Runs `work` when a core is free; fails at once if too many others are waiting.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = self.places.clone().try_acquire_owned()?;
        let core = self.cores.clone().acquire_owned().await?;
        // On an async thread, the hash would delay all other requests of that thread.
        spawn_blocking(move || {
            // Kept until the hash ends, which it does not do when its client disconnects.
            let _permits = (core, place);
            work()
        })
        .await?
    }
}

/// Creates a password of 80 random bits.
pub(crate) fn random() -> Result<String, Cause> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes)?;
    Ok(BASE32_NOPAD.encode(&bytes).to_lowercase())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, mpsc};

    use rocket::tokio::task::yield_now;

    use super::*;

    #[rocket::async_test]
    async fn an_unknown_user_never_matches_and_takes_as_long() {
        let hasher = Hasher::new();
        let hash = hasher.hash("correct horse").await.unwrap();
        assert!(hasher.verify(Some(&hash), "correct horse").await.unwrap());
        assert!(!hasher.verify(Some(&hash), "correct hors").await.unwrap());
        assert!(!hasher.verify(None, "correct horse").await.unwrap());

        let (hash, nobodys) = (PasswordHash::new(&hash), PasswordHash::new(NOBODYS));
        let (hash, nobodys) = (hash.unwrap(), nobodys.unwrap());
        assert_eq!(hash.algorithm, nobodys.algorithm);
        assert_eq!(hash.params, nobodys.params);
    }

    #[rocket::async_test]
    async fn as_many_hashes_run_at_once_as_there_are_cores() {
        let hasher = Arc::new(Hasher::with(2, 3));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (open, gate) = mpsc::channel();
        let gate = Arc::new(Mutex::new(gate));
        let five: Vec<_> = (0..5)
            .map(|_| {
                let (hasher, gate) = (hasher.clone(), gate.clone());
                let (running, most) = (running.clone(), most.clone());
                rocket::tokio::spawn(async move {
                    let work = move || {
                        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        gate.lock().unwrap().recv().unwrap();
                        running.fetch_sub(1, Ordering::SeqCst);
                        Ok(())
                    };
                    hasher.run(work).await
                })
            })
            .collect();
        while hasher.places.available_permits() > 0 || running.load(Ordering::SeqCst) < 2 {
            yield_now().await;
        }

        // Two run and three wait, so there is no place for a sixth.
        let sixth = hasher.verify(None, "correct horse").await;
        assert!(matches!(sixth, Err(HashError::Busy)), "{sixth:?}");

        for _ in &five {
            open.send(()).unwrap();
        }
        for hash in five {
            hash.await.unwrap().unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert!(!hasher.verify(None, "correct horse").await.unwrap());
    }

    #[rocket::async_test]
    async fn a_hash_keeps_its_core_when_its_client_disconnects() {
        let hasher = Arc::new(Hasher::with(1, 0));
        let (open, gate) = mpsc::channel();
        let request = rocket::tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.run(move || Ok(gate.recv().is_ok())).await }
        });
        while hasher.cores.available_permits() > 0 {
            yield_now().await;
        }
        request.abort();
        let _ = request.await;
        assert_eq!(hasher.cores.available_permits(), 0);

        open.send(()).unwrap();
        while hasher.places.available_permits() == 0 {
            yield_now().await;
        }
        assert_eq!(hasher.cores.available_permits(), 1);
    }
}
