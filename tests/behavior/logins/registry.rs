//! Where a user is logged in: the list, the end of one login, limits, and a registry that fails.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rocket::http::Status;
use rocket::tokio::task::yield_now;
use rocket::{Route, State, get, post, routes};
use rocket_login::config::AtLimit;
use rocket_login::logins::{
    Begin, Begun, KnownClient, LoginId, LoginInfo, LoginRegistry, LoginRow, MemoryRegistry,
    RegistryError, Restored, RowUser, UnixTime,
};
use rocket_login::revocation::{MemoryRevocations, RevocationError};
use rocket_login::{EventKind, LoginError, LoginSession, login_required};

use super::support::{DAY, HOUR, MINUTE, assert_refused, logged, script};
use crate::common::revocations::{Call, Revocations};
use crate::common::socket::{Server, body, cookie, status};
use crate::common::{App, Browser, REMEMBER, Running, SESSION, START, User, Users};

/// A registry that a test can break and wipe.
#[derive(Clone, Default)]
pub(super) struct Registry(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    rows: Arc<MemoryRegistry>,
    fault: Option<Fault>,
    calls: usize,
    /// The rows of the renewals, as they came.
    renewed: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    Down,
    Hangs,
    Panics,
    /// Only clients cannot be written.
    Forgets,
}

pub(super) const FAULTS: [Fault; 3] = [Fault::Down, Fault::Hangs, Fault::Panics];

impl Registry {
    pub(super) fn set(&self, fault: impl Into<Option<Fault>>) {
        self.0.lock().unwrap().fault = fault.into();
    }

    pub(super) fn wipe(&self) {
        self.0.lock().unwrap().rows = Arc::default();
    }

    /// How often it was called since the last time.
    pub(super) fn calls(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    /// Whether a renewal at this time has said that the newest remember token has arrived.
    pub(super) fn knows_of_arrival(&self, at: UnixTime) -> bool {
        let at = at.as_secs().to_string();
        let inner = self.0.lock().unwrap();
        inner.renewed.iter().any(|row| {
            let fields: Vec<_> = row.split('\t').collect();
            fields[5] == at && fields[9] == "0"
        })
    }

    async fn rows(&self) -> Result<Arc<MemoryRegistry>, RegistryError> {
        yield_now().await;
        let (rows, fault) = {
            let mut inner = self.0.lock().unwrap();
            inner.calls += 1;
            (Arc::clone(&inner.rows), inner.fault)
        };
        match fault {
            None | Some(Fault::Forgets) => Ok(rows),
            Some(Fault::Down) => Err(RegistryError::new("the registry is down")),
            Some(Fault::Hangs) => pending().await,
            Some(Fault::Panics) => panic!("on purpose"),
        }
    }
}

#[rocket::async_trait]
impl LoginRegistry for Registry {
    async fn begin(&self, begin: &Begin) -> Result<Begun, RegistryError> {
        self.rows().await?.begin(begin).await
    }

    async fn rows(&self, users: &[RowUser], now: UnixTime) -> Result<Vec<LoginRow>, RegistryError> {
        Registry::rows(self).await?.rows(users, now).await
    }

    async fn renew(&self, row: &LoginRow, users: &[RowUser]) -> Result<(), RegistryError> {
        Registry::rows(self).await?.renew(row, users).await?;
        self.0.lock().unwrap().renewed.push(row.to_string());
        Ok(())
    }

    async fn restore(&self, row: &LoginRow, users: &[RowUser]) -> Result<Restored, RegistryError> {
        Registry::rows(self).await?.restore(row, users).await
    }

    async fn end(&self, users: &[RowUser], logins: &[LoginId]) -> Result<(), RegistryError> {
        Registry::rows(self).await?.end(users, logins).await
    }

