//! Logins that are bound to a device.

mod faults;
mod wire;

use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::http::{Header, Method, Status};
use rocket::local::blocking::Client;
use rocket::{catchers, post, routes};
use rocket_login::audit::Access;
use rocket_login::logins::MemoryRegistry;
use rocket_login::{CurrentUser, EventKind};

use super::registry::soon;
use super::support::{DAY, MINUTE, logged, max_age};
use crate::common::device::{
    COPY, DEVICE, Device, REFRESH, REGISTER, REMEMBER, SESSION, app, challenge_of, thief,
};
use crate::common::{App, Browser, KEY, START, User};

#[post("/login-device/refresh")]
fn clash() {}

#[test]
fn a_login_is_offered_to_the_device_and_bound_by_its_proof() {
    let (app, log) = logged(app());
    let mut device = Device::new(&app, 1);
    let reply = device.login("");
    let offer = reply.header("Secure-Session-Registration").unwrap();
    assert!(offer.starts_with(r#"(ES256);path="/login-device/register";challenge=""#));
    assert_eq!(device.get("/bound").body, "false");
    log.take();

    let reply = device.register(&reply);
    assert_eq!(reply.status, Status::Ok);
    assert_eq!(reply.header("Content-Type"), Some("application/json"));
    assert_eq!(
        reply.header("Cross-Origin-Resource-Policy"),
        Some("same-origin")
    );
    assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
    let json: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(json["refresh_url"], REFRESH);
    assert_eq!(json["scope"]["include_site"], false);
    let credential = &json["credentials"][0];
    assert_eq!(credential["name"], SESSION);
    assert_eq!(
        credential["attributes"],
        "Path=/; Secure; HttpOnly; SameSite=Lax"
    );
    assert_eq!(max_age(&reply, SESSION), Some(600));
    let cookie = reply.cookie(DEVICE).unwrap();
    assert_eq!(cookie.path(), Some("/login-device"));
    assert_eq!(
        (cookie.secure(), cookie.http_only()),
        (Some(true), Some(true))
    );
    assert_eq!(cookie.max_age(), None);
    assert_eq!(
        log.take()[0],
        (EventKind::DeviceBound, Some("alice".into()))
    );

    let reply = device.get("/bound");
    assert_eq!(reply.body, "true");
    assert!(reply.header("Secure-Session-Registration").is_none());
    assert_eq!(device.get("/status").body, "fresh=true remembered=false");
}

#[test]
fn nothing_is_offered_unless_the_setting_says_so() {
    let app = App::new().set("login.session_cookie_secure", true).start();
    let mut device = Device::new(&app, 1);
    let reply = device.login("");
    assert!(reply.header("Secure-Session-Registration").is_none());
    for path in [REGISTER, REFRESH] {
        assert_eq!(device.send(Method::Post, path, "").status, Status::NotFound);
    }
}

#[test]
fn the_audit_lists_both_routes_and_a_route_at_the_same_path_stops_the_launch() {
    let app = app();
    let running = self::app().set("login.unguarded_routes", "allow").start();
    let audit = rocket_login::audit(running.client.rocket());
    for path in [REGISTER, REFRESH] {
        let listed = audit.routes().iter().find(|route| route.uri == path);
        assert_eq!(listed.unwrap().access, Access::Public);
    }
    let clash = app.routes(routes![clash]).rocket();
    let error = Client::untracked(clash).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Collisions(_)), "{error}");
}

#[test]
fn a_realm_has_its_own_routes_and_refuses_the_proofs_of_another() {
    let staff = || {
        let app = app().with(|manager| manager.realm("staff"));
        app.start()
    };
    let (app, staff) = (app().start(), staff());
    let mut device = Device::bound(&app);
    let challenge = device.ask();
    let id = device.id.clone();
    let proof = device.key.proof(None, &challenge_of(&challenge));
    let mut there = Device {
        browser: staff.visited_by(&device.browser),
        ..device.clone()
    };
    let reply = there.send_proof(REFRESH, Some(&id), Some(&proof));
    assert_eq!(reply.status, Status::NotFound);
    // With the cookies under the names of the other realm.
    let names = [
        (DEVICE, "__Secure-staff_device"),
        (COPY, "__Secure-staff_device_session"),
    ];
    for (name, other) in names {
        let value = there.browser.cookies.remove(name).unwrap();
        there.browser.cookies.insert(other.into(), value);
    }
    let reply = there.send_proof("/staff-device/refresh", Some(&id), Some(&proof));
    assert_eq!(reply.status, Status::ServiceUnavailable);
}

