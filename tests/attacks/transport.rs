//! Cookies as bytes on the wire, methods, and connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::State;
use rocket_login::{EventKind, LoginEvent, event_listener};

use crate::common::socket::{body, cookie, header, status};
use crate::common::{App, User};
use crate::{BOTH, REMEMBER, SESSION, Site, forge, line, removals};

#[test]
fn an_oversized_cookie_logs_nobody_in_and_does_no_harm() {
    // T21, K4
    let site = Site::start();
    let session = site.session("alice");
    for length in [1_025, 4_096, 8_192, 64_000, 390_000] {
        let value = "A".repeat(length);
        site.assert_refused(SESSION, &value, &length.to_string());
        let beside = line(&[("other", &value), (SESSION, &session)]);
        assert_eq!(site.me(&[&beside]), "alice", "{length}");
    }
    // hyper checks after each read whether the request exceeds 400 KiB, the most that one read returns.
    let endless = "A".repeat(1_000_000);
    let reply = site.server.get("/me", &[&line(&[(SESSION, &endless)])]);
    assert_eq!(status(&reply), 431);
    assert_eq!(site.me(&[&line(&[(SESSION, &session)])]), "alice");
}

#[test]
fn a_login_is_found_among_thousands_of_cookies() {
    // T22
    let site = Site::start();
    let session = site.session("alice");
    let crumbs = "a=b; ".repeat(5_000);
    let mine = format!("{SESSION}={session}");
    for cookies in [
        format!("{crumbs}{mine}"),
        format!("{mine}; {crumbs}"),
        format!("{crumbs}{mine}; {crumbs}"),
        format!("{};{mine}", ";".repeat(5_000)),
    ] {
        assert_eq!(site.me(&[format!("Cookie: {cookies}").as_bytes()]), "alice");
    }
    // The server accepts 100 header lines, including `Host`.
    let mine = line(&[(SESSION, &session)]);
    for at in [0, 40, 98] {
        let mut lines = vec![b"Cookie: a=b".as_slice(); 98];
        lines.insert(at, &mine);
        assert_eq!(site.me(&lines), "alice");
    }
    let reply = site.server.get("/me", &[b"Cookie: a=b".as_slice(); 120]);
    assert_eq!(status(&reply), 431, "{reply}");
    site.assert_ignored(&[b"Cookie: a=b".as_slice(); 99], "99 lines of crumbs");
    let forged = format!("Cookie: {}", format!("{SESSION}x=y; ").repeat(5_000));
    site.assert_ignored(&[forged.as_bytes()], "thousands of names like ours");
}

#[test]
fn bytes_that_are_not_text_log_nobody_in() {
    // T24, K3
    let site = Site::start();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    let with = |bytes: &[u8]| [&mine, bytes].concat();
    let named = format!("Cookie: {SESSION}=");
    for (what, cookies) in [
        ("alone", b"Cookie: \xff".to_vec()),
        ("behind a login", with(b"; \xff=\xff")),
        ("in a login", with(b"\xff")),
        ("as a login", [named.as_bytes(), b"\xff\xfe"].concat()),
    ] {
        site.assert_ignored(&[&cookies], what);
    }
    assert_eq!(site.me(&[&mine, b"Cookie: \xff"]), "alice");
    assert_eq!(site.me(&[b"Cookie: \xff", &mine]), "alice");
    assert_eq!(site.me(&[b"X-Other: \xff", &mine]), "alice");
}

#[test]
fn only_a_cookie_with_the_exact_name_counts() {
    // T25, T26, T27, R11, K1, K1b: Rack's CVE-2020-8184 and "Cookie Chaos".
    for site in over_both_protocols() {
        for name in BOTH {
            only_this_name_is_ours(&site, name);
        }
    }
}

fn over_both_protocols() -> [Site; 2] {
    [Site::start(), Site::start().over_http2()]
}

