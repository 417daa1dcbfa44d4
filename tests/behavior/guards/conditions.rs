//! Conditions: which logged-in users may pass.

use std::convert::Infallible;

use rocket::http::{Method, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, Route, State, catchers, get, post, routes};
use rocket_login::EventKind::{CrossSite, Forbidden, Unauthorized};
use rocket_login::{
    CurrentUser, Denied, GuardRoutes, RouteGuard, access::RouteCondition, condition,
    forbidden_handler, fresh_login_required, login_required,
};

use super::{emitted, outcome, reason, script, stale, start};
use crate::common::{App, Browser, REMEMBER, Ran, Running, SESSION, User};

impl User {
    fn is_alice(&self) -> bool {
        self.id == "alice"
    }

    async fn is_alice_later(&self, ran: &State<Ran>) -> bool {
        rocket::tokio::task::yield_now().await;
        ran.count();
        self.id == "alice"
    }
}

fn plainly(user: &User) -> bool {
    user.is_alice()
}

async fn later(user: &User) -> bool {
    rocket::tokio::task::yield_now().await;
    user.is_alice()
}

fn result(user: &User) -> Result<bool, &'static str> {
    Ok(user.is_alice())
}

async fn result_later(user: &User) -> Result<bool, String> {
    rocket::tokio::task::yield_now().await;
    Ok(user.is_alice())
}

fn counting(user: &User, ran: &State<Ran>) -> bool {
    ran.count();
    user.is_alice()
}

/// A condition may use any guard, also one that borrows, or the user again.
async fn with_guards(
    user: &User,
    ran: &State<Ran>,
    current: CurrentUser<'_, User>,
    method: Method,
    same: &User,
) -> Result<bool, Infallible> {
    ran.count();
    assert_eq!(method, Method::Get);
    assert_eq!(same.id, user.id);
    Ok(current.get_id().is_some_and(|id| id == "alice"))
}

macro_rules! doors {
    ($($name:ident $path:literal $condition:expr;)*) => {
        $(
            #[login_required(if = $condition)]
            #[get($path)]
            fn $name() -> &'static str {
                "door"
            }
        )*

        fn by_attribute() -> Vec<Route> {
            routes![$($name),*]
        }

        const PATHS: &[&str] = &[$($path),*];

        fn by_group() -> Vec<Route> {
            #[get("/")]
            fn door() -> &'static str {
                "door"
            }
            [$(($path, condition!($condition) as RouteCondition)),*]
                .into_iter()
                .flat_map(|(path, condition)| {
                    let guard = RouteGuard::login().only_if(condition);
                    let routes = routes![door].guarded(guard);
                    routes
                        .into_iter()
                        .map(move |route| route.map_base(|_| path.to_owned()).unwrap())
                })
                .collect()
        }
    };
}

doors! {
    plain_door "/plain" plainly;
    later_door "/later" later;
    result_door "/result" result;
    result_later_door "/result-later" result_later;
    guards_door "/guards" with_guards;
    method_door "/method" User::is_alice;
    method_later_door "/method-later" User::is_alice_later;
    closure_door "/closure" |user: &User| user.id == "alice";
    closure_with_guard_door "/closure-with-guard" |user: &User, ran: &State<Ran>| {
        ran.count();
        user.id == "alice"
    };
}

#[test]
fn a_condition_of_any_shape_decides_who_passes() {
    let app = start(App::new(), |rocket| {
        rocket
            .mount("/a", by_attribute())
            .mount("/g", by_group())
            .register("/", catchers![reason])
    });
    assert_eq!(PATHS.len(), 9);
    for base in ["/a", "/g"] {
        for path in PATHS {
            let path = format!("{base}{path}");
            let asked = ["/guards", "/method-later", "/closure-with-guard"]
                .iter()
                .any(|counting| path.ends_with(counting));
            let next = path.replace('/', "%2F");

            let refused = app.browser().get(&path);
            assert_eq!(outcome(&refused), format!("303 /login?next={next}"));
            let bare = script(app.browser()).get(&path);
            assert_eq!(outcome(&bare), "401 caught Unauthorized", "{path}");
            assert_eq!(Ran::times(&app), 0, "{path}");

            assert_eq!(
                outcome(&app.logged_in("alice").get(&path)),
                "200 door",
                "{path}"
            );
            assert_eq!(Ran::times(&app), usize::from(asked), "{path}");

            // Another login would not help, so there is no redirect to the login page.
            for browser in [app.logged_in("bob"), script(app.logged_in("bob"))] {
                let reply = browser.clone().get(&path);
                assert_eq!(outcome(&reply), "403 caught Forbidden", "{path}");
                assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
                assert_eq!(reply.header("Vary"), Some("Cookie"));
                assert_eq!(reply.header("HX-Redirect"), None);
                assert!(reply.set_cookies().is_empty());
            }
            Ran::times(&app);
        }
    }
}

