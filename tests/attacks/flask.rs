//! Flask's cookies, where an application accepts them: forged, replayed, stale, sent by other sites.

use rocket_login::flask::FlaskCookies;
use serde_json::json;

use self::signed::{OLDER, SECRET, remember, remember_of, session, session_aged, session_of};
use crate::common::App;
use crate::common::socket::{body, header, status};
use crate::{SESSION as OURS, Site, cookie, line};

#[path = "../flask/signed.rs"]
mod signed;

const SESSION: &str = "session";
const REMEMBER: &str = "remember_token";

fn site() -> Site {
    let cookies = FlaskCookies::new(SECRET).until("2027-03-31");
    Site::of(
        App::new()
            .release()
            .with(|manager| manager.accept_flask(cookies)),
    )
}

fn both() -> [(&'static str, String); 2] {
    [(SESSION, session("alice")), (REMEMBER, remember("alice"))]
}

#[test]
fn a_forged_cookie_of_flask_is_ignored() {
    let site = site();
    for (name, value) in both() {
        assert_eq!(site.me(&[&line(&[(name, &value)])]), "alice");
        for at in 0..value.len() {
            let mut forged = value.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            site.assert_ignored(
                &[&line(&[(name, &forged)])],
                &format!("{name}, character {at}"),
            );
        }
        for end in (0..value.len()).step_by(7) {
            site.assert_ignored(
                &[&line(&[(name, &value[..end])])],
                &format!("{name}, cut at {end}"),
            );
        }
    }
    let data = json!({ "_user_id": "alice", "_fresh": true });
    for (name, value) in [
        (SESSION, session_of(OLDER, &data, 60)),
        (SESSION, session_of("", &data, 60)),
        (REMEMBER, remember_of(OLDER, "alice")),
        (REMEMBER, remember_of("", "alice")),
        // Each under the other's name, and both under ours.
        (SESSION, remember("alice")),
        (REMEMBER, session("alice")),
        (OURS, session("alice")),
        (OURS, remember("alice")),
        (SESSION, "a".repeat(100_000)),
        (REMEMBER, format!("alice|{}", "0".repeat(100_000))),
    ] {
        site.assert_ignored(&[&line(&[(name, &value)])], name);
    }
}

#[test]
fn our_own_token_is_nothing_under_the_name_of_flasks_cookie() {
    let site = site();
    for name in [SESSION, REMEMBER] {
        for ours in [site.session("alice"), site.remember("alice")] {
            site.assert_ignored(&[&line(&[(name, &ours)])], name);
        }
    }
}

#[test]
fn a_login_from_flask_is_ours_not_fresh_and_leaves_nothing_behind() {
    let site = site();
    let reply = site.get(
        "/fresh",
        &[&line(
            &both().each_ref().map(|(name, value)| (*name, &**value)),
        )],
    );
    assert_eq!(
        (status(&reply), header(&reply, "location")),
        (303, vec!["/confirm?next=%2Ffresh"])
    );
    let cookies = header(&reply, "set-cookie");
    for name in [SESSION, REMEMBER] {
        let removal = format!(
            "{name}=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        );
        assert!(cookies.contains(&&*removal), "{cookies:?}");
    }
    let ours = cookie(&reply, OURS).unwrap();
    assert_eq!(site.me(&[&line(&[(OURS, &ours)])]), "alice");
    assert_eq!(header(&reply, "cache-control"), ["private, no-store"]);
}

#[test]
fn a_copy_of_flasks_cookies_ends_with_the_logout() {
    let site = site();
    let shown = both();
    let shown = shown.each_ref().map(|(name, value)| (*name, &**value));
    let ours = cookie(&site.get("/me", &[&line(&shown)]), OURS).unwrap();
    site.post("/logout", &[&line(&[(OURS, &ours)])], "");
    site.assert_cleared(&[&line(&[(OURS, &ours)])], &[OURS], "ours");
    for (name, value) in shown {
        site.assert_cleared(&[&line(&[(name, value)])], &[name], name);
    }
    // Signed by Flask before, with another date.
    let other = session_aged("alice", 3_600);
    site.assert_cleared(&[&line(&[(SESSION, &other)])], &[SESSION], "another copy");
    assert_eq!(site.me(&[&line(&[(REMEMBER, &remember("bob"))])]), "bob");
}

#[test]
fn a_stale_session_of_flask_is_refused() {
    let site = site();
    for age in [31 * 86_400 + 1, 3_000 * 86_400, -61, -86_400] {
        let stale = session_aged("alice", age);
        site.assert_cleared(&[&line(&[(SESSION, &stale)])], &[SESSION], &age.to_string());
    }
}

#[test]
fn another_site_brings_nobody_across() {
    let site = site();
    let cookies = line(&[(SESSION, &session("alice"))]);
    let image: [&[u8]; 4] = [
        &cookies,
        b"Sec-Fetch-Site: cross-site",
        b"Sec-Fetch-Mode: no-cors",
        b"Sec-Fetch-Dest: image",
    ];
    let reply = site.get("/me", &image);
    assert_eq!(
        (body(&reply), header(&reply, "set-cookie")),
        ("anonymous", vec![])
    );
    for source in [
        &b"Origin: https://evil.com"[..],
        b"Sec-Fetch-Site: cross-site",
    ] {
        for path in ["/private", "/logout", "/login"] {
            let reply = site.post(path, &[&cookies, source], "user=alice");
            assert_eq!(
                (status(&reply), header(&reply, "set-cookie")),
                (403, vec![]),
                "{path}"
            );
        }
    }
    assert_eq!(site.me(&[&cookies]), "alice");
}
