//! What the log says while the list of ended logins cannot be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rocket::http::Status;
use rocket_login::revocation::RevocationError;
use rocket_login::testing::Clock;
use rocket_login::testing::store::{Fault, MemoryLog};

use crate::common::log::{Level, captured, take};
use crate::common::revocations::{Call, Revocations};
use crate::common::{App, Browser, Running, START};

/// The errors since the last call.
fn errors() -> Vec<String> {
    let lines = take().into_iter();
    let errors = lines.filter(|line| line.is_ours() && line.level == Level::Error);
    errors.map(|line| line.text).collect()
}

/// A list that answers only while `is_up`.
fn list(is_up: &Arc<AtomicBool>) -> Revocations {
    let is_up = Arc::clone(is_up);
    Revocations::after(move |call| {
        let answers = is_up.load(Ordering::Relaxed);
        Box::pin(async move {
            match call {
                Call::Status | Call::Date if !answers => {
                    Err(RevocationError::new("no route to host"))
                }
                _ => Ok(()),
            }
        })
    })
}

#[test]
fn an_outage_of_the_list_is_one_line_a_minute_with_a_count() {
    fn requests(app: &Running, alice: &Browser<'_>) {
        for _ in 0..10 {
            let reply = alice.clone().get("/private");
            assert_eq!(reply.status, Status::ServiceUnavailable);
        }
        // A login fails for the same reason.
        let reply = app.browser().post("/login", "user=alice");
        assert_eq!(reply.status, Status::ServiceUnavailable);
    }
    captured(|| {
        let is_up = Arc::new(AtomicBool::new(true));
        let app = list(&is_up).app().start();
        let alice = app.logged_in("alice");
        assert!(errors().is_empty());
        is_up.store(false, Ordering::Relaxed);
        let line = "the revocation list failed: no route to host";
        requests(&app, &alice);
        assert_eq!(errors(), [line]);
        app.clock.advance(Duration::from_secs(59));
        requests(&app, &alice);
        assert!(errors().is_empty());
        app.clock.advance(Duration::from_secs(1));
        requests(&app, &alice);
        let counted = format!(
            "{line}; 21 more requests have failed for this reason since the last such line"
        );
        assert_eq!(errors(), [counted]);
    });
}

#[test]
fn the_end_of_an_outage_of_a_store_says_how_many_requests_had_failed() {
    captured(|| {
        let log = MemoryLog::with_clock(Clock::manual(START));
        let store = log.clone();
        let app = App::new()
            .with(|manager| manager.revocation_store(move |_| Box::pin(async { Ok(store) })))
            .set("login.store.stale_wait", "100ms")
            .start();
        let alice = app.logged_in("alice");
        let fails = || alice.clone().get("/private").status == Status::ServiceUnavailable;
        log.set_fault(Fault::Down);
        soon(fails);
        assert!(fails() && fails());
        take();
        log.set_fault(None);
        soon(|| !fails());
        let lines = take();
        let end = "the list of ended logins answers again; ";
        let line = lines.iter().find_map(|line| line.text.strip_prefix(end));
        let (failed, _) = line
            .unwrap()
            .split_once(" more requests had failed")
            .unwrap();
        assert!(failed.parse::<u32>().unwrap() >= 2);
    });
}

fn soon(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_loader_that_fails_is_a_line_for_each_request() {
    captured(|| {
        let app = App::new().start();
        let alice = app.logged_in("alice");
        app.users.fail(true);
        take();
        for _ in 0..2 {
            alice.clone().get("/private");
        }
        let line = "the user could not be loaded: the database is down";
        assert_eq!(errors(), [line; 2]);
    });
}
