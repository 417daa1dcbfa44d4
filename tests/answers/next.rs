//! `next`: the page to go to after the login, which is always one of this site.

use std::time::Duration;

use rocket::http::{SameSite, Status};
use rocket::{get, routes};
use rocket_login::{LoginSession, Next, Refuse};

use crate::common::socket::{Server, header, status};
use crate::common::{App, Browser, User};
use crate::{escaped, flashed};

const NEXT: &str = "login_next";

// SECURITY.md, 3.5
const REFUSED: [&str; 47] = [
    "//evil.com",
    "///evil.com",
    "/\\evil.com",
    "/\\/evil.com",
    "\\\\evil.com",
    "\\/evil.com",
    "/\t/evil.com",
    "\t//evil.com",
    "\0//evil.com",
    " //evil.com",
    "\u{a0}//evil.com",
    "https://evil.com",
    "HTTPS://evil.com",
    "https:evil.com",
    "https:/evil.com",
    "http:\\\\evil.com",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "file:///x",
    "//app.example@evil.com",
    "https://app.example.evil.com",
    "//evil.com#app.example",
    "/%09/evil.com",
    "/%2f/evil.com",
    "/%2F/evil.com",
    "/%5cevil.com",
    "%2f%2fevil.com",
    "/%252f/evil.com",
    "/.//evil.com",
    "/x/..//evil.com",
    "/%2e//evil.com",
    "/%2E%2e/x",
    "evil.com",
    "@evil.com",
    "/a\r\nSet-Cookie: x=1",
    "/a%0d%0aSet-Cookie:%20x=1",
    "/a?b=%0d%0ax",
    "/a\u{7f}",
    "//[::1]",
    "//evil%E3%80%82com",
    "/%",
    "/%zz",
    "/a?b=%",
    "/../x",
    "/é",
    "/a#b",
];

const ACCEPTED: [&str; 9] = [
    "/",
    "/ok",
    "/ok?x=//evil.com",
    "/ok?u=https://evil.com/&b=1",
    "/@name",
    "/;v=1",
    "/a:b",
    "/url%20with%20spaces/",
    "/loginx",
];

/// Where a login leads whose address has this query and whose form this further field.
fn led(browser: &mut Browser<'_>, query: &str, field: &str) -> String {
    let reply = browser.post(&format!("/login{query}"), &format!("user=alice{field}"));
    assert_eq!(reply.status, Status::SeeOther, "{query} {field}");
    reply.location().unwrap().to_owned()
}

// R40
#[test]
fn next_never_leaves_this_site() {
    let app = App::new().start();
    let mut browser = app.browser();
    for payload in REFUSED.into_iter().chain([""]) {
        let once = escaped(payload);
        let twice = escaped(&once);
        for next in [once.as_str(), twice.as_str()] {
            for query in [
                format!("?next={next}"),
                format!("?next={next}&next=/ok"),
                format!("?next=/ok&next={next}"),
                format!("?n%65xt={next}"),
            ] {
                assert_eq!(led(&mut browser, &query, ""), "/", "{payload:?} {query}");
                let page = browser.get(&format!("/login{query}"));
                assert_eq!(
                    page.body.split("next=").nth(1),
                    Some(""),
                    "{payload:?} {query}"
                );
            }
            assert_eq!(
                led(&mut browser, "", &format!("&next={next}")),
                "/",
                "{payload:?}"
            );
            if payload.is_empty() {
                continue; // an empty form field says that there is no next page
            }
            for (query, field) in [
                ("", format!("&next={next}&next=/ok")),
                ("", format!("&next=/ok&next={next}")),
                ("?next=/ok", format!("&next={next}")),
            ] {
                assert_eq!(led(&mut browser, query, &field), "/", "{payload:?} {field}");
            }
            let field = "&next=/ok";
            assert_eq!(
                led(&mut browser, &format!("?next={next}"), field),
                "/",
                "{payload:?}"
            );
        }
    }
}

#[test]
fn next_is_never_a_login_page() {
    let app = App::new().start();
    let mut browser = app.browser();
    for page in [
        "/login",
        "/login?x=1",
        "/log%69n",
        "/login/",
        "/confirm",
        "/confirm?a=/ok",
    ] {
        let next = escaped(page);
        assert_eq!(
            led(&mut browser, &format!("?next={next}"), ""),
            "/",
            "{page}"
        );
        assert_eq!(
            led(&mut browser, "", &format!("&next={next}")),
            "/",
            "{page}"
        );
        let body = browser.get(&format!("/login?next={next}")).body;
        assert!(body.ends_with("next="), "{body}");
    }
}

