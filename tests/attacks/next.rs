//! A `next` from an attacker: the login never leads to another site. The URL parser of browsers judges.

use std::fmt::Write as _;

use url::Url;

use crate::common::App;
use crate::common::next_values::{ACCEPTED, REFUSED};
use crate::common::socket::{body, header, post, status};
use crate::{Site, line};

/// Escapes every byte, so that no parser interprets any of them.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        write!(escaped, "%{byte:02X}").unwrap();
        escaped
    })
}

/// The URL of a browser that has followed this `Location`.
fn followed(location: &str) -> Url {
    let here = Url::parse("https://app.example/login").unwrap();
    let there = here.join(location).unwrap();
    assert_eq!(there.origin(), here.origin(), "{location}");
    there
}

/// The target of a redirect.
fn location(reply: &str) -> &str {
    assert_eq!(status(reply), 303, "{reply}");
    let [location] = header(reply, "location")[..] else {
        panic!("{reply}");
    };
    followed(location);
    location
}

/// The redirect of a login with this query in its URL and this field in its form.
fn led(site: &Site, query: &str, field: &str) -> String {
    let reply = site.post(
        &format!("/login{query}"),
        &[],
        &format!("user=alice{field}"),
    );
    location(&reply).to_owned()
}

/// The value that the login page would put into its form.
fn shown(site: &Site, query: &str) -> String {
    let page = site.get(&format!("/login{query}"), &[]);
    body(&page).split_once("next=").unwrap().1.to_owned()
}

#[test]
fn next_never_leaves_this_site() {
    // R40: escaped once and twice, in the query and in the form, before and after a good one.
    let site = Site::start();
    for &payload in REFUSED {
        let once = escaped(payload);
        let twice = escaped(&once);
        for next in [once.as_str(), twice.as_str()] {
            for query in [
                format!("?next={next}"),
                format!("?next={next}&next=/ok"),
                format!("?next=/ok&next={next}"),
                format!("?n%65xt={next}"),
            ] {
                assert_eq!(led(&site, &query, ""), "/", "{payload:?} {query}");
                assert_eq!(shown(&site, &query), "", "{payload:?} {query}");
            }
            for (query, field) in [
                ("", format!("&next={next}")),
                ("", format!("&next={next}&next=/ok")),
                ("", format!("&next=/ok&next={next}")),
                ("?next=/ok", format!("&next={next}")),
            ] {
                assert_eq!(led(&site, query, &field), "/", "{payload:?} {field}");
            }
            let query = format!("?next={next}");
            assert_eq!(led(&site, &query, "&next=/ok"), "/", "{payload:?} {query}");
        }
    }
    assert_eq!(shown(&site, "?next="), "");
    for query in ["?next=", "?next=&next=/ok", "?next=/ok&next="] {
        assert_eq!(led(&site, query, ""), "/", "{query}");
    }
}

#[test]
fn an_unescaped_next_never_leaves_this_site() {
    // R40: unescaped, if the request line and the form can contain it.
    let site = Site::start();
    for &payload in REFUSED {
        for query in [
            format!("?next={payload}"),
            format!("?next={payload}&next=/ok"),
            format!("?next=/ok&next={payload}"),
        ] {
            let path = format!("/login{query}");
            let reply = site
                .server
                .raw(&post(&path, &[b"Connection: close"], "user=alice"));
            let carried = payload.bytes().all(|byte| byte > b' ' && byte != 0x7f);
            if !carried {
                assert_eq!(status(&reply), 400, "{payload:?}: {reply}");
                continue;
            }
            // A request target has no fragment, so the server drops it.
            let expected = match payload {
                "/a#b" if query.ends_with("&next=/a#b") => "/ok",
                "/a#b" => "/a",
                _ => "/",
            };
            assert_eq!(location(&reply), expected, "{payload:?} {query:?}");
        }
        for field in [
            format!("&next={payload}"),
            format!("&next={payload}&next=/ok"),
            format!("&next=/ok&next={payload}"),
        ] {
            assert_eq!(led(&site, "", &field), "/", "{payload:?} {field:?}");
        }
    }
}

