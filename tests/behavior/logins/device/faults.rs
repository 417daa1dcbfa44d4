//! Skipped refreshes, lost answers, restarts, clocks, two realms, and thieves who are fast.

use rocket::http::{Method, Status};
use rocket::local::blocking::Client;
use rocket::response::Redirect;
use rocket::{State, get, post, routes};
use rocket_login::logins::MemoryRegistry;
use rocket_login::testing::Clock;
use rocket_login::testing::store::MemoryLog;
use rocket_login::{
    CurrentUser, EventKind, LoginError, LoginManager, LoginSession, UserMixin, login_required,
    user_loader,
};

use super::super::registry::soon;
use super::super::support::{DAY, MINUTE, logged};
use crate::common::device::{
    COPY, DEVICE, Device, Key, REFRESH, REGISTER, REMEMBER, SESSION, app, challenge_of, id_of,
    thief,
};
use crate::common::{Reply, Running, START, User, Users, figment, load_user};

/// The header of a browser that has not proven its device, for one of the reasons of the draft.
fn skipped<'a>(device: &Device<'a>, reason: &str) -> Device<'a> {
    let value = format!("{reason};session_identifier=\"{}\"", device.id);
    let browser = device.browser.clone();
    Device {
        browser: browser.header("Secure-Session-Skipped", &value),
        ..device.clone()
    }
}

#[test]
fn a_skipped_refresh_loses_nothing() {
    let app = app().start();
    for form in ["", "remember=on"] {
        let mut device = Device::bound_with(&app, form);
        assert_eq!(device.me(), "alice");
        app.forward(12 * MINUTE);
        device.drop_session();
        for reason in ["unreachable", "server_error", "quota_exceeded"] {
            let reply = skipped(&device, reason).get("/private");
            assert_eq!(reply.location(), Some("/login?next=%2Fprivate"));
            for name in [SESSION, REMEMBER, DEVICE, COPY] {
                assert!(reply.cookie(name).is_none(), "{name}");
            }
        }
        // It can be proven later.
        assert_eq!(device.refresh().status, Status::Ok);
        assert_eq!(device.me(), "alice");
    }
}

#[test]
fn a_session_that_was_not_proven_in_time_is_no_login_and_stays_with_the_browser() {
    let app = app().start();
    let mut device = Device::bound(&app);
    assert_eq!(device.me(), "alice");
    app.forward(11 * MINUTE);
    let reply = skipped(&device, "unreachable").get("/me");
    assert_eq!(reply.body, "anonymous");
    assert!(reply.set_cookies().is_empty(), "{reply:?}");
    assert_eq!(device.refresh().status, Status::Ok);
    assert_eq!(device.me(), "alice");
}

#[test]
fn a_logout_after_a_skipped_refresh_takes_the_device_cookie() {
    let app = app().start();
    let mut device = Device::bound_with(&app, "remember=on");
    assert_eq!(device.me(), "alice");
    device.drop_session();
    let mut device = skipped(&device, "quota_exceeded");
    let reply = device.send(Method::Post, "/logout", "");
    assert!(reply.removes(DEVICE) && reply.removes(COPY));
    assert_eq!(device.refresh().status, Status::Unauthorized);
}

#[test]
fn a_login_after_a_skipped_refresh_is_not_overwritten_by_the_old_one() {
    let app = app().start();
    let mut device = Device::bound_with(&app, "remember=on");
    assert_eq!(device.me(), "alice");
    device.drop_session();
    let mut old = skipped(&device, "quota_exceeded");
    let mut device = old.clone();
    let offer = device.login("");
    // The browser refreshes the old binding with the cookies that it has now.
    old.browser.cookies.clone_from(&device.browser.cookies);
    assert_eq!(old.refresh().status, Status::Unauthorized);
    assert_eq!(device.register(&offer).status, Status::Ok);
    old.browser.cookies.clone_from(&device.browser.cookies);
    assert_eq!(old.refresh().status, Status::Unauthorized);
    assert_eq!(device.me(), "alice");
    assert_eq!(device.refresh().status, Status::Ok);
}