#[login_required(if = counting)]
#[get("/counting")]
fn counting_door() -> &'static str {
    "door"
}

#[login_required(if = counting)]
#[post("/counting")]
fn counting_post() -> &'static str {
    "posted"
}

#[fresh_login_required(if = counting)]
#[get("/fresh-counting")]
fn fresh_counting_door() -> &'static str {
    "door"
}

fn counted() -> Running {
    start(App::new(), |rocket| {
        rocket
            .mount(
                "/",
                routes![counting_door, counting_post, fresh_counting_door],
            )
            .register("/", catchers![reason])
    })
}

#[test]
fn a_refusal_emits_one_event_with_its_user() {
    let app = counted();
    let mut bob = app.logged_in("bob");
    let mut alice = app.logged_in("alice");
    emitted(&app);
    bob.get("/counting");
    assert_eq!(emitted(&app), [(Forbidden, Some("bob".into()))]);
    alice.get("/counting");
    assert_eq!(emitted(&app), []);
    app.browser().get("/counting");
    assert_eq!(emitted(&app), [(Unauthorized, None)]);
}

#[test]
fn a_condition_runs_after_the_checks_of_site_login_and_freshness() {
    let app = counted();
    let mut stale_bob = stale(&app, "bob");
    assert_eq!(
        outcome(&stale_bob.get("/fresh-counting")),
        "303 /confirm?next=%2Ffresh-counting"
    );
    let mut evil = app.logged_in("bob").header("Sec-Fetch-Site", "cross-site");
    emitted(&app);
    assert_eq!(outcome(&evil.post("/counting", "")), "403 caught CrossSite");
    assert_eq!(emitted(&app), [(CrossSite, None)]);
    assert_eq!(Ran::times(&app), 0);
    assert_eq!(
        outcome(&app.logged_in("bob").get("/fresh-counting")),
        "403 caught Forbidden"
    );
    assert_eq!(Ran::times(&app), 1);
}

#[test]
fn the_inactive_user_of_a_forced_login_reaches_no_condition() {
    let app = counted();
    app.users.change("alice", |alice| alice.active = false);
    let mut browser = app.browser();
    browser.post("/login", "user=alice&force=on");
    assert_eq!(browser.me(), "inactive alice");
    assert_eq!(
        outcome(&browser.get("/counting")),
        "303 /login?next=%2Fcounting"
    );
    assert_eq!(Ran::times(&app), 0);
}

#[test]
fn a_condition_runs_at_each_request() {
    let app = counted();
    let mut alice = app.logged_in("alice");
    alice.get("/counting");
    alice.get("/counting");
    assert_eq!(Ran::times(&app), 2);
}

#[test]
fn the_conditions_of_attribute_and_group_both_run() {
    let by_group = || RouteGuard::login().only_if(condition!(|user: &User| user.id != "carol"));
    let app = start(App::new(), |rocket| {
        rocket.mount("/", routes![counting_door].guarded(by_group()))
    });
    app.users.put("carol");
    for (user, status, asked) in [("alice", 200, 1), ("bob", 403, 1), ("carol", 403, 0)] {
        assert_eq!(app.logged_in(user).get("/counting").status.code, status);
        assert_eq!(Ran::times(&app), asked, "{user}");
    }
}

#[forbidden_handler]
async fn not_yours(user: &User, denied: Denied) -> (Status, String) {
    (
        Status::NotFound,
        format!("{:?} for {}", denied.reason(), user.id),
    )
}

#[test]
fn a_forbidden_handler_decides_the_whole_answer() {
    let app = App::new().with(|manager| manager.forbidden_handler(not_yours));
    let app = start(app, |rocket| {
        rocket
            .mount("/", routes![counting_door, counting_post])
            .register("/", catchers![reason])
    });
    for browser in [app.logged_in("bob"), script(app.logged_in("bob"))] {
        let reply = browser.clone().get("/counting");
        assert_eq!(outcome(&reply), "404 Forbidden for bob");
        assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
    }
    // This handler answers refusals by conditions only.
    assert_eq!(
        outcome(&script(app.browser()).get("/counting")),
        "401 caught Unauthorized"
    );
    let mut evil = app.logged_in("bob").header("Sec-Fetch-Site", "cross-site");
    assert_eq!(outcome(&evil.post("/counting", "")), "403 caught CrossSite");
}

