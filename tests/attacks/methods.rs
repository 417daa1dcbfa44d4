//! Methods: no method is exempt, and no request can pretend to have another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::data::{Data, FromData, Outcome as DataOutcome};
use rocket::http::{Method, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::route::{Handler, Outcome as RouteOutcome};
use rocket::{Route, async_trait, post, routes};
use rocket_login::{GuardRoutes, login_required};

use crate::common::socket::{body, header, status};
use crate::common::{App, User};
use crate::{SESSION, Site, line};

const METHODS: [Method; 9] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Options,
    Method::Trace,
    Method::Connect,
];

/// A handler that returns the method of the request.
#[derive(Clone)]
struct Tell;

#[async_trait]
impl Handler for Tell {
    async fn handle<'r>(&self, req: &'r Request<'_>, _: Data<'r>) -> RouteOutcome<'r> {
        RouteOutcome::from(req, format!("reached by {}", req.method()))
    }
}

/// One guarded route for every method. No macro makes routes for TRACE and CONNECT.
fn every_method(path: &str) -> Vec<Route> {
    let routes = METHODS.map(|method| Route::new(method, path, Tell));
    routes.to_vec().login_required()
}

fn site() -> Site {
    let mut routes = every_method("/every");
    routes.extend(vec![Route::new(Method::Put, "/put", Tell)].login_required());
    Site::of(App::new().release().routes(routes))
}

/// A request with no body or a form.
fn send(site: &Site, method: &str, path: &str, headers: &[&[u8]], form: Option<&str>) -> String {
    let start = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close");
    let form = form.map(|form| {
        format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
    });
    let end = form.unwrap_or_else(|| "\r\n".into());
    let lines = [&[start.as_bytes()], headers, &[end.as_bytes()]].concat();
    site.server.raw(&lines.join(&b"\r\n"[..]))
}

/// Header lines of a browser that asks for a page.
const PAGES: [&[&[u8]]; 4] = [
    &[],
    &[b"Accept: text/html,application/xhtml+xml,*/*;q=0.8"],
    &[b"Sec-Fetch-Mode: navigate"],
    &[b"Sec-Fetch-Mode: navigate", b"Accept: application/json"],
];

/// Header lines of a script, which cannot follow a redirect to a login page.
const SCRIPTS: [&[&[u8]]; 6] = [
    &[b"Accept: */*"],
    &[b"Accept: application/json"],
    &[b"X-Requested-With: XMLHttpRequest"],
    &[b"Sec-Fetch-Mode: cors"],
    &[b"Sec-Fetch-Mode: no-cors"],
    &[b"Sec-Fetch-Mode: same-origin", b"Accept: text/html"],
];

#[test]
fn every_method_gets_the_same_verdict() {
    // T59, R38, R39: anonymous, for a page and for a script, and as alice.
    let site = site();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    for method in METHODS.map(Method::as_str) {
        if method == "CONNECT" {
            continue; // what follows would be another protocol
        }
        let replayed = matches!(method, "GET" | "HEAD");
        let location = if replayed {
            "/login?next=%2Fevery%3Fa%3D1"
        } else {
            "/login"
        };
        for headers in PAGES {
            let reply = send(&site, method, "/every?a=1", headers, None);
            assert_eq!(status(&reply), 303, "{method} {headers:?}: {reply}");
            assert_eq!(header(&reply, "location"), [location], "{method}");
            assert_eq!(body(&reply), "", "{method}");
        }
        for headers in SCRIPTS {
            let reply = send(&site, method, "/every?a=1", headers, None);
            assert_eq!(status(&reply), 401, "{method} {headers:?}: {reply}");
            assert_eq!(header(&reply, "location"), [""; 0], "{method}");
            assert!(!reply.contains("reached"), "{method}: {reply}");
        }
        let htmx = send(&site, method, "/every", &[b"HX-Request: true"], None);
        assert_eq!(status(&htmx), 401, "{method}: {htmx}");
        assert_eq!(header(&htmx, "hx-redirect").len(), 1, "{method}");
        assert!(!htmx.contains("reached"), "{method}");

        let reply = send(&site, method, "/every", &[&mine], None);
        assert_eq!(status(&reply), 200, "{method}: {reply}");
        let expected = format!("reached by {method}");
        let expected = if method == "HEAD" { "" } else { &expected };
        assert_eq!(body(&reply), expected, "{method}");
    }
}

#[test]
fn connect_reaches_no_handler() {
    // T59: after the head there is no response to wait for.
    let site = site();
    for target in ["/every", "localhost:80", "evil.com:443"] {
        let reply = send(&site, "CONNECT", target, &[], None);
        assert!(!reply.contains("reached"), "{target}: {reply}");
        assert!(!(200..300).contains(&status(&reply)), "{target}: {reply}");
        assert!(!reply.contains("evil.com"), "{target}: {reply}");
    }
    site.assert_unharmed("CONNECT");
}

