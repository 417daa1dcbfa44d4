use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use rocket::http::Status;
use rocket::tokio::sync::{OwnedSemaphorePermit, Semaphore};
use rocket::tokio::task::spawn_blocking;

/// The hash of a password that nobody has, with the parameters of `Argon2::default()`.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$3hWXNfu8R+hNxfEIj/4Hhg$qdV8GAAOSoA4TDqaMztI9X9mwbKzpI+bVqhTcXEkJO8";

/// Hashes passwords, one for each core at a time. Let Rocket `manage` one of it.
pub struct Hasher {
    cores: Arc<Semaphore>,
    /// For the hashes that run and those that wait.
    places: Arc<Semaphore>,
}

impl Hasher {
    pub fn new() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Hasher {
            cores: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores * 32)), // the last one waits 0.6 s
        }
    }

    pub async fn hash(&self, password: String) -> Result<String, Status> {
        let permits = self.permits().await?;
        let hash = spawn_blocking(move || {
            let _permits = permits; // until the hash ends, also if the client has left
            Argon2::default().hash_password(password.as_bytes())
        });
        let hash = hash.await.map_err(|_| Status::InternalServerError)?;
        let hash = hash.map_err(|_| Status::InternalServerError)?;
        Ok(hash.to_string())
    }

    /// Without a hash, because there is no such user, this takes as long and returns `false`.
    pub async fn verify(&self, hash: Option<String>, password: String) -> Result<bool, Status> {
        let permits = self.permits().await?;
        let matches = spawn_blocking(move || {
            let _permits = permits;
            let known = PasswordHash::new(hash.as_deref().unwrap_or(NOBODYS));
            let matches = known.is_ok_and(|known| {
                let argon2 = Argon2::default();
                argon2.verify_password(password.as_bytes(), &known).is_ok()
            });
            matches && hash.is_some()
        });
        matches.await.map_err(|_| Status::InternalServerError)
    }

    /// A place in the queue, or 503 at once; then a core.
    async fn permits(&self) -> Result<[OwnedSemaphorePermit; 2], Status> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Status::ServiceUnavailable)?;
        let core = self.cores.clone().acquire_owned().await;
        let core = core.map_err(|_| Status::ServiceUnavailable)?;
        Ok([place, core])
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}