    async fn remember_client(
        &self,
        user: RowUser,
        client: &KnownClient,
    ) -> Result<(), RegistryError> {
        let rows = Registry::rows(self).await?;
        if self.0.lock().unwrap().fault == Some(Fault::Forgets) {
            return Err(RegistryError::new("no more clients"));
        }
        rows.remember_client(user, client).await
    }
}

#[get("/logins")]
async fn logins(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    Ok(json(&session.logins().await?))
}

#[post("/logins/<handle>/end")]
async fn end(handle: &str, session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.end_login(handle).await
}

#[login_required(if = |user: &User| user.id == "alice")]
#[get("/members/<id>/logins")]
async fn logins_for(
    id: &str,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Option<String>, LoginError> {
    let Some(member) = users.get(id) else {
        return Ok(None);
    };
    Ok(Some(json(&session.logins_for(&member).await?)))
}

#[login_required(if = |user: &User| user.id == "alice")]
#[post("/members/<id>/logins/<handle>/end")]
async fn end_for(
    id: &str,
    handle: &str,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Option<()>, LoginError> {
    let Some(member) = users.get(id) else {
        return Ok(None);
    };
    session.end_login_for(&member, handle).await.map(Some)
}

#[post("/login-by-link/<id>")]
async fn login_by_link(
    id: &str,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Option<()>, LoginError> {
    let Some(user) = users.get(id) else {
        return Ok(None);
    };
    let login = session.login_user(&user).permanent(true);
    login.how("by a link\tin an email").await.map(Some)
}

fn json(logins: &[LoginInfo]) -> String {
    serde_json::to_string(logins).unwrap()
}

fn pages() -> Vec<Route> {
    routes![
        logins,
        end,
        logins_for,
        end_for,
        login_by_link,
        login_and_fail,
        login_and_name,
        script
    ]
}

pub(super) fn app(registry: &Registry) -> App {
    with(App::new(), registry)
}

fn with(app: App, registry: &Registry) -> App {
    let registry = registry.clone();
    app.routes(pages())
        .with(|manager| manager.login_registry(registry))
        .set("login.loader_timeout", "200ms")
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
     (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/141.0.0.0 Safari/537.36";

fn browser<'a>(app: &'a Running, user: &str, agent: &str) -> Browser<'a> {
    let mut browser = app.browser().header("User-Agent", agent);
    assert_eq!(browser.login(user).status, Status::SeeOther);
    browser
}

type Json = serde_json::Value;

impl Browser<'_> {
    pub(super) fn list(&mut self) -> Vec<Json> {
        self.list_at("/logins")
    }

    fn list_at(&mut self, path: &str) -> Vec<Json> {
        let reply = self.get(path);
        assert_eq!(reply.status, Status::Ok, "{reply:?}");
        serde_json::from_str(&reply.body).unwrap()
    }

    /// The handle of this login.
    pub(super) fn handle(&mut self) -> String {
        handle(&self.list()[0])
    }

    pub(super) fn end(&mut self, handle: &str) -> Status {
        self.post(&format!("/logins/{handle}/end"), "").status
    }
}

/// Waits for a write that no request waits for.
pub(super) fn soon(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(10));
    }
}

fn handle(login: &Json) -> String {
    login["handle"].as_str().unwrap().to_owned()
}

#[test]
fn the_list_marks_this_login_and_says_where_and_when_in_words() {
    let app = app(&Registry::default()).start();
    let mut desk = browser(&app, "alice", FIREFOX).from("203.0.113.7");
    app.forward(2 * HOUR);
    let mut phone = browser(&app, "alice", PHONE).from("203.0.113.7");
    browser(&app, "bob", FIREFOX);
    let mut first = phone.list();
    assert_eq!(first.len(), 1, "the other session was idle for too long");
    desk.login("alice");
    app.forward(3 * MINUTE);
    let lists = [phone.list(), desk.list()];
    let clients = lists.each_ref().map(|list| {
        let clients = list.iter().map(|login| login["client"].as_str().unwrap());
        clients.collect::<Vec<_>>()
    });
    assert_eq!(
        clients,
        [
            ["Safari on iPhone", "Firefox on Linux"],
            ["Firefox on Linux", "Safari on iPhone"]
        ]
    );
    for list in &lists {
        let marks: Vec<_> = list.iter().map(|login| &login["is_current"]).collect();
        assert_eq!(marks, [true, false]);
    }
    let [_, mut listed] = <[Json; 2]>::try_from(lists[0].clone()).unwrap();
    assert_eq!(handle(&listed).len(), 32);
    listed["handle"] = Json::Null;
    let iso = "2027-01-15T10:00:00Z";
    let moment = serde_json::json!({"unix": START + 2 * HOUR, "iso": iso, "text": "3 minutes ago"});
    assert_eq!(
        listed,
        serde_json::json!({
            "handle": null,
            "is_current": false,
            "device_bound": false,
            "client": "Firefox on Linux",
            "address": "203.0.113.7",
            "how": null,
            "began": moment,
            "confirmed": moment,
            "last_seen": moment,
        })
    );
    first[0]["last_seen"] = lists[0][0]["last_seen"].clone();
    assert_eq!(handle(&first[0]), handle(&lists[0][0]));
}

#[test]
fn a_login_that_is_ended_from_the_list_is_refused_at_its_next_request() {
    for start in [App::new(), Revocations::new().app()] {
        let app = with(start, &Registry::default()).start();
        let mut this = browser(&app, "alice", FIREFOX);
        let mut other = app.remembered("alice");
        let handle = other.handle();
        assert_eq!(this.list().len(), 2);
        assert_eq!(this.end(&handle), Status::Ok);
        for name in [SESSION, REMEMBER] {
            assert_refused(&other.with_only(name));
        }
        assert_eq!(this.me(), "alice");
        assert_eq!(this.list().len(), 1);
        // A confirmed login is listed too, and ends with its new session.
        let mut third = app.remembered("alice");
        let handle = third.handle();
        third.run("confirm alice");
        third.run("confirm alice");
        assert_eq!(this.list().len(), 2);
        assert_eq!(third.handle(), handle);
        assert_eq!(this.end(&handle), Status::Ok);
        assert_refused(&third);
    }
}

#[test]
fn the_end_of_this_login_from_the_list_is_a_logout() {
    let (app, log) = logged(app(&Registry::default()));
    let mut this = app.remembered("alice");
    let handle = this.handle();
    log.take();
    let reply = this.post(&format!("/logins/{handle}/end"), "");
    assert_eq!(reply.status, Status::Ok);
    assert!(this.cookies.is_empty());
    let logged_out = (EventKind::LoggedOut, Some("alice".to_owned()));
    assert!(log.take().contains(&logged_out));
}

#[test]
fn a_handle_ends_no_login_of_another_user_and_says_nothing_about_it() {
    let app = app(&Registry::default()).start();
    let [mut alice, mut bob] = [app.logged_in("alice"), app.logged_in("bob")];
    let bobs = bob.handle();
    let unknown = "0".repeat(32);
    let upper = bobs.to_uppercase();
    let long = format!("{bobs}00");
    for handle in [
        &bobs,
        &unknown,
        &upper,
        &long,
        "x",
        "%00",
        "..",
        "%F0%9F%94%91",
    ] {
        assert_eq!(alice.end(handle), Status::NotFound, "{handle}");
    }
    assert_eq!(bob.me(), "bob");
    // A handle is no cookie.
    let mut thief = app.browser();
    thief.cookies.insert(SESSION.into(), bobs.clone());
    assert_eq!(thief.me(), "anonymous");
    assert_eq!(app.browser().end(&bobs), Status::Unauthorized);
    assert_eq!(app.browser().get("/logins").status, Status::Unauthorized);
}

#[test]
fn of_two_ends_of_one_login_the_second_one_is_told() {
    let registry = Registry::default();
    let app = app(&registry).start();
    let [mut this, mut other] = [app.logged_in("alice"), app.logged_in("alice")];
    let handle = other.handle();
    assert_eq!(this.end(&handle), Status::Ok);
    // The row may still be there, or not any more.
    let again = this.end(&handle);
    assert!([Status::Conflict, Status::NotFound].contains(&again));
    let [mut third, fourth] = [app.logged_in("alice"), app.logged_in("alice")];
    let handle = third.handle();
    registry.set(Fault::Down);
    registry.calls();
    third.post("/logout", "");
    soon(|| registry.calls() > 0);
    registry.set(None);
    // The row stays behind, and the list of ended logins knows better.
    assert_eq!(this.end(&handle), Status::Conflict);
    assert_eq!(this.list().len(), 2);
    assert_eq!(fourth.clone().me(), "alice");
}

#[test]
fn logins_that_have_ended_in_any_way_are_not_listed() {
    let registry = Registry::default();
    let app = app(&registry)
        .set("login.require_login_registry", false)
        .start();
    let mut this = app.logged_in("alice");
    for end in [
        "logout",
        "everywhere",
        "end alice",
        "others, logout",
        "realm",
        "login bob",
    ] {
        let mut other = app.logged_in("alice");
        assert!(!other.list().is_empty());
        registry.set(Fault::Down);
        let before = other.handle_in(&registry);
        other.post("/script", end);
        registry.set(None);
        if this.me() == "anonymous" {
            this.login("alice");
        }
        let listed: Vec<_> = this.list().iter().map(handle).collect();
        assert_eq!(listed.len(), 1, "{end}");
        assert_ne!(Some(&listed[0]), before.as_ref(), "{end}");
    }
}

impl Browser<'_> {
    /// The handle of this login, read while the registry works.
    fn handle_in(&mut self, registry: &Registry) -> Option<String> {
        registry.set(None);
        let handle = self.handle();
        registry.set(Fault::Down);
        Some(handle)
    }
}

