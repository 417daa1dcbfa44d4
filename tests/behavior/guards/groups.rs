//! Groups: one guard for many routes of any kind.

use std::time::Duration;

use rocket::form::Form;
use rocket::fs::FileServer;
use rocket::http::{Method, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::{FromForm, Request, Route, delete, get, options, patch, post, put, routes};
use rocket_login::{
    GuardRoutes, RouteGuard, condition, fresh_login_required, login_required, public,
};

use super::{outcome, script, stale, start};
use crate::common::{App, Browser, Ran, Running, User, pages};

#[get("/door")]
fn door() -> &'static str {
    "door"
}

#[login_required]
#[get("/login-door")]
fn login_door() -> &'static str {
    "door"
}

#[fresh_login_required]
#[get("/fresh-door")]
fn fresh_door() -> &'static str {
    "door"
}

#[public]
#[get("/public-door")]
fn public_door() -> &'static str {
    "door"
}

/// One application with a group mounted at each base.
fn mounted<const N: usize>(groups: [(&str, Vec<Route>); N]) -> Running {
    start(App::new(), |rocket| {
        let rocket = rocket.mount("/", pages(&["/home"]));
        groups
            .into_iter()
            .fold(rocket, |rocket, (base, routes)| rocket.mount(base, routes))
    })
}

/// What an anonymous visitor, a stale and a fresh login get; the first two may be redirected.
const OPEN: [&str; 3] = ["200 door"; 3];
const LOGIN: [&str; 3] = ["303 login", "200 door", "200 door"];
const FRESH: [&str; 3] = ["303 login", "303 confirm", "200 door"];
const ANONYMOUS: [&str; 3] = ["200 door", "303 /home", "303 /home"];
const NOBODY: [&str; 3] = ["303 login", "303 /home", "303 /home"];

fn gets(app: &Running, path: &str) -> [String; 3] {
    [app.browser(), stale(app, "alice"), app.logged_in("alice")].map(|mut browser| {
        let seen = outcome(&browser.get(path));
        let next = format!("?next={}", path.replace('/', "%2F"));
        seen.replace(&format!("/login{next}"), "login")
            .replace(&format!("/confirm{next}"), "confirm")
    })
}

#[test]
fn a_group_enforces_its_guard() {
    let rows = [
        ("/a", routes![door].login_required(), LOGIN),
        ("/b", routes![door].fresh_login_required(), FRESH),
        ("/c", routes![door].anonymous_required("/home"), ANONYMOUS),
        ("/d", routes![door].public(), OPEN),
        ("/e", routes![door].guarded(RouteGuard::login()), LOGIN),
        (
            "/f",
            routes![door].guarded(RouteGuard::fresh_login()),
            FRESH,
        ),
        (
            "/g",
            routes![door].guarded(RouteGuard::anonymous("/home")),
            ANONYMOUS,
        ),
        ("/h", routes![door].guarded(RouteGuard::public()), OPEN),
        (
            "/i",
            routes![door].guarded(RouteGuard::login().user::<User>()),
            LOGIN,
        ),
        ("/j", routes![door], OPEN),
    ];
    let app = mounted(rows.clone().map(|(base, routes, _)| (base, routes)));
    for (base, _, seen) in rows {
        assert_eq!(gets(&app, &format!("{base}/door")), seen, "{base}");
    }
}

#[test]
fn the_stricter_guard_of_attribute_and_group_counts() {
    let all = || routes![door, login_door, fresh_door, public_door];
    let app = mounted([
        ("/login-group", all().login_required()),
        ("/fresh-group", all().fresh_login_required()),
        ("/public-group", all().public()),
    ]);
    for (path, seen) in [
        ("/login-group/door", LOGIN),
        ("/login-group/login-door", LOGIN),
        ("/login-group/fresh-door", FRESH),
        ("/login-group/public-door", LOGIN),
        ("/fresh-group/door", FRESH),
        ("/fresh-group/login-door", FRESH),
        ("/fresh-group/fresh-door", FRESH),
        ("/fresh-group/public-door", FRESH),
        ("/public-group/door", OPEN),
        ("/public-group/login-door", LOGIN),
        ("/public-group/fresh-door", FRESH),
        ("/public-group/public-door", OPEN),
    ] {
        assert_eq!(gets(&app, path), seen, "{path}");
    }
}

