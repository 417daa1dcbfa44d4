//! Requests that another site causes.

use rocket::http::{Method, Status};
use rocket::{State, get, routes};
use rocket_login::{LoginError, LoginSession, config::CrossSiteProtection, login_required};

use crate::common::socket::{Server, body, cookie, status};
use crate::common::{App, Browser, SESSION, User, Users, change_methods_late};

type Headers<'a> = &'a [(&'a str, &'a str)];

fn with<'a>(mut browser: Browser<'a>, headers: Headers<'_>) -> Browser<'a> {
    for (name, value) in headers {
        browser = browser.header(name, value);
    }
    browser
}

const CHANGES: [(&str, &str); 5] = [
    ("/login", "user=bob"),
    ("/logout", ""),
    ("/logout-everywhere", ""),
    ("/confirm", "alice"),
    ("/private", ""),
];

#[track_caller]
fn assert_refused(app: App, headers: Headers<'_>) {
    let app = app.start();
    let browser = app.logged_in("alice");
    for (path, form) in CHANGES {
        let reply = with(browser.clone(), headers).post(path, form);
        assert_eq!(reply.status, Status::Forbidden, "{path} {headers:?}");
        assert!(reply.set_cookies().is_empty(), "{path} {headers:?}");
        assert!(!reply.body.contains("posted by"));
        assert_eq!(browser.clone().me(), "alice", "{path} {headers:?}");
    }
    let mut anonymous = with(app.browser(), headers);
    assert_eq!(anonymous.login("bob").status, Status::Forbidden);
    assert_eq!(anonymous.post("/private", "").status, Status::Forbidden);
    assert_eq!(anonymous.me(), "anonymous");
}

#[track_caller]
fn assert_allowed(app: App, headers: Headers<'_>) {
    let app = app.start();
    for (path, form) in CHANGES {
        let reply = with(app.logged_in("alice"), headers).post(path, form);
        let ok = matches!(reply.status, Status::Ok | Status::SeeOther);
        assert!(ok, "{path} {headers:?}: {}", reply.status);
        assert!(
            path == "/private" || reply.cookie(SESSION).is_some(),
            "{path}"
        );
    }
}

fn guarded_by(protection: CrossSiteProtection) -> App {
    App::new().with(|manager| manager.cross_site_protection(protection))
}

// R43, T68, T69, T72
#[test]
fn another_site_can_change_nothing() {
    for headers in [
        &[("Sec-Fetch-Site", "cross-site")][..],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "")],
        &[("Sec-Fetch-Site", "SAME-ORIGIN")],
        &[
            ("Sec-Fetch-Site", "cross-site"),
            ("Origin", "http://localhost"),
        ],
        &[("Origin", "https://evil.com")],
        &[("Origin", "null")],
        &[("Origin", "")],
        &[("Origin", "nonsense")],
    ] {
        assert_refused(App::new(), headers);
    }
}

#[test]
fn this_site_and_programs_can_change_logins() {
    for headers in [
        &[][..],
        &[("Sec-Fetch-Site", "same-origin")],
        &[("Sec-Fetch-Site", "none")],
        &[("Sec-Fetch-Site", "same-origin"), ("Origin", "null")],
    ] {
        assert_allowed(App::new(), headers);
    }
}

#[test]
fn strict_protection_refuses_requests_without_an_origin() {
    let app = guarded_by(CrossSiteProtection::Strict).start();
    let mut browser = app.browser();
    assert_eq!(browser.login("alice").status, Status::Forbidden);
    assert_eq!(browser.me(), "anonymous");
    assert_eq!(browser.post("/private", "").status, Status::Forbidden);
    let mut browser = browser.header("Sec-Fetch-Site", "same-origin");
    assert_eq!(browser.login("alice").status, Status::SeeOther);
    assert_eq!(browser.post("/private", "").body, "posted by alice");
}

#[test]
fn off_refuses_nothing() {
    for headers in [
        &[("Sec-Fetch-Site", "cross-site")][..],
        &[("Origin", "https://evil.com")],
        &[("Origin", "null")],
    ] {
        assert_allowed(guarded_by(CrossSiteProtection::Off), headers);
    }
}

