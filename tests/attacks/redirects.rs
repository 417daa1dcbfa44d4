//! The redirect of a refused request never leaves this site, whatever the headers of the request are.

use rocket::http::RawStr;
use rocket::{get, routes};
use rocket_login::login_required;

use crate::common::App;
use crate::common::socket::{body, header, status};
use crate::{SESSION, Site, line};

#[login_required]
#[get("/<_..>", rank = 20)]
fn everything() -> &'static str {
    "everything"
}

fn guarded_throughout() -> Site {
    Site::of(App::new().release().routes(routes![everything]))
}

/// The `next` of the redirect to the login view.
fn wanted(reply: &str) -> Option<String> {
    let [location] = header(reply, "location")[..] else {
        panic!("{reply}");
    };
    let query = location.strip_prefix("/login").expect("the login view");
    let (field, next) = query.split_once('=')?;
    assert_eq!(field, "?next");
    assert!(!next.contains('&'), "{next}");
    Some(RawStr::new(next).percent_decode().unwrap().into_owned())
}

#[test]
fn the_wanted_page_is_a_path_of_this_site() {
    // K14, T63 to T66, R41
    let site = guarded_throughout();
    for (target, next) in [
        ("/private", Some("/private")),
        ("//private", Some("/private")),
        ("///private", Some("/private")),
        ("/private/", Some("/private/")),
        ("//evil.com", Some("/evil.com")),
        ("//evil.com/", Some("/evil.com/")),
        ("//evil.com/%2e%2e", None),
        ("///evil.com//x", Some("/evil.com/x")),
        ("/\\evil.com", None),
        ("/\\/evil.com", None),
        ("\\\\evil.com", None),
        ("/%5cevil.com", None),
        ("/%2f/evil.com", None),
        ("/%2Fevil.com", None),
        ("/%09/evil.com", None),
        ("/%0d%0aSet-Cookie:%20x=1", None),
        ("/%00", None),
        ("/.//evil.com", None),
        ("/./x", None),
        ("/x/../y", None),
        ("/%2e%2e/y", None),
        ("/%zz", Some("/%25zz")),
        ("/%", Some("/%25")),
        ("/a%20b?c=%26d", Some("/a%20b?c=%26d")),
        ("/a?%0d%0aSet-Cookie:x", Some("/a?%0d%0aSet-Cookie:x")),
        ("/a?b=%", Some("/a?b=%25")),
        ("/%252f/evil.com", None),
        ("/%25%32%66/evil.com", None),
        ("/%255cevil.com", None),
        ("/%250d%250aSet-Cookie:x", None),
        ("//private?a=//evil.com", Some("/private?a=//evil.com")),
        ("/private//", Some("/private/")),
        (
            "/a?next=//other.example&next=x",
            Some("/a?next=//other.example&next=x"),
        ),
    ] {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let reply = site.server.raw(request.as_bytes());
        if !target.starts_with('/') && status(&reply) == 400 {
            // hyper refuses it as a request target.
            continue;
        }
        assert_eq!(status(&reply), 303, "{target}: {reply}");
        assert_eq!(wanted(&reply).as_deref(), next, "{target}");
        assert_eq!(body(&reply), "", "{target}");
    }
}

#[test]
fn a_login_leads_to_the_very_page_that_was_asked_for() {
    // T64, R41: escaped text comes back as it was, also line breaks, and stays within its header.
    let site = guarded_throughout();
    for target in [
        "/search?q=SELECT%0AFROM",
        "/private?next=//evil.com&x=%0d%0a",
        "/a?%00=%7F&b=%5C&c=%25&d=%0D%0ASet-Cookie:%20x=1",
        "/tags/100%25",
        "/files/a%5Cb",
        "/page/https%3A%2F%2Fother.example%2F",
        "/a[1]?b[]=1&c={2}|^`",
        "/%C3%A9?%E2%82%AC=+",
        "/a;b=c,d:@!$&()*?e=f?g/h",
    ] {
        let refused = site.get(target, &[]);
        let [login] = header(&refused, "location")[..] else {
            panic!("{refused}");
        };
        let reply = site.post(login, &[], "user=alice");
        assert_eq!(header(&reply, "location"), [target], "{reply}");
        // The session cookie, and the removal of a remember cookie.
        assert_eq!(header(&reply, "set-cookie").len(), 2, "{reply}");
    }
    // What a URI cannot contain comes back escaped.
    for (target, escaped) in [
        ("/100%?q=50%&r=a\\b", "/100%25?q=50%25&r=a%5Cb"),
        ("/O'Brien", "/O%27Brien"),
    ] {
        let refused = site.get(target, &[]);
        let reply = site.post(header(&refused, "location")[0], &[], "user=alice");
        assert_eq!(header(&reply, "location"), [escaped], "{reply}");
    }
}

