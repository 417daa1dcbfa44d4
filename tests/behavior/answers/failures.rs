//! A failure of the application fails the request. It logs nobody in and nobody out.

use std::fmt::Display;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rocket::http::{Accept, Status};
use rocket::local::blocking::Client;
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, State, get, post, routes};
use rocket_login::{
    CurrentUser, EventKind, Fresh, GuardRoutes, LoadError, LoginError, LoginEvent, LoginManager,
    LoginSession, RouteGuard, SessionHasher, UserGuard, UserMixin,
    access::{ConditionError, Deny},
    condition, event_listener, login_required, request_loader, testing, user_loader,
};

use super::app_with;
use crate::common::{App, Browser, Ran, Running, SESSION, User, Users, bare, pages};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Error,
    Panic,
    PanicAtOnce,
    Hang,
    /// Never ready, and yields only when tokio's budget is used up.
    Restless,
    AnotherUser,
    Guard(u16),
    Forward,
}

#[derive(Default)]
struct Faulty(Mutex<Option<Fault>>);

/// A guard that fails on demand.
struct Door;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Door {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, ()> {
        match *req.rocket().state::<Faulty>().unwrap().0.lock().unwrap() {
            Some(Fault::Guard(code)) => Outcome::Error((Status::new(code), ())),
            Some(Fault::Forward) => Outcome::Forward(Status::NotFound),
            _ => Outcome::Success(Door),
        }
    }
}

#[user_loader]
async fn fickle(
    id: &str,
    _door: Door,
    faulty: &State<Faulty>,
    users: &State<Users>,
) -> Result<Option<User>, &'static str> {
    let fault = *faulty.0.lock().unwrap();
    match fault {
        Some(Fault::PanicAtOnce) => panic!("the loader, at once"),
        Some(Fault::Panic) => {
            rocket::tokio::task::yield_now().await;
            panic!("the loader")
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Restless) => loop {
            rocket::tokio::task::consume_budget().await;
        },
        Some(Fault::Error) => Err("the database is down"),
        Some(Fault::AnotherUser) => Ok(users.get("bob")),
        _ => Ok(users.get(id)),
    }
}

const FAULTS: [(Fault, u16); 10] = [
    (Fault::Error, 503),
    (Fault::Panic, 500),
    (Fault::PanicAtOnce, 500),
    (Fault::Hang, 503),
    (Fault::Restless, 503),
    (Fault::AnotherUser, 500),
    (Fault::Guard(502), 502),
    (Fault::Guard(401), 500),
    (Fault::Guard(404), 500),
    (Fault::Forward, 500),
];

#[login_required]
#[get("/counted")]
fn counted(ran: &State<Ran>) -> &'static str {
    ran.count();
    "counted"
}

#[post("/counted")]
fn counted_user(_user: &User, ran: &State<Ran>) -> &'static str {
    ran.count();
    "counted"
}

#[get("/maybe")]
fn maybe(user: Option<&User>) -> String {
    user.map_or("nobody".into(), |user| user.id.clone())
}

fn faulty() -> Running {
    let app = app_with(fickle)
        .with(|manager| {
            manager
                .login_view("/login")
                .loader_timeout(Duration::from_millis(50))
        })
        .routes(routes![counted, counted_user, maybe]);
    app.start_with(|rocket| rocket.manage(Faulty::default()))
}

fn set(app: &Running, fault: Option<Fault>) {
    *app.client
        .rocket()
        .state::<Faulty>()
        .unwrap()
        .0
        .lock()
        .unwrap() = fault;
}

// R36, T50, T51, T52
#[test]
fn a_failing_loader_answers_5xx_runs_no_handler_and_touches_no_cookie() {
    let app = faulty();
    let session = app.remembered("alice");
    let mut remembered = session.clone();
    remembered.restart();
    for (fault, status) in FAULTS {
        set(&app, Some(fault));
        for browser in [&session, &remembered] {
            let mut browser: Browser<'_> = (*browser).clone();
            let before = browser.cookies.clone();
            for path in ["/counted", "/me", "/private", "/fresh", "/status"] {
                let reply = browser.get(path);
                assert_eq!(reply.status.code, status, "{fault:?} {path}");
                assert!(reply.set_cookies().is_empty(), "{fault:?} {path}");
                assert_eq!(reply.location(), None);
                assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
            }
            let reply = browser.post("/counted", "");
            assert_eq!(reply.status.code, status, "{fault:?}");
            assert_eq!(
                browser.post("/confirm", "alice").status.code,
                status,
                "{fault:?}"
            );
            assert_eq!(browser.get("/open").body, "open");
            assert_eq!(browser.cookies, before, "{fault:?}");
            // Nobody is logged in, so no user is loaded.
            assert_eq!(app.browser().me(), "anonymous");
        }
        set(&app, None);
        assert_eq!(session.clone().me(), "alice", "{fault:?}");
        assert_eq!(remembered.clone().me(), "alice", "{fault:?}");
    }
    assert_eq!(Ran::times(&app), 0);
}

