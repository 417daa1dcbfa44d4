//! Several servers of one application, with one store of ended logins.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket decides the types of a handler's arguments"
)]

#[path = "../common/mod.rs"]
mod common;

use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rocket::http::Status;
use rocket::{State, get, post, routes};
use rocket_login::logins::MemoryRegistry;
use rocket_login::revocation::{RevocationError, UnixTime};
use rocket_login::session::UserTokenError;
use rocket_login::store::{
    Appended, Change, Entry, Epoch, Key, Position, RevocationLog, Since, StoreHealth,
};
use rocket_login::testing::Clock;
use rocket_login::testing::registry::Shared;
use rocket_login::testing::store::{Fault, MemoryLog};
use rocket_login::{EventKind, LoginError, LoginEvent, LoginSession, Signer, event_listener};

use common::socket::{Server, body, cookie};
use common::streams::{Ends, Stream, stream};
use common::{App, Browser, REMEMBER, Running, START, User, Users, change_methods_late};

fn store() -> MemoryLog {
    MemoryLog::with_clock(Clock::manual(START))
}

fn on(log: &MemoryLog) -> App {
    let log = log.clone();
    App::new()
        .with(|manager| {
            manager
                .revocation_store(move |_| Box::pin(async { Ok(log) }))
                .event_listener(note)
        })
        .set("login.store.stale_wait", "200ms")
        .routes(routes![health, renew, stream, link, reset])
}

fn start(app: App) -> Running {
    app.start_with(|rocket| rocket.manage(Noted::default()).manage(Ends::default()))
}

/// The events about the store.
#[derive(Default, Clone)]
struct Noted(Arc<Mutex<Vec<EventKind>>>);

#[event_listener]
fn note(event: &LoginEvent<'_, User>, noted: &State<Noted>) {
    let kinds = [
        EventKind::StoreStale,
        EventKind::StoreFresh,
        EventKind::StoreLost,
    ];
    if kinds.contains(&event.kind) {
        noted.0.lock().unwrap().push(event.kind);
    }
}

fn noted(server: &Running) -> Vec<EventKind> {
    let noted = server.client.rocket().state::<Noted>().unwrap();
    std::mem::take(&mut *noted.0.lock().unwrap())
}

#[get("/health")]
fn health(store: StoreHealth) -> (Status, String) {
    let status = if store.is_fresh() {
        Status::Ok
    } else {
        Status::ServiceUnavailable
    };
    let is_young = store.age() < Some(Duration::from_secs(1));
    let text = format!("{is_young} {} {}", store.entries(), store.losses());
    (status, text)
}

/// A new password: every login ends, and this browser's goes on.
#[post("/renew")]
async fn renew(
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<&'static str, LoginError> {
    let user = users.get("alice").ok_or(LoginError::NotLoggedIn)?;
    session.logout_everywhere_for(&user).await?;
    session.confirm_login(&user).await?;
    Ok("renewed")
}

#[get("/link?<name>")]
fn link(
    name: &str,
    users: &State<Users>,
    signer: Signer<'_, User>,
) -> Result<String, UserTokenError> {
    let user = users.get(name).ok_or(UserTokenError::Invalid)?;
    signer
        .for_user(&user)
        .sign("reset", "", Duration::from_secs(60))
}

#[post("/reset?<token>")]
async fn reset(token: &str, signer: Signer<'_, User>) -> Result<String, UserTokenError> {
    Ok(signer.find_user("reset", token).await?.use_up().await?.id)
}

/// The same browser, with its next request to another server.
fn at<'a>(server: &'a Running, browser: &Browser<'_>) -> Browser<'a> {
    Browser {
        app: server,
        cookies: browser.cookies.clone(),
        headers: browser.headers.clone(),
        address: browser.address,
    }
}

/// Waits until something is so, but not longer than the promise allows.
fn soon(limit: Duration, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < limit, "not within {limit:?}");
        sleep(Duration::from_millis(10));
    }
}

const PROMISE: Duration = Duration::from_secs(1);

#[test]
fn a_logout_holds_on_every_server_within_a_second() {
    let log = store();
    let [one, two] = [&log, &log].map(|log| start(on(log)));
    let mut browser = one.remembered("alice");
    let thief = browser.clone();
    assert_eq!(at(&two, &browser).me(), "alice");
    assert_eq!(browser.post("/logout", "").status, Status::Ok);
    soon(PROMISE, || at(&two, &thief).me() == "anonymous");
    // A restart forgets nothing.
    let three = start(on(&log));
    assert_eq!(at(&three, &thief).me(), "anonymous");
}

