//! The answer to a refusal.

use rocket::fairing::AdHoc;
use rocket::form::Form;
use rocket::http::{Method, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::{FromForm, Request, State, catch, catchers, get, post, route, routes};
use rocket_login::{
    CurrentUser, Denied, LoginSession, Reason, access::Deny, fresh_login_required, login_required,
};

use super::{app_with, flash, flashed};
use crate::common::load_user;
use crate::common::{App, Browser, Ran, Reply, User};

const LOG_IN: &str = "Please log in to access this page.";

type Headers = &'static [(&'static str, &'static str)];

const NAVIGATIONS: [Headers; 10] = [
    &[],
    &[
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
    ],
    &[("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")],
    &[("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")],
    &[("Accept", "application/json;q=0.5, text/html")],
    &[("Sec-Fetch-Mode", "navigate")],
    &[
        ("Sec-Fetch-Mode", "navigate"),
        ("Accept", "application/json"),
    ],
    &[("HX-Request", "false")],
    // A staging site behind Basic authentication, over plain HTTP.
    &[
        ("Authorization", "Basic YTpi"),
        ("Accept", "text/html,*/*;q=0.8"),
    ],
    &[
        ("Sec-Fetch-Mode", "navigate"),
        ("Authorization", "Bearer key"),
    ],
];

const SCRIPTS: [Headers; 14] = [
    // No browser opens a page with it; `curl`, most HTTP clients and `fetch` send it.
    &[("Accept", "*/*")],
    &[("Accept", "*/*;q=0.8")],
    &[
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Purpose", "prefetch;prerender"),
    ],
    &[("Accept", "application/json")],
    &[("X-Requested-With", "XMLHttpRequest")],
    &[("Sec-Fetch-Mode", "cors")],
    &[("Sec-Fetch-Mode", "same-origin"), ("Accept", "text/html")],
    &[("Sec-Fetch-Mode", "no-cors")],
    &[("Accept", "image/avif,image/webp,*/*;q=0.8")],
    &[("Authorization", "Bearer key")],
    &[("Authorization", "Bearer key"), ("Accept", "text/html")],
    &[("Authorization", "Basic YTpi")],
    &[("Content-Type", "application/json")],
    &[
        ("Content-Type", "application/vnd.api+json; charset=utf-8"),
        ("Accept", "text/html"),
    ],
];

fn with<'a>(mut browser: Browser<'a>, headers: &[(&str, &str)]) -> Browser<'a> {
    for (name, value) in headers {
        browser = browser.header(name, value);
    }
    browser
}

#[track_caller]
fn assert_sent(reply: &Reply, location: &str) {
    assert_eq!(reply.status, Status::SeeOther);
    assert_eq!(reply.location(), Some(location));
    assert_eq!(reply.body, "");
    assert_eq!(reply.header("Content-Type"), None);
}

#[track_caller]
fn assert_bare(reply: &Reply) {
    assert_eq!(reply.status, Status::Unauthorized);
    assert_eq!(reply.location(), None);
    assert_eq!(reply.header("HX-Redirect"), None);
    assert!(reply.set_cookies().is_empty(), "{:?}", reply.set_cookies());
}

macro_rules! every_method {
    ($($name:ident $method:ident),* $(,)?) => {
        $(
            #[login_required]
            #[route($method, uri = "/every")]
            fn $name(ran: &State<Ran>) -> &'static str {
                ran.count();
                "ran"
            }
        )*
    };
}

every_method!(
    get_every GET,
    put_every PUT,
    post_every POST,
    delete_every DELETE,
    options_every OPTIONS,
    patch_every PATCH,
);

fn every() -> Vec<rocket::Route> {
    routes![
        get_every,
        put_every,
        post_every,
        delete_every,
        options_every,
        patch_every
    ]
}

#[test]
fn a_browser_is_redirected_to_the_login_page_with_a_message() {
    let app = App::new().start();
    for headers in NAVIGATIONS {
        for method in [Method::Get, Method::Head] {
            let reply = with(app.browser(), headers).send(method, "/private?a=1&b=2", None);
            assert_sent(&reply, "/login?next=%2Fprivate%3Fa%3D1%26b%3D2");
            assert_eq!(flashed(&reply), flash("message", LOG_IN), "{headers:?}");
            assert_eq!(reply.set_cookies().len(), 1);
        }
    }
}