fn busy() -> LoadError {
    LoadError::with_status(Status::new(529), "the directory is overloaded")
}

#[user_loader]
fn load_or_busy(id: &str, users: &State<Users>) -> Result<Option<User>, LoadError> {
    if id == "bob" {
        return Err(busy());
    }
    Ok(users.get(id))
}

#[user_loader]
async fn load_later_or_busy(id: &str, users: &State<Users>) -> Result<Option<User>, LoadError> {
    rocket::tokio::task::yield_now().await;
    if id == "bob" {
        return Err(busy());
    }
    Ok(users.get(id))
}

#[request_loader]
fn request_or_busy() -> Result<Option<User>, LoadError> {
    Err(busy())
}

#[request_loader]
async fn boxed_or_busy() -> Result<Option<User>, Box<dyn std::error::Error + Send + Sync>> {
    Err(busy().into())
}

fn overloaded(_user: &User) -> Result<bool, ConditionError> {
    Err(ConditionError::with_status(Status::BadGateway, "no answer"))
}

async fn overloaded_later(user: &User) -> Result<bool, ConditionError> {
    rocket::tokio::task::yield_now().await;
    overloaded(user)
}

#[login_required(if = overloaded)]
#[get("/overloaded")]
fn behind_overloaded() {}

#[login_required(if = overloaded_later)]
#[get("/overloaded-later")]
fn behind_overloaded_later() {}

#[get("/grouped")]
fn grouped() {}

#[test]
fn the_status_of_an_applications_error_is_the_answers() {
    for app in [app_with(load_or_busy), app_with(load_later_or_busy)] {
        let app = app.start();
        let mut bob = app.logged_in("bob");
        for path in ["/me", "/private", "/status"] {
            let reply = bob.get(path);
            assert_eq!(reply.status.code, 529, "{path}");
            assert!(reply.set_cookies().is_empty());
        }
    }
    for app in [
        App::new().with(|manager| manager.request_loader(request_or_busy)),
        App::new().with(|manager| manager.request_loader(boxed_or_busy)),
    ] {
        assert_eq!(app.start().browser().get("/me").status.code, 529);
    }
    let group = RouteGuard::login().only_if(condition!(overloaded));
    let app = App::new()
        .routes(routes![behind_overloaded, behind_overloaded_later])
        .routes(routes![grouped].guarded(group))
        .start();
    for path in ["/overloaded", "/overloaded-later", "/grouped"] {
        let reply = app.logged_in("alice").get(path);
        assert_eq!(reply.status, Status::BadGateway, "{path}");
    }
}

// K8, T50
#[test]
fn an_optional_user_is_none_when_the_loader_fails_and_stays_logged_in() {
    let app = faulty();
    let mut browser = app.remembered("alice");
    for (fault, _) in FAULTS {
        set(&app, Some(fault));
        let reply = browser.get("/maybe");
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (Status::Ok, "nobody"),
            "{fault:?}"
        );
        assert!(reply.set_cookies().is_empty(), "{fault:?}");
        assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
        set(&app, None);
        assert_eq!(browser.get("/maybe").body, "alice");
    }
}

#[get("/by-hand")]
fn refused_by_hand(_user: Option<&User>, session: LoginSession<'_, User>) -> Deny {
    session.unauthorized()
}

#[test]
fn a_failing_loader_stores_no_page_for_later() {
    // R15, R36
    let app = app_with(fickle)
        .with(|manager| manager.login_view("/login").use_session_for_next(true))
        .routes(routes![refused_by_hand])
        .start_with(|rocket| rocket.manage(Faulty::default()));
    let browser = app.logged_in("alice");
    for (fault, is_kept) in [(None, true), (Some(Fault::Error), false)] {
        set(&app, fault);
        let reply = browser.clone().get("/by-hand");
        assert_eq!(reply.location(), Some("/login"), "{fault:?}");
        assert_eq!(reply.cookie("login_next").is_some(), is_kept, "{fault:?}");
    }
}