#[test]
fn a_confirmation_on_one_server_logs_nobody_out_on_another() {
    let log = store();
    let [one, two] = [&log, &log].map(|log| start(on(log)));
    let mut browser = one.logged_in("alice");
    for _ in 0..5 {
        let old = browser.clone();
        assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
        // At once, before the other server can have heard of it.
        assert_eq!(at(&two, &browser).me(), "alice");
        soon(PROMISE, || at(&two, &old).me() == "anonymous");
        assert_eq!(at(&two, &browser).me(), "alice");
    }
}

#[test]
fn a_login_from_a_server_whose_clock_is_ahead_does_not_outlive_a_logout_everywhere() {
    let log = store();
    let [fast, slow] = [&log, &log].map(|log| start(on(log)));
    fast.clock.advance(Duration::from_secs(50));
    let browser = fast.remembered("alice");
    let mut other = slow.logged_in("alice");
    assert_eq!(other.post("/logout-everywhere", "").status, Status::Ok);
    for server in [&fast, &slow] {
        soon(PROMISE, || at(server, &browser).me() == "anonymous");
        let mut later = server.logged_in("alice");
        assert_eq!(later.me(), "alice");
    }
}

#[test]
fn a_confirmation_after_the_end_of_all_logins_keeps_only_this_browser_logged_in() {
    let log = store();
    let [one, two] = [&log, &log].map(|log| start(on(log)));
    let mut browser = one.remembered("alice");
    let old = browser.clone();
    let other = two.remembered("alice");
    assert_eq!(browser.post("/renew", "").body, "renewed");
    for server in [&one, &two] {
        soon(PROMISE, || {
            let is_over = |browser| at(server, browser).me() == "anonymous";
            is_over(&old) && is_over(&other)
        });
        assert_eq!(at(server, &browser).me(), "alice");
    }
    let mut restored = at(&two, &browser);
    restored.restart();
    assert_eq!(restored.me(), "alice");
}

/// A store that is heard of late.
struct Late(MemoryLog, Duration);

#[rocket::async_trait]
impl RevocationLog for Late {
    async fn snapshot(
        &self,
        entry: &mut (dyn FnMut(Entry) + Send),
    ) -> Result<Position, RevocationError> {
        self.0.snapshot(entry).await
    }

    async fn since(&self, position: &Position, wait: Duration) -> Result<Since, RevocationError> {
        let since = self.0.since(position, wait).await;
        rocket::tokio::time::sleep(self.1).await;
        since
    }

    async fn append(&self, epoch: &Epoch, change: &Change) -> Result<Appended, RevocationError> {
        self.0.append(epoch, change).await
    }

    async fn now(&self, keys: &[Key]) -> Result<UnixTime, RevocationError> {
        self.0.now(keys).await
    }

    async fn purge(&self, until: UnixTime, limit: usize) -> Result<usize, RevocationError> {
        self.0.purge(until, limit).await
    }
}

#[test]
fn a_session_that_a_late_server_restores_does_not_outlive_a_logout_everywhere() {
    let log = store();
    let one = start(on(&log));
    let late = Late(log.clone(), Duration::from_millis(700));
    let app = App::new()
        .with(|manager| manager.revocation_store(move |_| Box::pin(async { Ok(late) })))
        .set("login.store.max_staleness", "5s");
    let two = app.start();
    let remembered = one.remembered("alice");
    let mut elsewhere = one.logged_in("alice");
    assert_eq!(elsewhere.post("/logout-everywhere", "").status, Status::Ok);
    // Seconds later by the clock, and still before the server has heard of it.
    two.clock.advance(Duration::from_secs(5));
    let mut thief = at(&two, &remembered);
    thief.restart();
    assert_eq!(thief.me(), "alice");
    assert!(thief.cookies.contains_key(common::SESSION));
    soon(Duration::from_secs(3), || thief.clone().me() == "anonymous");
}