#[test]
fn a_copy_of_the_cookies_dies_within_the_short_life_while_the_device_goes_on() {
    let app = app().start();
    let mut device = Device::bound(&app);
    assert_eq!(device.me(), "alice");
    let mut copied = thief(&device);
    for _ in 0..6 {
        app.forward(8 * MINUTE);
        let reply = device.refresh();
        assert_eq!(reply.status, Status::Ok);
        assert_eq!(max_age(&reply, SESSION), Some(600));
        assert_eq!(device.me(), "alice");
        // The life and a minute for clocks.
        if app.clock.now().as_secs() < START + 11 * MINUTE {
            assert_eq!(copied.me(), "alice");
            continue;
        }
        let reply = copied.get("/me");
        assert_eq!(reply.body, "anonymous");
        assert!(reply.set_cookies().is_empty());
        assert_eq!(copied.refresh().status, Status::Unauthorized);
    }
}

#[test]
fn the_unbound_session_dies_thirty_seconds_after_the_bound_one_has_arrived() {
    let app = app().start();
    let mut device = Device::new(&app, 1);
    let offer = device.login("remember=on");
    let mut copied = thief(&device);
    assert_eq!(device.register(&offer).status, Status::Ok);
    // The answer may be lost, so nothing has ended yet.
    app.forward(5 * MINUTE);
    assert_eq!(copied.me(), "alice");
    let reply = device.get("/me");
    assert_eq!(reply.body, "alice");
    assert!(reply.cookie(SESSION).is_some());
    assert!(device.get("/me").cookie(SESSION).is_none());
    app.forward(29);
    assert_eq!(copied.me(), "alice");
    app.forward(1);
    assert_eq!(copied.get("/me").body, "anonymous");
    app.forward(MINUTE);
    let reply = copied.get("/me");
    assert_eq!(reply.body, "anonymous");
    assert!(reply.removes(SESSION) && reply.removes(REMEMBER));
    assert_eq!(device.me(), "alice");
}

#[test]
fn a_refresh_ends_the_unbound_session_if_no_page_has() {
    let app = app().start();
    let mut device = Device::new(&app, 1);
    let offer = device.login("");
    let mut copied = thief(&device);
    assert_eq!(device.register(&offer).status, Status::Ok);
    device.drop_session();
    assert_eq!(device.refresh().status, Status::Ok);
    app.forward(30);
    assert_eq!(copied.me(), "anonymous");
    assert_eq!(device.me(), "alice");
}

#[test]
fn a_registration_whose_answer_is_lost_changes_nothing() {
    let app = app().start();
    let mut device = Device::new(&app, 1);
    let offer = device.login("");
    let mut lost = device.clone();
    assert_eq!(lost.register(&offer).status, Status::Ok);
    app.forward(30 * MINUTE);
    assert_eq!(device.get("/bound").body, "false");
    assert_eq!(device.me(), "alice");
}

#[test]
fn the_same_key_may_register_twice() {
    let app = app().start();
    let mut device = Device::new(&app, 1);
    let offer = device.login("");
    let mut lost = device.clone();
    assert_eq!(lost.register(&offer).status, Status::Ok);
    assert_eq!(lost.me(), "alice");
    assert_eq!(device.register(&offer).status, Status::Ok);
    for mut browser in [lost, device] {
        app.forward(MINUTE);
        assert_eq!(browser.me(), "alice");
        assert_eq!(browser.refresh().status, Status::Ok);
    }
}

