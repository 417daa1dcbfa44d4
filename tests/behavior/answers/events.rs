//! Events: which events listeners get and when, and that listeners change nothing.

use std::sync::Mutex;
use std::time::Duration;

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, State, catch, catchers, get, post, routes};
use rocket_login::EventKind::{self, *};
use rocket_login::{
    CurrentUser, LoginEvent, LoginSession, access::Deny, config::SessionProtection, event_listener,
    request_loader,
};

use crate::common::{App, Browser, Running, SESSION, User, Users};

#[derive(Default)]
struct Log(Mutex<Vec<Entry>>);

struct Entry {
    kind: EventKind,
    user: Option<String>,
    log_id: Option<String>,
}

#[event_listener]
async fn listen(event: &LoginEvent<'_, User>, log: &State<Log>) {
    log.0.lock().unwrap().push(Entry {
        kind: event.kind,
        user: event.user.map(|user| user.id.clone()),
        log_id: event.log_id.clone(),
    });
}

/// Records each event twice, as a second listener.
#[event_listener]
fn listen_too(event: &LoginEvent<'_, User>, log: &State<Log>, user: Option<CurrentUser<'_, User>>) {
    let user = user.and_then(|user| user.get_id());
    log.0.lock().unwrap().push(Entry {
        kind: event.kind,
        user,
        log_id: None,
    });
}

/// A request with a key belongs to the robot.
#[request_loader]
fn by_key(key: Option<Key>, users: &State<Users>) -> Option<User> {
    key.and_then(|Key(name)| users.get(&name))
}

struct Key(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Key {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, ()> {
        match req.headers().get_one("X-Api-Key") {
            Some(key) => Outcome::Success(Key(key.into())),
            None => Outcome::Forward(Status::Unauthorized),
        }
    }
}

#[get("/by-hand")]
fn by_hand(session: LoginSession<'_, User>) -> Deny {
    session.unauthorized()
}

#[get("/maybe")]
fn maybe(user: Option<&User>) -> &'static str {
    user.map_or("nobody", |_| "somebody")
}

fn listened(app: App) -> Running {
    let app = app
        .with(|manager| manager.event_listener(listen).request_loader(by_key))
        .routes(routes![by_hand, maybe]);
    app.start_with(|rocket| rocket.manage(Log::default()))
}

fn entries(app: &Running) -> Vec<Entry> {
    let log = app.client.rocket().state::<Log>().unwrap();
    std::mem::take(&mut *log.0.lock().unwrap())
}

fn emitted(app: &Running) -> Vec<(EventKind, Option<String>)> {
    entries(app)
        .into_iter()
        .map(|entry| (entry.kind, entry.user))
        .collect()
}

fn kinds(app: &Running) -> Vec<EventKind> {
    entries(app).into_iter().map(|entry| entry.kind).collect()
}

fn nobody(kind: EventKind) -> (EventKind, Option<String>) {
    (kind, None)
}

fn of(kind: EventKind, user: &str) -> (EventKind, Option<String>) {
    (kind, Some(user.into()))
}

#[test]
fn each_step_of_a_login_emits_its_event() {
    let app = listened(App::new());
    let mut browser = app.browser();

    browser.get("/open");
    assert_eq!(emitted(&app), []);
    browser.get("/me");
    assert_eq!(emitted(&app), [nobody(Accessed)]);
    browser.get("/maybe");
    assert_eq!(emitted(&app), [nobody(Accessed)]);
    browser.get("/private");
    assert_eq!(emitted(&app), [nobody(Accessed), nobody(Unauthorized)]);
    browser.get("/by-hand");
    assert_eq!(emitted(&app), [nobody(Unauthorized)]);

    browser.login("alice");
    assert_eq!(emitted(&app), [of(LoggedIn, "alice")]);
    // Two guards and the session look up the user; there is one event.
    browser.get("/private");
    assert_eq!(emitted(&app), [of(Accessed, "alice")]);
    browser.post("/confirm", "alice");
    assert_eq!(
        emitted(&app),
        [of(Accessed, "alice"), of(LoginConfirmed, "alice")]
    );
    browser.post("/logout-everywhere", "");
    assert_eq!(
        emitted(&app),
        [of(Accessed, "alice"), of(LoggedOut, "alice")]
    );
    browser.post("/logout", "");
    assert_eq!(emitted(&app), [nobody(Accessed), nobody(LoggedOut)]);
}

#[test]
fn a_logout_event_has_its_user() {
    let app = listened(App::new());
    let mut browser = app.logged_in("alice");
    emitted(&app);
    browser.post("/logout", "");
    assert_eq!(
        emitted(&app),
        [of(Accessed, "alice"), of(LoggedOut, "alice")]
    );
}

#[test]
fn a_refused_change_emits_no_change_event() {
    let app = listened(App::new());
    app.users.change("bob", |bob| bob.active = false);
    let mut browser = app.browser();
    assert_eq!(browser.login("bob").status, Status::Forbidden);
    assert_eq!(
        browser.post("/confirm", "alice").status,
        Status::Unauthorized
    );
    assert_eq!(emitted(&app), [nobody(Accessed)]);
}