#[test]
fn while_the_store_is_silent_nobody_is_judged_and_nobody_loses_a_cookie() {
    for fault in [Fault::Silent, Fault::Down] {
        let log = store();
        let server = start(on(&log));
        let mut browser = server.remembered("alice");
        assert_eq!(server.browser().get("/health").body, "true 0 0");
        log.set_fault(fault);
        soon(Duration::from_secs(3), || {
            server.browser().get("/health").status == Status::ServiceUnavailable
        });
        for path in ["/me", "/private", "/fresh"] {
            let reply = browser.get(path);
            assert_eq!(reply.status, Status::ServiceUnavailable, "{path}");
            assert!(reply.set_cookies().is_empty(), "{path}");
        }
        for (path, form) in [
            ("/logout", ""),
            ("/login", "user=bob"),
            ("/confirm", "alice"),
        ] {
            let reply = browser.post(path, form);
            assert_eq!(reply.status, Status::ServiceUnavailable, "{path}");
            assert!(reply.set_cookies().is_empty(), "{path}");
        }
        assert_eq!(server.browser().get("/open").status, Status::Ok);
        assert_eq!(server.browser().me(), "anonymous");
        soon(Duration::from_secs(3), || {
            browser.clone().get("/me");
            noted(&server) == [EventKind::StoreStale]
        });
        log.set_fault(None);
        soon(Duration::from_secs(4), || browser.clone().me() == "alice");
        assert_eq!(noted(&server), [EventKind::StoreFresh]);
        assert_eq!(browser.post("/logout", "").status, Status::Ok);
        assert_eq!(server.browser().get("/health").body, "true 1 0");
    }
}

#[test]
fn an_old_copy_can_serve_reads_and_nothing_else() {
    let log = store();
    let server = start(on(&log).set("login.store.on_stale", "serve for 5m"));
    let mut browser = server.remembered("alice");
    let mut other = server.logged_in("bob");
    log.set_fault(Fault::Down);
    soon(Duration::from_secs(3), || {
        server.browser().get("/health").status == Status::ServiceUnavailable
    });
    assert_eq!(browser.me(), "alice");
    assert_eq!(browser.get("/private").body, "private of alice");
    assert_eq!(browser.get("/status").body, "fresh=false remembered=true");
    let mut restored = browser.clone();
    restored.restart();
    let refused = [
        browser.get("/fresh"),
        browser.post("/private", ""),
        restored.get("/private"),
        browser.post("/login", "user=bob"),
        browser.post("/confirm", "alice"),
        browser.post("/logout-everywhere", ""),
    ];
    for reply in refused {
        assert_eq!(reply.status, Status::ServiceUnavailable, "{reply:?}");
        assert!(reply.set_cookies().is_empty(), "{reply:?}");
    }
    assert!(restored.cookies.contains_key(REMEMBER));
    log.set_fault(None);
    soon(Duration::from_secs(3), || {
        server.browser().get("/health").status == Status::Ok
    });
    assert_eq!(browser.get("/fresh").body, "fresh alice");
    assert_eq!(restored.get("/private").body, "private of alice");
    assert_eq!(other.post("/private", "").body, "posted by bob");
}

#[test]
fn an_old_copy_serves_no_method_that_a_fairing_has_made_of_a_read() {
    let log = store();
    let app = on(&log).set("login.store.on_stale", "serve for 5m");
    let server = app.start_with(|rocket| {
        let state = rocket.manage(Noted::default()).manage(Ends::default());
        change_methods_late(state)
    });
    let mut browser = server.logged_in("alice");
    assert_eq!(browser.get("/private?post").body, "posted by alice");
    log.set_fault(Fault::Down);
    soon(Duration::from_secs(3), || {
        server.browser().get("/health").status == Status::ServiceUnavailable
    });
    assert_eq!(browser.get("/private").body, "private of alice");
    let reply = browser.get("/private?post");
    assert_eq!(reply.status, Status::ServiceUnavailable, "{reply:?}");
}

#[test]
fn a_store_that_was_wiped_gets_its_logouts_back() {
    let log = store();
    let [one, two] = [&log, &log].map(|log| start(on(log)));
    let mut browser = one.logged_in("alice");
    let thief = browser.clone();
    browser.post("/logout", "");
    soon(PROMISE, || at(&two, &thief).me() == "anonymous");
    log.wipe();
    soon(Duration::from_secs(3), || log.records() > 0);
    // A server that is started now knows of it from the others alone.
    let three = start(on(&log));
    assert_eq!(at(&three, &thief).me(), "anonymous");
    soon(Duration::from_secs(3), || {
        one.logged_in("bob").me();
        noted(&one).contains(&EventKind::StoreLost)
    });
}

#[test]
fn a_stream_ends_within_a_second_of_the_logout_on_another_server() {
    let log = store();
    let [one, two] = [&log, &log].map(|log| start(on(log)));
    for logout in ["/logout", "/logout-everywhere"] {
        let mut browser = one.remembered("alice");
        let mut mine = Stream::begin(&mut browser);
        let mut other = Stream::begin(&mut one.logged_in("bob"));
        assert!(!mine.has_ended());
        assert_eq!(at(&two, &browser).post(logout, "").status, Status::Ok);
        assert!(mine.ends_within(PROMISE), "{logout}");
        assert!(!other.has_ended(), "{logout}");
    }
}

