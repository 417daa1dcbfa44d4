//! The example that people copy: what its responses have on every route.

use crate::common::quickstart::Quickstart;
use crate::common::socket::{header, status};

/// Logs in, and returns the cookie as a header line.
fn log_in(quickstart: &Quickstart) -> String {
    let form = "name=ferris&password=correct+horse";
    let response = quickstart.send("POST", "/login", "", form);
    assert_eq!(status(&response), 303, "{response}");
    // The other one removes a remember cookie that the browser may have.
    let cookies = header(&response, "set-cookie");
    let session = cookies.iter().find(|it| it.starts_with("login_session="));
    let (cookie, _) = session.unwrap().split_once(';').unwrap();
    format!("Cookie: {cookie}\r\n")
}

#[test]
fn a_flash_cookie_from_anybody_is_escaped() {
    let quickstart = Quickstart::start();
    let login = log_in(&quickstart);
    let login = login.trim_end();
    for script in [
        "<script>alert(1)</script>",
        "%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        let flash = format!("_flash=7:message{script}");
        for (path, headers) in [
            ("/login", format!("Cookie: {flash}\r\n")),
            ("/password", format!("{login}; {flash}\r\n")),
        ] {
            let page = quickstart.send("GET", path, &headers, "");
            assert_eq!(status(&page), 200, "{page}");
            assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
            assert!(!page.contains("<script"), "{page}");
        }
    }
}

/// Every route, logged in and logged out; an unknown path; and a form that does not parse.
fn responses(quickstart: &Quickstart) -> Vec<String> {
    let login = log_in(quickstart);
    let requests = [
        ("GET", "/", ""),
        ("GET", "/style.css", ""),
        ("GET", "/login", ""),
        ("POST", "/login", "name=ferris&password=wrong"),
        ("POST", "/login", "name=ferris&password=correct+horse"),
        ("POST", "/login", "x"),
        ("GET", "/dashboard", ""),
        ("GET", "/password", ""),
        ("POST", "/password", "password=short"),
        ("POST", "/password", "password=correct+horse"),
        ("POST", "/logout", ""),
        ("GET", "/nothing", ""),
    ];
    let send = |cookie: &str| {
        requests.map(|(method, path, body)| quickstart.send(method, path, cookie, body))
    };
    [send(""), send(&login)].concat()
}

#[test]
fn every_response_has_the_security_headers() {
    for response in responses(&Quickstart::start()) {
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), microphone=()"),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(header(&response, name), [value], "{name}: {response}");
        }
    }
}

#[test]
fn every_page_has_a_viewport_a_main_part_and_a_title_of_its_own() {
    let quickstart = Quickstart::start();
    let login = log_in(&quickstart);
    let page = |path: &str| quickstart.send("GET", path, &login, "");
    let post = |path: &str, form: &str| quickstart.send("POST", path, &login, form);
    let pages = [
        page("/"),
        page("/login"),
        page("/dashboard"),
        page("/password"),
        post("/login", "name=ferris&password=wrong"),
        post("/password", "password=short"),
    ];
    let mut titles = Vec::new();
    for page in &pages {
        assert!(page.contains(r#"<meta name="viewport""#), "{page}");
        assert!(page.contains("<main>"), "{page}");
        let (_, title) = page.split_once("<title>").unwrap();
        titles.push(title.split_once("</title>").unwrap().0);
    }
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), pages.len(), "{titles:?}");
}

#[test]
fn every_page_shows_who_is_logged_in() {
    let quickstart = Quickstart::start();
    let login = log_in(&quickstart);
    for path in ["/", "/login", "/dashboard", "/password"] {
        let page = quickstart.send("GET", path, &login, "");
        assert!(page.contains("ferris <button>Log out</button>"), "{page}");
    }
    let page = quickstart.send("GET", "/", "", "");
    assert!(page.contains(r#"<a href="/login">Log in</a>"#), "{page}");
}

#[test]
fn a_form_that_is_refused_keeps_its_values_and_says_what_is_wrong() {
    let quickstart = Quickstart::start();
    let form = "name=a%22%3E%3Cb%3E&password=secret+thing&remember=on";
    let page = quickstart.send("POST", "/login?next=/dashboard", "", form);
    assert_eq!(status(&page), 422, "{page}");
    for part in [
        r#"value="a&quot;&gt;&lt;b&gt;""#,
        r#"type="checkbox" checked"#,
        "Wrong name or password.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("secret thing"), "{page}");

    let login = log_in(&quickstart);
    let page = quickstart.send("POST", "/password", &login, "password=short");
    assert_eq!(status(&page), 422, "{page}");
    assert!(page.contains("Use at least 8 characters."), "{page}");
}

#[test]
fn the_address_and_the_login_are_the_last_thing_that_a_launch_prints() {
    let quickstart = Quickstart::start();
    let printed: Vec<_> = (0..3).map(|_| quickstart.next_line()).collect();
    let address = format!("Open http://127.0.0.1:{}/login", quickstart.port);
    let login = "and log in as `ferris` with the password `correct horse`.";
    assert_eq!(printed, ["", &*address, login]);
}

/// The list of ended sessions lives in the process. README.md and SECURITY.md say so.
#[test]
fn after_a_restart_a_copy_of_a_logged_out_cookie_is_valid_and_fresh() {
    let quickstart = Quickstart::start();
    let login = log_in(&quickstart);
    let fresh = |quickstart: &Quickstart| {
        let page = quickstart.send("GET", "/password", &login, "");
        status(&page) == 200
    };
    assert!(fresh(&quickstart));
    quickstart.send("POST", "/logout", &login, "");
    assert!(!fresh(&quickstart));
    drop(quickstart);
    assert!(fresh(&Quickstart::start()));
}