#[test]
fn a_thief_who_registers_second_ends_the_login() {
    // T96
    let (app, log) = logged(app());
    let mut device = Device::new(&app, 1);
    let offer = device.login("");
    let mut thief = thief(&device);
    assert_eq!(device.register(&offer).status, Status::Ok);
    assert_eq!(device.me(), "alice");
    log.take();
    assert_eq!(thief.register(&offer).status, Status::Unauthorized);
    assert_eq!(
        log.take(),
        [(EventKind::SecondDevice, Some("alice".into()))]
    );
    assert_eq!(thief.me(), "anonymous");
    assert_eq!(device.me(), "anonymous");
    assert_eq!(device.refresh().status, Status::Unauthorized);
}

#[test]
fn a_thief_who_registers_first_loses_the_login_when_the_owner_registers() {
    let (app, log) = logged(app());
    let mut device = Device::new(&app, 1);
    let offer = device.login("");
    let mut thief = thief(&device);
    assert_eq!(thief.register(&offer).status, Status::Ok);
    assert_eq!(thief.me(), "alice");
    app.forward(2 * MINUTE);
    log.take();
    assert_eq!(device.register(&offer).status, Status::Unauthorized);
    assert_eq!(
        log.take(),
        [(EventKind::SecondDevice, Some("alice".into()))]
    );
    assert_eq!(thief.me(), "anonymous");
    assert_eq!(thief.refresh().status, Status::Unauthorized);
    assert_eq!(device.me(), "anonymous");
}

#[test]
fn of_two_devices_that_have_registered_the_second_to_show_it_ends_the_login() {
    let (app, log) = logged(app());
    for shows_page in [true, false] {
        let mut device = Device::new(&app, 1);
        let offer = device.login("");
        let mut thief = thief(&device);
        assert_eq!(thief.register(&offer).status, Status::Ok);
        assert_eq!(device.register(&offer).status, Status::Ok);
        assert_eq!(device.me(), "alice");
        log.take();
        if shows_page {
            assert_eq!(thief.me(), "anonymous");
        } else {
            assert_eq!(thief.refresh().status, Status::Unauthorized);
        }
        // Whom the application must warn.
        let events = log.take();
        let second: Vec<_> = events
            .iter()
            .filter(|(kind, _)| *kind == EventKind::SecondDevice)
            .collect();
        assert_eq!(
            second,
            [&(EventKind::SecondDevice, Some("alice".to_owned()))]
        );
        assert_eq!(device.me(), "anonymous");
        assert_eq!(device.refresh().status, Status::Unauthorized);
    }
}

#[test]
fn a_registration_needs_the_session_that_it_was_offered_to_and_a_proof() {
    let app = app().start();
    let mut device = Device::new(&app, 1);
    let offer = device.login("");
    let good = device
        .key
        .proof(Some(device.key.jwk()), &challenge_of(&offer));
    let mut other = Device::new(&app, 1);
    other.login("");
    let mut stranger = Device::new(&app, 1);
    let no_key = device.key.proof(None, &challenge_of(&offer));
    let wrong_key = device
        .key
        .proof(Some(thief(&device).key.jwk()), &challenge_of(&offer));
    let other_challenge = device.key.proof(Some(device.key.jwk()), "C");
    for (browser, proof) in [
        (&mut other, Some(&good)),
        (&mut stranger, Some(&good)),
        (&mut device.clone(), None),
        (&mut device.clone(), Some(&no_key)),
        (&mut device.clone(), Some(&wrong_key)),
        (&mut device.clone(), Some(&other_challenge)),
        (&mut device.clone(), Some(&good[1..].to_owned())),
        (&mut device.clone(), Some(&"A".repeat(100_000))),
    ] {
        let reply = browser.send_proof(REGISTER, None, proof.map(String::as_str));
        assert_eq!(reply.status, Status::Unauthorized);
    }
    app.forward(5 * MINUTE);
    assert_eq!(device.register(&offer).status, Status::Unauthorized);
    assert_eq!(device.me(), "alice");
}

