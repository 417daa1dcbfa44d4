//! A response reveals nothing about an invalid cookie.

use crate::common::START;
use crate::common::socket::{body, cookie, status};
use crate::{BOTH, REMEMBER, SESSION, Site, forge, line};

const DAY: u64 = 24 * 60 * 60;

/// A response without the parts that depend on the time: `Date`, and `Expires` of a removal.
fn outline(reply: &str) -> String {
    reply
        .split_inclusive("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("date:"))
        .map(|line| match line.split_once("; Expires=") {
            Some((before, time)) => format!("{before}; Expires, {} bytes\r\n", time.len()),
            None => line.to_owned(),
        })
        .collect()
}

#[test]
fn all_invalid_cookies_get_the_same_answer() {
    // R50: forged, expired and revoked cookies, and cookies of a deleted user, a disabled user and an old password.
    let site = Site::start();
    for name in BOTH {
        site.clock.set(START);
        for user in ["alice", "bob", "carol", "dave"] {
            site.users.put(user);
        }
        let expired = site.value(name, "alice");
        let now = START + 400 * DAY;
        site.clock.set(now);
        let revoked = site.value(name, "alice");
        let reply = site.post("/logout", &[&line(&[(name, &revoked)])], "");
        assert_eq!(body(&reply), "logged out");
        let gone = site.value(name, "carol");
        site.users.remove("carol");
        let locked = site.value(name, "dave");
        site.users.change("dave", |user| user.active = false);
        let outdated = site.value(name, "bob");
        site.users
            .change("bob", |user| user.password = "new".into());
        let future = {
            site.clock.set(now + DAY);
            let future = site.value(name, "alice");
            site.clock.set(now);
            future
        };

        let json = b"Accept: application/json".as_slice();
        let script = b"Sec-Fetch-Mode: cors".as_slice();
        for (method, path, headers, code) in [
            ("GET", "/me", &[][..], 200),
            ("GET", "/status", &[], 200),
            ("GET", "/private", &[], 303),
            ("GET", "/private?a=b", &[], 303),
            ("GET", "/private", &[json], 401),
            ("GET", "/private", &[script], 401),
            ("GET", "/fresh", &[], 303),
            ("GET", "/fresh", &[json], 401),
            ("GET", "/nowhere", &[], 404),
            ("POST", "/private", &[], 303),
            ("POST", "/private", &[json], 401),
            ("POST", "/logout", &[], 200),
            ("POST", "/confirm", &[], 401),
        ] {
            let answer = |value: &str| {
                let cookies = line(&[(name, value)]);
                let headers = [headers, &[cookies.as_slice()]].concat();
                let reply = match method {
                    "GET" => site.get(path, &headers),
                    _ => site.post(path, &headers, "alice"),
                };
                assert_eq!(status(&reply), code, "{method} {path}: {reply}");
                site.assert_unharmed(path);
                outline(&reply)
            };
            let forged = answer(&forge::forged(&expired));
            for (what, value) in [
                ("expired", &*expired),
                ("revoked", &revoked),
                ("gone", &gone),
                ("locked", &locked),
                ("outdated", &outdated),
                ("future", &future),
            ] {
                let told = answer(value);
                assert_eq!(told, forged, "{name}, {what}: {method} {path}");
            }
            // What is not from this application is not removed; the rest is the same.
            let foreign = answer(&"A".repeat(expired.len()));
            assert_eq!(answer("x"), foreign, "{name}: {method} {path}");
            let is_removal = |line: &&str| line.starts_with("set-cookie: __Host-");
            let (removals, rest): (Vec<_>, String) = (
                forged.split_inclusive("\r\n").filter(is_removal).collect(),
                forged
                    .split_inclusive("\r\n")
                    .filter(|line| !is_removal(line))
                    .collect(),
            );
            let asks = path != "/nowhere";
            assert_eq!(removals.len(), usize::from(asks), "{forged}");
            assert_eq!(rest, foreign, "{name}: {method} {path}");
        }
    }
}

const PAGES: [&str; 9] = [
    "/", "/open", "/me", "/private", "/fresh", "/status", "/login", "/confirm", "/nowhere",
];

#[test]
fn a_token_appears_only_in_its_cookie() {
    // R16, R17: every response during the life of a login.
    let site = Site::start();
    site.users.put("an-id-like-no-other");
    let mut replies = Vec::new();
    for seconds in [0, 600, 2 * 3600, 2 * DAY] {
        site.clock.set(START);
        let login = site.post("/login", &[], "user=an-id-like-no-other&remember=on");
        let [session, remember] = BOTH.map(|name| cookie(&login, name).unwrap());
        replies.push(login);
        let both = line(&[(SESSION, &session), (REMEMBER, &remember)]);
        let only_remember = line(&[(REMEMBER, &remember)]);
        site.clock.set(START + seconds);
        for cookies in [&only_remember, &both] {
            for path in PAGES {
                for accept in [&b"Accept: text/html"[..], b"Accept: application/json"] {
                    replies.push(site.get(path, &[cookies, accept]));
                    let next = format!("{path}?next=/private");
                    replies.push(site.get(&next, &[cookies, accept]));
                }
            }
            replies.push(site.post("/private", &[cookies], ""));
            replies.push(site.post("/login", &[cookies], "no form at all"));
            replies.push(site.post("/logout", &[cookies, b"Sec-Fetch-Site: cross-site"], ""));
        }
        replies.push(site.post("/confirm", &[&both], "an-id-like-no-other"));
        replies.push(site.post("/logout", &[&both], ""));
        replies.push(site.get("/private", &[&both]));
    }
    let mut tokens = Vec::new();
    for reply in &replies {
        let set = BOTH.into_iter().filter_map(|name| cookie(reply, name));
        tokens.extend(set.filter(|value| !value.is_empty()));
    }
    assert!(tokens.len() > 20, "{}", tokens.len());
    for reply in &replies {
        let elsewhere: String = reply
            .split("\r\n")
            .filter(|line| !line.to_ascii_lowercase().starts_with("set-cookie: __host-"))
            .collect();
        for token in &tokens {
            assert!(!elsewhere.contains(token), "{reply}");
        }
    }
    site.assert_unharmed("a day");
}
