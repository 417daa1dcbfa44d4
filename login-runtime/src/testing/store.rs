//! For authors of stores, and for tests with several servers: what every store of ended logins must do, and a store in
//! memory that can be broken on purpose.
//!
//! A store's test calls [`conforms`] with a function that opens two connections to a store without any entries:
//!
//! ```rust
//! use rocket_login::testing::store::{self, MemoryLog};
//!
//! # let the_store_does_what_it_must =
//! async || {
//!     store::conforms(async || {
//!         let log = MemoryLog::new();
//!         [log.clone(), log]
//!     })
//!     .await;
//! };
//! ```

mod claims;
mod memory;

pub use self::claims::{conforms, logout};
pub use self::memory::{Fault, MemoryLog};

#[cfg(test)]
mod tests {
    use super::*;

    #[rocket::async_test]
    async fn the_store_in_memory_does_what_every_store_must() {
        conforms(async || {
            let log = MemoryLog::new();
            [log.clone(), log]
        })
        .await;
    }
}