#[test]
fn a_refresh_needs_a_new_challenge_each_minute() {
    let app = app().start();
    let mut device = Device::bound(&app);
    let challenge = device.ask();
    assert_eq!(challenge.status, Status::Forbidden);
    let header = challenge.header("Secure-Session-Challenge").unwrap();
    assert!(
        header.ends_with(&format!("\";id=\"{}\"", device.id)),
        "{header}"
    );
    // The same proof again, as Chromium sends it: nothing is gained by the time that passes.
    let proof = device.key.proof(None, &challenge_of(&challenge));
    let id = device.id.clone();
    for passed in [0, 30, 29] {
        app.forward(passed);
        let reply = device.send_proof(REFRESH, Some(&id), Some(&proof));
        assert_eq!(reply.status, Status::Ok);
        let since = app.clock.now().as_secs() - START;
        assert_eq!(
            max_age(&reply, SESSION),
            Some(600 - i64::try_from(since).unwrap())
        );
    }
    app.forward(1);
    let reply = device.send_proof(REFRESH, Some(&id), Some(&proof));
    assert_eq!(reply.status, Status::Forbidden);
    assert_eq!(device.answer(&reply).status, Status::Ok);
}

#[test]
fn a_proof_counts_for_its_own_login_and_key() {
    let app = app().start();
    let mut device = Device::bound(&app);
    let mut other = Device::bound(&app);
    let challenge = other.ask();
    // Another login's challenge is answered with one of this login's own.
    assert_eq!(device.answer(&challenge).status, Status::Forbidden);
    // Another login's cookies under this login's name.
    let mut mixed = device.clone();
    mixed.id.clone_from(&other.id);
    assert_eq!(mixed.refresh().status, Status::Unauthorized);
    let mut mixed = device.clone();
    let stolen = other.browser.cookies[DEVICE].clone();
    mixed.browser.cookies.insert(DEVICE.into(), stolen);
    mixed.id.clone_from(&other.id);
    assert_eq!(mixed.refresh().status, Status::Unauthorized);
    // Another key.
    let mut copied = thief(&device);
    assert_eq!(copied.refresh().status, Status::Unauthorized);
    // Without a name, as a page of any site can ask.
    assert_eq!(
        device.send_proof(REFRESH, None, None).status,
        Status::Unauthorized
    );
    assert_eq!(device.refresh().status, Status::Ok);
}

#[test]
fn the_cookies_of_a_device_log_nobody_in() {
    let app = app().start();
    let device = Device::bound_with(&app, "remember=on");
    for (name, value) in [(SESSION, DEVICE), (REMEMBER, DEVICE), (REMEMBER, COPY)] {
        let mut browser = app.browser();
        let value = device.browser.cookies[value].clone();
        browser.cookies.insert(name.into(), value);
        assert_eq!(browser.me(), "anonymous");
    }
}

#[test]
fn a_logout_ends_the_binding() {
    let app = app().start();
    let mut device = Device::bound_with(&app, "remember=on");
    let mut other_tab = device.clone();
    let in_flight = other_tab.ask();
    let reply = device.send(Method::Post, "/logout", "");
    for name in [SESSION, DEVICE, COPY] {
        assert!(reply.removes(name), "{name}");
    }
    assert_eq!(other_tab.answer(&in_flight).status, Status::Unauthorized);
    assert_eq!(other_tab.refresh().status, Status::Unauthorized);
    assert_eq!(device.refresh().status, Status::Unauthorized);
    assert_eq!(other_tab.me(), "anonymous");
}

#[test]
fn a_refresh_that_overtakes_a_logout_sets_a_dead_session() {
    let app = app().start();
    let mut device = Device::bound(&app);
    let mut refreshed = device.clone();
    assert_eq!(refreshed.refresh().status, Status::Ok);
    device.send(Method::Post, "/logout", "");
    assert_eq!(refreshed.me(), "anonymous");
    assert_eq!(refreshed.refresh().status, Status::Unauthorized);
}