/// A request guard that refuses, with a status below 500.
struct Failing;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Failing {
    type Error = ();

    async fn from_request(_: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Error((Status::Forbidden, ()))
    }
}

/// A request guard that forwards.
struct Forwarding;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Forwarding {
    type Error = ();

    async fn from_request(_: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Forward(Status::NotFound)
    }
}

fn with_failing_guard(_: &User, _: Failing) -> bool {
    true
}

fn with_forwarding_guard(_: &User, _: Forwarding) -> bool {
    true
}

fn err(_: &User) -> Result<bool, &'static str> {
    Err("who knows")
}

async fn err_later(_: &User) -> Result<bool, &'static str> {
    Err("who knows")
}

fn panics(_: &User) -> bool {
    panic!("in a condition")
}

async fn panics_later(_: &User) -> bool {
    rocket::tokio::task::yield_now().await;
    panic!("in a condition")
}

macro_rules! failing_doors {
    ($($name:ident $path:literal $condition:expr;)*) => {{
        $(
            #[login_required(if = $condition)]
            #[get($path)]
            fn $name() -> &'static str {
                "door"
            }
        )*
        routes![$($name),*]
    }};
}

fn failing() -> Running {
    #[get("/<_..>", rank = 100)]
    fn behind() -> &'static str {
        "behind"
    }
    let doors = failing_doors! {
        a "/failing-guard" with_failing_guard;
        b "/forwarding-guard" with_forwarding_guard;
        c "/err" err;
        d "/err-later" err_later;
        e "/panics" panics;
        f "/panics-later" panics_later;
    };
    start(App::new(), |rocket| {
        rocket.mount("/", doors).mount("/", routes![behind])
    })
}

const FAILURES: [(&str, u16); 6] = [
    ("/failing-guard", 500),
    ("/forwarding-guard", 500),
    ("/err", 503),
    ("/err-later", 503),
    ("/panics", 500),
    ("/panics-later", 500),
];

#[test]
fn a_failing_condition_is_a_server_error() {
    let app = failing();
    for (path, status) in FAILURES {
        for browser in [app.logged_in("alice"), script(app.logged_in("alice"))] {
            emitted(&app);
            let reply = browser.clone().get(path);
            assert_eq!(reply.status.code, status, "{path}");
            assert!(!reply.body.contains("door"), "{path}");
            assert!(!reply.body.contains("behind"), "{path}");
            assert!(!reply.body.contains("who knows"), "{path}");
            assert_eq!(reply.location(), None, "{path}");
            assert!(reply.set_cookies().is_empty(), "{path}");
            assert_eq!(emitted(&app), [], "{path}");
        }
        let refused = app.browser().get(path);
        assert_eq!(refused.status, Status::SeeOther, "{path}");
    }
}

#[test]
fn a_failing_condition_ends_no_remembered_login() {
    let app = failing();
    for (path, status) in FAILURES {
        let mut browser = app.remembered("alice");
        browser.restart();
        let reply = browser.get(path);
        assert_eq!(reply.status.code, status, "{path}");
        assert!(
            !reply.removes(REMEMBER) && !reply.removes(SESSION),
            "{path}"
        );
        assert_eq!(browser.me(), "alice", "{path}");
    }
}

#[test]
fn a_failing_condition_sets_no_cookie() {
    let app = failing();
    for (path, status) in FAILURES {
        let mut browser = app.remembered("alice");
        browser.restart();
        let reply = browser.get(path);
        assert_eq!(reply.status.code, status, "{path}");
        assert!(reply.set_cookies().is_empty(), "{path}: {reply:?}");
    }
}

#[test]
fn a_condition_may_judge_a_remembered_user() {
    let app = counted();
    for (user, seen) in [("alice", "200 door"), ("bob", "403 caught Forbidden")] {
        let mut browser: Browser<'_> = app.remembered(user);
        browser.restart();
        let reply = browser.get("/counting");
        assert_eq!(outcome(&reply), seen);
        assert!(reply.cookie(SESSION).is_some(), "{user}");
        assert!(!reply.removes(SESSION), "{user}");
    }
}