/// A user type one of whose methods panics.
#[derive(Debug, UserGuard)]
struct Fragile;

/// The method that panics; a static, since a user knows no state of the application.
static PANICKING: Mutex<&str> = Mutex::new("");

fn may_panic(method: &str) {
    let panicking = *PANICKING.lock().unwrap();
    assert!(panicking != method, "on purpose");
}

impl UserMixin for Fragile {
    fn get_id(&self) -> impl Display {
        may_panic("get_id");
        "fragile"
    }

    fn is_active(&self) -> bool {
        may_panic("is_active");
        true
    }

    fn session_hash(&self, hash: &mut SessionHasher) {
        may_panic("session_hash");
        hash.field("password");
    }
}

#[user_loader]
fn load_fragile(_id: &str) -> Option<Fragile> {
    Some(Fragile)
}

#[event_listener]
fn count_refusals(event: &LoginEvent<'_, Fragile>, ran: &State<Ran>) {
    if event.kind == EventKind::NeedsRefresh {
        assert!(event.user.is_none() || PANICKING.lock().unwrap().is_empty());
        ran.count();
    }
}

#[get("/unasked")]
fn unasked(session: LoginSession<'_, Fragile>) -> Deny {
    session.needs_refresh()
}

#[login_required]
#[get("/asked")]
fn asked(ran: &State<Ran>) {
    ran.count();
}

#[test]
fn a_user_type_that_panics_harms_neither_a_guard_nor_the_answer() {
    // K10: a panic in a response fairing would close the connection without an answer.
    let manager = LoginManager::new(load_fragile)
        .refresh_view("/confirm")
        .event_listener(count_refusals);
    let rocket = bare()
        .manage(Ran::default())
        .attach(manager)
        .mount("/", routes![unasked, asked])
        .mount("/", pages(&["/confirm"]));
    let client = Client::untracked(rocket).unwrap();
    let session = testing::login(client.rocket(), &Fragile);
    let ran = || client.rocket().state::<Ran>().unwrap().take();
    for method in ["get_id", "is_active", "session_hash", ""] {
        *PANICKING.lock().unwrap() = method;
        let status = |path| {
            let request = client.get(path).cookie(session.clone());
            let reply = request.header(Accept::HTML).dispatch();
            let cookies = reply.headers().get("Set-Cookie");
            let changes = cookies.filter(|cookie| cookie.starts_with(SESSION)).count();
            assert!(method.is_empty() || changes == 0, "{method} {path}");
            reply.status().code
        };
        assert_eq!((status("/unasked"), ran()), (303, 1), "{method}");
        let expected = if method.is_empty() {
            (200, 1)
        } else {
            (500, 0)
        };
        assert_eq!((status("/asked"), ran()), expected, "{method}");
    }
}

#[test]
fn a_logout_works_while_the_loader_fails() {
    let app = faulty();
    let mut browser = app.remembered("alice");
    let thief = browser.clone();
    set(&app, Some(Fault::Error));
    let reply = browser.post("/logout", "");
    assert_eq!(reply.body, "logged out");
    assert!(browser.cookies.is_empty());
    set(&app, None);
    assert_eq!(thief.clone().me(), "anonymous");
}

#[post("/enter")]
async fn enter(
    before: Option<&User>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<String, LoginError> {
    session.login_user(&users.put("carol")).await?;
    Ok(format!(
        "after {}",
        before.map_or("nobody", |user| &user.id)
    ))
}

#[test]
fn an_accepted_login_sets_its_cookie_after_an_earlier_failure() {
    let app = App::new().routes(routes![enter]).start();
    let mut browser = app.logged_in("alice");
    app.users.fail(true);
    let reply = browser.post("/enter", "");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::Ok, "after nobody")
    );
    app.users.fail(false);
    assert_eq!(browser.me(), "carol");
}

/// A guard of the application: the compiler cannot see that it asks for the user.
struct Behind<G>(G);

#[rocket::async_trait]
impl<'r, G: FromRequest<'r>> FromRequest<'r> for Behind<G> {
    type Error = G::Error;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, G::Error> {
        G::from_request(req).await.map(Behind)
    }
}