#[test]
fn a_group_enforces_two_guards_in_either_order() {
    let rows = [
        (
            "/a",
            routes![door].login_required().fresh_login_required(),
            FRESH,
        ),
        (
            "/b",
            routes![door].fresh_login_required().login_required(),
            FRESH,
        ),
        ("/c", routes![door].login_required().public(), LOGIN),
        ("/d", routes![door].public().login_required(), LOGIN),
        (
            "/e",
            routes![door].login_required().anonymous_required("/home"),
            NOBODY,
        ),
        (
            "/f",
            routes![door].anonymous_required("/home").login_required(),
            NOBODY,
        ),
    ];
    let app = mounted(rows.clone().map(|(base, routes, _)| (base, routes)));
    for (base, _, seen) in rows {
        assert_eq!(gets(&app, &format!("{base}/door")), seen, "{base}");
    }
}

#[test]
fn within_requires_recent_credentials() {
    let guard = RouteGuard::fresh_login().within(Duration::from_secs(600));
    let app = mounted([
        ("/a", routes![door].guarded(guard)),
        ("/b", routes![door].fresh_login_required()),
    ]);
    let mut browser = app.logged_in("alice");
    app.clock.advance(Duration::from_secs(599));
    assert_eq!(outcome(&browser.get("/a/door")), "200 door");
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(
        outcome(&browser.get("/a/door")),
        "303 /confirm?next=%2Fa%2Fdoor"
    );
    assert_eq!(outcome(&browser.get("/b/door")), "200 door");
    browser.post("/confirm", "alice");
    assert_eq!(outcome(&browser.get("/a/door")), "200 door");
}

#[test]
fn the_options_of_a_guard_add_up() {
    let guard = RouteGuard::fresh_login()
        .user::<User>()
        .within(Duration::from_secs(1))
        .only_if(condition!(|user: &User| user.id == "alice"));
    let app = mounted([("/a", routes![door].guarded(guard))]);
    let mut browser = app.logged_in("alice");
    assert_eq!(outcome(&browser.get("/a/door")), "200 door");
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(browser.get("/a/door").status, Status::SeeOther);
    assert_eq!(
        app.logged_in("bob").get("/a/door").status,
        Status::Forbidden
    );
}

#[test]
fn a_file_server_is_guarded_like_other_routes() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("guarded-files");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("plan.txt"), "the plan").unwrap();
    std::fs::write(folder.join("index.html"), "the index").unwrap();
    let files = || FileServer::from(&folder);
    let app = mounted([
        ("/files", files().login_required()),
        ("/fresh-files", files().fresh_login_required()),
        ("/open-files", files().public()),
    ]);
    for path in [
        "/files/plan.txt",
        "/files/",
        "/files",
        "/files/none.txt",
        "/files//plan.txt",
        "/files/%70lan.txt",
        "/fresh-files/plan.txt",
    ] {
        let reply = app.browser().get(path);
        assert_eq!(reply.status, Status::SeeOther, "{path}");
        assert!(
            reply.location().unwrap().starts_with("/login?next="),
            "{path}"
        );
        assert_eq!(reply.body, "", "{path}");
        let bare = script(app.browser()).get(path);
        assert_eq!(bare.status, Status::Unauthorized, "{path}");
        assert!(!bare.body.contains("the plan"), "{path}");
    }
    let mut browser = stale(&app, "alice");
    let reply = browser.get("/files/plan.txt");
    assert_eq!(outcome(&reply), "200 the plan");
    assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
    assert_eq!(browser.get("/files/none.txt").status, Status::NotFound);
    assert_eq!(
        browser.get("/fresh-files/plan.txt").location(),
        Some("/confirm?next=%2Ffresh-files%2Fplan.txt")
    );
    assert_eq!(
        outcome(&app.browser().get("/open-files/plan.txt")),
        "200 the plan"
    );
}

/// A request guard that counts its runs, and fails.
struct Nosy;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Nosy {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, ()> {
        req.rocket().state::<Ran>().unwrap().count();
        Outcome::Error((Status::ImATeapot, ()))
    }
}

#[derive(FromForm)]
struct Number {
    number: u8,
}

#[post("/strict/<number>", data = "<form>")]
fn strict(number: u8, _nosy: Nosy, form: Form<Number>) -> String {
    format!("{} {}", number, form.number)
}

#[post("/careful/<number>", data = "<form>")]
fn careful(number: u8, form: Form<Number>) -> String {
    format!("{} {}", number, form.number)
}

#[test]
fn the_guard_of_a_group_runs_before_the_handlers_guards_parameters_and_body() {
    let app = mounted([("/a", routes![strict, careful].login_required())]);
    for (path, form) in [
        ("/a/strict/7", "number=7"),
        ("/a/strict/x", "number=7"),
        ("/a/careful/7", "nonsense"),
        ("/a/careful/x", "number=7"),
    ] {
        assert_eq!(
            outcome(&app.browser().post(path, form)),
            "303 /login",
            "{path}"
        );
    }
    assert_eq!(Ran::times(&app), 0);

    let mut browser = app.logged_in("alice");
    assert_eq!(
        outcome(&browser.post("/a/careful/7", "number=8")),
        "200 7 8"
    );
    assert_eq!(
        browser.post("/a/careful/7", "nonsense").status,
        Status::UnprocessableEntity
    );
    assert_eq!(
        browser.post("/a/strict/7", "number=7").status,
        Status::ImATeapot
    );
    assert_eq!(Ran::times(&app), 1);
}

