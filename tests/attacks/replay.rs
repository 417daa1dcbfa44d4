//! Logins that have ended: copied, planted and expired tokens.

use std::time::Duration;

use rocket_login::logins::MemoryRegistry;

use crate::common::socket::{body, cookie, header, status};
use crate::common::{App, START};
use crate::forge::{decode, place};
use crate::{REMEMBER, SESSION, Site, line, removals};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The cookies that a thief has copied: session and remember cookie.
struct Copied {
    session: String,
    remember: String,
}

impl Copied {
    /// Copies the cookies of a new login with remember cookie.
    fn from(site: &Site, user: &str) -> Self {
        Self::of(&site.post("/login", &[], &format!("user={user}&remember=on")))
    }

    /// Copies the cookies that a response sets.
    fn of(reply: &str) -> Self {
        let [session, remember] =
            [SESSION, REMEMBER].map(|name| cookie(reply, name).unwrap_or_default());
        assert!(!session.is_empty() && !remember.is_empty(), "{reply}");
        Copied { session, remember }
    }

    /// Both cookies, as the browser sends them.
    fn both(&self) -> Vec<u8> {
        line(&[(SESSION, &self.session), (REMEMBER, &self.remember)])
    }

    fn session(&self) -> Vec<u8> {
        line(&[(SESSION, &self.session)])
    }

    fn remember(&self) -> Vec<u8> {
        line(&[(REMEMBER, &self.remember)])
    }

    /// Asserts that they log in, each alone and both together.
    fn assert_alive(&self, site: &Site, user: &str, what: &str) {
        for cookies in [self.session(), self.remember(), self.both()] {
            assert_eq!(site.me(&[&cookies]), user, "{what}");
        }
    }

    /// Asserts that they log nobody in, alone or together, and that the response removes them.
    ///
    /// Within a minute after a new login or a confirmation they stay, since the browser has newer ones by then.
    fn assert_replaced(&self, site: &Site, what: &str) {
        for cookies in [self.session(), self.remember(), self.both()] {
            site.assert_ignored(&[&cookies], what);
        }
        forward(site, MINUTE);
        self.assert_dead(site, what);
    }

    fn assert_dead(&self, site: &Site, what: &str) {
        site.assert_cleared(&[&self.session()], &[SESSION], what);
        site.assert_cleared(&[&self.remember()], &[REMEMBER], what);
        site.assert_cleared(&[&self.both()], &[SESSION, REMEMBER], what);
    }
}

fn forward(site: &Site, seconds: u64) {
    site.clock.advance(Duration::from_secs(seconds));
}

/// The login id in a token.
fn login_id(token: &str) -> [u8; 16] {
    decode(token)[place("login id")].try_into().unwrap()
}

/// Login id and session id in a token.
fn ids(token: &str) -> [u8; 24] {
    decode(token)[7..31].try_into().unwrap()
}

#[test]
fn a_planted_session_does_not_become_the_victims_session() {
    // T37, R30, R32: the attacker, bob, plants his own cookies or other values.
    let site = Site::start();
    let junk = "A".repeat(200);
    for planted in [Some(Copied::from(&site, "bob")), None] {
        let (session, remember) = planted.as_ref().map_or((&junk, &junk), |planted| {
            (&planted.session, &planted.remember)
        });
        let cookies = line(&[(SESSION, session), (REMEMBER, remember)]);
        let reply = site.login("alice", &[&cookies]);
        let alices = cookie(&reply, SESSION).unwrap();
        assert_ne!(&alices, session);
        assert!(!reply.contains(&**session) && !reply.contains(&**remember));
        // Junk under our name may be another application's.
        let removed = planted.is_some().then_some("");
        assert_eq!(cookie(&reply, REMEMBER).as_deref(), removed, "{reply}");
        assert_eq!(site.me(&[&line(&[(SESSION, &alices)])]), "alice");
        if let Some(planted) = planted {
            assert_ne!(login_id(&alices), login_id(&planted.session));
            planted.assert_replaced(&site, "planted");
        }
    }
}

