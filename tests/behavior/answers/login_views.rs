//! Where the login page is.

use rocket::http::Status;
use rocket::{get, routes};
use rocket_login::{LoginManager, login_required};

use crate::common::{App, User};

#[login_required]
#[get("/<_..>", rank = 20)]
fn anything() -> &'static str {
    "anything"
}

/// The redirect of an anonymous visitor of `path`.
fn sent(
    path: &str,
    change: impl FnOnce(LoginManager<User>) -> LoginManager<User>,
) -> Option<String> {
    let app = App::new().with(change).routes(routes![anything]).start();
    let reply = app.browser().get(path);
    assert_eq!(reply.status, Status::SeeOther, "{path}");
    reply.location().map(str::to_owned)
}

fn areas(manager: LoginManager<User>) -> LoginManager<User> {
    manager
        .mount_login_view("/staff", "/staff/login")
        .mount_login_view("/staff/boss/", "/boss/login?area=boss")
        .mount_login_view("/shop", "https://sso.example/login")
}

// D18, D19, D31
#[test]
fn the_longest_matching_mount_point_chooses_the_login_page() {
    for (path, location) in [
        ("/staff/notes", "/staff/login?next=%2Fstaff%2Fnotes"),
        ("/staff", "/staff/login?next=%2Fstaff"),
        ("/staff/boss", "/boss/login?area=boss&next=%2Fstaff%2Fboss"),
        (
            "/staff/boss/a/b",
            "/boss/login?area=boss&next=%2Fstaff%2Fboss%2Fa%2Fb",
        ),
        ("//staff//notes", "/staff/login?next=%2Fstaff%2Fnotes"),
        ("/staffing", "/login?next=%2Fstaffing"),
        ("/elsewhere/staff", "/login?next=%2Felsewhere%2Fstaff"),
        ("/shop/cart", "https://sso.example/login"),
    ] {
        assert_eq!(sent(path, areas).as_deref(), Some(location), "{path}");
    }
}

#[test]
fn the_order_of_the_setters_does_not_matter() {
    let location = |change: fn(LoginManager<User>) -> LoginManager<User>| sent("/x", change);
    let first = location(|manager| {
        manager
            .mount_login_view("/staff", "/s")
            .login_view("/front")
    });
    let last = location(|manager| {
        manager
            .login_view("/front")
            .mount_login_view("/staff", "/s")
    });
    assert_eq!(first.as_deref(), Some("/front?next=%2Fx"));
    assert_eq!(last, first);
}

#[test]
fn a_mount_point_matches_escaped_paths_as_rocket_routes_them() {
    let location = sent("/%73taff/notes", areas).unwrap();
    assert!(location.starts_with("/staff/login"), "{location}");
}

#[test]
fn mount_points_can_be_set_in_rockets_configuration() {
    let app = App::new()
        .set(
            "login.mount_login_views",
            std::collections::BTreeMap::from([("/private", "/vault")]),
        )
        .start();
    let reply = app.browser().get("/private");
    assert_eq!(reply.location(), Some("/vault?next=%2Fprivate"));
}

#[test]
fn a_login_page_keeps_its_own_query() {
    let location = sent("/private", |manager| {
        manager.login_view("/login?lang=en&next=/old&a=")
    });
    assert_eq!(
        location.as_deref(),
        Some("/login?lang=en&next=%2Fprivate&a=")
    );
}

// D20
#[test]
fn a_forced_host_appears_in_every_redirect_to_this_site() {
    let forced =
        |manager: LoginManager<User>| areas(manager).force_host_for_redirects("app.example:8443");
    for (path, location) in [
        ("/private", "//app.example:8443/login?next=%2Fprivate"),
        (
            "/staff/x",
            "//app.example:8443/staff/login?next=%2Fstaff%2Fx",
        ),
        (
            "/shop/cart",
            "https://sso.example/login?next=http:%2F%2Fapp.example:8443%2Fshop%2Fcart",
        ),
    ] {
        assert_eq!(sent(path, forced).as_deref(), Some(location), "{path}");
    }
    // Also without a `next` in the URL.
    let kept = sent("/private", |manager| {
        forced(manager).use_session_for_next(true)
    });
    assert_eq!(kept.as_deref(), Some("//app.example:8443/login"));
}

// D28, R42
#[test]
fn an_external_login_page_gets_a_way_back_from_the_configuration_only() {
    let external = |manager: LoginManager<User>| manager.login_view("https://sso.example/in?app=a");
    let location = sent("/private", external);
    assert_eq!(location.as_deref(), Some("https://sso.example/in?app=a"));
    let location = sent("/private", |manager| {
        external(manager).force_host_for_redirects("app.example")
    });
    assert_eq!(
        location.as_deref(),
        Some("https://sso.example/in?app=a&next=http:%2F%2Fapp.example%2Fprivate")
    );
}

#[test]
fn the_way_back_uses_https_if_the_site_does() {
    let app = App::new()
        .with(|manager| {
            manager
                .login_view("https://sso.example/in")
                .force_host_for_redirects("app.example")
        })
        .release()
        .start();
    assert_eq!(
        app.browser().get("/private").location(),
        Some("https://sso.example/in?next=https:%2F%2Fapp.example%2Fprivate")
    );
}

#[test]
fn an_external_refresh_page_works_the_same_way() {
    let app = App::new()
        .with(|manager| {
            manager
                .refresh_view("https://sso.example/again")
                .force_host_for_redirects("app.example")
        })
        .start();
    let mut browser = app.browser();
    browser.post("/login", "user=alice&stale=on");
    assert_eq!(
        browser.get("/fresh").location(),
        Some("https://sso.example/again?next=http:%2F%2Fapp.example%2Ffresh")
    );
}

#[test]
fn the_uri_macro_can_name_a_login_page() {
    #[get("/sign-in?<lang>")]
    fn sign_in(lang: &str) -> String {
        lang.into()
    }

    let location = sent("/private", |manager| {
        manager.login_view(rocket::uri!(sign_in("en")))
    });
    assert_eq!(
        location.as_deref(),
        Some("/sign-in?lang=en&next=%2Fprivate")
    );
    let _ = routes![sign_in];
}
