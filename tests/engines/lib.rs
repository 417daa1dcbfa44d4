//! Starts a real Redis and a real PostgreSQL for tests, each on a free port and with a folder of its own.
//!
//! Without an engine on this machine a test prints how to install it, and passes. If the variable `LOGIN_STORES` is set
//! to `required`, the test fails.

mod certificate;
mod postgres;
mod process;
mod recorder;
mod redis;
pub mod site;

pub use self::certificate::Certificate;
pub use self::postgres::Postgres;
pub use self::process::{Folder, Process, free_port, wait};
pub use self::recorder::Recorder;
pub use self::redis::Redis;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Returns the path of a program; `None` after a note if this machine has not got it.
///
/// # Panics
///
/// If the program is missing and `LOGIN_STORES` is `required`.
#[must_use]
pub fn program(name: &str, package: &str, more_folders: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(more_folders.iter().cloned());
    let found = folders
        .map(|folder| folder.join(name))
        .find(|file| is_file(file));
    if found.is_none() {
        let note = format!("`{name}` is missing: `apt-get install {package}` installs it");
        let is_required = env::var_os("LOGIN_STORES").is_some_and(|value| value == "required");
        assert!(!is_required, "{note}");
        eprintln!("not tested, since {note}");
    }
    found
}

/// Returns the environment of a process whose clock is wrong, such as `+3d`; `None` after a note if this machine has not
/// got libfaketime.
///
/// # Panics
///
/// If it is missing and `LOGIN_STORES` is `required`.
#[must_use]
pub fn wrong_clock(offset: &str) -> Option<Vec<(&'static str, String)>> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let folders: Vec<_> = folders
        .map(|folder| folder.path().join("faketime"))
        .collect();
    let library = program("libfaketimeMT.so.1", "faketime", &folders)?;
    Some(vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME", offset.to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ])
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_starts_restarts_and_answers() {
        let Some(mut redis) = Redis::start(&[]) else {
            return;
        };
        assert_eq!(redis.ask(&["set", "a", "1"]), "OK");
        redis.restart();
        assert_eq!(redis.ask(&["get", "a"]), "1");
    }

    #[test]
    fn a_postgres_starts_restarts_and_answers() {
        let Some(mut postgres) = Postgres::start(&[]) else {
            return;
        };
        let _ = postgres.database();
        postgres.run("postgres", "CREATE TABLE t (a INT)");
        postgres.restart();
        assert_eq!(postgres.run("postgres", "SELECT count(*) FROM t"), "0");
    }
}