#[test]
fn next_is_never_a_login_page() {
    // R41
    let site = Site::start();
    for page in [
        "/login",
        "/login?x=1",
        "/log%69n",
        "/login/",
        "/confirm",
        "/confirm?a=/ok",
    ] {
        let next = escaped(page);
        let query = format!("?next={next}");
        assert_eq!(led(&site, &query, ""), "/", "{page}");
        assert_eq!(led(&site, "", &format!("&next={next}")), "/", "{page}");
        assert_eq!(shown(&site, &query), "", "{page}");
    }
}

#[test]
fn a_login_leads_to_a_page_of_this_site_unchanged() {
    // R40
    let site = Site::start();
    let longest = format!("/{}", "a".repeat(2_047));
    for page in ACCEPTED.iter().copied().chain([longest.as_str()]) {
        let next = escaped(page);
        for (query, field) in [
            (format!("?next={next}"), String::new()),
            (format!("?next={next}&next=/other"), String::new()),
            (String::new(), format!("&next={next}")),
            ("?next=/other".to_owned(), format!("&next={next}")),
        ] {
            assert_eq!(led(&site, &query, &field), page, "{query} {field}");
        }
        assert_eq!(shown(&site, &format!("?next={next}")), page);
        let there = followed(page);
        let path = &there[url::Position::BeforePath..];
        assert_eq!(path, page, "a browser goes where we sent it");
    }
    assert_eq!(led(&site, &format!("?next={longest}a"), ""), "/");
}

#[test]
fn next_cannot_end_an_attribute() {
    // R40: also where a template writes it into an attribute without escaping.
    let site = Site::start();
    for quote in ["'", "%27", "\"", "%22", "<", ">"] {
        let next = escaped(&format!("/x{quote}onfocus={quote}alert(1)"));
        for query in [format!("?next={next}"), format!("?next=/ok&next={next}")] {
            let page = shown(&site, &query);
            assert!(!page.contains(['\'', '"', '<', '>']), "{page}");
            let location = led(&site, &query, "");
            assert!(!location.contains(['\'', '"', '<', '>']), "{location}");
        }
    }
    let quoted = format!("?next={}", escaped("/O'Brien"));
    assert_eq!(led(&site, &quoted, ""), "/O%27Brien");
}

#[test]
fn a_page_kept_for_later_cannot_be_forged() {
    // R40, K1: with `next` in its own cookie.
    const NEXT: &str = "__Host-login_next";
    let site = Site::of(
        App::new()
            .release()
            .with(|manager| manager.use_session_for_next(true)),
    );
    let refused = site.get("/private", &[]);
    assert_eq!(location(&refused), "/login");
    let kept = crate::cookie(&refused, NEXT).unwrap();
    let login = |cookies: &[u8]| location(&site.login("alice", &[cookies])).to_owned();
    assert_eq!(login(&line(&[(NEXT, &kept)])), "/private");
    let session = site.session("alice");
    let mut flipped = kept.clone();
    let last = flipped.pop().unwrap();
    flipped.push(if last == 'A' { 'B' } else { 'A' });
    for forged in [
        "//evil.com",
        "/private",
        "%2Fprivate",
        "",
        &flipped,
        &kept[1..],
        &session,
    ] {
        assert_eq!(login(&line(&[(NEXT, forged)])), "/", "{forged}");
    }
    for name in [
        "%5F%5FHost-login_next",
        "login_next",
        "\u{a0}__Host-login_next",
    ] {
        assert_eq!(login(&line(&[(name, &kept)])), "/", "{name}");
    }
    let twice = line(&[(NEXT, &kept), (NEXT, &kept)]);
    followed(&login(&twice));
}