#[test]
fn a_method_override_in_a_form_is_judged_by_the_final_method() {
    // T60, R38, K11: (form, the method that counts)
    let site = site();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    for (form, becomes) in [
        ("_method=get", "GET"),
        ("_method=GET", "GET"),
        ("_method=gEt", "GET"),
        ("_method=post", "POST"),
        ("_method=put", "PUT"),
        ("_method=PUT", "PUT"),
        ("_method=patch", "PATCH"),
        ("_method=delete", "DELETE"),
        ("_method=trace", "TRACE"),
        ("_method=options", "POST"),
        ("_method=connect", "POST"),
        ("_method=madeup", "POST"),
        ("_method=", "POST"),
        ("_method", "POST"),
        ("_method=put&a=1", "PUT"),
        ("a=1&_method=put", "POST"),
        ("_method[]=put", "PUT"),
        ("%5Fmethod=put", "POST"),
        ("_METHOD=put", "POST"),
    ] {
        let reply = send(&site, "POST", "/every", &[], Some(form));
        assert_eq!(status(&reply), 303, "{form}: {reply}");
        assert!(!reply.contains("reached"), "{form}: {reply}");
        let location = header(&reply, "location");
        let expected = if becomes == "GET" {
            "/login?next=%2Fevery"
        } else {
            "/login"
        };
        assert_eq!(location, [expected], "{form}");
        let reply = send(&site, "POST", "/every", &[&mine], Some(form));
        assert_eq!(body(&reply), format!("reached by {becomes}"), "{form}");
    }
    // Rocket closes the connection here without a response, for every route.
    let reply = send(&site, "POST", "/every", &[], Some("_method=head"));
    assert!(!reply.contains("reached"), "{reply}");
    site.assert_unharmed("_method=head");
}

#[test]
fn no_method_override_opens_a_route_of_another_method() {
    // T60: a route for PUT alone, and the pages of the site.
    let site = site();
    for method in [
        "get", "head", "put", "patch", "delete", "trace", "options", "connect", "GET",
    ] {
        for field in ["_method", "%5Fmethod", "a=1&_method"] {
            let form = format!("{field}={method}");
            for path in ["/put", "/private", "/fresh"] {
                let reply = send(&site, "POST", path, &[], Some(&form));
                assert!(
                    [0, 303, 404].contains(&status(&reply)),
                    "{path} {form}: {reply}"
                );
                for shown in ["reached", "private of", "posted by", "fresh "] {
                    assert!(!reply.contains(shown), "{path} {form}: {reply}");
                }
            }
        }
    }
}

#[test]
fn no_header_changes_the_method() {
    // T60
    let site = site();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    for name in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "_method",
    ] {
        for method in METHODS {
            let named = format!("{name}: {method}");
            let reply = send(&site, "POST", "/every", &[named.as_bytes()], Some("a=1"));
            assert_eq!(header(&reply, "location"), ["/login"], "{named}: {reply}");
            let headers: [&[u8]; 2] = [&mine, named.as_bytes()];
            let reply = send(&site, "POST", "/every", &headers, Some("a=1"));
            assert_eq!(body(&reply), "reached by POST", "{named}");
        }
    }
}

/// How often code has run that a refused request must not reach.
#[derive(Clone, Default)]
struct Traces(Arc<AtomicUsize>);

impl Traces {
    fn leave(req: &Request<'_>) {
        let traces: &Self = req.rocket().state().unwrap();
        traces.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A data guard that counts its runs.
#[derive(Clone, Copy)]
struct Opened;

#[async_trait]
impl<'r> FromData<'r> for Opened {
    type Error = ();

    async fn from_data(req: &'r Request<'_>, _: Data<'r>) -> DataOutcome<'r, Self> {
        Traces::leave(req);
        DataOutcome::Success(Opened)
    }
}

/// A request guard that counts its runs.
#[derive(Clone, Copy)]
struct Asked;

#[async_trait]
impl<'r> FromRequest<'r> for Asked {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, ()> {
        Traces::leave(req);
        Outcome::Success(Asked)
    }
}

#[login_required]
#[post("/attribute", data = "<data>")]
fn below_the_attribute(data: Opened, asked: Asked) -> &'static str {
    let (Opened, Asked) = (data, asked);
    "reached"
}

#[post("/argument", data = "<data>")]
fn before_the_user(data: Opened, user: &User) -> String {
    let Opened = data;
    format!("reached by {}", user.id)
}

/// Only the data guard requires the user.
struct OfUser(String);

#[async_trait]
impl<'r> FromData<'r> for OfUser {
    type Error = Status;

    async fn from_data(req: &'r Request<'_>, _: Data<'r>) -> DataOutcome<'r, Self> {
        match req.guard::<&User>().await {
            Outcome::Success(user) => DataOutcome::Success(OfUser(user.id.clone())),
            Outcome::Error((status, _)) | Outcome::Forward(status) => {
                DataOutcome::Error((status, status))
            }
        }
    }
}

#[post("/within", data = "<data>")]
fn within_the_data(data: OfUser) -> String {
    let OfUser(id) = data;
    format!("reached by {id}")
}

#[test]
fn a_guard_protects_its_route_at_any_position() {
    // T62, R37: among other guards, after the data guard, inside the data guard.
    let app = App::new().release().routes(routes![
        below_the_attribute,
        before_the_user,
        within_the_data
    ]);
    let traces = Traces::default();
    let site = Site::with(app, |rocket| rocket.manage(traces.clone()));
    let mine = line(&[(SESSION, &site.session("alice"))]);
    for (path, left) in [("/attribute", 2), ("/argument", 1), ("/within", 0)] {
        let reply = site.post(path, &[], "a=1");
        assert_eq!(status(&reply), 303, "{path}: {reply}");
        assert_eq!(header(&reply, "location"), ["/login"], "{path}");
        let reply = site.post(path, &[b"Accept: application/json"], "a=1");
        assert_eq!(status(&reply), 401, "{path}: {reply}");
        assert_eq!(traces.0.load(Ordering::SeqCst), 0, "{path}");
        let reply = site.post(path, &[&mine], "a=1");
        assert!(body(&reply).starts_with("reached"), "{path}: {reply}");
        assert_eq!(traces.0.swap(0, Ordering::SeqCst), left, "{path}");
    }
}