fn only_this_name_is_ours(site: &Site, ours: &str) {
    let (alice, bob) = (site.value(ours, "alice"), site.value(ours, "bob"));
    assert_eq!(site.me(&[&line(&[(ours, &bob)])]), "bob");
    let blanks = [
        "\u{a0}", "\u{85}", "\u{2000}", "\u{2028}", "\u{3000}", "\u{200b}", "\u{feff}",
    ];
    let mut names: Vec<String> = blanks
        .iter()
        .flat_map(|blank| [format!("{blank}{ours}"), format!("{ours}{blank}")])
        .collect();
    let plain = &ours["__Host-".len()..];
    let (all, last) = ours.split_at(ours.len() - 1);
    names.extend([
        ours.replace("__", "%5F%5F"),
        ours.replace("__", "%5f%5f"),
        ours.replace('-', "%2D"),
        format!("__Host-{}", plain.replace('_', "%5F")),
        format!("{all}%{:02x}", last.as_bytes()[0]),
        format!("{ours}%00"),
        format!("{ours}%20"),
        format!("%20{ours}"),
        plain.to_owned(),
        format!("__Secure-{plain}"),
        format!("{ours}[]"),
        format!("{ours}.0"),
        format!("\"{ours}\""),
        format!("${ours}"),
        format!("={ours}"),
        ours.to_lowercase(),
        ours.to_uppercase(),
    ]);
    for name in names {
        let name = name.as_str();
        site.assert_ignored(&[&line(&[(name, &bob)])], name);
        for pairs in [
            [(name, &*bob), (ours, &*alice)],
            [(ours, &alice), (name, &bob)],
        ] {
            assert_eq!(site.me(&[&line(&pairs)]), "alice", "{name}");
            let lines = pairs.map(|pair| line(&[pair]));
            assert_eq!(site.me(&[&lines[0], &lines[1]]), "alice", "{name}");
        }
    }
}

#[test]
fn two_genuine_cookies_of_one_name_log_nobody_in_and_are_not_removed() {
    // T29, T30, R12: over HTTP/2 browsers send each cookie in its own field.
    for site in over_both_protocols() {
        what_comes_twice_is_nobody(&site);
    }
}

fn what_comes_twice_is_nobody(site: &Site) {
    let (alice, bob) = (site.session("alice"), site.session("bob"));
    let remember = site.remember("alice");
    for pairs in [
        [(SESSION, &*alice), (SESSION, &*bob)],
        [(SESSION, &bob), (SESSION, &alice)],
        [(SESSION, &alice), (SESSION, &alice)],
        [(REMEMBER, &remember), (REMEMBER, &remember)],
    ] {
        let what = format!("{pairs:?}");
        site.assert_ignored(&[&line(&pairs)], &what);
        let lines = pairs.map(|pair| line(&[pair]));
        site.assert_ignored(&[&lines[0], &lines[1]], &what);
        site.assert_ignored(&[&lines[0], b"Cookie: a=b", &lines[1]], &what);
    }
    let beside = line(&[(SESSION, &alice), (SESSION, &bob), (REMEMBER, &remember)]);
    site.assert_ignored(&[&beside], "a remember cookie beside two sessions");
    assert_eq!(site.me(&[&line(&[(SESSION, &alice)])]), "alice");
}

#[test]
fn a_planted_cookie_that_is_not_genuine_locks_nobody_out() {
    // K5, R12: what does not verify does not count, wherever it stands.
    for site in over_both_protocols() {
        for name in BOTH {
            let alice = site.value(name, "alice");
            let forged = forge::forged(&alice);
            for planted in ["", "x", &forged, &"A".repeat(5_000)] {
                for pairs in [
                    [(name, planted), (name, &alice)],
                    [(name, &alice), (name, planted)],
                ] {
                    let what = format!("{pairs:?}");
                    assert_eq!(site.me(&[&line(&pairs)]), "alice", "{what}");
                    let lines = pairs.map(|pair| line(&[pair]));
                    assert_eq!(site.me(&[&lines[0], &lines[1]]), "alice", "{what}");
                }
            }
        }
        // Two remember cookies, genuine or not, do not matter beside a session that holds.
        let [session, remember] = BOTH.map(|name| site.value(name, "alice"));
        for other in ["x", &remember] {
            let pairs = [
                (SESSION, &*session),
                (REMEMBER, &remember),
                (REMEMBER, other),
            ];
            assert_eq!(site.me(&[&line(&pairs)]), "alice", "{other}");
        }
    }
}