#[test]
fn a_page_of_this_site_is_gone_to_unchanged() {
    let app = App::new().start();
    let mut browser = app.browser();
    let longest = format!("/{}", "a".repeat(2047));
    for page in ACCEPTED.into_iter().chain([longest.as_str()]) {
        let next = escaped(page);
        assert_eq!(led(&mut browser, &format!("?next={next}"), ""), page);
        assert_eq!(led(&mut browser, "", &format!("&next={next}")), page);
        assert_eq!(
            led(&mut browser, "?next=/other", &format!("&next={next}")),
            page
        );
        assert_eq!(
            led(&mut browser, &format!("?next={next}&next=/other"), ""),
            page
        );
        let body = browser.get(&format!("/login?next={next}")).body;
        assert!(body.ends_with(&format!("next={page}")), "{body}");
    }
    let next = format!("?next={longest}a");
    assert_eq!(led(&mut browser, &next, ""), "/");
}

#[test]
fn the_forms_field_beats_the_query_and_an_empty_one_does_not() {
    let app = App::new().start();
    let mut browser = app.browser();
    assert_eq!(led(&mut browser, "?next=/query", "&next=/form"), "/form");
    assert_eq!(led(&mut browser, "?next=/query", "&next="), "/query");
    assert_eq!(led(&mut browser, "?next=/query", ""), "/query");
    assert_eq!(led(&mut browser, "", ""), "/");
    assert_eq!(
        led(&mut browser, "?Next=/query&next[]=/b&nextt=/c", ""),
        "/"
    );
}

#[test]
fn the_wanted_page_is_come_back_to() {
    let app = App::new().start();
    let mut browser = app.browser();
    let login_page = browser
        .get("/private?a=1&b=%26x")
        .location()
        .unwrap()
        .to_owned();
    let reply = browser.post(&login_page, "user=alice");
    assert_eq!(reply.location(), Some("/private?a=1&b=%26x"));
}

// K14
#[test]
fn a_double_slash_is_not_sent_on() {
    let app = App::new().start();
    for path in ["//private", "///private", "/private//"] {
        let reply = app.browser().get(path);
        if reply.status == Status::NotFound {
            continue; // not the way Rocket routes it
        }
        let next = reply.location().unwrap().split("next=").nth(1).unwrap();
        assert!(
            ["%2Fprivate", "%2Fprivate%2F"].contains(&next),
            "{path}: {next}"
        );
    }
    assert_eq!(
        app.browser().get("//private").location(),
        Some("/login?next=%2Fprivate")
    );
}

#[test]
fn a_page_that_could_not_come_back_is_not_sent_on() {
    let app = App::new().start();
    for query in ["%0d%0aSet-Cookie:x", "x=%", &"a".repeat(2048)] {
        let reply = app.browser().get(&format!("/private?{query}"));
        assert_eq!(reply.location(), Some("/login"), "{query}");
    }
}

// R41, R42, T65, T66, T67
#[test]
fn what_others_say_of_the_address_reaches_no_header() {
    let server = Server::start(App::new().rocket());
    for (method, host) in [
        ("GET", "evil.com"),
        ("GET", "a@evil.com"),
        ("GET", "localhost"),
        ("POST", "evil.com"),
        ("POST", "localhost"),
    ] {
        let reply = server.raw(
            format!(
                "{method} /private HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
                 Content-Length: 0\r\nReferer: https://evil.com/x\r\n\
                 X-Forwarded-Host: evil.com\r\nX-Forwarded-Proto: https\r\n\
                 X-Original-URL: https://evil.com/\r\nForwarded: host=evil.com\r\n\r\n"
            )
            .as_bytes(),
        );
        if host.contains('@') && status(&reply) == 400 {
            continue; // hyper takes no such host
        }
        assert_eq!(status(&reply), 303, "{reply}");
        let next = if method == "GET" {
            "/login?next=%2Fprivate"
        } else {
            "/login"
        };
        assert_eq!(header(&reply, "Location"), [next]);
        assert!(!reply.contains("evil.com"), "{reply}");
    }
    let reply = server.raw(b"GET /private HTTP/1.0\r\n\r\n");
    assert_eq!(header(&reply, "Location"), ["/login?next=%2Fprivate"]);
}

fn keeping() -> App {
    App::new().with(|manager| manager.use_session_for_next(true))
}

#[test]
fn a_kept_page_stands_in_a_cookie_and_not_in_the_address() {
    let app = keeping().start();
    let mut browser = app.browser();
    let reply = browser.get("/private?a=1");
    assert_eq!(reply.location(), Some("/login"));
    let cookie = reply.cookie(NEXT).unwrap();
    assert_eq!(cookie.path(), Some("/"));
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.same_site(), Some(SameSite::Lax));
    assert_eq!(cookie.domain(), None);
    assert_eq!(cookie.secure(), None);
    assert_eq!(cookie.max_age().unwrap().whole_seconds(), 600);
    assert!(flashed(&reply).is_some());

    assert!(browser.get("/login").body.ends_with("next=/private?a=1"));
    let reply = browser.login("alice");
    assert_eq!(reply.location(), Some("/private?a=1"));
    assert!(reply.removes(NEXT));
    // Used once.
    assert_eq!(browser.login("alice").location(), Some("/"));
}

