//! A remember cookie that was copied: the login ends, and never that of an honest user.

use rocket::http::Status;
use rocket_login::EventKind;
use rocket_login::logins::MemoryRegistry;

use super::registry::{FAULTS, Fault, Registry, app, soon};
use super::support::{BOTH, DAY, HOUR, Log, MINUTE, assert_refused, logged};
use crate::common::socket::{Server, body, cookie};
use crate::common::{App, Browser, KEY, REMEMBER, SESSION};

impl Browser<'_> {
    fn token(&self) -> &str {
        &self.cookies[REMEMBER]
    }

    /// Closes the browser, opens it again and comes back by the remember cookie.
    fn come_back(&mut self) {
        self.restart();
        assert_eq!(self.me(), "alice");
        assert!(self.cookies.contains_key(SESSION));
    }

    /// Uses the session for long enough to show that the remember cookie has arrived.
    fn settle(&mut self, registry: &Registry) {
        self.app.forward(MINUTE);
        assert_eq!(self.me(), "alice");
        let now = self.app.clock.now();
        soon(|| registry.knows_of_arrival(now));
    }
}

const REUSED: EventKind = EventKind::RememberTokenReused;

/// Nobody is logged in by any of these copies, and one event has said why, with the user.
#[track_caller]
fn assert_noticed(log: &Log, copies: &[&Browser<'_>]) {
    let noticed: Vec<_> = log.take();
    let noticed: Vec<_> = noticed.iter().filter(|(kind, _)| *kind == REUSED).collect();
    assert_eq!(noticed, [&(REUSED, Some("alice".to_owned()))]);
    for copy in copies {
        for name in BOTH {
            if copy.cookies.contains_key(name) {
                assert_refused(&copy.with_only(name));
            }
        }
    }
    assert_eq!(log.count(REUSED), 0, "the login has ended already");
}

#[test]
fn each_restore_gives_the_browser_the_next_cookie() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    let mut seen = vec![browser.token().to_owned()];
    for _ in 0..5 {
        browser.come_back();
        let token = browser.token().to_owned();
        assert!(!seen.contains(&token));
        seen.push(token);
        browser.settle(&registry);
        assert_eq!(browser.token(), seen.last().unwrap());
        app.forward(3 * DAY);
    }
    assert_eq!(log.count(REUSED), 0);
}

#[test]
fn twenty_restores_at_once_give_one_successor_and_log_nobody_out() {
    let server = Server::start(
        App::new()
            .with(|manager| manager.login_registry(MemoryRegistry::new()))
            .rocket(),
    );
    let reply = server.post("/login", &[], "user=alice&remember=on");
    let header = |name, value: &str| format!("Cookie: {name}={value}");
    let me = |header: &str| server.get("/me", &[header.as_bytes()]);
    let old = header(REMEMBER, &cookie(&reply, REMEMBER).unwrap());
    let replies = std::thread::scope(|scope| {
        let restores = [(); 20].map(|()| scope.spawn(|| me(&old)));
        restores.map(|restore| restore.join().unwrap())
    });
    let successors = replies.each_ref().map(|reply| {
        assert_eq!(body(reply), "alice");
        let session = header(SESSION, &cookie(reply, SESSION).unwrap());
        assert_eq!(body(&me(&session)), "alice");
        cookie(reply, REMEMBER).unwrap()
    });
    assert!(successors.iter().all(|token| *token == successors[0]));
    assert_ne!(header(REMEMBER, &successors[0]), old);
    assert_eq!(body(&me(&header(REMEMBER, &successors[0]))), "alice");
}

#[test]
fn a_lost_answer_logs_nobody_out_hours_later() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    browser.restart();
    let mut lost = browser.clone();
    lost.come_back();
    for wait in [1, MINUTE, 5 * HOUR, 20 * DAY] {
        app.forward(wait);
        let mut again = browser.clone();
        again.come_back();
        assert_eq!(again.token(), lost.token(), "the same successor");
    }
    browser.come_back();
    browser.settle(&registry);
    browser.come_back();
    assert_ne!(browser.token(), lost.token());
    assert_eq!(log.count(REUSED), 0);
}

#[test]
fn a_browser_that_was_killed_before_it_wrote_the_new_cookie_goes_on() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    for _ in 0..5 {
        browser.restart();
        let disk = browser.clone();
        browser.come_back();
        app.forward(MINUTE - 1);
        assert_eq!(browser.me(), "alice");
        let memory = browser;
        // Killed: neither the session nor the new remember cookie was on the disk.
        browser = disk;
        app.forward(2 * DAY);
        browser.come_back();
        assert_eq!(browser.token(), memory.token());
        browser.settle(&registry);
    }
    assert_eq!(log.count(REUSED), 0);
}