#[test]
fn an_administrator_sees_and_ends_the_logins_of_any_user() {
    let app = app(&Registry::default()).start();
    let [mut admin, mut bob, second] = [
        app.logged_in("alice"),
        app.logged_in("bob"),
        app.logged_in("bob"),
    ];
    let listed = admin.list_at("/members/bob/logins");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|login| login["is_current"] == false));
    let handle = bob.handle();
    let path = |user: &str, handle: &str| format!("/members/{user}/logins/{handle}/end");
    assert_eq!(
        bob.post(&path("bob", &handle), "").status,
        Status::Forbidden
    );
    let wrong = admin.post(&path("alice", &handle), "").status;
    assert_eq!(wrong, Status::NotFound);
    assert_eq!(admin.post(&path("bob", &handle), "").status, Status::Ok);
    assert_refused(&bob);
    assert_eq!(second.clone().me(), "bob");
    // The own login, as a member: marked, and its end is a logout.
    let own = admin.list_at("/members/alice/logins");
    assert_eq!(own[0]["is_current"], true);
    let handle = self::handle(&own[0]);
    assert_eq!(admin.post(&path("alice", &handle), "").status, Status::Ok);
    assert!(admin.cookies.is_empty());
}

#[test]
fn beyond_the_limit_the_oldest_login_ends() {
    let app = app(&Registry::default())
        .set("login.max_logins_per_user", 2)
        .start();
    let mut logins: Vec<_> = (0..4)
        .map(|_| {
            app.forward(1);
            app.logged_in("alice")
        })
        .collect();
    let bob = app.logged_in("bob");
    let users: Vec<_> = logins.iter_mut().map(Browser::me).collect();
    assert_eq!(users, ["anonymous", "anonymous", "alice", "alice"]);
    assert_eq!(bob.clone().me(), "bob");
    // A login over a login takes its place.
    logins[2].login("alice");
    assert_eq!(logins[3].me(), "alice");
    assert_eq!(logins[2].me(), "alice");
    assert_eq!(logins[3].list().len(), 2);
}

