//! Cookies that a site has moved to another domain or path, and those of other applications.

use crate::common::socket::{Server, body, header, post, status};
use crate::common::{App, REMEMBER, SESSION};

/// Sends a form to `www.example.com`.
fn send(server: &Server, path: &str, cookies: &str, form: &str) -> String {
    let cookies = format!("Cookie: {cookies}");
    let request = post(path, &[cookies.as_bytes(), b"Connection: close"], form);
    let request = String::from_utf8(request).unwrap();
    server.raw(
        request
            .replace("Host: localhost", "Host: www.example.com")
            .as_bytes(),
    )
}

/// What a response does to a cookie: its value, domain and path, in order.
fn places<'a>(reply: &'a str, name: &str) -> Vec<(bool, Option<&'a str>, &'a str)> {
    let cookies = header(reply, "set-cookie").into_iter();
    cookies
        .filter_map(|cookie| {
            let (known, rest) = cookie.split_once('=')?;
            let attribute = |name: &str| rest.split("; ").find_map(|part| part.strip_prefix(name));
            let is_removal = attribute("Max-Age=") == Some("0");
            (known == name).then(|| {
                (
                    is_removal,
                    attribute("Domain="),
                    attribute("Path=").unwrap(),
                )
            })
        })
        .collect()
}

fn value<'a>(reply: &'a str, name: &str) -> &'a str {
    let cookies = header(reply, "set-cookie").into_iter();
    let mut set = cookies.filter_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='));
    set.next_back().unwrap().split(';').next().unwrap()
}

fn server(domain: Option<&str>) -> Server {
    let mut app = App::new();
    if let Some(domain) = domain {
        app = app.set("login.remember_cookie_domain", domain);
    }
    Server::start(app.rocket())
}

#[test]
fn a_site_that_moves_its_cookie_to_another_domain_locks_nobody_out() {
    // K5: the browser would send the old cookie beside the new one for a year.
    let places_of = [None, Some("www.example.com"), Some("example.com")];
    for (before, after) in [(1, 2), (2, 1), (0, 2), (2, 0), (1, 0), (0, 1)] {
        let [before, after] = [before, after].map(|place| places_of[place]);
        let what = format!("{before:?} to {after:?}");
        let login = send(&server(before), "/login", "", "user=alice&remember=on");
        let old = format!("{REMEMBER}={}", value(&login, REMEMBER));
        let moved = server(after);
        for (path, form) in [("/login", "user=alice&remember=on"), ("/logout", "")] {
            let reply = send(&moved, path, &old, form);
            let done = places(&reply, REMEMBER);
            assert!(done.contains(&(true, before, "/")), "{what}: {reply}");
            let is_login = path == "/login";
            assert_eq!(
                done.last(),
                Some(&(!is_login, after, "/")),
                "{what}: {reply}"
            );
            assert_eq!(
                done.iter().filter(|(removed, ..)| !removed).count(),
                usize::from(is_login)
            );
        }
    }
}

#[test]
fn a_site_that_moves_its_cookie_to_another_path_locks_nobody_out() {
    let of = |path: &str| Server::start(App::new().set("login.session_cookie_path", path).rocket());
    let login = send(&of("/app"), "/login", "", "user=alice");
    let old = format!("{SESSION}={}", value(&login, SESSION));
    // Another route of the site is below both paths.
    let app = App::new();
    let rocket = app.rocket();
    let login_route = rocket
        .routes()
        .find(|route| route.uri == "/login" && route.method == rocket::http::Method::Post);
    let login_route = login_route.unwrap().clone();
    let moved = Server::start(rocket.mount("/app", [login_route]));
    let reply = send(&moved, "/app/login", &old, "user=alice");
    let done = places(&reply, SESSION);
    assert!(done.contains(&(true, None, "/app")), "{reply}");
    assert_eq!(done.last(), Some(&(false, None, "/")), "{reply}");
}

#[test]
fn a_cookie_of_another_application_is_removed_from_no_place() {
    // K6: a login or logout here leaves the other application's cookie alone, wherever it stands.
    let moved = server(Some("example.com"));
    for (path, form) in [("/login", "user=alice"), ("/logout", "")] {
        let reply = send(&moved, path, &format!("{REMEMBER}=theirs"), form);
        assert!(status(&reply) < 400, "{reply}");
        assert_eq!(places(&reply, REMEMBER), [], "{path}: {reply}");
    }
    let reply = send(&moved, "/logout", "", "");
    assert_eq!(body(&reply), "logged out");
}