#[test]
fn an_id_that_was_never_issued_is_not_adopted() {
    // R32: neither by a page nor by a change of the login.
    let site = Site::start();
    let junk = "A".repeat(200);
    let planted = line(&[(SESSION, &junk), (REMEMBER, &junk)]);
    site.assert_ignored(&[&planted], "junk");
    for (path, form, code) in [
        ("/confirm", "alice", 401),
        ("/logout", "", 200),
        ("/logout-everywhere", "", 401),
    ] {
        let reply = site.post(path, &[&planted], form);
        assert_eq!(status(&reply), code, "{path}: {reply}");
        assert_eq!(removals(&reply), [""; 0], "{path}");
        assert!(!reply.contains(&junk), "{path}");
    }
}

#[test]
fn each_login_starts_a_new_session_and_ends_the_old_one() {
    // T38, T39, R30, R31: the same user again, another user over the first, a confirmation.
    let site = Site::start();
    for (path, form, user) in [
        ("/login", "user=alice", "alice"),
        ("/login", "user=alice&remember=on", "alice"),
        ("/login", "user=bob", "bob"),
        ("/login", "user=bob&remember=on", "bob"),
        ("/confirm", "alice", "alice"),
    ] {
        let old = Copied::from(&site, "alice");
        old.assert_alive(&site, "alice", form);
        let reply = site.post(path, &[&old.both()], form);
        let new = cookie(&reply, SESSION).unwrap();
        assert_ne!(ids(&new), ids(&old.session), "{form}");
        // A confirmation keeps the login, so that a logout that is under way still finds it.
        let is_same_login = login_id(&new) == login_id(&old.session);
        assert_eq!(is_same_login, path == "/confirm", "{form}");
        assert_eq!(site.me(&[&line(&[(SESSION, &new)])]), user, "{form}");
        let token = cookie(&reply, REMEMBER).unwrap();
        if !token.is_empty() {
            assert_eq!(site.me(&[&line(&[(REMEMBER, &token)])]), user, "{form}");
        }
        old.assert_replaced(&site, form);
    }
}

#[test]
fn a_copied_session_ends_with_the_logout() {
    // T41, T42, R24: the thief has another connection and tries at once, later and much later.
    for wait in [0, 1, 30 * MINUTE, 300 * DAY] {
        let site = Site::start();
        let mut browser = site.server.connect();
        let copied = Copied::of(&browser.post("/login", &[], "user=alice&remember=on"));
        copied.assert_alive(&site, "alice", "before the logout");
        let reply = browser.post("/logout", &[&copied.both()], "");
        assert_eq!(body(&reply), "logged out");
        assert_eq!(removals(&reply), [SESSION, REMEMBER]);
        forward(&site, wait);
        copied.assert_dead(&site, &format!("{wait} seconds later"));
    }
}

#[test]
fn a_logout_ends_what_was_restored_and_renewed_from_the_same_login() {
    // T41, T42, R24
    let site = Site::of(
        App::new()
            .release()
            .set("login.remember_cookie_refresh_each_request", true),
    );
    let first = Copied::from(&site, "alice");
    forward(&site, 10 * MINUTE);
    let ask = |cookies: &[u8]| site.get("/me", &[cookies]);
    let renewed = Copied::of(&ask(&first.both()));
    let restored = Copied::of(&ask(&first.remember()));
    for (copied, what) in [(&renewed, "renewed"), (&restored, "restored")] {
        copied.assert_alive(&site, "alice", what);
        assert_ne!(copied.session, first.session, "{what}");
        assert_ne!(copied.remember, first.remember, "{what}");
    }
    site.post("/logout", &[&restored.both()], "");
    for copied in [&first, &renewed, &restored] {
        copied.assert_dead(&site, "after the logout");
    }
}