#[test]
fn a_login_over_a_bound_one_ends_it_and_offers_anew() {
    let app = app().start();
    let mut device = Device::bound(&app);
    let mut other_tab = device.clone();
    let reply = device.login("");
    assert!(reply.removes(DEVICE) && reply.removes(COPY));
    // The refresh of the old login does not touch the new one's cookies.
    let status = other_tab.refresh().status;
    assert!([Status::Unauthorized, Status::ServiceUnavailable].contains(&status));
    assert_eq!(device.register(&reply).status, Status::Ok);
    assert_eq!(device.get("/bound").body, "true");
    app.forward(2 * MINUTE);
    assert_eq!(other_tab.refresh().status, Status::Unauthorized);
    assert_eq!(device.refresh().status, Status::Ok);
}

#[test]
fn a_confirmation_keeps_the_binding_and_survives_the_next_refresh() {
    let app = app().set("login.fresh_lifetime", "20 minutes").start();
    let mut device = Device::bound_with(&app, "remember=on");
    assert_eq!(device.me(), "alice");
    let mut before = device.clone();
    app.forward(5 * MINUTE);
    let reply = device.send(Method::Post, "/confirm", "alice");
    assert_eq!(reply.body, "confirmed");
    assert!(reply.header("Secure-Session-Registration").is_none());
    assert!(reply.cookie(COPY).is_some());
    // What proves a login is the device, and not the password.
    assert_eq!(max_age(&reply, SESSION), Some(300));
    assert_eq!(before.me(), "anonymous");
    device.drop_session();
    app.forward(16 * MINUTE);
    assert_eq!(device.refresh().status, Status::Ok);
    assert_eq!(device.get("/status").body, "fresh=true remembered=true");
    assert_eq!(device.refresh().status, Status::Ok);
    assert_eq!(device.me(), "alice");
}

#[test]
fn a_refresh_that_races_a_confirmation_is_tried_again() {
    let app = app().start();
    let mut device = Device::bound(&app);
    assert_eq!(device.me(), "alice");
    let mut late = device.clone();
    device.send(Method::Post, "/confirm", "alice");
    assert_eq!(late.refresh().status, Status::ServiceUnavailable);
    late.browser.cookies.clone_from(&device.browser.cookies);
    assert_eq!(late.refresh().status, Status::Ok);
}

#[test]
fn a_new_password_ends_the_bindings_of_all_other_browsers() {
    let app = app().start();
    let mut device = Device::bound(&app);
    let mut other = Device::bound(&app);
    let user = app.users.change("alice", |user| user.password.push('!'));
    assert_eq!(user.password, "password of alice!");
    assert_eq!(other.refresh().status, Status::Unauthorized);
    assert_eq!(device.refresh().status, Status::Unauthorized);
    assert_eq!(other.me(), "anonymous");
}

#[test]
fn a_logout_everywhere_ends_bindings_whose_session_cookie_is_gone() {
    let app = app().start();
    let mut device = Device::bound_with(&app, "remember=on");
    let mut other = Device::bound_with(&app, "remember=on");
    other.drop_session();
    device.send(Method::Post, "/logout-everywhere", "");
    assert_eq!(other.refresh().status, Status::Unauthorized);
}

#[test]
fn twenty_tabs_may_prove_and_show_a_session_at_once() {
    let app = app().start();
    let mut device = Device::bound(&app);
    let mut tabs = vec![device.clone(); 20];
    for tab in &mut tabs {
        assert_eq!(tab.me(), "alice");
    }
    app.forward(10 * MINUTE);
    device.drop_session();
    let mut tabs = vec![device; 20];
    let challenges: Vec<_> = tabs.iter_mut().map(Device::ask).collect();
    for (tab, challenge) in tabs.iter_mut().zip(&challenges) {
        assert_eq!(tab.answer(challenge).status, Status::Ok);
    }
    for tab in &mut tabs {
        assert_eq!(tab.me(), "alice");
    }
}