#[test]
fn beyond_the_limit_a_new_login_is_refused_if_that_is_set() {
    let registry = Registry::default();
    let app = app(&registry)
        .set("login.max_logins_per_user", 2)
        .with(|manager| manager.at_login_limit(AtLimit::Refuse))
        .start();
    let [mut one, mut two] = [app.logged_in("alice"), app.logged_in("alice")];
    let mut third = app.browser();
    let reply = third.login("alice");
    assert_eq!(reply.status, Status::Conflict);
    assert!(reply.set_cookies().is_empty());
    assert_eq!([one.me(), two.me()], ["alice", "alice"]);
    // A login over a login takes its place.
    assert_eq!(one.login("alice").status, Status::SeeOther);
    // A login that has ended makes room, even if its row stays behind.
    registry.set(Fault::Down);
    two.post("/logout", "");
    registry.set(None);
    assert_eq!(third.login("alice").status, Status::SeeOther);
    assert_eq!(third.list().len(), 2);
    assert_eq!(app.browser().login("alice").status, Status::Conflict);
}

#[test]
fn parallel_logins_keep_the_limit() {
    for limit in [AtLimit::End, AtLimit::Refuse] {
        let app = app(&Registry::default())
            .set("login.max_logins_per_user", 3)
            .with(|manager| manager.at_login_limit(limit));
        let server = Server::start(app.rocket());
        let replies = std::thread::scope(|scope| {
            let login = || server.post("/login", &[], "user=alice");
            let logins = [(); 12].map(|()| scope.spawn(login));
            logins.map(|login| login.join().unwrap())
        });
        let begun = replies.iter().filter(|reply| status(reply) == 303);
        let begun: Vec<_> = begun.collect();
        if limit == AtLimit::Refuse {
            assert_eq!(begun.len(), 3);
        }
        let is_inside = |reply: &&&String| {
            let cookie = cookie(reply, SESSION).unwrap();
            let header = format!("Cookie: {SESSION}={cookie}");
            body(&server.get("/me", &[header.as_bytes()])) == "alice"
        };
        assert_eq!(begun.iter().filter(is_inside).count(), 3, "{limit:?}");
    }
}

