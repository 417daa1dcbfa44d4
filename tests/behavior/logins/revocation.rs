//! Ended sessions: everywhere at once, and on every server.

use rocket::http::Status;
use rocket::routes;
use rocket_login::revocation::MemoryRevocations;

use super::support::{BOTH, DAY, HOUR, assert_refused, assert_replaced, load_by_key, script};
use crate::common::revocations::Revocations;
use crate::common::{App, REMEMBER, SESSION, START};

#[test]
fn logout_everywhere_ends_every_login_of_this_user_only() {
    // R27
    let app = App::new().routes(routes![script]).start();
    let others = [
        app.remembered("alice"),
        app.logged_in_with("alice", "permanent=on"),
    ];
    let mut bob = app.remembered("bob");
    let mut here = app.remembered("alice");
    let copy = here.clone();
    let reply = here.post("/logout-everywhere", "");
    assert_eq!(reply.body, "logged out everywhere");
    assert!(reply.removes(SESSION) && reply.removes(REMEMBER));
    for wait in [0, 1, 20 * HOUR, 30 * DAY, 300 * DAY] {
        app.forward(wait);
        for browser in others.iter().chain([&copy]) {
            for name in browser.cookies.keys() {
                assert_refused(&browser.with_only(name));
            }
        }
    }
    bob.restart();
    assert_eq!(bob.me(), "bob");
}

#[test]
fn a_login_right_after_logout_everywhere_is_valid() {
    let app = App::new().start();
    let mut browser = app.remembered("alice");
    for _ in 0..3 {
        let old = browser.clone();
        browser.post("/logout-everywhere", "");
        browser.post("/login", "user=alice&remember=on");
        assert_refused(&old);
        assert_eq!(browser.get("/fresh").body, "fresh alice");
        assert_eq!(browser.status(), "fresh=true remembered=true");
        assert_eq!(browser.with_only(REMEMBER).me(), "alice");
    }
    app.forward(1);
    assert_eq!(browser.status(), "fresh=true remembered=true");
}

#[test]
fn after_many_logouts_everywhere_in_one_second_a_login_is_valid_at_once() {
    // The script of an administrator: each run dates the next login one more second ahead.
    let app = App::new().routes(routes![script]).start();
    let mut admin = app.browser();
    let before = app.logged_in("alice");
    for _ in 0..100 {
        admin.run("end alice");
    }
    assert_refused(&before);
    let mut browser = app.remembered("alice");
    assert_eq!(browser.status(), "fresh=true remembered=true");
    browser.restart();
    assert_eq!(browser.me(), "alice");
    admin.run("end alice");
    assert_refused(&browser);
}

#[test]
fn a_clock_that_is_set_back_neither_saves_an_old_login_nor_refuses_a_new_one() {
    let app = App::new().start();
    let before = app.remembered("alice");
    app.clock.set(START - 30);
    app.logged_in("alice").post("/logout-everywhere", "");
    for name in BOTH {
        assert_refused(&before.with_only(name));
    }
    app.clock.set(START - HOUR);
    let mut browser = app.remembered("alice");
    assert_eq!(browser.me(), "alice");
    app.clock.set(START);
    browser.restart();
    assert_eq!(browser.me(), "alice");
    assert_refused(&before);
}

#[test]
fn a_session_restored_right_after_logout_everywhere_is_valid() {
    let app = App::new().start();
    app.logged_in("alice").post("/logout-everywhere", "");
    let mut browser = app.remembered("alice");
    browser.restart();
    assert_eq!(browser.me(), "alice");
    assert_eq!(browser.with_only(SESSION).me(), "alice");
    assert_eq!(browser.post("/confirm", "alice").body, "confirmed");
    assert_eq!(browser.status(), "fresh=true remembered=true");
}

#[test]
fn an_administrator_ends_the_logins_of_another_user_and_stays_logged_in() {
    let app = App::new().routes(routes![script]).start();
    let victims = [app.remembered("alice"), app.remembered("alice")];
    let mut admin = app.remembered("bob");
    assert_eq!(
        admin.run("end alice, who, status"),
        "bob, fresh=true remembered=true"
    );
    assert_eq!(admin.status(), "fresh=true remembered=true");
    for victim in &victims {
        for name in BOTH {
            assert_refused(&victim.with_only(name));
        }
    }
}

#[test]
fn logout_everywhere_requires_a_user_and_works_with_an_api_key() {
    let app = App::new()
        .routes(routes![script])
        .with(|manager| manager.request_loader(load_by_key))
        .start();
    let mut alice = app.remembered("alice");
    let reply = app.browser().post("/logout-everywhere", "");
    assert_eq!(reply.status, Status::Unauthorized);
    assert!(reply.set_cookies().is_empty());
    assert_eq!(alice.status(), "fresh=true remembered=true");
    app.browser()
        .header("X-Key", "alice")
        .post("/logout-everywhere", "");
    assert_refused(&alice);
}

#[test]
fn a_full_list_loses_no_logout() {
    // T87, R24: with a full list, a logout ends all logins of its user.
    let app = App::new().set("login.revocation_capacity", 16).start();
    let mut bob = app.remembered("bob");
    let ended: Vec<_> = (0..200)
        .map(|_| {
            app.forward(1);
            let mut browser = app.remembered("alice");
            let copy = browser.clone();
            browser.post("/logout", "");
            copy
        })
        .collect();
    for copy in &ended {
        for name in BOTH {
            assert_refused(&copy.with_only(name));
        }
    }
    assert_eq!(app.logged_in("alice").me(), "alice");
    assert_eq!(bob.me(), "bob");
}

#[test]
fn a_full_list_ends_the_replaced_login_and_keeps_the_new_one() {
    // R24, R30
    let app = App::new()
        .with(|manager| manager.revocation_list(MemoryRevocations::new(0)))
        .start();
    let mut browser = app.remembered("alice");
    for (path, form) in [
        ("/login", "user=alice&remember=on"),
        ("/login", "user=alice"),
        ("/confirm", "alice"),
    ] {
        let old = browser.clone();
        browser.post(path, form);
        assert_eq!(browser.status(), "fresh=true remembered=true", "{path}");
        for name in BOTH {
            assert_refused(&old.with_only(name));
            assert_eq!(browser.with_only(name).me(), "alice", "{path}");
        }
    }
}

#[test]
fn a_logout_ends_the_session_on_every_replica() {
    let list = Revocations::new();
    let [here, there] = [(); 2].map(|()| list.app().start());
    let [mut alice, mut second, mut bob] = [
        here.remembered("alice"),
        there.remembered("alice"),
        there.remembered("bob"),
    ];
    assert_eq!(there.visited_by(&alice).me(), "alice");
    let old = alice.clone();
    alice.post("/logout", "");
    assert_refused(&there.visited_by(&old));
    assert_eq!(here.visited_by(&second).me(), "alice");

    let old = second.clone();
    second.post("/logout-everywhere", "");
    for name in BOTH {
        assert_refused(&here.visited_by(&old).with_only(name));
    }
    let again = here.logged_in("alice");
    assert_eq!(there.visited_by(&again).me(), "alice");

    let old = bob.clone();
    bob.post("/login", "user=bob");
    assert_replaced(&here.visited_by(&old));
}