#[test]
fn the_redirect_keeps_the_headers_of_rockets_shield_fairing() {
    let reply = App::new().start().browser().get("/private");
    assert_eq!(reply.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(reply.header("X-Frame-Options"), Some("SAMEORIGIN"));
    assert!(reply.header("Permissions-Policy").is_some());
}

// D29, R39, T59
#[test]
fn no_method_is_exempt_and_only_get_is_remembered() {
    let app = App::new().routes(every()).start();
    for method in [
        Method::Get,
        Method::Head,
        Method::Put,
        Method::Post,
        Method::Delete,
        Method::Options,
        Method::Patch,
    ] {
        let reply = app.browser().send(method, "/every", None);
        let next = matches!(method, Method::Get | Method::Head);
        assert_sent(
            &reply,
            if next {
                "/login?next=%2Fevery"
            } else {
                "/login"
            },
        );
        assert_eq!(flashed(&reply), flash("message", LOG_IN), "{method}");

        let reply = app
            .browser()
            .header("Accept", "application/json")
            .send(method, "/every", None);
        assert_bare(&reply);
    }
    assert_eq!(Ran::times(&app), 0);
    assert_eq!(
        app.logged_in("alice")
            .send(Method::Options, "/every", None)
            .body,
        "ran"
    );
}

// T60
#[test]
fn exempt_methods_pass_the_attribute_but_not_the_user_guard() {
    #[login_required]
    #[route(OPTIONS, uri = "/private")]
    fn options(user: &User) -> String {
        user.id.clone()
    }

    let app = App::new()
        .with(|manager| manager.exempt_methods([Method::Options]))
        .routes(every())
        .routes(routes![options])
        .start();
    let mut browser = app.browser();
    let reply = browser.send(Method::Options, "/every", None);
    assert_eq!((reply.status, reply.body.as_str()), (Status::Ok, "ran"));
    assert_eq!(app.users.loads(), 0);
    assert_sent(&browser.send(Method::Options, "/private", None), "/login");
    assert_sent(&browser.get("/every"), "/login?next=%2Fevery");
    assert_eq!(Ran::times(&app), 1);
}

#[test]
fn a_script_gets_a_plain_401() {
    let app = App::new().start();
    for headers in SCRIPTS {
        assert_bare(&with(app.browser(), headers).get("/private"));
    }
}

#[catch(401)]
async fn explain(req: &Request<'_>) -> String {
    let guarded = req.guard::<Denied>().await;
    format!(
        "{:?} {:?}",
        Denied::of(req).map(Denied::reason),
        guarded.succeeded().map(Denied::reason)
    )
}

#[get("/own")]
fn own_401(_session: LoginSession<'_, User>) -> Status {
    Status::Unauthorized
}

#[get("/own-page")]
fn own_page() -> (Status, &'static str) {
    (Status::Unauthorized, "wrong password")
}

#[test]
fn the_catcher_of_the_application_gets_the_reason() {
    let app = App::new().routes(routes![own_401]);
    let app = app.start_with(|rocket| rocket.register("/", catchers![explain]));
    let stale = {
        let mut browser = app.browser();
        assert_eq!(
            browser.post("/login", "user=alice&stale=on").status,
            Status::SeeOther
        );
        browser
    };
    let reason = |mut browser: Browser<'_>, path: &str| {
        browser = browser.header("Sec-Fetch-Mode", "cors");
        let reply = browser.get(path);
        assert_bare(&reply);
        reply.body
    };
    let twice = |reason: Option<Reason>| format!("{reason:?} {reason:?}");
    assert_eq!(
        reason(app.browser(), "/private"),
        twice(Some(Reason::Unauthorized))
    );
    assert_eq!(
        reason(app.browser(), "/fresh"),
        twice(Some(Reason::Unauthorized))
    );
    assert_eq!(reason(stale, "/fresh"), twice(Some(Reason::NeedsRefresh)));
    assert_eq!(reason(app.browser(), "/own"), twice(None));
}

#[test]
fn a_401_of_a_handler_is_not_changed() {
    let app = App::new().routes(routes![own_401, own_page]).start();
    for mut browser in [app.browser(), app.logged_in("alice")] {
        assert_bare(&browser.get("/own"));
        let reply = browser.get("/own-page");
        assert_bare(&reply);
        assert_eq!(reply.body, "wrong password");
    }
}

#[test]
fn a_401_of_a_handler_is_not_changed_because_a_fairing_has_asked_for_the_user() {
    let app = App::new().routes(routes![own_401, own_page]);
    let app = app.start_with(|rocket| {
        rocket.attach(AdHoc::on_request("Look", |req, _| {
            Box::pin(async move {
                let _ = req.guard::<Option<&User>>().await;
            })
        }))
    });
    let mut browser = app.browser();
    assert_bare(&browser.get("/own"));
    assert_eq!(browser.get("/own-page").body, "wrong password");
    assert_sent(&browser.get("/private"), "/login?next=%2Fprivate");
}

