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
                "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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
    let wrong = quickstart.send("POST", "/login", "", "name=ferris&password=wrong");
    let pages = [
        page("/"),
        page("/login"),
        page("/dashboard"),
        page("/password"),
        wrong,
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