#[test]
fn every_method_of_a_group_is_guarded() {
    #[get("/thing")]
    fn get() -> &'static str {
        "thing"
    }
    #[post("/thing")]
    fn post() -> &'static str {
        "thing"
    }
    #[put("/thing")]
    fn put() -> &'static str {
        "thing"
    }
    #[delete("/thing")]
    fn delete() -> &'static str {
        "thing"
    }
    #[patch("/thing")]
    fn patch() -> &'static str {
        "thing"
    }
    #[options("/thing")]
    fn options() -> &'static str {
        "thing"
    }

    let routes = routes![get, post, put, delete, patch, options];
    let app = mounted([("/a", routes.login_required())]);
    for method in [
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Delete,
        Method::Patch,
        Method::Options,
    ] {
        let sent = |mut browser: Browser<'_>| outcome(&browser.send(method, "/a/thing", None));
        let refused = sent(script(app.browser()));
        assert!(refused.starts_with("401 "), "{method}: {refused}");
        assert!(!refused.contains("thing"), "{method}: {refused}");
        assert_eq!(sent(app.logged_in("alice")), "200 thing", "{method}");
    }
    // Rocket answers HEAD with the GET route, so the guard applies to HEAD too.
    let head = |mut browser: Browser<'_>| browser.send(Method::Head, "/a/thing", None);
    let refused = head(app.browser());
    assert_eq!(outcome(&refused), "303 /login?next=%2Fa%2Fthing");
    assert_eq!(head(script(app.browser())).status, Status::Unauthorized);
    let reply = head(app.logged_in("alice"));
    assert_eq!(outcome(&reply), "200 ");
}

#[test]
fn only_an_exempt_method_passes_a_group() {
    #[options("/door")]
    fn preflight() -> &'static str {
        "preflight"
    }
    let app = App::new().with(|manager| manager.exempt_methods([Method::Options]));
    let app = start(app, |rocket| {
        rocket.mount("/a", routes![door, preflight].login_required())
    });
    let reply = app.browser().send(Method::Options, "/a/door", None);
    assert_eq!(outcome(&reply), "200 preflight");
    assert_eq!(app.browser().get("/a/door").status, Status::SeeOther);
}

#[test]
fn one_set_of_routes_may_be_mounted_under_different_guards() {
    let app = mounted([
        ("/open", routes![door]),
        ("/inner", routes![door].login_required()),
        ("/inner/vault", routes![door].fresh_login_required()),
    ]);
    assert_eq!(gets(&app, "/open/door"), OPEN);
    assert_eq!(gets(&app, "/inner/door"), LOGIN);
    assert_eq!(gets(&app, "/inner/vault/door"), FRESH);
}

#[test]
fn a_group_refuses_a_change_from_another_site() {
    let app = mounted([("/a", routes![careful].login_required())]);
    let mut evil = app
        .logged_in("alice")
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(
        evil.post("/a/careful/7", "number=8").status,
        Status::Forbidden
    );
}

#[test]
fn a_failing_loader_opens_no_group() {
    let app = mounted([
        ("/a", routes![door].login_required()),
        ("/b", routes![door].fresh_login_required()),
        ("/c", routes![door].anonymous_required("/home")),
    ]);
    let browser = app.logged_in("alice");
    app.users.fail(true);
    for base in ["/a", "/b", "/c"] {
        let reply = browser.clone().get(&format!("{base}/door"));
        assert_eq!(reply.status, Status::ServiceUnavailable, "{base}");
        assert!(reply.set_cookies().is_empty(), "{base}");
        assert!(!reply.body.contains("door"), "{base}");
    }
    assert_eq!(app.users.loads(), 3);
}

#[test]
fn a_group_without_any_manager_fails_closed() {
    let figment =
        rocket::figment::Figment::from(rocket::Config::debug_default()).merge(("log_level", "off"));
    let rocket = rocket::custom(figment)
        .mount("/a", routes![door].login_required())
        .mount("/b", routes![door].public());
    let client = rocket::local::blocking::Client::untracked(rocket).unwrap();
    let seen = |path| client.get(path).dispatch().status();
    assert_eq!(seen("/a/door"), Status::InternalServerError);
    assert_eq!(seen("/b/door"), Status::Ok);
}
