//! `next`: the page after the login, which is always a page of this site.

use std::time::Duration;

use rocket::http::{Header, SameSite, Status};
use rocket::local::blocking::Client;
use rocket::response::{Flash, Redirect};
use rocket::{State, get, post, routes};
use rocket_login::{
    LoginError, LoginManager, LoginSession, Next, NextRedirect, UserMixin, access::Deny,
    anonymous_required, login_required, testing::Clock, user_loader,
};

use super::flashed;
use crate::common::{App, Browser, Running, User, Users, bare, load_user, pages};

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

/// A login that fails, answered by a redirect to `to`.
#[post("/login?<to>", rank = 2, data = "<_form>")]
fn fail(to: &str, _form: &str, _session: LoginSession<'_, User>) -> Flash<Redirect> {
    Flash::error(Redirect::to(to.to_owned()), "wrong password")
}

/// The same at an address that is no login page.
#[post("/elsewhere?<to>")]
fn fail_elsewhere(to: &str, _session: LoginSession<'_, User>) -> Redirect {
    Redirect::to(to.to_owned())
}

#[test]
fn a_failed_login_that_is_answered_by_a_redirect_keeps_the_wanted_page() {
    let app = App::new().routes(routes![fail, fail_elsewhere]).start();
    let location = |path: &str| {
        let reply = app.client.post(path.to_owned()).body("").dispatch();
        assert_eq!(reply.status(), Status::SeeOther, "{path}");
        reply.headers().get_one("Location").unwrap().to_owned()
    };
    for (path, expected) in [
        (
            "/login?to=/login&next=%2Fnotes%3Fa%3D1",
            "/login?next=%2Fnotes%3Fa%3D1",
        ),
        (
            "/login?to=/login?lang=en%23form&next=/notes",
            "/login?lang=en&next=%2Fnotes#form",
        ),
        ("/login?to=/confirm&next=/notes", "/confirm?next=%2Fnotes"),
        // What is not safe, not there, or there already.
        ("/login?to=/login&next=//evil.example", "/login"),
        ("/login?to=/login&next=/login", "/login"),
        ("/login?to=/login", "/login"),
        (
            "/login?to=/login?next=/mine&next=/notes",
            "/login?next=/mine",
        ),
        // Neither from nor to a login page.
        ("/elsewhere?to=/login&next=/notes", "/login"),
        ("/login?to=/open&next=/notes", "/open"),
        (
            "/login?to=//evil.example/login&next=/notes",
            "//evil.example/login",
        ),
    ] {
        assert_eq!(location(path), expected, "{path}");
    }
    let reply = app
        .client
        .post("/login?to=/login&next=/notes")
        .body("")
        .dispatch();
    let page = app
        .client
        .get("/login?next=%2Fnotes")
        .cookies(reply.cookies().iter().cloned());
    let page = page.dispatch().into_string().unwrap();
    assert_eq!(page, "log in [error: wrong password] next=/notes");
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
    let reply = browser.login("alice");
    assert_eq!(reply.header("HX-Redirect"), Some("/notes"));
}

#[test]
fn a_login_form_that_htmx_sends_is_answered_with_a_redirect_header() {
    let app = App::new().start();
    let htmx = || app.browser().header("HX-Request", "true");
    for (query, page) in [("?next=/ok", "/ok"), ("", "/"), ("?next=//evil.com", "/")] {
        let mut browser = htmx();
        let reply = browser.post(&format!("/login{query}"), "user=alice");
        // A browser would follow a 303 by itself, and htmx would put the page into the form.
        assert_eq!(reply.status, Status::Ok);
        assert_eq!(reply.header("HX-Redirect"), Some(page));
        assert_eq!(reply.location(), None);
        assert_eq!(browser.me(), "alice");
    }
    let mut navigating = htmx().header("Sec-Fetch-Mode", "navigate");
    assert_eq!(navigating.login("alice").location(), Some("/"));
}

