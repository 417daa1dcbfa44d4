//! Handlers of the application that answer refusals.

use std::time::Duration;

use rocket::http::{Header, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::response::{Flash, Redirect};
use rocket::{Request, Responder, State, catch, catchers, uri};
use rocket_login::{
    CurrentUser, Denied, Reason, handler::IntoUnauthorizedHandler, needs_refresh_handler,
    unauthorized_handler,
};

use super::{flash, flashed};
use crate::common::{App, Reply, User, Users};

#[derive(Responder)]
#[response(status = 418, content_type = "json")]
struct Teapot {
    body: String,
    extra: Header<'static>,
}

#[unauthorized_handler]
async fn teapot(users: &State<Users>, user: CurrentUser<'_, User>, denied: Denied) -> Teapot {
    rocket::tokio::task::yield_now().await;
    let body = format!(
        "{:?} anonymous={} loads={}",
        denied.reason(),
        user.is_anonymous(),
        users.loads()
    );
    Teapot {
        body,
        extra: Header::new("X-Extra", "1"),
    }
}

#[needs_refresh_handler]
fn ask_again(user: CurrentUser<'_, User>) -> (Status, String) {
    (
        Status::Forbidden,
        format!("once more, {}", user.get_id().unwrap_or_default()),
    )
}

#[test]
fn a_handler_decides_the_whole_answer_for_every_client() {
    let app = App::new()
        .with(|manager| {
            manager
                .unauthorized_handler(teapot)
                .needs_refresh_handler(ask_again)
        })
        .start();
    for headers in [
        &[][..],
        &[("Accept", "application/json")],
        &[
            ("HX-Request", "true"),
            ("HX-Current-URL", "http://localhost/x"),
        ],
    ] {
        let mut browser = app.browser();
        for (name, value) in headers {
            browser = browser.header(name, value);
        }
        let reply = browser.get("/private");
        assert_eq!(reply.status, Status::ImATeapot);
        assert_eq!(reply.body, "Unauthorized anonymous=true loads=0");
        assert_eq!(reply.header("Content-Type"), Some("application/json"));
        assert_eq!(reply.header("X-Extra"), Some("1"));
        assert_eq!(reply.header("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(reply.header("X-Frame-Options"), Some("SAMEORIGIN"));
        assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
        assert_eq!(reply.location(), None);
        assert_eq!(reply.header("HX-Redirect"), None);
        assert!(reply.set_cookies().is_empty());
    }
    let mut stale = app.browser();
    stale.post("/login", "user=alice&stale=on");
    let reply = stale.get("/fresh");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::Forbidden, "once more, alice")
    );
    assert!(
        reply
            .header("Content-Type")
            .unwrap()
            .starts_with("text/plain")
    );
}

#[unauthorized_handler]
fn flashing() -> Flash<Redirect> {
    Flash::warning(Redirect::to(uri!("/welcome")), "größer")
}

#[test]
fn a_handler_may_redirect_and_flash() {
    let app = App::new()
        .with(|manager| manager.unauthorized_handler(flashing))
        .start();
    let reply = app.browser().get("/private");
    assert_eq!(reply.status, Status::SeeOther);
    assert_eq!(reply.location(), Some("/welcome"));
    assert_eq!(flashed(&reply), flash("warning", "größer"));
}

#[test]
fn a_redirect_of_a_handler_has_no_body_of_the_catcher() {
    let app = App::new()
        .with(|manager| manager.unauthorized_handler(flashing))
        .start();
    assert_eq!(app.browser().get("/private").body, "");
}

struct Broken;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Broken {
    type Error = ();

    async fn from_request(_: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Error((Status::BadGateway, ()))
    }
}

#[unauthorized_handler]
fn broken_guard(_guard: Broken) -> &'static str {
    "never"
}

#[unauthorized_handler]
fn panicking() -> &'static str {
    panic!("the handler")
}

#[unauthorized_handler]
async fn hanging() -> &'static str {
    std::future::pending().await
}

#[unauthorized_handler]
fn status_only() -> Status {
    Status::NotFound
}