#[user_loader]
async fn asks_for_itself(
    id: &str,
    user: Behind<CurrentUser<'_, User>>,
    users: &State<Users>,
) -> Option<User> {
    assert!(user.0.is_anonymous());
    users.get(id)
}

#[user_loader]
fn asks_for_itself_by_reference(_id: &str, user: Behind<&User>) -> Option<User> {
    Some(user.0.clone())
}

#[request_loader]
fn request_asks_for_itself(user: Behind<CurrentUser<'_, User>>) -> Option<User> {
    user.0.user().cloned()
}

#[post("/enter-and-ask")]
async fn enter_and_ask(
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<String, LoginError> {
    session.login_user(&users.put("carol")).await?;
    Ok(session.login_fresh().await?.to_string())
}

#[test]
fn a_loader_that_requires_the_current_user_fails_at_once() {
    let started = Instant::now();
    for app in [
        app_with(asks_for_itself),
        app_with(asks_for_itself_by_reference),
    ] {
        let app = app.start();
        let mut browser = app.logged_in("alice");
        let reply = browser.get("/me");
        assert_eq!(reply.status, Status::ServiceUnavailable);
        assert!(reply.set_cookies().is_empty());
        assert_eq!(browser.get("/open").body, "open");
    }
    let app = app_with(asks_for_itself)
        .routes(routes![enter_and_ask])
        .start();
    let reply = app.browser().post("/enter-and-ask", "");
    assert_eq!(reply.status, Status::ServiceUnavailable);
    let app = App::new()
        .with(|manager| manager.request_loader(request_asks_for_itself))
        .start();
    assert_eq!(app.browser().get("/me").status, Status::ServiceUnavailable);
    assert_eq!(app.logged_in("alice").me(), "alice");
    // The limit of a loader is 5 s.
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[user_loader]
async fn slow(id: &str, users: &State<Users>) -> Option<User> {
    for _ in 0..10 {
        rocket::tokio::task::yield_now().await;
    }
    users.get(id)
}

#[get("/both")]
async fn both(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    let (fresh, remembered) =
        rocket::tokio::join!(session.login_fresh(), session.login_remembered());
    Ok(format!("fresh={} remembered={}", fresh?, remembered?))
}

#[test]
fn two_concurrent_calls_get_the_same_answer() {
    let app = app_with(slow).routes(routes![both]).start();
    let reply = app.remembered("alice").get("/both");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::Ok, "fresh=true remembered=true")
    );
}

#[get("/impatient")]
async fn impatient(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    use rocket::futures::FutureExt as _;

    let given_up = session.login_fresh().now_or_never().is_none();
    Ok(format!("{given_up} {}", session.login_fresh().await?))
}

#[test]
fn a_cancelled_call_can_be_repeated() {
    let app = app_with(slow).routes(routes![impatient]).start();
    let reply = app.logged_in("alice").get("/impatient");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::Ok, "true true")
    );
}

#[get("/sign-in")]
fn sign_in(_user: &User) {}

#[get("/sign-in-again")]
fn sign_in_again(_user: Fresh<'_, User>) {}

#[test]
fn a_login_page_that_requires_a_login_is_refused_and_not_redirected_to_itself() {
    let app = App::new()
        .with(|manager| {
            let manager = manager.login_view("/sign-in?lang=en");
            manager.refresh_view("/sign-in-again")
        })
        .routes(routes![sign_in, sign_in_again])
        .start();
    let stale = app.logged_in_with("alice", "stale=on");
    for (mut browser, page, other) in [
        (app.browser(), "/sign-in", "/private"),
        (app.browser(), "//sign-in?x=1", "/private"),
        (stale, "/sign-in-again", "/fresh"),
    ] {
        assert_eq!(browser.get(other).status, Status::SeeOther);
        let reply = browser.get(page);
        assert_eq!(reply.status, Status::Unauthorized, "{page}");
        assert_eq!(reply.location(), None, "{page}");
    }
}

#[test]
fn a_failing_login_keeps_the_existing_login() {
    let app = App::new().start();
    app.users.change("bob", |bob| bob.active = false);
    let mut browser = app.logged_in("alice");
    let reply = browser.login("bob");
    assert_eq!(reply.status, Status::Forbidden);
    assert!(reply.cookie(SESSION).is_none());
    assert_eq!(browser.me(), "alice");
}
