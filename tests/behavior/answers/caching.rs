//! Caching: a response that depends on a login is never shown to another user.

use rocket::http::{Header, Method, Status};
use rocket::{Responder, catch, catchers, get, post, routes};
use rocket_login::{CurrentUser, LoginSession, access::Deny};

use crate::common::{App, Browser, REMEMBER, Reply, SESSION, User};

#[derive(Responder)]
struct Cached {
    body: String,
    cache: Header<'static>,
    vary: Header<'static>,
}

impl Cached {
    fn new(body: String, vary: &'static str) -> Self {
        Cached {
            body,
            cache: Header::new("Cache-Control", "public, max-age=600, s-maxage=600"),
            vary: Header::new("Vary", vary),
        }
    }
}

#[get("/cached/<vary>")]
fn cached(vary: &str, user: CurrentUser<'_, User>) -> Cached {
    let vary = match vary {
        "accept" => "Accept-Encoding, Accept",
        "cookie" => "accept, COOKIE",
        _ => "*",
    };
    Cached::new(user.get_id().unwrap_or_default(), vary)
}

#[get("/broken")]
fn broken(_user: CurrentUser<'_, User>) -> Status {
    Status::InternalServerError
}

#[get("/gone")]
fn gone(_user: CurrentUser<'_, User>) -> Option<&'static str> {
    None
}

#[get("/panics")]
fn panics(user: CurrentUser<'_, User>) -> &'static str {
    panic!("{:?}", user.is_anonymous())
}

#[get("/not-modified")]
fn not_modified(_user: CurrentUser<'_, User>) -> (Status, ()) {
    (Status::NotModified, ())
}

#[get("/maybe")]
fn maybe(user: Option<&User>) -> &'static str {
    user.map_or("nobody", |_| "somebody")
}

#[get("/public")]
fn public() -> Cached {
    Cached::new("public".into(), "Accept")
}

#[catch(404)]
async fn greeting(req: &rocket::Request<'_>) -> String {
    let user = req.guard::<CurrentUser<'_, User>>().await.succeeded();
    format!("not found, {:?}", user.and_then(|user| user.get_id()))
}

#[get("/refused")]
fn refused(session: LoginSession<'_, User>) -> Deny {
    session.unauthorized()
}

#[post("/noop")]
fn noop(_session: LoginSession<'_, User>) -> &'static str {
    "noop"
}

/// Whether a shared cache must not store the reply, and no cache may show it to another user.
#[track_caller]
fn assert_private(reply: &Reply) {
    assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
    let names: Vec<_> = reply
        .all("Vary")
        .flat_map(|vary| vary.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| name == "cookie" || name == "*")
        .collect();
    assert_eq!(names.len(), 1, "{:?}", reply.headers);
}

#[track_caller]
fn assert_untouched(reply: &Reply) {
    assert_eq!(reply.header("Cache-Control"), None);
    assert_eq!(reply.header("Vary"), None);
    assert!(reply.set_cookies().is_empty());
}

// R45, T73
#[test]
fn an_answer_that_depends_on_the_user_is_private_on_every_status() {
    let app = App::new()
        .routes(routes![cached, broken, gone, panics, not_modified, maybe])
        .start();
    for mut browser in [app.browser(), app.logged_in("alice")] {
        for (path, ok) in [
            ("/me", Status::Ok),
            ("/status", Status::Ok),
            ("/maybe", Status::Ok),
            ("/cached/accept", Status::Ok),
            ("/cached/cookie", Status::Ok),
            ("/cached/any", Status::Ok),
            ("/broken", Status::InternalServerError),
            ("/panics", Status::InternalServerError),
            ("/gone", Status::NotFound),
            ("/not-modified", Status::NotModified),
        ] {
            for method in [Method::Get, Method::Head] {
                let reply = browser.send(method, path, None);
                assert_eq!(reply.status, ok, "{path}");
                assert_private(&reply);
            }
        }
    }
    for (accept, status) in [
        ("text/html", Status::SeeOther),
        ("application/json", Status::Unauthorized),
    ] {
        let reply = app.browser().header("Accept", accept).get("/private");
        assert_eq!(reply.status, status);
        assert_private(&reply);
    }
    assert_private(&app.browser().header("HX-Request", "true").get("/private"));
}

#[test]
fn an_existing_vary_is_kept() {
    let app = App::new().routes(routes![cached]).start();
    let vary = |path| {
        app.browser()
            .get(path)
            .all("Vary")
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(vary("/cached/accept"), "Accept-Encoding, Accept, Cookie");
    assert_eq!(vary("/cached/cookie"), "accept, COOKIE");
    assert_eq!(vary("/cached/any"), "*");
}

// T73
#[test]
fn the_page_of_a_catcher_that_uses_the_user_is_private() {
    let app = App::new().start_with(|rocket| rocket.register("/", catchers![greeting]));
    let reply = app.logged_in("alice").get("/me/x.css");
    assert_eq!(reply.status, Status::NotFound);
    assert_eq!(reply.body, r#"not found, Some("alice")"#);
    assert_private(&reply);
}

#[test]
fn an_answer_that_sets_or_removes_a_login_cookie_is_private() {
    let app = App::new().start();
    let mut browser = app.browser();
    let reply = browser.post("/login", "user=alice&remember=on");
    assert!(reply.cookie(SESSION).is_some());
    assert_private(&reply);
    browser.restart();
    let reply = browser.get("/me");
    assert!(reply.cookie(SESSION).is_some());
    assert_private(&reply);
    let reply = browser.post("/logout", "");
    assert!(reply.removes(REMEMBER));
    assert_private(&reply);
}

#[derive(Responder)]
struct WithHeaders {
    body: &'static str,
    first: Header<'static>,
    second: Header<'static>,
}

#[get("/kept?<first>&<second>")]
fn kept(first: &str, second: &str, _user: &User) -> WithHeaders {
    let header = |line: &str| match line.split_once(": ") {
        Some((name, value)) => Header::new(name.to_owned(), value.to_owned()),
        None => Header::new("Cache-Control", line.to_owned()),
    };
    WithHeaders {
        body: "kept",
        first: header(first),
        second: header(second),
    }
}

/// What a page with these two headers says about its caching; a line without a name is a `Cache-Control`.
fn caching(browser: &mut Browser<'_>, first: &str, second: &str) -> Reply {
    let escape = |text| rocket::http::RawStr::new(text).percent_encode().to_string();
    browser.get(&format!(
        "/kept?first={}&second={}",
        escape(first),
        escape(second)
    ))
}

// R45
#[test]
fn the_application_may_let_the_users_own_browser_keep_a_page() {
    let app = App::new().routes(routes![kept]).start();
    let mut alice = app.logged_in("alice");
    for line in [
        "private, no-cache",
        "private, max-age=3600",
        "Private",
        "max-age=60 , PRIVATE, immutable",
    ] {
        let reply = caching(&mut alice, line, "X-Other: 1");
        assert_eq!(reply.header("Cache-Control"), Some(line));
        assert_eq!(reply.header("Vary"), Some("Cookie"));
    }
    for (first, second) in [
        ("public, max-age=60", "X-Other: 1"),
        ("max-age=60", "X-Other: 1"),
        ("no-cache", "X-Other: 1"),
        ("private, public", "X-Other: 1"),
        ("private, s-maxage=60", "X-Other: 1"),
        ("private", "public"),
        ("private=\"Set-Cookie\", max-age=60", "X-Other: 1"),
        ("max-age=60, x=\", private\"", "X-Other: 1"),
        ("unprivate", "X-Other: 1"),
    ] {
        assert_private(&caching(&mut alice, first, second));
    }
    // A refusal and a response with a login cookie are never kept.
    assert_private(&caching(&mut app.browser(), "private", "X-Other: 1"));
    app.clock.advance(std::time::Duration::from_secs(600));
    let reply = caching(&mut alice, "private, max-age=60", "X-Other: 1");
    assert!(reply.cookie(SESSION).is_some());
    assert_private(&reply);
}

// R45
#[test]
fn headers_for_certain_caches_are_removed() {
    let app = App::new().routes(routes![kept]).start();
    let mut alice = app.logged_in("alice");
    for name in [
        "CDN-Cache-Control",
        "cloudflare-cdn-cache-control",
        "Surrogate-Control",
        "X-Accel-Expires",
        "Edge-Control",
    ] {
        for rest in ["public, max-age=600", "private"] {
            let reply = caching(&mut alice, &format!("{name}: max-age=600"), rest);
            assert_eq!(reply.header(name), None);
            let kept = reply.header("Cache-Control").unwrap();
            assert!(kept.starts_with("private"), "{kept}");
        }
    }
    let reply = caching(&mut alice, "X-Cache-Controls: 1", "Cache-Controller: 2");
    assert_eq!(reply.header("X-Cache-Controls"), Some("1"));
    assert_eq!(reply.header("Cache-Controller"), Some("2"));
}

// T74, D21
#[test]
fn an_answer_that_does_not_depend_on_the_user_keeps_its_headers() {
    let app = App::new().routes(routes![public, noop]).start();
    let mut forged = app.browser();
    forged.cookies.insert(SESSION.into(), "forged".into());
    let mut remembered = app.remembered("alice");
    remembered.restart();
    for mut browser in [app.browser(), app.logged_in("alice"), forged, remembered] {
        for path in ["/open", "/login", "/nowhere"] {
            assert_untouched(&browser.get(path));
        }
        assert_untouched(&browser.post("/noop", ""));
        let reply = browser.get("/public");
        assert_eq!(
            reply.header("Cache-Control"),
            Some("public, max-age=600, s-maxage=600")
        );
        assert_eq!(reply.header("Vary"), Some("Accept"));
    }
    assert_eq!(app.users.loads(), 0);
}

#[test]
fn a_refusal_by_a_handler_is_private() {
    let app = App::new().routes(routes![refused]).start();
    let reply = app.browser().get("/refused");
    assert_eq!(reply.status, Status::SeeOther);
    assert!(reply.cookie("_flash").is_some());
    assert_private(&reply);
}