#[test]
fn a_refresh_whose_answer_is_lost_is_repeated() {
    let app = app().start();
    for form in ["", "remember=on"] {
        let mut device = Device::bound_with(&app, form);
        assert_eq!(device.me(), "alice");
        if form.is_empty() {
            device.drop_session();
        } else {
            // The device begins a new session.
            device.browser.cookies.retain(|name, _| name == DEVICE);
        }
        let mut lost = device.clone();
        assert_eq!(lost.refresh().status, Status::Ok);
        app.forward(2 * MINUTE);
        assert_eq!(device.refresh().status, Status::Ok);
        assert_eq!(device.me(), "alice");
    }
}

#[test]
fn a_remembered_login_that_was_confirmed_before_the_browser_closed_comes_back() {
    let log = MemoryLog::with_clock(Clock::manual(START));
    let with_store =
        app().with(|manager| manager.revocation_store(|_| Box::pin(async { Ok(log) })));
    for (app, confirmations) in [(app(), 1), (app(), 3), (with_store, 3)] {
        let app = app.start();
        let mut device = Device::bound_with(&app, "remember=on");
        assert_eq!(device.me(), "alice");
        for _ in 0..confirmations {
            device.send(Method::Post, "/confirm", "alice");
        }
        let mut reopened = device.clone();
        reopened.browser.cookies.retain(|name, _| name == DEVICE);
        // The answer to the confirmation may still be under way.
        assert_eq!(reopened.refresh().status, Status::ServiceUnavailable);
        app.forward(DAY);
        assert_eq!(thief(&reopened).refresh().status, Status::Unauthorized);
        let mut again = reopened.clone();
        assert_eq!(again.refresh().status, Status::Ok);
        assert_eq!(again.get("/status").body, "fresh=false remembered=true");
        assert_eq!(again.refresh().status, Status::Ok);
        again.send(Method::Post, "/logout", "");
        assert_eq!(reopened.refresh().status, Status::Unauthorized);
    }
}

#[test]
fn offers_and_challenges_outlive_a_restart() {
    let (before, after) = (app().start(), app().start());
    let mut device = Device::new(&before, 1);
    let offer = device.login("remember=on");
    let mut copied = there(&device, &after);
    let mut device = there(&device, &after);
    assert_eq!(device.register(&offer).status, Status::Ok);
    let challenge = device.ask();
    let mut device = there(&device, &before);
    assert_eq!(device.answer(&challenge).status, Status::Ok);
    assert_eq!(device.me(), "alice");
    before.forward(MINUTE);
    after.forward(MINUTE);
    // The list in memory belongs to one process. With a store, the unbound session stays dead.
    assert_eq!(copied.me(), "alice");
}

/// The same browser, which finds another server at the address.
fn there<'a>(device: &Device<'_>, server: &'a Running) -> Device<'a> {
    Device {
        browser: server.visited_by(&device.browser),
        key: device.key.clone(),
        id: device.id.clone(),
    }
}

#[test]
fn an_offer_is_answered_at_a_server_whose_clock_differs_by_a_minute() {
    let (behind, ahead) = (app().start(), app().start());
    ahead.forward(MINUTE);
    for (here, other) in [(&behind, &ahead), (&ahead, &behind)] {
        let mut device = Device::new(here, 1);
        let offer = device.login("");
        let mut device = there(&device, other);
        assert_eq!(device.register(&offer).status, Status::Ok);
        for server in [here, other] {
            let mut device = there(&device, server);
            assert_eq!(device.me(), "alice");
            assert_eq!(device.refresh().status, Status::Ok);
        }
    }
}

#[test]
fn of_two_sessions_of_a_device_the_weaker_freshness_counts() {
    let app = app().start();
    let mut device = Device::bound_with(&app, "remember=on");
    assert_eq!(device.me(), "alice");
    let mut restored = device.clone();
    restored.browser.cookies.retain(|name, _| name == DEVICE);
    assert_eq!(restored.refresh().status, Status::Ok);
    assert_eq!(restored.get("/status").body, "fresh=false remembered=true");
    // The fresh session is renewed later.
    app.forward(6 * MINUTE);
    assert_eq!(device.get("/status").body, "fresh=true remembered=true");
    let stale = restored.browser.cookies[SESSION].clone();
    device.browser.cookies.insert(COPY.into(), stale);
    assert_eq!(device.refresh().status, Status::Ok);
    assert_eq!(device.get("/status").body, "fresh=false remembered=true");
}