#[test]
fn a_refresh_is_no_use_of_the_login_where_a_fairing_asks_for_the_user_either() {
    let look = AdHoc::on_request("Look", |req, _| {
        Box::pin(async move {
            let _ = req.guard::<CurrentUser<'_, User>>().await;
        })
    });
    let app = app().start_with(|rocket| rocket.attach(look));
    let mut device = Device::bound(&app);
    assert_eq!(device.me(), "alice");
    for _ in 0..9 {
        app.forward(6 * MINUTE);
        assert_eq!(device.refresh().status, Status::Ok);
    }
    app.forward(6 * MINUTE);
    assert_eq!(device.refresh().status, Status::Unauthorized);
}

#[test]
fn lifetime_and_idle_timeout_hold_as_ever() {
    let app = app().set("login.session_lifetime", "3 hours").start();
    // A refresh alone is no use of the session.
    let mut idle = Device::bound(&app);
    for _ in 0..6 {
        app.forward(9 * MINUTE);
        assert_eq!(idle.refresh().status, Status::Ok);
    }
    app.forward(6 * MINUTE);
    assert_eq!(idle.refresh().status, Status::Unauthorized);

    // A page every eleven minutes is, although the session cookie is always gone by then.
    let mut used = Device::bound(&app);
    for _ in 0..16 {
        app.forward(11 * MINUTE);
        used.drop_session();
        assert_eq!(used.refresh().status, Status::Ok);
        assert_eq!(used.me(), "alice");
    }
    app.forward(4 * MINUTE);
    assert_eq!(used.refresh().status, Status::Unauthorized);
}

#[test]
fn the_device_takes_the_place_of_the_remember_cookie() {
    let (app, log) = logged(app());
    let mut device = Device::new(&app, 1);
    let offer = device.login("remember=on");
    let mut copied = thief(&device);
    let reply = device.register(&offer);
    assert!(reply.removes(REMEMBER));
    assert_eq!(max_age(&reply, DEVICE), Some(365 * 24 * 60 * 60));
    assert_eq!(device.get("/status").body, "fresh=true remembered=true");
    // The browser was closed, and opened again weeks later.
    device.browser.cookies.retain(|name, _| name == DEVICE);
    app.forward(30 * DAY);
    log.take();
    assert_eq!(device.refresh().status, Status::Ok);
    assert_eq!(log.count(EventKind::LoadedFromCookie), 1);
    assert_eq!(device.get("/status").body, "fresh=false remembered=true");
    // The remember cookie that was copied before the registration has died with the unbound session.
    assert_eq!(copied.me(), "anonymous");
}

#[test]
fn without_remember_a_closed_browser_is_logged_out() {
    let app = app().start();
    let mut device = Device::bound(&app);
    assert_eq!(device.me(), "alice");
    device.browser.cookies.clear();
    assert_eq!(device.refresh().status, Status::Unauthorized);
}

#[test]
fn a_server_that_cannot_judge_lets_the_browser_try_again() {
    let app = app().start();
    let mut device = Device::bound(&app);
    app.users.fail(true);
    assert_eq!(device.refresh().status, Status::ServiceUnavailable);
    app.users.fail(false);
    assert_eq!(device.refresh().status, Status::Ok);
    // A server that does not know the newest key yet.
    let old = self::app()
        .set("login.secret_key", "0123456789abcdefghijklmnopqrstuv")
        .start();
    let mut there = Device {
        browser: old.visited_by(&device.browser),
        ..device.clone()
    };
    assert_eq!(there.refresh().status, Status::ServiceUnavailable);
    app.users.remove("alice");
    assert_eq!(device.refresh().status, Status::Unauthorized);
}

