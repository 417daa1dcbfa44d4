//! Routes for anonymous visitors only.

use rocket::http::Status;
use rocket::{catchers, get, post, routes};
use rocket_login::EventKind::CrossSite;
use rocket_login::{GuardRoutes, anonymous_required, unauthorized_handler};

use super::{emitted, outcome, reason, script, stale, start};
use crate::common::{App, Ran, Running, SESSION, pages};

#[anonymous_required]
#[get("/sign-in?<next>")]
fn sign_in(next: Option<&str>) -> String {
    format!("sign in {}", next.unwrap_or_default())
}

#[anonymous_required(redirect = "/home?tab=1")]
#[post("/sign-in")]
fn post_sign_in(ran: &rocket::State<Ran>) -> &'static str {
    ran.count();
    "signed in"
}

#[get("/sign-up")]
fn sign_up() -> &'static str {
    "sign up"
}

#[unauthorized_handler]
fn teapot() -> Status {
    Status::ImATeapot
}

fn app() -> Running {
    let app = App::new().with(|manager| manager.unauthorized_handler(teapot));
    start(app, |rocket| {
        rocket
            .mount("/", routes![sign_in, post_sign_in])
            .mount("/", pages(&["/", "/home"]))
            .mount("/group", routes![sign_up].anonymous_required("/home"))
            .register("/", catchers![reason])
    })
}

#[test]
fn an_anonymous_visitor_passes() {
    let app = app();
    let mut browser = app.browser();
    for (reply, seen) in [
        (browser.get("/sign-in?next=/a"), "200 sign in /a"),
        (browser.post("/sign-in", ""), "200 signed in"),
        (browser.get("/group/sign-up"), "200 sign up"),
    ] {
        assert_eq!(outcome(&reply), seen);
        // A logged-in user would get another page.
        assert_eq!(reply.header("Vary"), Some("Cookie"));
        assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
    }
    assert_eq!(Ran::times(&app), 1);
}

#[test]
fn a_logged_in_user_is_redirected() {
    let app = app();
    emitted(&app);
    let mut restored = app.remembered("alice");
    restored.restart();
    for mut browser in [app.logged_in("alice"), stale(&app, "alice"), restored] {
        emitted(&app);
        for (reply, elsewhere) in [
            (browser.get("/sign-in"), "303 /"),
            (browser.post("/sign-in", ""), "303 /home?tab=1"),
            (browser.get("/group/sign-up"), "303 /home"),
        ] {
            assert_eq!(outcome(&reply), elsewhere);
            assert_eq!(reply.body, "");
            assert_eq!(reply.header("Vary"), Some("Cookie"));
            assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
            assert!(reply.cookie("_flash").is_none());
        }
        assert_eq!(browser.me(), "alice");
    }
    assert_eq!(Ran::times(&app), 0);
}

#[test]
fn a_logged_in_user_is_redirected_to_the_page_that_stands_in_next() {
    let app = app();
    let mut alice = app.logged_in("alice");
    for (path, elsewhere) in [
        ("/sign-in?next=/reports%3Fyear=1", "303 /reports?year=1"),
        ("/group/sign-up?next=/reports", "303 /reports"),
        // Neither a login page nor the page itself.
        ("/sign-in?next=/login", "303 /"),
        ("/group/sign-up?next=/group/sign-up", "303 /home"),
        ("/sign-in?next=", "303 /"),
    ] {
        assert_eq!(outcome(&alice.get(path)), elsewhere, "{path}");
    }
    let mut htmx = alice.header("HX-Request", "true");
    let reply = htmx.get("/sign-in?next=/reports");
    assert_eq!(reply.header("HX-Redirect"), Some("/reports"));
}

#[test]
fn a_script_gets_an_answer_that_it_understands() {
    let app = app();
    let alice = app.logged_in("alice");
    emitted(&app);
    let reply = script(alice.clone()).get("/sign-in");
    assert_eq!(outcome(&reply), "403 caught AlreadyLoggedIn");
    assert_eq!(reply.header("HX-Redirect"), None);

    let mut htmx = alice
        .header("HX-Request", "true")
        .header("HX-Current-URL", "http://evil.example/x");
    let reply = htmx.get("/group/sign-up");
    assert_eq!(reply.status, Status::Forbidden);
    assert_eq!(reply.header("HX-Redirect"), Some("/home"));
    assert_eq!(reply.location(), None);
    // This is not worth an event.
    assert_eq!(emitted(&app), []);
}