#[test]
fn a_logout_everywhere_ends_every_login_of_that_user() {
    // R27
    let site = Site::start();
    let [here, there] = [(); 2].map(|()| Copied::from(&site, "alice"));
    let bobs = Copied::from(&site, "bob");
    let reply = site.post("/logout-everywhere", &[&here.session()], "");
    assert_eq!(removals(&reply), [SESSION]);
    here.assert_dead(&site, "here");
    there.assert_dead(&site, "there");
    bobs.assert_alive(&site, "bob", "somebody else");
    Copied::from(&site, "alice").assert_alive(&site, "alice", "a new login");
}

#[test]
fn a_change_of_password_ends_every_copy_at_once() {
    // T43, R25
    let site = Site::start();
    let [here, there] = [(); 2].map(|()| Copied::from(&site, "alice"));
    let bobs = Copied::from(&site, "bob");
    site.users
        .change("alice", |alice| alice.password = "new".into());
    here.assert_dead(&site, "here");
    there.assert_dead(&site, "there");
    bobs.assert_alive(&site, "bob", "somebody else");
    Copied::from(&site, "alice").assert_alive(&site, "alice", "by the new password");
}

#[test]
fn a_deleted_or_disabled_user_is_logged_out_and_nobody_inherits_the_login() {
    // T44, R26
    let site = Site::start();
    let copied = Copied::from(&site, "alice");
    site.users.change("alice", |alice| alice.active = false);
    let me = site.get("/me", &[&copied.both()]);
    assert_eq!(body(&me), "anonymous");
    copied.assert_dead(&site, "disabled");
    site.users.remove("alice");
    copied.assert_dead(&site, "deleted");
    site.users.put("alice");
    site.users
        .change("alice", |alice| alice.password = "another".into());
    copied.assert_dead(&site, "somebody new under the same id");
}

#[test]
fn a_session_ends_on_the_server_whatever_the_browser_does() {
    // R18, R19: (setting, seconds without use, what has expired)
    for (setting, value, lifetime) in [
        ("login.session_idle_timeout", None, HOUR),
        (
            "login.session_idle_timeout",
            Some("10 minutes"),
            10 * MINUTE,
        ),
        ("login.session_lifetime", Some("30 minutes"), 30 * MINUTE),
    ] {
        let app = App::new().release();
        let site = Site::of(match value {
            Some(value) => app.set(setting, value),
            None => app,
        });
        let mine = line(&[(SESSION, &site.session("alice"))]);
        forward(&site, lifetime - 1);
        // The response renews the session; the copy keeps its age.
        assert_eq!(site.me(&[&mine]), "alice", "{setting}");
        forward(&site, 1);
        site.assert_cleared(&[&mine], &[SESSION], setting);
    }
}

#[test]
fn steady_use_ends_at_the_absolute_limit() {
    // T83, R18, R19: a request every five minutes, with the cookies of the last response.
    let site = Site::start();
    let first = site.session("alice");
    let mut session = first.clone();
    let mut renewals = 0;
    for _ in 0..(DAY / (5 * MINUTE) - 1) {
        forward(&site, 5 * MINUTE);
        let reply = site.get("/me", &[&line(&[(SESSION, &session)])]);
        assert_eq!(body(&reply), "alice");
        if let Some(renewed) = cookie(&reply, SESSION) {
            assert_eq!(ids(&renewed), ids(&first));
            session = renewed;
            renewals += 1;
        }
    }
    assert!(renewals > 100, "{renewals}");
    forward(&site, 5 * MINUTE - 1);
    assert_eq!(site.me(&[&line(&[(SESSION, &session)])]), "alice");
    forward(&site, 1);
    for session in [&session, &first] {
        site.assert_cleared(&[&line(&[(SESSION, session)])], &[SESSION], "after a day");
    }
}

#[test]
fn a_remember_token_without_its_max_age_ends_on_the_server() {
    // T81, R20: exact to the second, since a request contains only the value of a cookie.
    let month = Some("30 days");
    for (form, setting, lifetime) in [
        ("", None, 365 * DAY),
        ("", month, 30 * DAY),
        ("&duration=7200", month, 7_200),
        ("&duration=34560000", None, 400 * DAY),
    ] {
        let app = App::new().release();
        let site = Site::of(match setting {
            Some(value) => app.set("login.remember_cookie_duration", value),
            None => app,
        });
        let form = format!("user=alice&remember=on{form}");
        let copied = Copied::of(&site.post("/login", &[], &form));
        forward(&site, lifetime - 1);
        assert_eq!(site.me(&[&copied.remember()]), "alice", "{form}");
        forward(&site, 1);
        copied.assert_dead(&site, &form);
    }
}

