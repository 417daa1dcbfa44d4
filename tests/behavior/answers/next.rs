//! `next`: the page after the login, which is always a page of this site.

use std::time::Duration;

use rocket::http::{Header, SameSite, Status};
use rocket::{get, routes};
use rocket_login::{LoginSession, Next, access::Deny};

use super::flashed;
use crate::common::{App, Browser, User};

const NEXT: &str = "login_next";

/// The redirect of a login with this query in its URL and this field in its form.
fn led(browser: &mut Browser<'_>, query: &str, field: &str) -> String {
    let reply = browser.post(&format!("/login{query}"), &format!("user=alice{field}"));
    assert_eq!(reply.status, Status::SeeOther, "{query} {field}");
    reply.location().unwrap().to_owned()
}

#[test]
fn the_form_field_beats_the_query_unless_it_is_empty() {
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
fn a_file_as_the_form_field_leads_to_the_default_page() {
    let app = App::new().start();
    let part = |name: &str, more: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{content}\r\n")
    };
    let file = "; filename=\"next\"\r\nContent-Type: text/plain";
    for (next, location) in [("", "/query"), (file, "/")] {
        let next = part("next", next, if next.is_empty() { "" } else { "/file" });
        let body = part("user", "", "alice") + &next + "--b--\r\n";
        let request = app.client.post("/login?next=/query").body(body);
        let reply = request
            .header(Header::new(
                "Content-Type",
                "multipart/form-data; boundary=b",
            ))
            .dispatch();
        assert_eq!(reply.status(), Status::SeeOther);
        assert_eq!(reply.headers().get_one("Location"), Some(location));
    }
}

#[test]
fn a_login_leads_back_to_the_wanted_page() {
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

fn keeping() -> App {
    App::new().with(|manager| manager.use_session_for_next(true))
}

#[test]
fn a_kept_page_is_in_a_cookie_and_not_in_the_url() {
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
    // The page is used only once.
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
fn next_in_the_url_beats_the_kept_page() {
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
fn a_kept_page_is_never_a_login_page_or_the_target_of_a_post() {
    #[get("/login/again")]
    fn again(session: LoginSession<'_, User>) -> Deny {
        session.unauthorized()
    }

    let app = keeping()
        .with(|manager| manager.refresh_view("/login/again"))
        .routes(routes![again])
        .start();
    let reply = app.browser().get("/login/again");
    assert_eq!(reply.location(), Some("/login"));
    assert!(reply.cookie(NEXT).is_none());
    let reply = app.browser().post("/private", "");
    assert_eq!(reply.location(), Some("/login"));
    assert!(reply.cookie(NEXT).is_none());
}

#[test]
fn for_htmx_a_kept_page_is_not_in_the_url_either() {
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
    // The visitor is already on the page of this handler.
    assert_eq!(shown("?next=/shown?a"), " None null Next(None)");
}
