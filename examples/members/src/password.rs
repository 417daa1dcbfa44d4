//! Passwords: hashed and checked with argon2, on threads that may take their time.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use data_encoding::BASE32_NOPAD;
use rocket::tokio::task::spawn_blocking;

use crate::error::Cause;

/// The hash of a password that nobody knows, made as [`hash`] makes them.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$3hWXNfu8R+hNxfEIj/4Hhg$qdV8GAAOSoA4TDqaMztI9X9mwbKzpI+bVqhTcXEkJO8";

/// Hashes a new password.
pub(crate) async fn hash(password: &str) -> Result<String, Cause> {
    let password = password.to_owned();
    // A hash takes a core for a while: on an async thread, all its other requests would wait.
    spawn_blocking(move || {
        let hash = Argon2::default().hash_password(password.as_bytes())?;
        Ok(hash.to_string())
    })
    .await?
}

/// Checks a password against somebody's hash; against nobody's it takes as long.
pub(crate) async fn verify(hash: Option<&str>, password: &str) -> Result<bool, Cause> {
    let known = hash.is_some();
    let hash = hash.unwrap_or(NOBODYS).to_owned();
    let password = password.to_owned();
    spawn_blocking(move || {
        let hash = PasswordHash::new(&hash)?;
        let matches = Argon2::default().verify_password(password.as_bytes(), &hash);
        Ok(known && matches.is_ok())
    })
    .await?
}

/// Makes a password of 80 random bits.
pub(crate) fn random() -> Result<String, Cause> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes)?;
    Ok(BASE32_NOPAD.encode(&bytes).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rocket::async_test]
    async fn nobody_passes_and_takes_as_long_as_somebody() {
        let somebodys = hash("correct horse").await.unwrap();
        assert!(verify(Some(&somebodys), "correct horse").await.unwrap());
        assert!(!verify(Some(&somebodys), "correct hors").await.unwrap());
        assert!(!verify(None, "correct horse").await.unwrap());

        let (somebodys, nobodys) = (PasswordHash::new(&somebodys), PasswordHash::new(NOBODYS));
        let (somebodys, nobodys) = (somebodys.unwrap(), nobodys.unwrap());
        assert_eq!(somebodys.algorithm, nobodys.algorithm);
        assert_eq!(somebodys.params, nobodys.params);
    }
}