#[test]
fn only_trusted_origins_are_accepted() {
    let app = || {
        App::new().set(
            "login.trusted_origins",
            [
                "https://partner.example",
                "http://x.test:81",
                "https://*.wild.example",
                "tauri://localhost",
            ],
        )
    };
    for headers in [
        &[("Origin", "https://partner.example")][..],
        &[
            ("Origin", "https://partner.example"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        &[
            ("Origin", "http://x.test:81"),
            ("Sec-Fetch-Site", "same-site"),
        ],
        &[
            ("Origin", "https://a.b.wild.example"),
            ("Sec-Fetch-Site", "cross-site"),
        ],
        &[("Origin", "tauri://localhost")],
    ] {
        assert_allowed(app(), headers);
    }
    for origin in [
        "http://partner.example",
        "https://partner.example:444",
        "https://partner.example.evil.com",
        "https://evil.com/https://partner.example",
        "https://a@partner.example",
        "http://x.test",
        "https://wild.example",
        "http://a.wild.example",
        "https://evilwild.example",
        "capacitor://localhost",
        "tauri://evil",
        "null",
    ] {
        assert_refused(app(), &[("Origin", origin)]);
        assert_refused(
            app(),
            &[("Origin", origin), ("Sec-Fetch-Site", "cross-site")],
        );
    }
}

// T69
#[test]
fn an_origin_is_compared_with_the_requested_host() {
    let server = Server::start(App::new().rocket());
    for (origin, refused) in [
        ("http://localhost", false),
        ("http://LOCALHOST:80", false),
        // In the debug profile it is unknown whether a proxy in front uses https.
        ("https://localhost", false),
        ("http://localhost:8000", true),
        ("http://localhost.evil.com", true),
        ("http://evil.com", true),
    ] {
        let header = format!("Origin: {origin}");
        let reply = server.post("/login", &[header.as_bytes()], "user=alice");
        let expected = if refused { 403 } else { 303 };
        assert_eq!(status(&reply), expected, "{origin}");
        assert_eq!(cookie(&reply, SESSION).is_none(), refused, "{origin}");
    }
    let reply = server.post(
        "/login",
        &[b"Origin: http://evil.com", b"X-Forwarded-Host: evil.com"],
        "user=alice",
    );
    assert_eq!(status(&reply), 403);
}

#[test]
fn over_https_an_http_origin_is_another_site() {
    let server = Server::start(App::new().release().rocket());
    for (origin, expected) in [("https://localhost", 303), ("http://localhost", 403)] {
        let header = format!("Origin: {origin}");
        let reply = server.post("/login", &[header.as_bytes()], "user=alice");
        assert_eq!(status(&reply), expected, "{origin}: {}", body(&reply));
    }
}

#[get("/enter/<name>?<allowed>")]
async fn enter(
    name: &str,
    allowed: bool,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<&'static str, LoginError> {
    let user = users.get(name).ok_or(LoginError::NotLoggedIn)?;
    let login = session.login_user(&user);
    let login = if allowed {
        login.allow_cross_site()
    } else {
        login
    };
    login.await?;
    Ok("entered")
}

#[get("/leave?<allowed>")]
async fn leave(allowed: bool, session: LoginSession<'_, User>) -> Result<&'static str, LoginError> {
    let logout = session.logout_user();
    let logout = if allowed {
        logout.allow_cross_site()
    } else {
        logout
    };
    let result = logout.await;
    if !allowed {
        assert!(matches!(
            result,
            Err(LoginError::SafeMethod | LoginError::CrossSite)
        ));
    }
    result?;
    Ok("left")
}

// T70
#[test]
fn a_safe_method_changes_no_login_unless_allowed() {
    let app = App::new().routes(routes![enter, leave]).start();
    let browser = app.logged_in("alice");
    for method in [Method::Get, Method::Head] {
        for headers in [&[][..], &[("Sec-Fetch-Site", "same-origin")]] {
            let mut browser = with(browser.clone(), headers);
            for path in ["/leave?allowed=false", "/enter/bob?allowed=false"] {
                let reply = browser.send(method, path, None);
                assert_eq!(reply.status, Status::Forbidden, "{path}");
                assert!(reply.set_cookies().is_empty(), "{path}");
            }
            assert_eq!(browser.me(), "alice");
        }
    }
    let mut back = browser.header("Sec-Fetch-Site", "cross-site");
    assert_eq!(back.get("/enter/bob?allowed=true").body, "entered");
    assert_eq!(back.me(), "bob");
    assert_eq!(back.get("/leave?allowed=true").body, "left");
    assert_eq!(back.me(), "anonymous");
    // Plain GET of the POST routes.
    assert_eq!(back.get("/logout").status, Status::NotFound);
}

#[login_required]
#[get("/read")]
fn read(user: &User) -> String {
    user.id.clone()
}

#[test]
fn a_link_from_another_site_still_leads_to_guarded_pages() {
    let app = App::new().routes(routes![read]).start();
    let mut browser = app
        .logged_in("alice")
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(browser.get("/read").body, "alice");
    assert_eq!(browser.get("/private").body, "private of alice");
    assert_eq!(browser.send(Method::Head, "/read", None).status, Status::Ok);
}

// K11
#[test]
fn a_method_override_is_judged_by_the_final_method() {
    #[login_required]
    #[rocket::delete("/item")]
    fn remove() -> &'static str {
        "removed"
    }

    let app = App::new().routes(routes![remove]).start();
    let mut evil = app
        .logged_in("alice")
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(
        evil.post("/item", "_method=delete").status,
        Status::Forbidden
    );
    let mut own = app.logged_in("alice");
    assert_eq!(own.post("/item", "_method=delete").body, "removed");
}

// K11
#[test]
fn a_method_that_a_fairing_changes_is_judged_by_the_final_method() {
    let app = App::new().start_with(change_methods_late);
    let mut evil = app
        .logged_in("alice")
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(evil.get("/private?post").status, Status::Forbidden);
    assert_eq!(evil.get("/logout?post").status, Status::Forbidden);
    assert_eq!(evil.get("/private").body, "private of alice");
    let mut own = app
        .logged_in("alice")
        .header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.get("/private?post").body, "posted by alice");
}

// T65
#[test]
fn a_referer_of_another_site_is_never_the_wanted_page() {
    let app = App::new().start();
    let mut browser = app
        .logged_in("alice")
        .header("Referer", "https://evil.com/form");
    app.clock.advance(std::time::Duration::from_secs(3600));
    let reply = browser.post("/private", "");
    assert_eq!(reply.status, Status::SeeOther);
    assert_eq!(reply.location(), Some("/login"));
    assert!(
        reply
            .headers
            .iter()
            .all(|(_, value)| !value.contains("evil.com"))
    );
}
