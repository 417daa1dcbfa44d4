//! A gate where requests wait until the test opens it. It counts them.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rocket::tokio::sync::Semaphore;

#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    permits: Semaphore,
    waiting: Mutex<usize>,
    arrived: Condvar,
}

impl Gate {
    pub fn closed() -> Self {
        Gate(Arc::new(Inner {
            permits: Semaphore::new(0),
            waiting: Mutex::new(0),
            arrived: Condvar::new(),
        }))
    }

    pub async fn pass(&self) {
        *self.0.waiting.lock().unwrap() += 1;
        self.0.arrived.notify_all();
        self.0.permits.acquire().await.unwrap().forget();
    }

    /// Returns when this many requests have come to the gate.
    pub fn wait_for(&self, count: usize) {
        let waiting = self.0.waiting.lock().unwrap();
        let patience = Duration::from_secs(60);
        let (_waiting, waited) = self
            .0
            .arrived
            .wait_timeout_while(waiting, patience, |waiting| *waiting < count)
            .unwrap();
        assert!(!waited.timed_out(), "they do not come");
    }

    /// Lets this many requests pass.
    pub fn open(&self, count: usize) {
        self.0.permits.add_permits(count);
    }
}