#[test]
fn use_never_extends_a_remember_token_beyond_400_days() {
    // R20
    let site = Site::of(
        App::new()
            .release()
            .set("login.remember_cookie_refresh_each_request", true)
            .set("login.remember_cookie_duration", "300 days"),
    );
    let mut token = Copied::from(&site, "alice").remember;
    for _ in 0..4 {
        forward(&site, 99 * DAY);
        let reply = site.get("/me", &[&line(&[(REMEMBER, &token)])]);
        assert_eq!(body(&reply), "alice");
        token = cookie(&reply, REMEMBER).unwrap();
    }
    forward(&site, 4 * DAY);
    site.assert_cleared(&[&line(&[(REMEMBER, &token)])], &[REMEMBER], "400 days");
}

#[test]
fn a_wrong_clock_accepts_no_login_that_the_right_clock_refuses() {
    // T82, R21: (time, whether a login of START is valid then)
    let site = Site::start();
    let copied = Copied::from(&site, "alice");
    for (time, session, remember) in [
        (0, false, false),
        (1, false, false),
        (START - HOUR, false, false),
        (START - 61, false, false),
        (START - 60, true, true),
        (START + 60, true, true),
        (START + 61, true, true),
        (START + HOUR, false, true),
        (START + 3_650 * DAY, false, false),
        (u64::try_from(i64::MAX).unwrap(), false, false),
        (u64::MAX - 1, false, false),
        (u64::MAX, false, false),
    ] {
        site.clock.set(time);
        let what = time.to_string();
        for (cookies, name, holds) in [
            (copied.session(), SESSION, session),
            (copied.remember(), REMEMBER, remember),
        ] {
            if holds {
                assert_eq!(site.me(&[&cookies]), "alice", "{name} at {what}");
            } else {
                site.assert_cleared(&[&cookies], &[name], &what);
            }
        }
    }
    site.clock.set(START);
    copied.assert_alive(&site, "alice", "the clock is right again");
}

#[test]
fn a_login_at_an_extreme_time_is_worth_nothing_at_another_time() {
    // T82, R21, K19: a login of another time is invalid now, and a logout ends it.
    for time in [
        0,
        1,
        START + 62,
        (1 << 40) - 2,
        // The last time that a token can write.
        (1 << 40) - 1,
    ] {
        let site = Site::start();
        site.clock.set(time);
        let form = "user=alice&remember=on&permanent=on";
        let copied = Copied::of(&site.post("/login", &[], form));
        site.clock.set(START);
        copied.assert_dead(&site, &format!("a login at {time}"));
        site.clock.set(time);
        site.post("/logout-everywhere", &[&copied.both()], "");
        copied.assert_dead(&site, &format!("logged out at {time}"));
    }
    // Later than that, nobody can log in.
    for time in [1 << 40, i64::MAX.unsigned_abs(), u64::MAX] {
        let site = Site::start();
        site.clock.set(time);
        let reply = site.post("/login", &[], "user=alice&remember=on&permanent=on");
        assert_eq!(removals(&reply), [SESSION, REMEMBER], "{time}");
    }
}

#[test]
fn freshness_ends_on_time_for_copies_too() {
    // R22
    let site = Site::of(
        App::new()
            .release()
            .set("login.fresh_lifetime", "10 minutes"),
    );
    let mine = line(&[(SESSION, &site.session("alice"))]);
    forward(&site, 10 * MINUTE - 1);
    assert_eq!(body(&site.get("/fresh", &[&mine])), "fresh alice");
    forward(&site, 1);
    let reply = site.get("/fresh", &[&mine]);
    assert_eq!(header(&reply, "location"), ["/confirm?next=%2Ffresh"]);
    assert_eq!(site.me(&[&mine]), "alice");
    // The confirmation in one browser does not make a copy fresh.
    let reply = site.post("/confirm", &[&mine], "alice");
    let confirmed = line(&[(SESSION, &cookie(&reply, SESSION).unwrap())]);
    assert_eq!(body(&site.get("/fresh", &[&confirmed])), "fresh alice");
    site.assert_ignored(&[&mine], "the copy of before");
    forward(&site, MINUTE);
    site.assert_cleared(&[&mine], &[SESSION], "the copy of before");
}