#[test]
fn while_the_registry_fails_a_setting_decides_about_logins() {
    for fault in FAULTS {
        let registry = Registry::default();
        let app = app(&registry).start();
        let mut alice = app.logged_in("alice");
        registry.set(fault);
        let mut browser = app.browser();
        let reply = browser.login("bob");
        assert_eq!(reply.status, Status::ServiceUnavailable, "{fault:?}");
        assert!(reply.set_cookies().is_empty());
        assert_eq!(alice.login("bob").status, Status::ServiceUnavailable);
        assert_eq!(alice.me(), "alice", "the login from before stays");
        assert_eq!(alice.get("/logins").status, Status::ServiceUnavailable);
        let other = "0".repeat(32);
        assert_eq!(alice.end(&other), Status::ServiceUnavailable);

        let registry = Registry::default();
        let app = self::app(&registry)
            .set("login.require_login_registry", false)
            .start();
        registry.set(fault);
        let mut browser = app.logged_in("bob");
        assert_eq!(browser.me(), "bob");
        registry.set(None);
        assert_eq!(
            browser.list().len(),
            1,
            "the list shows this login at least"
        );
    }
}

#[test]
fn while_the_registry_fails_every_logout_works() {
    for fault in FAULTS {
        for logout in ["logout", "everywhere", "end alice", "others", "realm"] {
            let registry = Registry::default();
            let app = app(&registry).start();
            let [mut this, other] = [app.remembered("alice"), app.remembered("alice")];
            registry.set(fault);
            this.run(logout);
            let ended = if logout == "logout" {
                None
            } else {
                Some(&other)
            };
            if let Some(ended) = ended {
                assert_refused(ended);
            }
            let stays = if logout == "others" {
                "alice"
            } else {
                "anonymous"
            };
            assert_eq!(this.me(), stays, "{fault:?} {logout}");
        }
    }
}

#[test]
fn a_registry_that_was_wiped_fills_again_as_logins_are_used() {
    let registry = Registry::default();
    let app = app(&registry).start();
    let [mut this, mut idle, mut remembered] = [
        app.logged_in("alice"),
        app.logged_in("alice"),
        app.remembered("alice"),
    ];
    assert_eq!(this.list().len(), 3);
    registry.wipe();
    assert_eq!(this.list().len(), 1, "this login is listed in any case");
    app.forward(6 * MINUTE);
    idle.me();
    soon(|| this.list().len() == 2);
    app.forward(DAY);
    this.login("alice");
    remembered.me();
    soon(|| this.list().len() == 2);
    assert_eq!(
        this.list().len(),
        2,
        "one session has ended, one was restored"
    );
}

#[test]
fn the_registry_is_written_when_a_session_is_renewed_and_not_on_every_request() {
    let registry = Registry::default();
    let app = app(&registry).start();
    let mut alice = app.browser();
    assert_eq!(alice.post("/login-by-link/alice", "").status, Status::Ok);
    assert_eq!(registry.calls(), 1);
    for _ in 0..20 {
        assert_eq!(alice.me(), "alice");
    }
    assert_eq!(registry.calls(), 0);
    app.forward(5 * MINUTE);
    let renewed = alice.get("/me");
    assert!(renewed.cookie(SESSION).is_some(), "a permanent login too");
    assert!(alice.get("/me").set_cookies().is_empty());
    soon(|| alice.list()[0]["last_seen"]["text"] == "just now");
    let listed = alice.list();
    assert_eq!(listed[0]["began"]["text"], "5 minutes ago");
    assert_eq!(listed[0]["how"], "by a linkin an email");
}

