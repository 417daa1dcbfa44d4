//! What the servers of this binary issue, log and panic: the first may not be in the others.

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

/// What an application's own code says when it panics because a test wants it to.
pub const ON_PURPOSE: &str = "on purpose";

/// The shortest of our tokens has more characters, and no other cookie of the tests has.
const SHORTEST: usize = 120;

/// Takes note from now on of every cookie, log line and panic of this process.
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

/// Notes what an answer issues.
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

/// Notes what may stand in no line either.
pub fn keep_secret(text: &str) {
    lock(&ISSUED).insert(text.to_owned());
}

/// Whatever has been sent so far: no server panicked, none of our lines shows what was issued, or
/// is more than one line.
pub fn assert_innocent(what: &str) {
    let panics = std::mem::take(&mut *lock(&PANICS));
    assert!(panics.is_empty(), "{what}: {panics:?}");
    for line in log::take().iter().filter(|line| line.is_ours()) {
        assert!(!line.text.contains(char::is_control), "{what}: {line:?}");
        assert_shows_nothing(&line.text, what);
    }
}

/// No text that was issued, or is to be kept secret, stands in this one.
pub fn assert_shows_nothing(text: &str, what: &str) {
    let issued = lock(&ISSUED);
    for secret in issued.iter().map(String::as_str).chain([super::KEY]) {
        assert!(!text.contains(secret), "{what}: {text}");
    }
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