#[test]
fn a_proof_for_another_address_is_refused_by_both_routes() {
    let app = app().start();
    let mut device = Device::new(&app, 1);
    device.browser = device.browser.header("Host", "app.example");
    let claims =
        |reply: &Reply, aud: &str| format!(r#"{{"jti":"{}","aud":"{aud}"}}"#, challenge_of(reply));
    let (own, other) = ("https://app.example", "https://evil.example");
    let offer = device.login("");
    for (aud, status) in [
        (format!("{own}{REFRESH}"), Status::Unauthorized),
        (format!("{other}{REGISTER}"), Status::Unauthorized),
        (format!("{own}{REGISTER}"), Status::Ok),
    ] {
        let key = &device.key;
        let proof = key.proof_of(Some(key.jwk()), &claims(&offer, &aud));
        let reply = device.send_proof(REGISTER, None, Some(&proof));
        assert_eq!(reply.status, status, "{aud}");
        if status == Status::Ok {
            device.id = id_of(&reply);
        }
    }
    let id = device.id.clone();
    for (aud, status) in [
        (format!("{own}{REGISTER}"), Status::Unauthorized),
        (format!("{other}{REFRESH}"), Status::Unauthorized),
        (format!("{own}{REFRESH}"), Status::Ok),
    ] {
        let challenge = device.ask();
        let proof = device.key.proof_of(None, &claims(&challenge, &aud));
        let reply = device.send_proof(REFRESH, Some(&id), Some(&proof));
        assert_eq!(reply.status, status, "{aud}");
    }
}

#[test]
fn a_thief_who_binds_a_login_of_a_browser_that_cannot_logs_it_out_and_is_in_the_list() {
    let registry = MemoryRegistry::new();
    let app = app().with(|manager| manager.login_registry(registry));
    let (app, log) = logged(app);
    let mut owner = Device::new(&app, 1);
    let offer = owner.login("");
    let mut thief = thief(&owner);
    log.take();
    assert_eq!(thief.register(&offer).status, Status::Ok);
    assert_eq!(
        log.take()[0],
        (EventKind::DeviceBound, Some("alice".into()))
    );
    assert_eq!(thief.me(), "alice");
    app.forward(2 * MINUTE);
    let reply = owner.get("/private");
    assert_eq!(reply.location(), Some("/login?next=%2Fprivate"));
    assert!(reply.removes(SESSION));
    // The owner logs in again, and sees a bound login, which no browser of the owner can have.
    owner.login("");
    soon(|| owner.get("/logins").body == "[false, true]");
    owner.send(Method::Post, "/logout-everywhere", "");
    assert_eq!(thief.me(), "anonymous");
    assert_eq!(thief.refresh().status, Status::Unauthorized);
}

#[test]
fn a_thief_without_the_answer_to_the_login_cannot_register() {
    let app = app().start();
    let mut owner = Device::new(&app, 1);
    owner.login("");
    // The cookie alone, and the offer of a login of the thief's own.
    let mut thief = Device::new(&app, 99);
    let own_offer = thief.login("");
    thief.browser.cookies.clone_from(&owner.browser.cookies);
    assert_eq!(thief.register(&own_offer).status, Status::Unauthorized);
    let unoffered = thief.key.proof(Some(thief.key.jwk()), "");
    let reply = thief.send_proof(REGISTER, None, Some(&unoffered));
    assert_eq!(reply.status, Status::Unauthorized);
}

#[derive(UserMixin)]
struct Clerk {
    id: String,
}

#[allow(clippy::unnecessary_wraps, reason = "a loader's type is fixed")]
#[user_loader]
fn load_clerk(id: String) -> Option<Clerk> {
    Some(Clerk { id })
}

#[post("/login")]
async fn user_login(
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Redirect, LoginError> {
    session.login_user(&users.get("alice").unwrap()).await?;
    Ok(Redirect::to("/me"))
}

#[get("/me")]
fn me(user: CurrentUser<'_, User>) -> String {
    user.get_id().unwrap_or_else(|| "anonymous".into())
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logout_user().await
}

#[post("/clerks/login")]
async fn clerk_login(session: LoginSession<'_, Clerk>) -> Result<(), LoginError> {
    let clerk = Clerk { id: "carl".into() };
    session.login_user(&clerk).await
}

#[login_required(Clerk)]
#[get("/clerk")]
fn clerk(clerk: &Clerk) -> String {
    clerk.id.clone()
}

#[test]
fn two_realms_of_one_browser_are_bound_side_by_side() {
    const CLERK: &str = "__Host-clerks_session";
    let (users, clock) = (Users::alice_and_bob(), Clock::manual(START));
    let figment = figment()
        .merge(("login.device_binding", "offer"))
        .merge(("login.session_cookie_secure", true));
    let clerks = LoginManager::new(load_clerk).realm("clerks");
    let rocket = rocket::custom(figment)
        .manage(users.clone())
        .attach(LoginManager::new(load_user).clock(clock.clone()))
        .attach(clerks.clock(clock.clone()))
        .mount("/", routes![user_login, me, logout, clerk_login, clerk]);
    let app = Running {
        client: Client::untracked(rocket).unwrap(),
        users,
        clock,
    };
    let mut device = Device::bound(&app);
    let (alice, key_of_alice) = (device.id.clone(), device.key.clone());

    // The browser makes a key for each binding.
    let offer = device.send(Method::Post, "/clerks/login", "");
    let header = offer.header("Secure-Session-Registration").unwrap();
    assert!(
        header.contains("path=\"/clerks-device/register\""),
        "{header}"
    );
    let key = Key::new(2);
    let proof = key.proof(Some(key.jwk()), &challenge_of(&offer));
    assert_eq!(
        device.send_proof(REGISTER, None, Some(&proof)).status,
        Status::Unauthorized
    );
    let reply = device.send_proof("/clerks-device/register", None, Some(&proof));
    assert_eq!(reply.status, Status::Ok);
    let json: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(json["credentials"][0]["name"], CLERK);
    let carl = id_of(&reply);
    assert_eq!(
        (device.me(), device.get("/clerk").body),
        ("alice".into(), "carl".into())
    );

    app.forward(10 * MINUTE);
    device.drop_session();
    device.browser.cookies.remove(CLERK).unwrap();
    let there = "/clerks-device/refresh";
    let challenge = device.send_proof(there, Some(&carl), None);
    let proof = key.proof(None, &challenge_of(&challenge));
    // The challenge, the name and the key of one realm are nothing to the other.
    let reply = device.send_proof(REFRESH, Some(&alice), Some(&proof));
    assert_eq!(reply.status, Status::Forbidden);
    for (path, id) in [(REFRESH, &carl), (there, &alice)] {
        let reply = device.send_proof(path, Some(id), Some(&proof));
        assert_eq!(reply.status, Status::Unauthorized);
    }
    let wrong_key = key_of_alice.proof(None, &challenge_of(&challenge));
    let reply = device.send_proof(there, Some(&carl), Some(&wrong_key));
    assert_eq!(reply.status, Status::Unauthorized);

    let reply = device.send_proof(there, Some(&carl), Some(&proof));
    assert_eq!(reply.status, Status::Ok);
    assert_eq!(
        (device.me(), device.get("/clerk").body),
        ("anonymous".into(), "carl".into())
    );
    assert_eq!(device.refresh().status, Status::Ok);
    assert_eq!(device.me(), "alice");
    device.send(Method::Post, "/logout", "");
    let reply = device.send_proof(there, Some(&carl), None);
    assert_eq!(reply.status, Status::Forbidden);
    assert_eq!(device.get("/clerk").body, "carl");
}
