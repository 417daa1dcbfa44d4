//! Other headers and cookies of a request change nothing.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rocket::time::OffsetDateTime;

use super::support::BOTH;
use crate::common::{App, Browser, REMEMBER, SESSION};

/// Cookie names that are similar to ours, and other names.
fn cookie() -> impl Strategy<Value = (String, String)> {
    let nearly = select(vec![
        "Login_session",
        "LOGIN_SESSION",
        "login_sessio",
        "login_session2",
        "xlogin_session",
        "login%5Fsession",
        "login_session%20",
        "\u{a0}login_session",
        "__Host-login_session",
        "__Host-remember_token",
        "remember%5Ftoken",
        "session",
        "login_next",
        "",
    ]);
    let name = prop_oneof![nearly.prop_map(String::from), "[a-zA-Z0-9_.-]{1,8}"];
    let value = prop_oneof!["[ -:<-~]{0,20}", "[A-Za-z0-9_-]{200}", "é{0,3}"];
    (name, value)
}

fn header() -> impl Strategy<Value = (String, String)> {
    let known = select(vec![
        "X-Forwarded-For",
        "X-Real-IP",
        "Forwarded",
        "X-Forwarded-Host",
        "Proxy-Authorization",
        "Referer",
        "Accept-Language",
        "Accept-Encoding",
        "If-None-Match",
        "Cookie2",
        "X-Cookie",
        "Set-Cookie",
        "X-HTTP-Method-Override",
        "DNT",
    ]);
    let name = prop_oneof![known.prop_map(String::from), "X-[A-Z][a-z]{1,8}"];
    let value = prop_oneof!["[ -~]{0,30}", "192\\.0\\.2\\.[1-9]"];
    (name, value)
}

/// Which of alice's cookies a request has.
fn held() -> impl Strategy<Value = Vec<&'static str>> {
    select(vec![
        vec![],
        vec![SESSION],
        vec![REMEMBER],
        vec![SESSION, REMEMBER],
    ])
}

/// Status, body and cookies of every response that depends on the user.
fn answers(browser: &Browser<'_>) -> Vec<(u16, String, Vec<String>)> {
    ["/me", "/private", "/fresh", "/status"]
        .map(|path| {
            let reply = browser.clone().get(path);
            let cookies = reply.set_cookies().into_iter().map(|mut cookie| {
                // The `Expires` of a removal is a year before the system clock, which moves on meanwhile.
                let expires = cookie.expires_datetime();
                if expires.is_some_and(|at| at < OffsetDateTime::now_utc()) {
                    cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
                }
                cookie.to_string()
            });
            let cookies = cookies.collect();
            (reply.status.code, reply.body, cookies)
        })
        .to_vec()
}

#[test]
fn unrelated_headers_and_cookies_change_no_answer() {
    // R11, T25-T27, T54
    let app = App::new().start();
    let alice = app.remembered("alice");
    let mut forged = alice.clone();
    for value in forged.cookies.values_mut() {
        value.insert(20, 'A');
    }
    let inputs = (
        held(),
        any::<bool>(),
        vec(cookie(), 0..6),
        vec(header(), 0..6),
        any::<[prop::sample::Index; 3]>(),
    );
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |((held, genuine, cookies, headers, [first, second, cut]) in inputs)| {
        let mut browser = if genuine { alice.clone() } else { forged.clone() };
        browser.cookies.retain(|name, _| held.contains(&name.as_str()));
        let expected = answers(&browser);

        let mut pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for (name, place) in BOTH.iter().zip([first, second]) {
            if let Some(value) = browser.cookies.remove(*name) {
                pairs.insert(place.index(pairs.len() + 1), format!("{name}={value}"));
            }
        }
        // Browsers send one header; HTTP/2 may send several.
        let (one, other) = pairs.split_at(cut.index(pairs.len() + 1));
        let lines = [one, other].map(|pairs| ("Cookie".to_owned(), pairs.join("; ")));
        browser.headers = headers;
        let place = cut.index(browser.headers.len() + 1);
        browser.headers.splice(place..place, lines);
        prop_assert_eq!(answers(&browser), expected);
    });
}