fn failing() -> [(App, Status); 4] {
    fn app(handler: impl IntoUnauthorizedHandler) -> App {
        App::new().with(|manager| {
            manager
                .unauthorized_handler(handler)
                .loader_timeout(Duration::from_millis(50))
        })
    }
    [
        (app(broken_guard), Status::BadGateway),
        (app(panicking), Status::InternalServerError),
        (app(hanging), Status::ServiceUnavailable),
        (app(status_only), Status::NotFound),
    ]
}

#[test]
fn a_failing_handler_fails_the_request_and_lets_nobody_in() {
    for (app, status) in failing() {
        let app = app.start();
        let reply = app.browser().get("/private");
        assert_eq!(reply.status, status);
        assert!(!reply.body.contains("private of"));
        assert_eq!(reply.location(), None);
        assert!(reply.set_cookies().is_empty());
        assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
        assert_eq!(
            app.logged_in("alice").get("/private").body,
            "private of alice"
        );
    }
}

#[test]
fn the_body_after_a_failed_handler_matches_its_status() {
    for (app, status) in failing() {
        let Reply { body, .. } = app.start().browser().get("/private");
        assert!(!body.contains("401"), "{status}: {body}");
    }
}

#[catch(401)]
fn catcher() -> (Status, (rocket::http::ContentType, &'static str)) {
    (
        Status::Unauthorized,
        (rocket::http::ContentType::HTML, "the catcher's page"),
    )
}

#[test]
fn a_handler_replaces_the_page_of_the_catcher() {
    let app = App::new().with(|manager| manager.unauthorized_handler(teapot));
    let app = app.start_with(|rocket| rocket.register("/", catchers![catcher]));
    let reply = app.browser().get("/private");
    assert_eq!(reply.status, Status::ImATeapot);
    assert_eq!(reply.body, "Unauthorized anonymous=true loads=0");
    assert_eq!(reply.header("Content-Type"), Some("application/json"));
}

#[derive(Responder)]
struct Packed {
    page: &'static [u8],
    coding: Header<'static>,
    tag: Header<'static>,
}

/// As if a fairing that is attached before the manager had compressed the page.
#[catch(401)]
fn packed() -> Packed {
    Packed {
        page: b"\x1f\x8b",
        coding: Header::new("Content-Encoding", "gzip"),
        tag: Header::new("ETag", "\"1\""),
    }
}

#[test]
fn no_header_about_the_page_of_the_catcher_stays_without_it() {
    let with_handler = App::new().with(|manager| manager.unauthorized_handler(teapot));
    for (app, status) in [
        (App::new(), Status::SeeOther),
        (with_handler, Status::ImATeapot),
    ] {
        let app = app.start_with(|rocket| rocket.register("/", catchers![packed]));
        let reply = app.browser().get("/private");
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("Content-Encoding"), None);
        assert_eq!(reply.header("ETag"), None);
        let mut script = app.browser().header("Accept", "application/json");
        let reply = script.get("/private");
        let is_packed = reply.header("Content-Encoding") == Some("gzip");
        assert_eq!(is_packed, status == Status::SeeOther);
    }
}

#[unauthorized_handler]
fn text_only() -> &'static str {
    "who are you?"
}

#[test]
fn an_answer_without_a_status_is_a_401() {
    let app = App::new()
        .with(|manager| manager.unauthorized_handler(text_only))
        .start();
    let reply = app.browser().get("/private");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::Unauthorized, "who are you?")
    );
}

#[test]
fn each_handler_answers_for_its_own_reason_only() {
    let app = App::new()
        .with(|manager| manager.needs_refresh_handler(ask_again))
        .start();
    let reply = app.browser().get("/fresh");
    assert_eq!(reply.location(), Some("/login?next=%2Ffresh"));

    let app = App::new()
        .with(|manager| manager.unauthorized_handler(teapot))
        .start();
    let mut stale = app.browser();
    stale.post("/login", "user=alice&stale=on");
    assert_eq!(
        stale.get("/fresh").location(),
        Some("/confirm?next=%2Ffresh")
    );
    let mut evil = app.browser().header("Sec-Fetch-Site", "cross-site");
    assert_eq!(evil.post("/private", "").status, Status::Forbidden);
    assert_ne!(Reason::CrossSite, Reason::Unauthorized);
}