#[test]
fn a_remembered_user_is_not_fresh_and_nobody_else_can_confirm() {
    // T48, R23
    let site = Site::start();
    let anonymous = site.post("/confirm", &[], "alice");
    assert_eq!(status(&anonymous), 401);
    assert_eq!(header(&anonymous, "set-cookie"), [""; 0]);
    let fresh = site.get("/fresh", &[]);
    assert_eq!(header(&fresh, "location"), ["/login?next=%2Ffresh"]);

    let copied = Copied::from(&site, "alice");
    let reply = site.get("/fresh", &[&copied.remember()]);
    assert_eq!(status(&reply), 303);
    assert_eq!(header(&reply, "location"), ["/confirm?next=%2Ffresh"]);
    let restored = line(&[(SESSION, &cookie(&reply, SESSION).unwrap())]);
    for cookies in [&restored, &copied.remember()] {
        let reply = site.post("/confirm", &[cookies], "bob");
        assert_eq!(status(&reply), 403, "{reply}");
        assert!(!reply.contains("confirmed"));
        let reply = site.get("/fresh", &[cookies]);
        assert_eq!(header(&reply, "location"), ["/confirm?next=%2Ffresh"]);
        assert_eq!(site.me(&[cookies]), "alice");
    }
    let reply = site.post("/confirm", &[&restored], "alice");
    let confirmed = line(&[(SESSION, &cookie(&reply, SESSION).unwrap())]);
    assert_eq!(body(&site.get("/fresh", &[&confirmed])), "fresh alice");
}

#[test]
fn nobody_is_remembered_without_asking() {
    // T49, R33
    let site = Site::of(
        App::new()
            .release()
            .set("login.remember_cookie_refresh_each_request", true)
            .set("login.session_protection", "strong")
            .set("login.use_session_for_next", true)
            .set("login.clear_site_data", true),
    );
    let mut session = site.session("alice");
    for round in 0..100 {
        forward(&site, 10 * MINUTE);
        let path = ["/me", "/status", "/fresh", "/open"][round % 4];
        let reply = site.get(path, &[&line(&[(SESSION, &session)])]);
        assert_eq!(status(&reply), 200, "{reply}");
        assert_eq!(cookie(&reply, REMEMBER), None, "{reply}");
        session = cookie(&reply, SESSION).unwrap_or(session);
    }
    let reply = site.get("/status", &[&line(&[(SESSION, &session)])]);
    assert_eq!(body(&reply), "fresh=true remembered=false");
}

#[test]
fn a_copied_remember_token_is_noticed_and_ends_the_login_in_every_copy() {
    // T104
    let app = || {
        App::new()
            .release()
            .with(|manager| manager.login_registry(MemoryRegistry::new()))
    };
    for age in 2..5 {
        let site = Site::of(app());
        let mut copies = vec![Copied::from(&site, "alice")];
        for _ in 0..age {
            forward(&site, MINUTE);
            let newest = copies.last().unwrap().remember();
            copies.push(Copied::of(&site.get("/me", &[&newest])));
        }
        let other = Copied::from(&site, "alice");
        let stolen = copies.first().unwrap().remember();
        let reply = site.get("/me", &[&stolen]);
        assert_eq!(body(&reply), "anonymous");
        assert_eq!(removals(&reply), [SESSION, REMEMBER]);
        for copy in &copies {
            copy.assert_dead(&site, "a login whose remember token was copied");
        }
        other.assert_alive(&site, "alice", "another login of the user");
    }
}