#[test]
fn a_login_with_a_new_client_is_an_event() {
    let (app, log) = logged(app(&Registry::default()));
    let new_client = (EventKind::NewClient, Some("alice".to_owned()));
    browser(&app, "alice", FIREFOX);
    assert!(!log.take().contains(&new_client), "nothing is known yet");
    browser(&app, "alice", FIREFOX);
    browser(&app, "bob", PHONE);
    assert!(!log.take().contains(&new_client));
    browser(&app, "alice", PHONE);
    assert!(log.take().contains(&new_client));
    browser(&app, "alice", "a program");
    assert!(!log.take().contains(&new_client), "it has no name");
}

#[test]
fn a_client_stays_known_after_a_logout() {
    let (app, log) = logged(app(&Registry::default()));
    let new_client = (EventKind::NewClient, Some("alice".to_owned()));
    let mut day = browser(&app, "alice", FIREFOX);
    let mut phone = browser(&app, "alice", PHONE);
    assert!(log.take().contains(&new_client));
    for _ in 0..3 {
        day.post("/logout", "");
        app.forward(20 * MINUTE);
        assert_eq!(phone.me(), "alice");
        day = browser(&app, "alice", FIREFOX);
    }
    day.post("/logout", "");
    phone.post("/logout", "");
    app.forward(300 * DAY);
    browser(&app, "alice", PHONE).post("/logout", "");
    assert!(!log.take().contains(&new_client), "both are known");
    browser(&app, "alice", CHROME).post("/logout", "");
    assert!(log.take().contains(&new_client), "no other login goes on");
    app.forward(300 * DAY);
    browser(&app, "alice", PHONE).post("/logout", "");
    assert!(!log.take().contains(&new_client), "used 300 days ago");
    browser(&app, "alice", FIREFOX);
    assert!(log.take().contains(&new_client), "used 600 days ago");
}

#[test]
fn the_client_of_a_login_that_fails_stays_unknown() {
    let fails = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&fails);
    let list = Revocations::after(move |call| {
        let fails = matches!(call, Call::Status) && switch.load(Ordering::Relaxed);
        let answer = if fails {
            Err(RevocationError::new("down"))
        } else {
            Ok(())
        };
        Box::pin(async { answer })
    });
    let (app, log) = logged(with(list.app(), &Registry::default()));
    let new_client = (EventKind::NewClient, Some("alice".to_owned()));
    let mut firefox = browser(&app, "alice", FIREFOX);
    fails.store(true, Ordering::Relaxed);
    let mut phone = app.browser().header("User-Agent", PHONE);
    assert_eq!(phone.login("alice").status, Status::ServiceUnavailable);
    assert!(!log.take().contains(&new_client));
    fails.store(false, Ordering::Relaxed);
    soon(|| firefox.list().len() == 1);
    assert_eq!(phone.login("alice").status, Status::SeeOther);
    assert!(log.take().contains(&new_client));
}

#[test]
fn a_registry_that_cannot_remember_a_client_keeps_nobody_out() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let new_client = (EventKind::NewClient, Some("alice".to_owned()));
    browser(&app, "alice", FIREFOX);
    registry.set(Fault::Forgets);
    for _ in 0..2 {
        browser(&app, "alice", PHONE).post("/logout", "");
        assert!(log.take().contains(&new_client), "again");
    }
    registry.set(None);
    browser(&app, "alice", PHONE).post("/logout", "");
    browser(&app, "alice", PHONE);
    let events = log.take();
    let again = events.iter().filter(|event| **event == new_client);
    assert_eq!(again.count(), 1);
}

