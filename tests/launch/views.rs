//! The login and refresh views: a launch warns where those who are sent there see no page.

use rocket::fs::FileServer;
use rocket::{Route, get, routes};
use rocket_login::{
    GuardRoutes, RouteGuard, anonymous_required, fresh_login_required, login_required,
};

use crate::common::User;
use crate::{Staff, debug, launch, site, staff, users};

#[get("/login")]
fn open() {}

#[login_required]
#[get("/login")]
fn guarded() {}

#[fresh_login_required]
#[get("/login")]
fn fresh() {}

#[anonymous_required]
#[get("/login")]
fn anonymous() {}

#[login_required(forward)]
#[get("/login")]
fn forwarding() {}

#[get("/login", rank = 2)]
fn second() {}

#[login_required]
#[get("/login", rank = 2)]
fn guarded_second() {}

#[login_required(User)]
#[get("/<_page>")]
fn any_page(_page: &str) {}

#[login_required(Staff)]
#[get("/login")]
fn of_staff() {}

/// Launches with the login view `/a/login`, or with the same as the refresh view.
fn with_view(setting: &str, routes: Vec<Route>) -> crate::Launch {
    let toml = format!("[default.login]\n{setting} = '/a/login?lang=en'");
    launch(|| site(debug(&toml), users()).mount("/a", routes))
}

#[test]
fn a_login_view_that_refuses_the_anonymous_is_warned_of() {
    for routes in [
        routes![guarded],
        routes![fresh],
        routes![open].login_required(),
        routes![open, second].login_required(),
        routes![guarded, second],
        routes![any_page],
        routes![forwarding],
        routes![forwarding, guarded_second],
        [routes![guarded], FileServer::from("/").into()].concat(),
    ] {
        let warning = with_view("login_view", routes).warned();
        for part in [
            "`/a/login`",
            "so that nobody can log in",
            "remove the guard",
        ] {
            assert!(warning.contains(part), "{warning}");
        }
    }
    for routes in [
        routes![open],
        routes![anonymous],
        routes![forwarding, second],
        routes![open, guarded_second],
        routes![open, any_page],
        routes![open].public(),
        FileServer::from("/").into(),
    ] {
        with_view("login_view", routes).went_well();
    }
}

#[test]
fn a_refresh_view_that_refuses_the_stale_is_warned_of() {
    for routes in [
        routes![fresh],
        routes![anonymous],
        routes![open].fresh_login_required(),
        routes![guarded].anonymous_required("/"),
    ] {
        let warning = with_view("refresh_view", routes).warned();
        for part in ["`/a/login`", "not fresh", "remove the guard"] {
            assert!(warning.contains(part), "{warning}");
        }
    }
    for routes in [routes![open], routes![guarded], routes![any_page]] {
        with_view("refresh_view", routes).went_well();
    }
}

#[test]
fn a_view_that_no_route_answers_is_warned_of() {
    for setting in ["login_view", "refresh_view"] {
        for routes in [routes![], routes![nested]] {
            let warning = with_view(setting, routes).warned();
            assert!(warning.contains("`/a/login`"), "{warning}");
            assert!(warning.contains("no GET route answers there"), "{warning}");
        }
    }
    let toml = "[default.login]\nmount_login_views = { '/shop' = '/shop/login' }";
    let warning = launch(|| site(debug(toml), users())).warned();
    assert!(warning.contains("`/shop/login`"), "{warning}");
    // Nothing is known of another site's page but that this site must be named for it.
    let toml = "[default.login]\nlogin_view = 'https://id.example/login'\nforce_host_for_redirects = 'a.example'";
    launch(|| site(debug(toml), users())).went_well();
}

#[get("/nested/login")]
fn nested() {}

#[test]
fn only_the_realm_of_a_view_can_refuse_its_visitors() {
    let both = |routes: Vec<Route>| {
        launch(|| {
            site(debug(""), users().login_view("/a/login"))
                .attach(staff())
                .mount("/a", routes)
        })
    };
    both(routes![of_staff]).went_well();
    both(routes![open].guarded(RouteGuard::login().user::<Staff>())).went_well();
    let of_users = RouteGuard::login().user::<User>();
    both(routes![open].guarded(of_users)).warned();
    both(routes![of_staff].guarded(of_users)).warned();
}

#[test]
fn a_view_that_exempt_methods_opens_refuses_nobody() {
    let manager = || users().login_view("/a/login");
    let exempt = || manager().exempt_methods([rocket::http::Method::Get]);
    launch(|| site(debug(""), manager()).mount("/a", routes![guarded])).warned();
    let warning = launch(|| site(debug(""), exempt()).mount("/a", routes![guarded])).warned();
    assert!(warning.contains("exempt_methods"), "{warning}");
}