#[get("/maybe")]
fn maybe(user: CurrentUser<'_, User>) -> (Status, &'static str) {
    match user.user() {
        Some(_) => (Status::Ok, "known"),
        None => (Status::Unauthorized, "wrong password"),
    }
}

#[test]
fn a_401_of_a_handler_with_a_current_user_is_not_changed() {
    let app = App::new().routes(routes![maybe]).start();
    let reply = app.browser().get("/maybe");
    assert_bare(&reply);
    assert_eq!(reply.body, "wrong password");
}

#[test]
fn htmx_gets_a_401_with_a_redirect_header() {
    let app = App::new().start();
    for (current, location) in [
        (
            Some("https://app.example/notes?page=2"),
            "/login?next=%2Fnotes%3Fpage%3D2",
        ),
        (Some("https://evil.com//private"), "/login?next=%2Fprivate"),
        (Some("https://evil.com"), "/login"),
        (Some("//evil.com/private"), "/login"),
        (Some("javascript:alert(1)"), "/login"),
        (Some("/private"), "/login"),
        // Browsers find a host after one slash or three slashes too.
        (Some("https:/a@evil.com/x"), "/login"),
        (Some("https:///evil.com/x"), "/login"),
        (Some("https:/private"), "/login"),
        (Some("http://localhost/login?next=%2Fprivate"), "/login"),
        (Some("http://localhost/%2fevil.com"), "/login"),
        (None, "/login"),
    ] {
        for method in [Method::Get, Method::Post] {
            let mut browser = app.browser().header("HX-Request", "true");
            if let Some(current) = current {
                browser = browser.header("HX-Current-URL", current);
            }
            let reply = browser.send(method, "/private", None);
            assert_eq!(reply.status, Status::Unauthorized);
            assert_eq!(reply.header("HX-Redirect"), Some(location), "{current:?}");
            assert_eq!(reply.location(), None);
            assert!(
                !reply
                    .headers
                    .iter()
                    .any(|(_, value)| value.contains("evil.com/"))
            );
        }
    }
}

#[test]
fn a_boosted_link_of_htmx_wants_the_page_that_it_leads_to() {
    let app = App::new().start();
    for (method, location) in [
        (Method::Get, "/login?next=%2Fprivate%3Fa%3D1"),
        // A posted form leads back to the page with the form.
        (Method::Post, "/login?next=%2Fstart"),
    ] {
        let mut browser = app
            .browser()
            .header("HX-Request", "true")
            .header("HX-Boosted", "true")
            .header("HX-Current-URL", "http://localhost/start");
        let reply = browser.send(method, "/private?a=1", None);
        assert_eq!(reply.status, Status::Unauthorized);
        assert_eq!(reply.header("HX-Redirect"), Some(location));
    }
}

#[test]
fn the_page_of_htmx_may_have_each_character_that_a_browser_leaves_as_it_is() {
    let app = App::new().start();
    for (current, location) in [
        (
            "https://app.example/a|b^c[1]",
            "/login?next=%2Fa%257Cb%255Ec[1]",
        ),
        (
            "http://[::1]:8000/a?b=c|d^`{e}\\",
            "/login?next=%2Fa%3Fb%3Dc%7Cd%5E%60%7Be%7D%255C",
        ),
        ("https://app.example?a", "/login"),
    ] {
        let mut browser = app
            .browser()
            .header("HX-Request", "true")
            .header("HX-Current-URL", current);
        let reply = browser.get("/private");
        assert_eq!(reply.header("HX-Redirect"), Some(location), "{current}");
    }
}

#[test]
fn the_fragment_of_the_htmx_page_is_left_out() {
    let app = App::new().start();
    let mut browser = app
        .browser()
        .header("HX-Request", "true")
        .header("HX-Current-URL", "https://app.example/notes?page=2#top");
    let reply = browser.get("/private");
    assert_eq!(
        reply.header("HX-Redirect"),
        Some("/login?next=%2Fnotes%3Fpage%3D2")
    );
}

#[test]
fn without_a_view_everybody_gets_the_401() {
    let app = app_with(load_user).start();
    for headers in NAVIGATIONS.into_iter().chain(SCRIPTS) {
        assert_bare(&with(app.browser(), headers).get("/private"));
    }
    assert_bare(&app.browser().header("HX-Request", "true").get("/private"));
    let mut stale = app.browser();
    stale.post("/login", "user=alice&stale=on");
    assert_bare(&stale.get("/fresh"));
}