#[test]
fn a_long_page_is_left_out_of_next_and_a_long_query_too() {
    // R41: 2,048 bytes.
    let site = guarded_throughout();
    for (length, kept) in [(2_048, true), (2_049, false), (60_000, false)] {
        for start in ["/", "/a?b="] {
            let path = format!("{start}{}", "a".repeat(length - start.len()));
            let reply = site.server.get(&path, &[]);
            assert_eq!(status(&reply), 303, "{length}");
            let whole = kept.then_some(path);
            let path_alone = (start == "/a?b=").then(|| "/a".to_owned());
            assert_eq!(wanted(&reply), whole.or(path_alone), "{length}");
        }
    }
}

#[test]
fn no_header_of_the_request_leads_to_another_site() {
    // T67, R42: a refused request, an accepted one and a login; with every header that names a host.
    let site = Site::start();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    let form = "user=alice";
    let length = format!(
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}",
        form.len()
    );
    for named in [
        "Host: evil.com",
        "Host: evil.com:80",
        "Host: a@evil.com",
        "Host: localhost@evil.com",
        "Host: evil.com/x",
        "Host: //evil.com",
        "Host:",
        "Host: localhost\r\nHost: evil.com",
        "Host: localhost\r\nX-Forwarded-Host: evil.com",
        "Host: localhost\r\nX-Host: evil.com",
        "Host: localhost\r\nX-Forwarded-Server: evil.com",
        "Host: localhost\r\nForwarded: host=evil.com;proto=https",
        "Host: localhost\r\nX-Original-URL: //evil.com/",
        "Host: localhost\r\nX-Rewrite-URL: //evil.com/",
        "Host: localhost\r\nX-Forwarded-Prefix: //evil.com",
        "Host: localhost\r\nReferer: https://evil.com/x",
        "Host: localhost\r\nHX-Request: true\r\nHX-Current-URL: https://evil.com/x",
        "Host: localhost\r\nHX-Request: true\r\nHX-Current-URL: //evil.com/x",
    ] {
        for (request, codes, location) in [
            ("GET /private", [303, 401], "/login?next=%2Fprivate"),
            (
                "GET http://evil.com/private",
                [303, 401],
                "/login?next=%2Fprivate",
            ),
            ("POST /login", [303, 200], "/"),
            // R41: no redirect leads back to the URL of a POST, whatever its `Referer` is.
            ("POST /private", [303, 401], "/login"),
        ] {
            let request = match request {
                "POST /login" | "POST /private" => format!(
                    "{request} HTTP/1.1\r\nConnection: close\r\n{named}\r\n{length}\r\n\r\n{form}"
                ),
                _ => format!("{request} HTTP/1.1\r\nConnection: close\r\n{named}\r\n\r\n"),
            };
            let reply = site.server.raw(request.as_bytes());
            let head = reply.split("\r\n\r\n").next().unwrap();
            assert!(!head.contains("evil.com"), "{request}: {reply}");
            if status(&reply) == 400
                && (named.starts_with("Host: /") || named.contains("Host: evil.com/"))
            {
                continue;
            }
            assert!(codes.contains(&status(&reply)), "{request}: {reply}");
            match status(&reply) {
                303 => assert_eq!(header(&reply, "location"), [location], "{request}"),
                200 => assert_eq!(header(&reply, "hx-redirect"), [location], "{request}"),
                _ => {}
            }
        }
    }
    assert_eq!(site.me(&[&mine]), "alice");
}

#[test]
fn a_request_without_a_host_is_answered() {
    // T67: HTTP/1.0 has no host, and a client of HTTP/1.1 may leave it out.
    let site = Site::start();
    let mine = String::from_utf8(line(&[(SESSION, &site.session("alice"))])).unwrap();
    for version in ["1.0", "1.1"] {
        let ask = |path: &str, more: &str| {
            let request = format!("GET {path} HTTP/{version}\r\nConnection: close\r\n{more}\r\n");
            site.server.raw(request.as_bytes())
        };
        assert_eq!(
            header(&ask("/private", ""), "location"),
            ["/login?next=%2Fprivate"],
            "{version}"
        );
        assert_eq!(
            body(&ask("/private", &format!("{mine}\r\n"))),
            "private of alice",
            "{version}"
        );
        // An origin without a host to compare with counts as another site.
        let logout = format!(
            "POST /logout HTTP/{version}\r\nConnection: close\r\nContent-Length: 0\r\n\
             Origin: http://localhost\r\n{mine}\r\n\r\n"
        );
        assert_eq!(
            status(&site.server.raw(logout.as_bytes())),
            403,
            "{version}"
        );
        assert_eq!(
            body(&ask("/me", &format!("{mine}\r\n"))),
            "alice",
            "{version}"
        );
    }
}