#[test]
fn only_a_page_that_a_person_opened_in_the_window_is_kept() {
    let app = keeping().start();
    for loaded in [
        // A script over plain HTTP, and in older versions of Safari.
        &[("Accept", "*/*")][..],
        &[("Accept", "text/css,*/*;q=0.1")],
        &[("Accept", "image/avif,image/webp,*/*;q=0.8")],
        &[("Sec-Fetch-Mode", "cors"), ("Accept", "text/html")],
        &[("Sec-Fetch-Mode", "no-cors")],
        &[("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")],
        &[("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "object")],
        &[("Sec-Fetch-Mode", "navigate"), ("Sec-Purpose", "prefetch")],
        &[("Accept", "text/html"), ("X-Moz", "prefetch")],
        &[("Accept", "text/html"), ("Purpose", "prefetch")],
    ] {
        let mut browser = app.browser().header("Accept", "text/html");
        browser.get("/private");
        let mut page = browser.clone();
        for (name, value) in loaded {
            page = page.header(name, value);
        }
        let reply = page.get("/fresh");
        assert!(reply.cookie(NEXT).is_none(), "{loaded:?}");
        browser.cookies = page.cookies;
        assert_eq!(
            browser.login("alice").location(),
            Some("/private"),
            "{loaded:?}"
        );
    }
}

#[derive(UserMixin)]
struct Staff {
    id: u32,
}

#[user_loader]
fn load_staff(id: u32) -> Option<Staff> {
    Some(Staff { id })
}

#[login_required(User)]
#[get("/customer")]
fn customer() {}

#[login_required(Staff)]
#[get("/staff/home")]
fn staff_home() {}

#[anonymous_required(Staff)]
#[get("/staff/login")]
fn staff_page(next: Next<Staff>) -> String {
    next.to_string()
}

#[post("/login")]
async fn log_in(
    session: LoginSession<'_, User>,
    users: &State<Users>,
    next: Next<User>,
) -> Result<NextRedirect, LoginError> {
    session.login_user(&users.get("alice").unwrap()).await?;
    Ok(next.or("/"))
}

#[post("/staff/login")]
async fn staff_log_in(
    session: LoginSession<'_, Staff>,
    next: Next<Staff>,
) -> Result<NextRedirect, LoginError> {
    session.login_user(&Staff { id: 1 }).await?;
    Ok(next.or("/"))
}

/// An application with two realms, of which both or only the customers' keeps the wanted page.
fn two_realms(staff_keeps: bool) -> Running {
    let users = Users::alice_and_bob();
    let customers = LoginManager::new(load_user)
        .login_view("/login")
        .use_session_for_next(true);
    let staff = LoginManager::new(load_staff)
        .realm("staff")
        .login_view("/staff/login")
        .use_session_for_next(staff_keeps);
    let rocket = bare()
        .manage(users.clone())
        .attach(customers)
        .attach(staff)
        .mount(
            "/",
            routes![customer, staff_home, staff_page, log_in, staff_log_in],
        )
        .mount("/", pages(&["/", "/login"]));
    Running {
        client: Client::untracked(rocket).unwrap(),
        users,
        clock: Clock::system(),
    }
}

#[test]
fn a_login_leads_to_the_page_that_its_own_realm_keeps() {
    let app = two_realms(true);
    let mut browser = app.browser();
    browser.get("/customer");
    browser.get("/staff/home");
    assert_eq!(browser.get("/staff/login").body, "/staff/home");
    let mut other = browser.clone();
    let reply = browser.post("/staff/login", "");
    assert_eq!(reply.location(), Some("/staff/home"));
    assert!(reply.removes("staff_next"));
    assert!(reply.cookie(NEXT).is_none());
    assert_eq!(browser.post("/login", "").location(), Some("/customer"));
    assert_eq!(other.post("/login", "").location(), Some("/customer"));
    assert_eq!(
        other.post("/staff/login", "").location(),
        Some("/staff/home")
    );

    let app = two_realms(false);
    let mut browser = app.browser();
    browser.get("/customer");
    assert_eq!(browser.post("/staff/login", "").location(), Some("/"));
}

#[test]
fn a_user_at_the_login_page_is_sent_to_the_kept_page_once() {
    let app = two_realms(true);
    let mut browser = app.browser();
    browser.get("/staff/home");
    let mut second_tab = browser.clone();
    browser.post("/staff/login", "");
    second_tab.cookies.extend(browser.cookies);
    let mut script = second_tab.clone().header("Accept", "application/json");
    let reply = script.get("/staff/login");
    assert_eq!(reply.status, Status::Forbidden);
    assert!(reply.set_cookies().is_empty());
    let reply = second_tab.get("/staff/login");
    assert_eq!(reply.location(), Some("/staff/home"));
    assert!(reply.removes("staff_next"));
    assert_eq!(second_tab.get("/staff/login").location(), Some("/"));
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
fn a_refused_websocket_is_not_redirected_and_not_kept_as_the_wanted_page() {
    let app = keeping().start();
    // Without `Sec-Fetch-Mode` and `Accept`, as over plain HTTP.
    let mut browser = app.browser().header("Upgrade", "websocket");
    let reply = browser.get("/private");
    assert_eq!(reply.status, Status::Unauthorized);
    assert_eq!(reply.location(), None);
    assert!(reply.set_cookies().is_empty());
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
