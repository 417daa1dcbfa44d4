//! Public routes load no user and do not vary by cookie.

use rocket::{get, routes};
use rocket_login::{CurrentUser, GuardRoutes, public};

use super::{outcome, start};
use crate::common::{App, User};

#[public]
#[get("/imprint")]
fn imprint() -> &'static str {
    "imprint"
}

#[public]
#[get("/hello")]
fn hello(user: CurrentUser<'_, User>) -> String {
    user.get_id().unwrap_or_else(|| "stranger".into())
}

#[get("/terms")]
fn terms() -> &'static str {
    "terms"
}

#[test]
fn a_public_route_loads_no_user() {
    let app = start(App::new(), |rocket| {
        rocket
            .mount("/", routes![imprint])
            .mount("/", routes![terms].public())
    });
    let mut forged = app.browser();
    forged
        .cookies
        .insert(crate::common::SESSION.into(), "forged".into());
    app.users.fail(true);
    for browser in [
        app.browser(),
        app.logged_in("alice"),
        app.remembered("bob"),
        forged,
    ] {
        for (path, seen) in [("/imprint", "200 imprint"), ("/terms", "200 terms")] {
            let reply = browser.clone().get(path);
            assert_eq!(outcome(&reply), seen);
            for header in ["Vary", "Cache-Control", "Set-Cookie"] {
                assert_eq!(reply.header(header), None, "{path} {header}");
            }
        }
    }
    assert_eq!(app.users.loads(), 0);
}

#[test]
fn a_cross_site_change_reaches_a_public_route() {
    #[public]
    #[rocket::post("/webhook")]
    fn webhook() -> &'static str {
        "heard"
    }
    let app = start(App::new(), |rocket| rocket.mount("/", routes![webhook]));
    let mut other = app.browser().header("Sec-Fetch-Site", "cross-site");
    assert_eq!(outcome(&other.post("/webhook", "")), "200 heard");
}

#[test]
fn a_public_route_may_still_use_the_user() {
    let app = start(App::new(), |rocket| rocket.mount("/", routes![hello]));
    assert_eq!(outcome(&app.browser().get("/hello")), "200 stranger");
    let reply = app.logged_in("alice").get("/hello");
    assert_eq!(outcome(&reply), "200 alice");
    assert_eq!(reply.header("Vary"), Some("Cookie"));
}