#[event_listener]
fn count(event: &LoginEvent<'_, User>, duplicates: &State<Duplicates>) {
    if event.kind == EventKind::DuplicateCookie {
        duplicates.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Default)]
struct Duplicates(Arc<AtomicUsize>);

#[test]
fn a_duplicate_cookie_emits_one_event() {
    // R12, R48
    let duplicates = Duplicates::default();
    let app = App::new()
        .release()
        .with(|manager| manager.event_listener(count));
    let site = Site::with(app, |rocket| rocket.manage(duplicates.clone()));
    let session = site.session("alice");
    let twice = line(&[
        (SESSION, &session),
        (SESSION, &session),
        (REMEMBER, "x"),
        (REMEMBER, "x"),
    ]);
    for times in 1..4 {
        let me = site.get("/me", &[&twice]);
        assert_eq!(body(&me), "anonymous");
        assert_eq!(duplicates.0.load(Ordering::Relaxed), times);
    }
    assert_eq!(site.me(&[&line(&[(SESSION, &session)])]), "alice");
    assert_eq!(duplicates.0.load(Ordering::Relaxed), 3);
}

#[test]
fn a_quoted_or_encoded_value_logs_nobody_in() {
    // T32, T27
    let site = Site::start();
    let session = site.session("alice");
    let (start, end) = session.split_at(1);
    let escaped = format!("%{:02x}{end}", start.as_bytes()[0]);
    for value in [
        format!("\"{session}\""),
        format!("'{session}'"),
        escaped,
        format!("{session}%20"),
    ] {
        site.assert_refused(SESSION, &value, &value);
    }
    let versioned = format!("Cookie: $Version=1; {SESSION}=\"{session}\"; $Path=/");
    site.assert_ignored(&[versioned.as_bytes()], "RFC 2965");
    for spaced in [
        format!("Cookie:{SESSION}={session}"),
        format!("cookie: a=b;{SESSION}={session}\t;c"),
    ] {
        assert_eq!(site.me(&[spaced.as_bytes()]), "alice", "{spaced}");
    }
}

#[test]
fn a_forged_cookie_beside_a_valid_one_ends_no_login() {
    // A forged remember cookie beside a valid session: the session continues.
    let site = Site::start();
    let session = site.session("alice");
    let remember = site.remember("bob");
    let forged = [&session, &remember].map(|value| forge::forged(value));
    for (other, removed) in [("x", &[][..]), (&*forged[1], &[REMEMBER])] {
        let reply = site.get("/me", &[&line(&[(SESSION, &session), (REMEMBER, other)])]);
        assert_eq!(body(&reply), "alice");
        assert_eq!(removals(&reply), removed);
    }
    // A forged session beside a valid remember cookie: the remembered user is logged in.
    for other in ["x", &forged[0]] {
        let reply = site.get("/me", &[&line(&[(SESSION, other), (REMEMBER, &remember)])]);
        assert_eq!(body(&reply), "bob");
        assert!(cookie(&reply, SESSION).is_some_and(|value| !value.is_empty()));
    }
}