#[test]
fn a_stream_ends_when_the_copy_of_the_store_is_too_old() {
    for fault in [Fault::Silent, Fault::Down] {
        let log = store();
        let server = start(on(&log));
        let mut stream = Stream::begin(&mut server.logged_in("alice"));
        assert!(!stream.has_ended());
        log.set_fault(fault);
        // A second until the copy is old, a look at the store, and `stale_wait`.
        assert!(stream.ends_within(Duration::from_secs(4)), "{fault:?}");
    }
}

#[test]
fn an_old_copy_serves_events_for_a_time_and_no_websocket() {
    let log = store();
    let server = start(on(&log).set("login.store.on_stale", "serve for 2s"));
    let mut browser = server.logged_in("alice");
    let mut shaken = browser.clone().header("Upgrade", "websocket");
    let (mut events, mut socket) = (Stream::begin(&mut browser), Stream::begin(&mut shaken));
    log.set_fault(Fault::Down);
    soon(Duration::from_secs(3), || {
        server.browser().get("/health").status == Status::ServiceUnavailable
    });
    assert!(socket.ends_within(Duration::from_secs(2)));
    assert_eq!(shaken.get("/private").status, Status::ServiceUnavailable);
    assert_eq!(browser.get("/private").status, Status::Ok);
    assert!(!events.has_ended());
    assert!(events.ends_within(Duration::from_secs(5)));
    assert_eq!(browser.get("/private").status, Status::ServiceUnavailable);
}

#[test]
fn a_token_for_a_user_works_once_on_all_servers() {
    let log = store();
    let [one, two] = [&log, &log].map(|log| start(on(log)));
    let token = one.browser().get("/link?name=alice").body;
    // An end of all logins is not the use of a token.
    let mut browser = one.logged_in("alice");
    assert_eq!(browser.post("/logout-everywhere", "").status, Status::Ok);
    let reset = |server: &Running| {
        let reply = server.browser().post(&format!("/reset?token={token}"), "");
        (reply.status, reply.body)
    };
    assert_eq!(reset(&two), (Status::Ok, "alice".into()));
    // At once, before the first server can have heard of it.
    for server in [&one, &two, &start(on(&log))] {
        assert_eq!(reset(server).0, Status::Gone);
    }
    log.set_fault(Fault::Down);
    let token = one.browser().get("/link?name=alice").body;
    let path = format!("/reset?token={token}");
    let reply = one.browser().post(&path, "");
    assert_eq!(reply.status, Status::ServiceUnavailable);
}

#[test]
fn two_servers_that_restore_at_once_give_one_successor_and_both_notice_a_copy() {
    let (log, registry) = (store(), Shared::new(MemoryRegistry::new()));
    let apps = [&log, &log].map(|log| {
        let registry = registry.clone();
        on(log).with(|manager| manager.login_registry(registry))
    });
    let clocks = apps.each_ref().map(|app| app.clock.clone());
    let servers = apps.map(|app| {
        let rocket = app
            .rocket()
            .manage(Noted::default())
            .manage(Ends::default());
        Server::start(rocket)
    });
    let [one, two] = &servers;
    let reply = one.post("/login", &[], "user=alice&remember=on");
    let token = |reply: &str| cookie(reply, REMEMBER).unwrap();
    let me = |server: &Server, token: &str| {
        let header = format!("Cookie: {REMEMBER}={token}");
        server.get("/me", &[header.as_bytes()])
    };
    let stolen = token(&reply);
    let mut newest = stolen.clone();
    for _ in 0..3 {
        let replies = std::thread::scope(|scope| {
            let servers = servers.iter().cycle().take(20);
            let restores: Vec<_> = servers
                .map(|server| scope.spawn(|| me(server, &newest)))
                .collect();
            let replies = restores.into_iter().map(|restore| restore.join().unwrap());
            replies.collect::<Vec<_>>()
        });
        let successor = token(&replies[0]);
        assert_ne!(successor, newest);
        for reply in &replies {
            assert_eq!(body(reply), "alice");
            assert_eq!(token(reply), successor);
        }
        newest = successor;
        for clock in &clocks {
            clock.advance(Duration::from_secs(60));
        }
    }
    assert_eq!(body(&me(two, &stolen)), "anonymous");
    soon(PROMISE, || body(&me(one, &newest)) == "anonymous");
    assert_eq!(body(&me(two, &newest)), "anonymous");
}