#[test]
fn a_browser_that_recovers_its_session_gets_the_newest_remember_cookie_again() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    browser.restart();
    let old = browser.token().to_owned();
    browser.come_back();
    let new = browser.token().to_owned();
    // It crashed. The session comes back, and an old remember cookie beside it.
    browser.cookies.insert(REMEMBER.into(), old.clone());
    app.forward(MINUTE);
    let reply = browser.get("/me");
    assert_eq!(reply.body, "alice");
    assert_eq!(browser.token(), new);
    // It may crash once more before that one is on its disk.
    browser.cookies.insert(REMEMBER.into(), old.clone());
    app.forward(50 * MINUTE);
    browser.me();
    assert_eq!(browser.token(), new);
    browser.cookies.insert(REMEMBER.into(), old);
    browser.come_back();
    assert_eq!(browser.token(), new);
    browser.settle(&registry);
    // A session that has arrived long ago gives it again too.
    app.forward(2 * DAY);
    browser.come_back();
    browser.settle(&registry);
    let newest = browser.cookies.insert(REMEMBER.into(), new);
    app.forward(5 * MINUTE);
    browser.me();
    assert_eq!(Some(browser.token()), newest.as_deref());
    assert_eq!(log.count(REUSED), 0);
}

#[test]
fn a_thief_who_comes_first_is_noticed_when_the_owner_comes() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut owner = app.remembered("alice");
    owner.restart();
    let other = app.remembered("alice");
    let mut thief = owner.clone();
    thief.come_back();
    thief.settle(&registry);
    app.forward(DAY);
    thief.come_back();
    thief.settle(&registry);
    let reply = owner.clone().get("/private");
    assert_eq!(reply.status, Status::SeeOther, "the usual denial");
    assert_eq!(reply.location(), Some("/login?next=%2Fprivate"));
    assert!(reply.removes(REMEMBER));
    assert_noticed(&log, &[&owner, &thief]);
    assert_eq!(other.clone().me(), "alice", "another login goes on");
    assert_eq!(owner.login("alice").status, Status::SeeOther);
    assert_eq!(owner.me(), "alice");
}

#[test]
fn a_thief_who_comes_second_is_noticed_at_once() {
    for restores in [1, 3] {
        let registry = Registry::default();
        let (app, log) = logged(app(&registry));
        let mut owner = app.remembered("alice");
        let mut thief = owner.clone();
        for _ in 0..restores {
            app.forward(DAY);
            owner.come_back();
            owner.settle(&registry);
        }
        thief.restart();
        assert_eq!(thief.clone().me(), "anonymous");
        assert_noticed(&log, &[&owner, &thief]);
    }
}

#[test]
fn a_thief_of_the_newest_cookie_is_noticed_too() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut owner = app.remembered("alice");
    owner.come_back();
    let mut thief = owner.clone();
    owner.settle(&registry);
    app.forward(DAY);
    // Both have the newest one now, and each comes back.
    thief.come_back();
    thief.settle(&registry);
    owner.restart();
    assert_eq!(owner.clone().me(), "anonymous");
    assert_noticed(&log, &[&owner, &thief]);
}

#[test]
fn a_thief_who_comes_once_and_briefly_is_noticed_on_coming_back() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut owner = app.remembered("alice");
    let mut thief = owner.clone();
    thief.come_back();
    app.forward(DAY);
    owner.come_back();
    owner.settle(&registry);
    assert_eq!(log.count(REUSED), 0, "as if the answers had been lost");
    app.forward(DAY);
    owner.come_back();
    owner.settle(&registry);
    thief.restart();
    assert_eq!(thief.clone().me(), "anonymous");
    assert_noticed(&log, &[&owner, &thief]);
}

#[test]
fn requests_without_the_session_cookie_and_late_ones_log_nobody_out() {
    // As on pages outside the path of the session cookie.
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    let mut under_way = Vec::new();
    for _ in 0..100 {
        browser.restart();
        under_way.push(browser.clone());
        browser.come_back();
        app.forward(7);
        if under_way.len() > 7 {
            assert_eq!(under_way.remove(0).me(), "alice");
        }
    }
    assert_eq!(log.count(REUSED), 0);
}