#[test]
fn no_request_can_choose_the_redirect() {
    let app = app();
    let hostile = |name, value| app.logged_in("alice").header(name, value);
    for mut browser in [
        hostile("Referer", "https://evil.example/"),
        hostile("Host", "evil.example"),
        hostile("X-Forwarded-Host", "evil.example"),
    ] {
        for path in [
            "/sign-in?next=//evil.example",
            "/sign-in?next=https%3A%2F%2Fevil.example&redirect=//evil.example",
            "/sign-in?next=/x&next=//evil.example",
            "/sign-in/?next=//evil.example",
        ] {
            let reply = browser.get(path);
            if reply.status == Status::SeeOther {
                assert_eq!(reply.location(), Some("/"), "{path}");
            } else {
                // For Rocket, `/sign-in/` is not `/sign-in`.
                assert_eq!(outcome(&reply), "404 caught 404", "{path}");
            }
        }
        assert_eq!(
            outcome(&browser.get("/sign-in?next=//evil.example")),
            "303 /"
        );
    }
}

#[test]
fn a_group_redirects_nobody_to_another_site() {
    // The attribute refuses such a literal; a group must at least not redirect there.
    for redirect in [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "home",
        "",
    ] {
        let launched = std::panic::catch_unwind(|| {
            start(App::new(), |rocket| {
                rocket.mount("/group", routes![sign_up].anonymous_required(redirect))
            })
        });
        if let Ok(app) = launched {
            let reply = app.logged_in("alice").get("/group/sign-up");
            panic!(
                "{redirect:?}: launched, and leads to {:?}",
                reply.location()
            );
        }
    }
}

#[test]
fn the_inactive_user_of_a_forced_login_counts_as_anonymous() {
    let app = app();
    app.users.change("alice", |alice| alice.active = false);
    let mut browser = app.browser();
    browser.post("/login", "user=alice&force=on");
    assert_eq!(browser.me(), "inactive alice");
    assert_eq!(outcome(&browser.get("/sign-in")), "200 sign in ");
}

#[test]
fn an_invalid_cookie_counts_as_anonymous() {
    let app = app();
    let mut browser = app.logged_in("alice");
    browser.clone().post("/logout", "");
    assert_eq!(outcome(&browser.get("/sign-in")), "200 sign in ");
    let mut forged = app.browser();
    forged.cookies.insert(SESSION.into(), "forged".into());
    assert_eq!(outcome(&forged.get("/sign-in")), "200 sign in ");
}

#[test]
fn a_visitor_whose_user_cannot_be_determined_does_not_pass() {
    let app = app();
    let mut browser = app.logged_in("alice");
    app.users.fail(true);
    for reply in [
        browser.get("/sign-in"),
        browser.post("/sign-in", ""),
        browser.get("/group/sign-up"),
    ] {
        assert_eq!(outcome(&reply), "503 caught 503");
        assert!(reply.set_cookies().is_empty());
    }
    assert_eq!(Ran::times(&app), 0);
}

#[test]
fn a_login_from_another_site_is_refused() {
    // Login CSRF: the attack needs a form for anonymous visitors.
    let app = app();
    let mut evil = app.browser().header("Sec-Fetch-Site", "cross-site");
    assert_eq!(outcome(&evil.post("/sign-in", "")), "403 caught CrossSite");
    assert_eq!(emitted(&app), [(CrossSite, None)]);
    assert_eq!(Ran::times(&app), 0);
}

#[test]
fn an_exempt_method_opens_no_anonymous_route() {
    // `exempt_methods` applies only to guards that require a login.
    let app = App::new().with(|manager| manager.exempt_methods([rocket::http::Method::Get]));
    let routes = [routes![sign_in], pages(&["/"])].concat();
    let app = start(app, |rocket| rocket.mount("/", routes));
    assert_eq!(outcome(&app.logged_in("alice").get("/sign-in")), "303 /");
}