#[test]
fn a_kept_page_is_secure_outside_the_debug_profile() {
    let app = keeping().release().start();
    let reply = app.browser().get("/private");
    let cookie = reply.cookie("__Host-login_next").unwrap();
    assert_eq!(cookie.secure(), Some(true));
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.path(), Some("/"));
}

#[test]
fn a_later_refusal_replaces_the_kept_page() {
    let app = keeping().start();
    let mut browser = app.browser();
    browser.get("/private");
    browser.get("/fresh");
    assert_eq!(browser.login("alice").location(), Some("/fresh"));
}

#[test]
fn a_next_in_the_address_beats_the_kept_page() {
    let app = keeping().start();
    let mut browser = app.browser();
    browser.get("/private");
    let mut other = browser.clone();
    assert_eq!(led(&mut browser, "?next=/ok", ""), "/ok");
    assert_eq!(led(&mut other, "?next=//evil.com", ""), "/");
}

#[test]
fn a_kept_page_is_kept_for_ten_minutes() {
    for (seconds, location) in [(599, "/private"), (600, "/"), (10_000, "/")] {
        let app = keeping().start();
        let mut browser = app.browser();
        browser.get("/private");
        app.clock.advance(Duration::from_secs(seconds));
        assert_eq!(
            browser.login("alice").location(),
            Some(location),
            "{seconds}"
        );
    }
}

// D34
#[test]
fn a_kept_page_does_not_outlive_a_logout() {
    let app = keeping().start();
    let mut browser = app.browser();
    browser.get("/private");
    let reply = browser.post("/logout", "");
    assert_eq!(reply.body, "logged out");
    assert!(reply.removes(NEXT));
    assert_eq!(browser.login("bob").location(), Some("/"));
}

#[test]
fn a_kept_page_is_signed() {
    let app = keeping().start();
    let mut browser = app.browser();
    browser.get("/private");
    let real = browser.cookies.get(NEXT).unwrap().clone();
    let mut flipped = real.clone();
    let last = flipped.pop().unwrap();
    flipped.push(if last == 'A' { 'B' } else { 'A' });
    let session = app.logged_in("bob").cookies["login_session"].clone();
    for forged in ["/private", "%2Fprivate", "", &flipped, &real[1..], &session] {
        browser.cookies.insert(NEXT.into(), forged.into());
        assert_eq!(
            browser.clone().login("alice").location(),
            Some("/"),
            "{forged:?}"
        );
    }
    browser.cookies.insert(NEXT.into(), real);
    assert_eq!(browser.login("alice").location(), Some("/private"));
}

#[test]
fn a_kept_page_is_never_a_login_page_nor_that_of_a_post() {
    #[get("/login/again")]
    fn again(session: LoginSession<'_, User>) -> Refuse {
        session.unauthorized()
    }

    let app = keeping()
        .with(|manager| manager.mount_login_view("/login/again", "/login/again"))
        .routes(routes![again])
        .start();
    let reply = app.browser().get("/login/again");
    assert_eq!(reply.location(), Some("/login/again"));
    assert!(reply.cookie(NEXT).is_none());
    let reply = app.browser().post("/private", "");
    assert_eq!(reply.location(), Some("/login"));
    assert!(reply.cookie(NEXT).is_none());
}

#[test]
fn a_kept_page_stands_in_no_address_for_htmx_either() {
    let app = keeping().start();
    let mut browser = app
        .browser()
        .header("HX-Request", "true")
        .header("HX-Current-URL", "http://localhost/notes");
    let reply = browser.get("/private");
    assert_eq!(reply.header("HX-Redirect"), Some("/login"));
    assert_eq!(browser.login("alice").location(), Some("/notes"));
}

#[test]
fn a_page_that_shows_the_kept_page_is_private() {
    let app = keeping().start();
    let mut browser = app.browser();
    browser.get("/private");
    let reply = browser.get("/login");
    assert!(reply.body.ends_with("next=/private"));
    assert!(reply.all("Vary").any(|vary| vary == "Cookie"));
    assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
}

#[test]
fn next_prints_and_serializes_as_its_page() {
    #[get("/shown")]
    fn shown(next: Next) -> String {
        let json = serde_json::to_string(&next).unwrap();
        format!("{next} {:?} {json} {next:?}", next.path())
    }

    let app = App::new().routes(routes![shown]).start();
    let shown = |query: &str| app.browser().get(&format!("/shown{query}")).body;
    assert_eq!(
        shown("?next=/ok"),
        r#"/ok Some("/ok") "/ok" Next(Some("/ok"))"#
    );
    assert_eq!(shown("?next=//evil.com"), " None null Next(None)");
    // Its own page is where the visitor already is.
    assert_eq!(shown("?next=/shown?a"), " None null Next(None)");
}