#[post("/login-and-name/<id>")]
async fn login_and_name(
    id: &str,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<String, LoginError> {
    let user = users.get(id).ok_or(LoginError::NotLoggedIn)?;
    session.login_user(&user).await?;
    let logins = session.logins().await?;
    assert!(logins[0].is_current);
    Ok(logins[0].client.clone().unwrap_or_default())
}

#[test]
fn a_handler_knows_the_client_of_the_login_that_it_begins() {
    let app = app(&Registry::default()).start();
    browser(&app, "alice", PHONE);
    let mut alice = app.browser().header("User-Agent", FIREFOX);
    let reply = alice.post("/login-and-name/alice", "");
    assert_eq!(reply.body, "Firefox on Linux");
}

#[test]
fn the_address_is_as_coarse_as_session_protection() {
    for (setting, expected) in [
        ("full", serde_json::json!("203.0.113.7")),
        ("prefix", serde_json::json!("203.0.113.0")),
        ("off", Json::Null),
    ] {
        let app = app(&Registry::default())
            .set("login.session_protection_address", setting)
            .start();
        let mut browser = app.browser().from("203.0.113.7");
        browser.login("alice");
        assert_eq!(browser.list()[0]["address"], expected);
    }
}

#[test]
fn without_a_registry_the_list_names_the_fix() {
    let app = App::new().routes(pages()).start();
    let mut alice = app.logged_in("alice");
    assert_eq!(alice.get("/logins").status, Status::InternalServerError);
    assert_eq!(alice.end("x"), Status::InternalServerError);
    assert_eq!(
        LoginError::NoRegistry.to_string(),
        "there is no registry of logins: write `.login_registry(MemoryRegistry::new())` at the `LoginManager`"
    );
}

#[post("/login-and-fail/<id>")]
async fn login_and_fail(
    id: &str,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Status, LoginError> {
    let user = users.get(id).ok_or(LoginError::NotLoggedIn)?;
    session.login_user(&user).await?;
    Ok(Status::InternalServerError)
}

#[test]
fn a_login_that_is_undone_by_a_server_error_is_not_listed() {
    let app = app(&Registry::default()).start();
    let mut alice = app.logged_in("alice");
    let reply = app.browser().post("/login-and-fail/alice", "");
    assert_eq!(reply.status, Status::InternalServerError);
    assert_eq!(alice.list().len(), 1);
}

#[test]
fn a_login_that_its_own_handler_ends_or_repeats_is_listed_once_at_most() {
    let registry = Registry::default();
    let app = app(&registry)
        .set("login.max_logins_per_user", 2)
        .with(|manager| manager.at_login_limit(AtLimit::Refuse))
        .start();
    let mut alice = app.logged_in("alice");
    for verb in [
        "logout",
        "everywhere",
        "login bob",
        "remember alice, logout",
    ] {
        app.browser().run(&format!("login alice, {verb}"));
        soon(|| alice.login("alice").status == Status::SeeOther && alice.list().len() == 1);
    }
    let mut twice = app.browser();
    twice.run("login alice, remember alice, login alice, confirm alice");
    assert_eq!(twice.me(), "alice");
    assert_eq!(twice.list().len(), 2);
    assert_eq!(app.browser().login("alice").status, Status::Conflict);
}

#[test]
fn a_login_is_listed_for_as_long_as_its_renewed_remember_cookie_lasts() {
    let registry = Registry::default();
    let app = app(&registry)
        .set("login.remember_cookie_duration", "30 days")
        .set("login.remember_cookie_refresh_each_request", true)
        .start();
    let mut browser = app.browser();
    browser.post("/login", "user=alice&remember=on&permanent=on");
    for _ in 0..30 {
        app.forward(DAY);
        assert_eq!(browser.me(), "alice");
    }
    let now = app.clock.now();
    soon(|| registry.knows_of_arrival(now));
    app.forward(29 * DAY);
    assert_eq!(app.logged_in("alice").list().len(), 2);
    browser.restart();
    assert_eq!(browser.me(), "alice");
}

#[test]
fn a_login_that_a_full_list_dates_later_is_listed_and_counts() {
    let registry = Registry::default();
    let app = app(&registry)
        .with(|manager| manager.revocation_list(MemoryRevocations::new(0)))
        .set("login.max_logins_per_user", 2)
        .with(|manager| manager.at_login_limit(AtLimit::Refuse))
        .start();
    let mut browser = app.logged_in("alice");
    browser.login("alice");
    assert_eq!(browser.me(), "alice");
    app.forward(1);
    let mut other = app.logged_in("alice");
    assert_eq!([browser.me(), other.me()], ["alice", "alice"]);
    assert_eq!(other.list().len(), 2);
    assert_eq!(app.browser().login("alice").status, Status::Conflict);
}