#[test]
fn a_new_secret_and_a_restart_log_nobody_out() {
    let app = app().start();
    let mut device = Device::bound_with(&app, "remember=on");
    assert_eq!(device.me(), "alice");
    let rotated = |current, fallbacks: &[&str]| {
        self::app()
            .set("login.secret_key", current)
            .set("login.secret_key_fallbacks", fallbacks)
            .start()
    };
    let (new, newer) = (
        "0123456789abcdefghijklmnopqrstuv",
        "vutsrqponmlkjihgfedcba9876543210",
    );
    let between = rotated(new, &[KEY]);
    let mut there = Device {
        browser: between.visited_by(&device.browser),
        ..device.clone()
    };
    there.drop_session();
    assert_eq!(there.refresh().status, Status::Ok);
    let later = rotated(newer, &[new]);
    let mut there = Device {
        browser: later.visited_by(&there.browser),
        ..there.clone()
    };
    there.drop_session();
    assert_eq!(there.refresh().status, Status::Ok);
    assert_eq!(there.me(), "alice");
}

#[test]
fn clocks_may_differ_by_a_minute() {
    let here = app().start();
    let there = app().start();
    there.forward(MINUTE);
    let mut device = Device::bound(&here);
    let challenge = device.ask();
    // A server that is behind has given the challenge.
    let mut ahead = Device {
        browser: there.visited_by(&device.browser),
        ..device.clone()
    };
    assert_eq!(ahead.answer(&challenge).status, Status::Forbidden);
    let challenge = ahead.ask();
    assert_eq!(ahead.answer(&challenge).status, Status::Ok);
    // One that is ahead has.
    let mut behind = Device {
        browser: here.visited_by(&ahead.browser),
        ..ahead.clone()
    };
    assert_eq!(behind.me(), "alice");
    assert_eq!(behind.answer(&challenge).status, Status::Ok);
}

#[test]
fn a_bound_login_moves_to_another_address_with_the_next_proof() {
    let (home, train) = ("192.0.2.1", "198.51.100.1");
    for (protection, on_train) in [
        ("basic", "alice"),
        ("strong", "anonymous"),
        ("strict", "anonymous"),
    ] {
        let app = app().set("login.session_protection", protection).start();
        let mut device = Device::new(&app, 1);
        device.browser = device.browser.from(home);
        let offer = device.login("");
        assert_eq!(device.register(&offer).status, Status::Ok);
        assert_eq!(device.me(), "alice");
        device.browser = device.browser.clone().from(train);
        let reply = device.get("/me");
        assert_eq!(reply.body, on_train);
        assert_eq!(reply.removes(SESSION), on_train == "anonymous");
        if protection == "basic" {
            assert_eq!(device.get("/status").body, "fresh=false remembered=false");
        }
        assert_eq!(device.refresh().status, Status::Ok);
        assert_eq!(device.get("/status").body, "fresh=true remembered=false");
    }
}