#[test]
fn of_many_requests_with_a_copied_cookie_one_emits_the_event() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut owner = app.remembered("alice");
    let mut thief = owner.with_only(REMEMBER);
    owner.come_back();
    owner.settle(&registry);
    for _ in 0..20 {
        assert_eq!(thief.clone().me(), "anonymous");
    }
    assert_eq!(log.count(REUSED), 1);
    assert!(thief.get("/me").removes(REMEMBER));
}

#[test]
fn a_registry_that_was_wiped_adopts_the_cookie_that_comes() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    for _ in 0..3 {
        browser.come_back();
        browser.settle(&registry);
        app.forward(DAY);
    }
    let mut thief = browser.clone();
    registry.wipe();
    browser.come_back();
    browser.settle(&registry);
    app.forward(DAY);
    browser.come_back();
    browser.settle(&registry);
    assert_eq!(log.count(REUSED), 0);
    // From then on a copy is noticed again.
    thief.restart();
    assert_eq!(thief.clone().me(), "anonymous");
    assert_noticed(&log, &[&browser]);
}

#[test]
fn a_session_in_use_fills_a_registry_that_was_wiped() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    let mut thief = browser.clone();
    browser.come_back();
    browser.settle(&registry);
    registry.wipe();
    app.forward(4 * MINUTE);
    browser.settle(&registry);
    thief.restart();
    assert_eq!(thief.clone().me(), "anonymous");
    assert_noticed(&log, &[&browser]);
}

#[test]
fn while_the_registry_fails_a_setting_decides_about_restores() {
    for fault in FAULTS {
        let registry = Registry::default();
        let (app, log) = logged(app(&registry));
        let mut browser = app.remembered("alice");
        browser.restart();
        registry.set(fault);
        let before = browser.cookies.clone();
        let reply = browser.get("/me");
        assert_eq!(reply.status, Status::ServiceUnavailable, "{fault:?}");
        assert!(reply.set_cookies().is_empty());
        assert_eq!(browser.cookies, before);
        registry.set(None);
        browser.come_back();
        assert_eq!(log.count(REUSED), 0);

        let registry = Registry::default();
        let (app, log) = logged(self::app(&registry).set("login.require_login_registry", false));
        let mut browser = app.remembered("alice");
        let token = browser.token().to_owned();
        registry.set(fault);
        for _ in 0..2 {
            browser.come_back();
            assert_eq!(browser.token(), token);
            app.forward(2 * MINUTE);
        }
        registry.set(None);
        browser.come_back();
        browser.settle(&registry);
        assert_eq!(log.count(REUSED), 0);
    }
}

#[test]
fn a_copy_is_refused_even_if_its_login_cannot_be_ended() {
    let registry = Registry::default();
    let (app, _) = logged(app(&registry));
    let mut owner = app.remembered("alice");
    let mut thief = owner.with_only(REMEMBER);
    owner.come_back();
    owner.settle(&registry);
    registry.set(Fault::Down);
    assert_eq!(thief.get("/me").status, Status::ServiceUnavailable);
    assert_eq!(owner.me(), "alice");
}

#[test]
fn a_cookie_from_before_there_was_a_registry_is_adopted() {
    let before = App::new().start();
    let remembered = before.remembered("alice");
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.visited_by(&remembered);
    let mut thief = browser.clone();
    for _ in 0..3 {
        browser.come_back();
        browser.settle(&registry);
        app.forward(DAY);
    }
    assert_eq!(log.count(REUSED), 0);
    thief.restart();
    assert_eq!(thief.clone().me(), "anonymous");
    assert_noticed(&log, &[&browser]);
}

#[test]
fn cookies_that_are_written_again_keep_their_number() {
    const NEW_KEY: &str = "I4qyrj2MLWceERuvTviZIXcVtHmP2hIqMMSTnT2ltgY=";
    let registry = Registry::default();
    let refreshing = || app(&registry).set("login.remember_cookie_refresh_each_request", true);
    let (old, _) = logged(refreshing());
    let mut owner = old.remembered("alice");
    let mut thief = owner.with_only(REMEMBER);
    owner.come_back();
    old.forward(1);
    let restored = owner.token().to_owned();
    owner.me();
    assert_ne!(owner.token(), restored, "it was renewed");
    // A new secret, with the old one as a fallback.
    let rotating = refreshing()
        .set("secret_key", NEW_KEY)
        .set("login.secret_key_fallbacks", [KEY]);
    let (new, log) = logged(rotating);
    new.clock.set(old.clock.now().as_secs());
    let mut owner = new.visited_by(&owner);
    owner.settle(&registry);
    owner.come_back();
    owner.settle(&registry);
    assert_eq!(log.count(REUSED), 0);
    thief = new.visited_by(&thief);
    assert_eq!(thief.clone().me(), "anonymous");
    assert_noticed(&log, &[&owner]);
}