#[test]
fn a_stale_login_is_sent_to_the_refresh_page_and_an_anonymous_visitor_to_the_login_page() {
    let app = App::new().start();
    let mut browser = app.browser();
    assert_sent(&browser.get("/fresh"), "/login?next=%2Ffresh");

    browser.post("/login", "user=alice&stale=on");
    let reply = browser.get("/fresh");
    assert_sent(&reply, "/confirm?next=%2Ffresh");
    let message = "Please reauthenticate to access this page.";
    assert_eq!(flashed(&reply), flash("message", message));
    assert_eq!(browser.get("/private").body, "private of alice");

    assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
    assert_eq!(browser.get("/fresh").body, "fresh alice");
}

#[route(GET, uri = "/by-hand/<stale>")]
fn by_hand(stale: bool, session: LoginSession<'_, User>) -> Deny {
    if stale {
        session.needs_refresh()
    } else {
        session.unauthorized()
    }
}

#[post("/by-hand")]
fn post_by_hand(session: LoginSession<'_, User>) -> Result<&'static str, Deny> {
    Err(session.unauthorized())
}

#[test]
fn a_refusal_by_a_handler_is_answered_like_one_by_a_guard() {
    let app = App::new().routes(routes![by_hand, post_by_hand]);
    let app = app.start_with(|rocket| rocket.register("/", catchers![explain]));
    for mut browser in [app.browser(), app.logged_in("alice")] {
        let reply = browser.get("/by-hand/false");
        assert_sent(&reply, "/login?next=%2Fby-hand%2Ffalse");
        assert_eq!(flashed(&reply), flash("message", LOG_IN));
        assert_sent(
            &browser.get("/by-hand/true"),
            "/confirm?next=%2Fby-hand%2Ftrue",
        );
        assert_sent(&browser.post("/by-hand", ""), "/login");
        let mut script = browser.header("Accept", "application/json");
        let reply = script.get("/by-hand/true");
        assert_bare(&reply);
        assert_eq!(reply.body, "Some(NeedsRefresh) Some(NeedsRefresh)");
    }
}

#[login_required]
#[get("/ranked/<_>", rank = 1)]
fn guarded_rank(ran: &State<Ran>) -> &'static str {
    ran.count();
    "guarded"
}

#[get("/ranked/<_>", rank = 2)]
fn asking_rank(user: &User, ran: &State<Ran>) -> String {
    ran.count();
    user.id.clone()
}

#[get("/ranked/<_>", rank = 3)]
fn open_rank(ran: &State<Ran>) -> &'static str {
    ran.count();
    "open"
}

// K9
#[test]
fn a_lower_ranked_route_never_answers_for_a_guarded_one() {
    for routes in [
        routes![guarded_rank, open_rank],
        routes![asking_rank, open_rank],
    ] {
        let app = App::new().routes(routes).start();
        assert_sent(&app.browser().get("/ranked/1"), "/login?next=%2Franked%2F1");
        assert_eq!(Ran::times(&app), 0);
        assert_ne!(app.logged_in("alice").get("/ranked/1").body, "open");
    }
}

/// A guard that counts its runs.
struct Counted;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Counted {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, ()> {
        req.rocket().state::<Ran>().unwrap().count();
        Outcome::Error((Status::ImATeapot, ()))
    }
}

#[derive(FromForm)]
struct Item {
    price: u32,
}

#[login_required]
#[post("/items/<id>?<page>", data = "<item>")]
fn item(id: u32, page: u32, _counted: Counted, item: Form<Item>) -> String {
    format!("{id} {page} {}", item.price)
}

#[fresh_login_required]
#[get("/items/<id>")]
fn read_item(_counted: Counted, id: u32) -> String {
    id.to_string()
}

#[test]
fn the_login_is_decided_before_guards_parameters_and_body() {
    let app = App::new().routes(routes![item, read_item]).start();
    for path in [
        "/items/1?page=1",
        "/items/x?page=1",
        "/items/1",
        "/items/1?page=x",
    ] {
        assert_sent(&app.browser().post(path, "price=nothing"), "/login");
    }
    assert_sent(&app.browser().get("/items/x"), "/login?next=%2Fitems%2Fx");
    assert_eq!(Ran::times(&app), 0);
    let mut alice = app.logged_in("alice");
    assert_eq!(
        alice.post("/items/1?page=1", "price=1").status,
        Status::ImATeapot
    );
    assert_eq!(Ran::times(&app), 1);
}

#[test]
fn a_page_that_does_not_exist_is_not_a_refusal() {
    let app = App::new().start();
    let reply = app.browser().get("/nowhere");
    assert_eq!(reply.status, Status::NotFound);
    assert_eq!(reply.location(), None);
}
