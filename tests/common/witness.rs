//! Watches what the servers of this binary issue, log and panic: no issued value may appear in a log line or a panic.

use std::collections::BTreeSet;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::log;
use super::socket::header;

static WATCHING: AtomicBool = AtomicBool::new(false);
static ISSUED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The panic message of application code that panics because a test wants it to.
pub const ON_PURPOSE: &str = "on purpose";

/// The shortest token is longer, and all other cookies of the tests are shorter.
const SHORTEST: usize = 120;

/// Records every cookie, log line and panic of this process from now on.
pub fn watch() {
    if WATCHING.swap(true, Ordering::SeqCst) {
        return;
    }
    log::watch();
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_servers = thread::current()
            .name()
            .is_some_and(|name| name.starts_with("rocket"));
        let message = info.to_string();
        if is_servers && !message.contains(ON_PURPOSE) {
            lock(&PANICS).push(message);
        }
        default(info);
    }));
}

/// Records what a response issues.
pub fn saw(reply: &str) {
    if !WATCHING.load(Ordering::SeqCst) {
        return;
    }
    for cookie in header(reply, "set-cookie") {
        let pair = cookie.split(';').next().unwrap_or_default();
        let value = pair.split_once('=').map_or("", |(_, value)| value);
        if value.len() >= SHORTEST {
            lock(&ISSUED).insert(value.to_owned());
        }
    }
}

/// Records another text that no log line may contain.
pub fn keep_secret(text: &str) {
    lock(&ISSUED).insert(text.to_owned());
}

/// Asserts that no server has panicked, and that no log line of ours shows an issued value or
/// contains a line break.
pub fn assert_innocent(what: &str) {
    let panics = std::mem::take(&mut *lock(&PANICS));
    assert!(panics.is_empty(), "{what}: {panics:?}");
    for line in log::take().iter().filter(|line| line.is_ours()) {
        assert!(!line.text.contains(char::is_control), "{what}: {line:?}");
        assert_shows_nothing(&line.text, what);
    }
}

/// Asserts that this text contains no issued or secret value.
pub fn assert_shows_nothing(text: &str, what: &str) {
    let issued = lock(&ISSUED);
    for secret in issued.iter().map(String::as_str).chain([super::KEY]) {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