#[test]
fn confirmations_and_logins_keep_working_for_a_restored_login() {
    for script in ["confirm alice", "login alice", "remember alice", "others"] {
        let registry = Registry::default();
        let (app, log) = logged(app(&registry));
        let mut browser = app.remembered("alice");
        for wait in [1, MINUTE, DAY] {
            browser.come_back();
            app.forward(wait.min(MINUTE));
            browser.run(script);
            assert_eq!(browser.me(), "alice");
            for _ in 0..2 {
                app.forward(wait);
                browser.come_back();
                browser.settle(&registry);
            }
        }
        let mut thief = browser.with_only(REMEMBER);
        app.forward(DAY);
        browser.come_back();
        browser.settle(&registry);
        assert_eq!(log.count(REUSED), 0, "{script}");
        assert_eq!(thief.me(), "anonymous");
        assert_noticed(&log, &[&browser]);
    }
}

#[test]
fn a_confirmation_beside_an_old_remember_cookie_gives_the_newest_one() {
    let registry = Registry::default();
    let (app, log) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    let old = browser.token().to_owned();
    browser.come_back();
    browser.settle(&registry);
    browser.cookies.insert(REMEMBER.into(), old);
    browser.run("confirm alice");
    browser.come_back();
    assert_eq!(log.count(REUSED), 0);
}

#[test]
fn a_restored_login_ends_in_every_way() {
    for end in ["logout", "everywhere", "end alice", "list"] {
        let registry = Registry::default();
        let (app, _) = logged(app(&registry));
        let mut browser = app.remembered("alice");
        let mut copies = vec![browser.clone()];
        for _ in 0..2 {
            browser.come_back();
            browser.settle(&registry);
            copies.push(browser.clone());
        }
        if end == "list" {
            let handle = browser.handle();
            assert_eq!(app.logged_in("alice").end(&handle), Status::Ok);
        } else {
            browser.run(end);
        }
        for copy in &copies {
            for name in BOTH {
                assert_refused(&copy.with_only(name));
            }
        }
    }
}

#[test]
fn a_restored_login_stays_one_row_in_the_list() {
    let registry = Registry::default();
    let (app, _) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    let handle = browser.handle();
    for _ in 0..3 {
        app.forward(DAY);
        browser.come_back();
        let list = browser.list();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0]["handle"], *handle);
        assert_eq!(list[0]["last_seen"]["text"], "just now");
        browser.settle(&registry);
    }
}

#[test]
fn a_session_in_use_pays_nothing() {
    let registry = Registry::default();
    let (app, _) = logged(app(&registry));
    let mut browser = app.remembered("alice");
    browser.come_back();
    browser.settle(&registry);
    registry.calls();
    for _ in 0..20 {
        let reply = browser.get("/me");
        assert!(reply.set_cookies().is_empty());
    }
    assert_eq!(registry.calls(), 0);
}

#[test]
fn a_short_idle_timeout_does_not_hide_that_a_cookie_has_arrived() {
    for idle in ["1 minute", "5 minutes", "1 hour"] {
        let registry = Registry::default();
        let app = app(&registry).set("login.session_idle_timeout", idle);
        let (app, log) = logged(app);
        let mut owner = app.remembered("alice");
        let mut thief = owner.with_only(REMEMBER);
        owner.come_back();
        let mut times = Vec::new();
        for _ in 0..3 {
            app.forward(30);
            times.push(app.clock.now());
            let reply = owner.get("/me");
            assert_eq!(reply.body, "alice");
            assert!(reply.cookie(REMEMBER).is_none(), "{idle}: restored anew");
        }
        soon(|| times.iter().any(|at| registry.knows_of_arrival(*at)));
        assert_eq!(thief.me(), "anonymous");
        assert_eq!(log.count(REUSED), 1, "{idle}");
    }
}

#[test]
fn without_the_setting_a_copy_is_not_noticed() {
    let registry = Registry::default();
    let app = app(&registry).set("login.remember_cookie_theft_detection", false);
    let (app, log) = logged(app);
    let owner = app.remembered("alice");
    for _ in 0..3 {
        let mut copy = owner.clone();
        app.forward(DAY);
        copy.come_back();
        app.forward(MINUTE);
        assert_eq!(copy.me(), "alice");
        assert_eq!(copy.token(), owner.token());
    }
    assert_eq!(log.count(REUSED), 0);
}
