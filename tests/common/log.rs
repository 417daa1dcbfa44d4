//! Captures every log line of this process.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::log::private::{self as log, LevelFilter, Log, Metadata, Record};

pub use rocket::log::private::Level;

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

struct Capture;

#[derive(Clone, Debug)]
pub struct Line {
    pub level: Level,
    pub target: String,
    pub text: String,
}

impl Line {
    pub fn is_ours(&self) -> bool {
        ["login_runtime", "rocket_login", "login_macros"]
            .iter()
            .any(|ours| self.target.starts_with(ours))
    }
}

impl Log for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        lock(&LINES).push(Line {
            level: record.level(),
            target: record.target().into(),
            text: record.args().to_string(),
        });
    }

    fn flush(&self) {}
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps every line from now on.
pub fn watch() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        log::set_logger(&Capture).expect("no rocket was built before");
        log::set_max_level(LevelFilter::Trace);
    });
}

/// The lines since the last call.
pub fn take() -> Vec<Line> {
    std::mem::take(&mut *lock(&LINES))
}

/// Runs one test at a time, and returns every line that was logged meanwhile.
pub fn captured<T>(run: impl FnOnce() -> T) -> (T, Vec<Line>) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = lock(&ONE);
    watch();
    take();
    let result = run();
    (result, take())
}