#[test]
fn a_stale_login_emits_needs_refresh() {
    let app = listened(App::new());
    let mut browser = app.browser();
    browser.post("/login", "user=alice&stale=on");
    kinds(&app);
    browser.get("/fresh");
    assert_eq!(kinds(&app), [Accessed, NeedsRefresh]);
}

#[test]
fn a_needs_refresh_event_has_its_user() {
    let app = listened(App::new());
    let mut browser = app.browser();
    browser.post("/login", "user=alice&stale=on");
    emitted(&app);
    browser.get("/fresh");
    assert_eq!(
        emitted(&app),
        [of(Accessed, "alice"), of(NeedsRefresh, "alice")]
    );
}

#[test]
fn a_user_loaded_by_cookie_or_key_emits_an_event() {
    let app = listened(App::new());
    let mut browser = app.remembered("alice");
    browser.restart();
    emitted(&app);
    browser.get("/me");
    assert_eq!(
        emitted(&app),
        [of(Accessed, "alice"), of(LoadedFromCookie, "alice")]
    );
    browser.get("/me");
    assert_eq!(emitted(&app), [of(Accessed, "alice")]);
    app.browser().header("X-Api-Key", "bob").get("/private");
    assert_eq!(
        emitted(&app),
        [of(Accessed, "bob"), of(LoadedFromRequest, "bob")]
    );
}

/// A cookie with one character changed, in the user id.
fn forge(cookie: &str) -> String {
    let (start, end) = cookie.split_at(104);
    let other = if end.starts_with('A') { "B" } else { "A" };
    format!("{start}{other}{}", &end[1..])
}

#[test]
fn each_kind_of_invalid_cookie_emits_its_event() {
    type Break = fn(&Running, &mut Browser<'_>);
    let rows: [(EventKind, Break); 7] = [
        (Forged, |_, browser| {
            let forged = forge(&browser.cookies[SESSION]);
            browser.cookies.insert(SESSION.into(), forged);
        }),
        (Expired, |app, _| {
            app.clock.advance(Duration::from_secs(3600));
        }),
        (Revoked, |_, browser| {
            browser.clone().post("/logout", "");
        }),
        (Outdated, |app, _| app.users.remove("alice")),
        (Outdated, |app, _| {
            app.users
                .change("alice", |alice| alice.password = "new".into());
        }),
        (Outdated, |app, _| {
            app.users.change("alice", |alice| alice.active = false);
        }),
        (DuplicateCookie, |_, browser| {
            let value = &browser.cookies[SESSION];
            let header = format!("{SESSION}={value}; {SESSION}={value}");
            *browser = browser.clone().header("Cookie", &header);
        }),
    ];
    for (kind, spoil) in rows {
        let app = listened(App::new());
        let mut browser = app.logged_in("alice");
        spoil(&app, &mut browser);
        kinds(&app);
        assert_eq!(browser.get("/private").status, Status::SeeOther, "{kind:?}");
        assert_eq!(kinds(&app), [Accessed, kind, Unauthorized]);
    }
}

#[test]
fn a_login_from_another_client_emits_an_event() {
    for (protection, kinds_then) in [
        (SessionProtection::Basic, vec![Accessed, SessionProtected]),
        (
            SessionProtection::Strong,
            vec![Accessed, SessionProtected, Unauthorized],
        ),
        (SessionProtection::Off, vec![Accessed]),
    ] {
        let app = listened(App::new().with(|manager| manager.session_protection(protection)));
        let browser = app.logged_in("alice");
        kinds(&app);
        browser.header("User-Agent", "thief").get("/private");
        assert_eq!(kinds(&app), kinds_then);
    }
}

#[test]
fn a_cross_site_request_emits_an_event() {
    let app = listened(App::new());
    let mut evil = app
        .logged_in("alice")
        .header("Sec-Fetch-Site", "cross-site");
    emitted(&app);
    assert_eq!(evil.post("/private", "").status, Status::Forbidden);
    assert_eq!(emitted(&app), [nobody(CrossSite)]);
}

#[test]
fn a_cross_site_login_change_emits_an_event() {
    let app = listened(App::new());
    for (path, form) in [
        ("/login", "user=bob"),
        ("/logout", ""),
        ("/confirm", "alice"),
    ] {
        let mut evil = app
            .logged_in("alice")
            .header("Sec-Fetch-Site", "cross-site");
        kinds(&app);
        assert_eq!(evil.post(path, form).status, Status::Forbidden);
        assert_eq!(kinds(&app), [CrossSite], "{path}");
    }
}

#[test]
fn a_failing_loader_emits_an_event() {
    let app = listened(App::new());
    let mut browser = app.logged_in("alice");
    app.users.fail(true);
    kinds(&app);
    assert_eq!(browser.get("/private").status, Status::ServiceUnavailable);
    assert_eq!(emitted(&app), [nobody(Accessed), nobody(LoaderFailed)]);
}

#[test]
fn the_event_of_a_bad_cookie_does_not_name_the_user_of_the_request_loader() {
    let app = listened(App::new());
    let browser = app.logged_in("alice");
    app.clock.advance(Duration::from_secs(3600));
    emitted(&app);
    browser.header("X-Api-Key", "bob").get("/me");
    let emitted = emitted(&app);
    assert!(emitted.contains(&of(LoadedFromRequest, "bob")));
    assert!(!emitted.contains(&of(Expired, "bob")), "{emitted:?}");
}

#[test]
fn a_refusal_emits_its_event_even_if_a_catcher_hides_it() {
    #[catch(401)]
    fn hide() -> (Status, &'static str) {
        (Status::NotFound, "no such page")
    }

    let app = App::new().with(|manager| manager.event_listener(listen));
    let app = app.start_with(|rocket| rocket.manage(Log::default()).register("/", catchers![hide]));
    let reply = app.browser().get("/private");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::NotFound, "no such page")
    );
    assert_eq!(kinds(&app), [Accessed, Unauthorized]);
}