#[test]
fn a_token_counts_only_in_its_cookie() {
    // T34, R16
    let site = Site::start();
    for name in BOTH {
        let value = site.value(name, "alice");
        let cookie = format!("{name}={value}");
        for header in [
            format!("Authorization: Bearer {value}"),
            format!("Authorization: {value}"),
            format!("Authorization: Basic {value}"),
            format!("Proxy-Authorization: Bearer {value}"),
            format!("X-Auth-Token: {value}"),
            format!("Set-Cookie: {cookie}"),
            format!("Cookie2: {cookie}"),
            format!("X-Cookie: {cookie}"),
            format!("{name}: {value}"),
        ] {
            // As a browser, because a program with a key gets 401.
            let lines = [header.as_bytes(), b"Sec-Fetch-Mode: navigate"];
            site.assert_ignored(&lines, &header);
        }
        for field in [
            name,
            "token",
            "session",
            "access_token",
            "api_key",
            "Cookie",
        ] {
            let me = site.get(&format!("/me?{field}={value}"), &[]);
            assert_eq!((status(&me), body(&me)), (200, "anonymous"), "{field}");
            assert_eq!(header(&me, "set-cookie"), [""; 0], "{field}");
            let form = format!("{field}={value}&user=alice&Cookie={cookie}");
            let reply = site.post("/private", &[], &form);
            assert_eq!(status(&reply), 303, "{field}");
            assert_eq!(header(&reply, "location"), ["/login"], "{field}");
            assert_eq!(removals(&reply), [""; 0], "{field}");
            site.assert_unharmed(field);
        }
        assert_eq!(body(&site.get("/me", &[&line(&[(name, &value)])])), "alice");
    }
}

#[test]
fn no_method_reaches_the_handler_of_a_guarded_route() {
    // T59, K12
    let site = Site::start();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    for (method, anonymous, alice) in [
        ("GET", 303, 200),
        ("HEAD", 303, 200),
        ("POST", 303, 200),
        ("OPTIONS", 404, 404),
        ("TRACE", 404, 404),
        ("PUT", 404, 404),
        ("PATCH", 404, 404),
        ("DELETE", 404, 404),
        ("MADEUP", 400, 400),
        ("get", 400, 400),
    ] {
        let send = |cookies: &[u8]| {
            let start =
                format!("{method} /private HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
            site.server
                .raw(&[start.as_bytes(), cookies, b"\r\n\r\n"].concat())
        };
        let reply = send(b"X-None: none");
        assert_eq!(status(&reply), anonymous, "{method}: {reply}");
        assert!(
            !reply.contains("private of") && !reply.contains("posted by"),
            "{method}: {reply}"
        );
        let reply = send(&mine);
        assert_eq!(status(&reply), alice, "{method}: {reply}");
        // TRACE would show cookies to scripts, and HEAD has no body.
        assert!(
            !reply.contains(std::str::from_utf8(&mine[8..]).unwrap()),
            "{method}: {reply}"
        );
        if method == "HEAD" {
            assert_eq!(body(&reply), "");
        }
    }
}

#[test]
fn a_refused_request_leaves_the_connection_usable() {
    let site = Site::start();
    let mine = line(&[(SESSION, &site.session("alice"))]);
    let mut connection = site.server.connect();
    let smuggled = "GET /me HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let posted = format!("Content-Length: {}\r\n\r\n{smuggled}", smuggled.len());
    for (request, code, expected) in [
        (
            "GET /private HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
            303,
            "",
        ),
        (
            format!("POST /private HTTP/1.1\r\nHost: x\r\n{posted}"),
            303,
            "",
        ),
        (
            "GET /me HTTP/1.1\r\nHost: x\r\nCookie: __Host-login_session=x\r\n\r\n".to_owned(),
            200,
            "anonymous",
        ),
        (
            format!("POST /logout HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site\r\n{posted}"),
            403,
            "",
        ),
        (
            "GET /me HTTP/1.1\r\nHost: x\r\n".to_owned()
                + std::str::from_utf8(&mine).unwrap()
                + "\r\n\r\n",
            200,
            "alice",
        ),
        (
            "GET /me HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
            200,
            "anonymous",
        ),
    ] {
        let reply = connection.ask(request.as_bytes());
        assert_eq!(status(&reply), code, "{request}: {reply}");
        if code != 403 {
            assert_eq!(body(&reply), expected, "{request}");
        }
    }
}
