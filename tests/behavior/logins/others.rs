//! Ending other logins: those of the same user, or those of everybody.

use rocket::http::Status;
use rocket::routes;
use rocket_login::EventKind;

use super::support::{assert_refused, logged, script};
use crate::common::revocations::Revocations;
use crate::common::{App, REMEMBER};

fn apps() -> [App; 2] {
    let script = |app: App| app.routes(routes![script]);
    [script(App::new()), script(Revocations::new().app())]
}

#[test]
fn a_logout_of_the_others_keeps_this_browser_and_its_cookies() {
    for app in apps() {
        let app = app.start();
        let [mut this, other, bob] = [
            app.remembered("alice"),
            app.remembered("alice"),
            app.logged_in("bob"),
        ];
        let cookies = this.cookies.clone();
        assert_eq!(this.run("others, who"), "alice");
        assert_eq!(this.cookies, cookies);
        assert_eq!(this.status(), "fresh=true remembered=true");
        assert_refused(&other);
        assert_refused(&other.with_only(REMEMBER));
        assert_eq!(bob.clone().me(), "bob");
        // The login goes on in all its forms, and the next one is not affected.
        app.forward(60);
        assert_eq!(this.with_only(REMEMBER).me(), "alice");
        assert_eq!(this.run("confirm alice, others, who"), "alice");
        assert_eq!(this.me(), "alice");
        assert_eq!(app.logged_in("alice").me(), "alice");
    }
}

#[test]
fn of_two_browsers_that_log_each_other_out_the_first_one_stays() {
    for app in apps() {
        let app = app.start();
        let [mut one, two] = [app.logged_in("alice"), app.logged_in("alice")];
        one.run("others");
        let reply = two.clone().post("/script", "others");
        assert_eq!(reply.status, Status::Unauthorized);
        assert_eq!(one.me(), "alice");
        assert_refused(&two);
    }
}

#[test]
fn a_logout_of_the_others_requires_a_login_that_goes_on() {
    for app in apps() {
        let app = app.start();
        let refused = |browser: &mut crate::common::Browser<'_>, lines: &str| {
            let reply = browser.post("/script", lines);
            assert_eq!(reply.status, Status::Unauthorized, "{lines}");
        };
        refused(&mut app.browser(), "others");
        refused(&mut app.logged_in("alice"), "logout, others");
        refused(&mut app.logged_in("alice"), "end alice, others");
        let [mut this, other] = [app.logged_in("alice"), app.logged_in("alice")];
        // A login of this request counts.
        assert_eq!(this.run("login alice, others, who"), "alice");
        assert_eq!(this.me(), "alice");
        assert_refused(&other);
    }
}

#[test]
fn a_logout_of_the_realm_ends_the_logins_of_every_user() {
    for app in apps() {
        let app = app.start();
        let [mut admin, alice, bob] = [
            app.remembered("alice"),
            app.remembered("alice"),
            app.logged_in("bob"),
        ];
        admin.run("realm");
        for browser in [&admin, &alice, &bob] {
            assert_refused(browser);
        }
        let mut alice = app.logged_in("alice");
        assert_eq!(alice.me(), "alice");
        // The administrator goes on with a confirmation.
        let bob = app.logged_in("bob");
        assert_eq!(alice.run("realm, confirm alice, who"), "alice");
        assert_eq!(alice.me(), "alice");
        assert_refused(&bob);
    }
}

#[test]
fn a_login_that_ends_others_changes_nothing_from_another_site() {
    let app = App::new().routes(routes![script]).start();
    let other = app.logged_in("alice");
    for line in ["others", "realm"] {
        let mut this = app.logged_in("alice");
        this.headers
            .push(("Sec-Fetch-Site".into(), "cross-site".into()));
        let reply = this.post("/script", line);
        assert_eq!(reply.status, Status::Forbidden);
        assert_eq!(other.clone().me(), "alice");
    }
}

#[test]
fn the_end_of_other_logins_is_an_event() {
    let (app, log) = logged(App::new().routes(routes![script]));
    let mut alice = app.logged_in("alice");
    for line in ["others", "end alice, confirm alice"] {
        alice.run(line);
        let ended = (EventKind::LoginsEnded, Some("alice".to_owned()));
        assert!(log.take().contains(&ended), "{line}");
    }
    alice.run("realm");
    assert!(log.take().contains(&(EventKind::LoginsEnded, None)));
}

#[test]
fn a_remembered_user_who_has_ended_the_others_stays_remembered_at_the_next_login() {
    let app = App::new().routes(routes![script]).start();
    let mut alice = app.remembered("alice");
    alice.run("others");
    // Without the box, so that the remember cookie is kept.
    alice.run("login alice");
    assert_eq!(alice.status(), "fresh=true remembered=true");
    alice.restart();
    assert_eq!(alice.me(), "alice");
}