#[test]
fn several_listeners_run_in_order_and_may_use_guards() {
    let app = App::new().with(|manager| manager.event_listener(listen).event_listener(listen_too));
    let app = app.start_with(|rocket| rocket.manage(Log::default()));
    let mut browser = app.browser();
    browser.login("alice");
    assert_eq!(
        emitted(&app),
        // The second listener is the first to look up the user of this request.
        [of(LoggedIn, "alice"), of(LoggedIn, "alice")]
    );
    browser.get("/private");
    assert_eq!(
        emitted(&app),
        [of(Accessed, "alice"), of(Accessed, "alice")]
    );
}

/// Logs bob in when a visitor is anonymous.
#[event_listener]
async fn welcoming(
    event: &LoginEvent<'_, User>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) {
    if event.kind == Accessed && event.user.is_none() {
        let bob = users.get("bob").unwrap();
        session.login_user(&bob).await.unwrap();
    }
}

#[post("/whoami")]
fn whoami(user: CurrentUser<'_, User>) -> Option<String> {
    user.get_id()
}

#[test]
fn a_login_that_a_listener_starts_takes_effect() {
    let app = App::new().with(|manager| manager.event_listener(welcoming));
    let app = app.routes(routes![whoami]).start();
    let mut browser = app.browser();
    assert_eq!(browser.post("/whoami", "").body, "bob");
    assert_eq!(browser.me(), "bob");
}

#[event_listener]
fn panicking(_event: &LoginEvent<'_, User>) {
    panic!("a listener")
}

#[event_listener]
async fn hanging(_event: &LoginEvent<'_, User>) {
    std::future::pending::<()>().await;
}

#[event_listener]
fn unreachable(_event: &LoginEvent<'_, User>, _key: Key) {
    panic!("its guard has failed")
}

#[test]
fn a_failing_listener_changes_nothing_and_stops_no_other() {
    let app = App::new().with(|manager| {
        manager
            .loader_timeout(Duration::from_millis(20))
            .event_listener(panicking)
            .event_listener(hanging)
            .event_listener(unreachable)
            .event_listener(listen)
    });
    let app = app.start_with(|rocket| rocket.manage(Log::default()));
    let mut browser = app.browser();
    assert_eq!(
        browser.get("/private").location(),
        Some("/login?next=%2Fprivate")
    );
    assert_eq!(browser.login("alice").status, Status::SeeOther);
    assert_eq!(browser.get("/private").body, "private of alice");
    assert_eq!(
        browser.post("/logout-everywhere", "").body,
        "logged out everywhere"
    );
    assert_eq!(browser.me(), "anonymous");
    assert_eq!(
        kinds(&app),
        [
            Accessed,
            Unauthorized,
            LoggedIn,
            Accessed,
            Accessed,
            LoggedOut,
            Accessed
        ]
    );
}

#[test]
fn log_id_identifies_the_login_and_reveals_nothing() {
    let app = listened(App::new());
    let mut browser = app.remembered("alice");
    let in_id = entries(&app).pop().unwrap().log_id.unwrap();
    let mut later = browser.clone().header("User-Agent", "another");
    later.get("/me");
    let protected = entries(&app).pop().unwrap();
    assert_eq!(
        (protected.kind, protected.log_id.as_ref()),
        (SessionProtected, Some(&in_id))
    );
    later.restart();
    later.get("/me");
    let ids: Vec<_> = entries(&app)
        .into_iter()
        .filter_map(|entry| entry.log_id)
        .collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == in_id));
    browser.post("/logout", "");
    assert_eq!(entries(&app).pop().unwrap().log_id, Some(in_id.clone()));

    assert!(!in_id.contains("alice"));
    assert!(
        browser
            .cookies
            .values()
            .all(|value| !value.contains(&in_id))
    );
    app.logged_in("alice");
    assert_ne!(entries(&app).pop().unwrap().log_id, Some(in_id));
}
