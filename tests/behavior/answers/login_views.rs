//! Where the login page is.

use rocket::http::Status;
use rocket::{get, routes};
use rocket_login::{LoginManager, LoginSession, fresh_login_required, login_required};

use crate::common::socket::{Server, cookie, header};
use crate::common::{App, User, pages};

#[login_required]
#[get("/<_..>", rank = 20)]
fn anything() -> &'static str {
    "anything"
}

/// The pages to which the tests redirect, besides those of the application.
const PAGES: [&str; 7] = [
    "/staff/login",
    "/boss/login",
    "/front",
    "/s",
    "/vault",
    "/console",
    "/sign-in",
];

/// The redirect of an anonymous visitor of `path`.
fn sent(
    path: &str,
    change: impl FnOnce(LoginManager<User>) -> LoginManager<User>,
) -> Option<String> {
    let app = App::new().with(change).routes(routes![anything]);
    let app = app.routes(pages(&PAGES)).start();
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
        .routes(pages(&PAGES))
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

#[test]
fn a_login_page_keeps_its_own_fragment() {
    for (view, location) in [
        ("/login#form", "/login?next=%2Fprivate#form"),
        ("/login?a=1#form", "/login?a=1&next=%2Fprivate#form"),
        ("https://sso.example/#form", "https://sso.example/#form"),
    ] {
        let login = sent("/private", |manager| manager.login_view(view));
        assert_eq!(login.as_deref(), Some(location), "{view}");
        let mounted = sent("/private", |manager| {
            manager.mount_login_view("/private", view)
        });
        assert_eq!(mounted.as_deref(), Some(location), "{view}");
    }
    let kept = sent("/private", |manager| {
        manager
            .login_view("/login#form")
            .use_session_for_next(true)
            .force_host_for_redirects("app.example")
    });
    assert_eq!(kept.as_deref(), Some("//app.example/login#form"));
    // The fragment does not hide that it is a login page.
    let app = App::new().with(|manager| manager.login_view("/login#form"));
    let reply = app
        .start()
        .browser()
        .post("/login?next=/login", "user=alice");
    assert_eq!(reply.location(), Some("/"));
}

/// The server's reply to this request line, host and form.
fn ask(server: &Server, line: &str, host: &str, form: &str) -> String {
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    server.raw(request.as_bytes())
}

#[test]
fn a_login_page_with_the_host_of_the_request_gets_the_path() {
    for (host, view, location) in [
        (
            "app.example.test",
            "http://app.example.test/login",
            "http://app.example.test/login?next=%2Fprivate",
        ),
        (
            "app.example.test:8000",
            "http://app.example.test:8000/login?a=b#c",
            "http://app.example.test:8000/login?a=b&next=%2Fprivate#c",
        ),
        // The client chooses its host: what it sends is compared, and never part of a redirect.
        (
            "evil.example",
            "http://app.example.test/login",
            "http://app.example.test/login",
        ),
        (
            "app.example.test:8000",
            "http://app.example.test/login",
            "http://app.example.test/login",
        ),
        (
            "app.example.test@evil.example",
            "http://app.example.test/login",
            "http://app.example.test/login",
        ),
    ] {
        let server = Server::start(App::new().with(|manager| manager.login_view(view)).rocket());
        let reply = ask(&server, "GET /private", host, "");
        assert_eq!(header(&reply, "location"), [location], "{host}");
        // A page elsewhere cannot show the message.
        let flashes = cookie(&reply, "_flash").is_some();
        assert_eq!(flashes, location.contains("next="), "{host}");
    }
    // On its host it is a login page of this site, and `next` does not lead there.
    let view = "http://app.example.test/sign-in";
    let server = Server::start(App::new().with(|manager| manager.login_view(view)).rocket());
    for (host, location) in [("app.example.test", "/"), ("other.example", "/sign-in")] {
        let reply = ask(&server, "POST /login?next=/sign-in", host, "user=alice");
        assert_eq!(header(&reply, "location"), [location], "{host}");
    }
}

#[test]
fn an_area_can_have_no_login_page() {
    let none: fn(LoginManager<User>) -> LoginManager<User> = |manager| {
        manager
            .mount_without_login_view("/api")
            .mount_login_view("/api/console", "/console")
    };
    let in_code = App::new().with(none);
    let in_the_file = App::new().set(
        "login.mount_login_views",
        serde_json::json!({ "/api": false, "/api/console": "/console" }),
    );
    for app in [in_code, in_the_file] {
        let app = app
            .routes(routes![anything, fresh_area])
            .routes(pages(&PAGES));
        let app = app.start();
        let mut browser = app.browser().header("Accept", "text/html");
        let reply = browser.get("/api/orders");
        assert_eq!(reply.status, Status::Unauthorized);
        assert_eq!(reply.location(), None);
        assert!(reply.set_cookies().is_empty());
        let reply = browser.clone().header("HX-Request", "true").get("/api/x");
        assert_eq!(reply.header("HX-Redirect"), None);
        let location = |path: &str| app.browser().get(path).location().map(str::to_owned);
        let console = location("/api/console/x");
        assert_eq!(
            console.as_deref(),
            Some("/console?next=%2Fapi%2Fconsole%2Fx")
        );
        assert_eq!(location("/x").as_deref(), Some("/login?next=%2Fx"));
        // Nor a page for a login that is not fresh.
        let mut stale = app.logged_in_with("alice", "stale=on");
        assert_eq!(stale.get("/api/fresh").status, Status::Unauthorized);
        assert_eq!(stale.get("/fresh").status, Status::SeeOther);
    }
}

#[fresh_login_required]
#[get("/api/fresh")]
fn fresh_area() {}

#[get("/urls?<view>")]
fn urls(view: &str, session: LoginSession<'_, User>) -> String {
    let to = |next| session.login_url(view, next, "to");
    format!("{} {}", to(None), to(Some("/a?b")))
}

#[test]
fn a_forced_host_appears_in_the_urls_that_an_application_builds() {
    let forced = App::new().with(|manager| manager.force_host_for_redirects("app.example"));
    for (app, expected) in [
        (App::new(), "/login /login?to=%2Fa%3Fb"),
        (
            forced,
            "//app.example/login //app.example/login?to=%2Fa%3Fb",
        ),
    ] {
        let app = app.routes(routes![urls]).start();
        let urls = |view: &str| app.browser().get(&format!("/urls?view={view}")).body;
        assert_eq!(urls("/login"), expected);
        let elsewhere = "https://sso.example/in https://sso.example/in?to=%2Fa%3Fb";
        assert_eq!(urls("https://sso.example/in"), elsewhere);
    }
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
