//! What decides the histories of a model. The model of the site in `tests/model` includes this file.

#![allow(clippy::unwrap_used)]

use std::env;
use std::time::SystemTime;

/// Returns the seed of a run, and prints it; `MODEL_SEED` repeats one.
pub(crate) fn seed() -> u64 {
    let seed = match env::var("MODEL_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.unwrap().subsec_nanos().into()
        }
    };
    println!("MODEL_SEED={seed}");
    seed
}