#[test]
fn a_link_from_another_site_loads_the_page_again_from_this_one() {
    // As if a fairing that is attached before the manager had compressed the page.
    #[derive(rocket::Responder)]
    struct Packed((), Header<'static>);
    #[rocket::catch(401)]
    fn packed() -> Packed {
        Packed((), Header::new("Content-Encoding", "gzip"))
    }
    let app = app().start_with(|rocket| rocket.register("/", catchers![packed]));
    let mut device = Device::bound(&app);
    device.drop_session();
    let link = |browser: &Browser<'_>, site: &str| {
        let browser = browser.clone().header("Sec-Fetch-Mode", "navigate");
        let browser = browser.header("Sec-Fetch-Dest", "document");
        browser
            .header("Sec-Fetch-Site", site)
            .get("/private?a=1&b=2")
    };
    let mut outside = device.browser.clone();
    outside.cookies.clear();
    // Browsers prove a session for its own origin only: not for another site, nor for another host of this site.
    for site in ["cross-site", "same-site"] {
        let reply = link(&outside, site);
        assert_eq!(reply.status, Status::Ok, "{site}");
        assert!(
            reply
                .body
                .contains(r#"content="0;url=/private?a=1&amp;b=2""#),
            "{}",
            reply.body
        );
        assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
        assert_eq!(reply.header("Content-Encoding"), None);
    }
    // It comes from this site then. The browser has proven the session, or there is none.
    let reply = link(&outside, "same-origin");
    assert_eq!(reply.status, Status::SeeOther);
    assert_eq!(device.refresh().status, Status::Ok);
    let mut proven = device.browser.clone();
    proven.cookies.retain(|name, _| name == SESSION);
    assert_eq!(link(&proven, "same-origin").status, Status::Ok);
    // A script, and a session that is refused, are answered as ever.
    let reply = outside
        .header("Sec-Fetch-Site", "cross-site")
        .header("Sec-Fetch-Mode", "cors")
        .get("/private");
    assert_eq!(reply.status, Status::Unauthorized);
}

#[test]
fn a_link_from_another_site_does_not_bring_the_cookies_that_are_strict() {
    for setting in ["session_cookie_samesite", "remember_cookie_samesite"] {
        let app = app().set(&format!("login.{setting}"), "strict").start();
        // The browser leaves these cookies out, and would send them with the second request.
        for (site, status) in [("cross-site", Status::SeeOther), ("same-site", Status::Ok)] {
            let browser = app.browser().header("Sec-Fetch-Mode", "navigate");
            let mut link = browser.header("Sec-Fetch-Site", site);
            assert_eq!(link.get("/private").status, status, "{setting} {site}");
        }
    }
}

#[test]
fn a_registration_from_another_client_is_refused() {
    let app = app().start();
    let mut device = Device::new(&app, 1);
    device.browser = device.browser.from("192.0.2.1");
    let offer = device.login("");
    let mut thief = thief(&device);
    thief.browser = thief.browser.from("198.51.100.1");
    assert_eq!(thief.register(&offer).status, Status::Unauthorized);
    assert_eq!(device.register(&offer).status, Status::Ok);
    assert_eq!(device.me(), "alice");
}

#[test]
fn the_list_of_logins_shows_which_are_bound_once_the_browser_has_shown_it() {
    let registry = MemoryRegistry::new();
    let app = app().with(|manager| manager.login_registry(registry));
    let app = app.start();
    let mut unbound = Device::new(&app, 1);
    unbound.login("");
    assert_eq!(unbound.get("/logins").body, "[false]");

    let mut device = Device::new(&app, 1);
    let offer = device.login("");
    let mut copied = thief(&device);
    assert_eq!(device.register(&offer).status, Status::Ok);
    // The answer may be lost, and a copy would live on.
    assert_eq!(copied.get("/logins").body, "[false, false]");
    device.get("/me");
    soon(|| unbound.get("/logins").body == "[false, true]");
    app.forward(6 * MINUTE);
    device.get("/me");
    soon(|| device.get("/logins").body == "[true, false]");
    unbound.get("/me");
    assert_eq!(unbound.get("/logins").body, "[false, true]");

    let mut only_refreshed = Device::bound(&app);
    assert_eq!(only_refreshed.refresh().status, Status::Ok);
    soon(|| unbound.get("/logins").body == "[false, true, true]");
}

#[test]
fn a_login_that_is_bound_after_a_restore_comes_back_by_its_proofs_and_counts_nothing() {
    let registry = MemoryRegistry::new();
    let (app, log) = logged(app().with(|manager| manager.login_registry(registry)));
    let mut device = Device::new(&app, 1);
    device.login("remember=on");
    let mut copied = thief(&device);
    for _ in 0..2 {
        app.forward(DAY);
        device.browser.cookies.retain(|name, _| name == REMEMBER);
        assert_eq!(device.me(), "alice");
    }
    let offer = device.send(Method::Post, "/confirm", "alice");
    assert_eq!(device.register(&offer).status, Status::Ok);
    assert_eq!(device.me(), "alice");
    for _ in 0..3 {
        device.browser.cookies.retain(|name, _| name == DEVICE);
        app.forward(30 * DAY);
        assert_eq!(device.refresh().status, Status::Ok);
        assert_eq!(device.me(), "alice");
        app.forward(MINUTE);
        assert_eq!(device.me(), "alice");
    }
    copied.browser.cookies.retain(|name, _| name == REMEMBER);
    assert_eq!(copied.me(), "anonymous");
    assert_eq!(device.me(), "alice");
    assert_eq!(log.count(EventKind::RememberTokenReused), 0);
}
