//! The cookies of `rocket_login::testing`.

use rocket::http::{Cookie, Status};
use rocket::local::blocking::Client;
use rocket_login::{LoginManager, UserMixin, testing, user_loader};

use super::support::{DAY, HOUR, assert_refused, assert_replaced};
use crate::common::{App, Browser, REMEMBER, Running, SESSION, bare};

/// A browser that has this cookie.
fn holding<'a>(app: &'a Running, cookie: &Cookie<'_>) -> Browser<'a> {
    let mut browser = app.browser();
    browser
        .cookies
        .insert(cookie.name().into(), cookie.value().into());
    browser
}

#[test]
fn each_helper_makes_the_login_in_its_name() {
    for protection in ["off", "basic", "strong"] {
        let app = App::new()
            .set("login.session_protection", protection)
            .start();
        let alice = app.users.get("alice").unwrap();
        let rocket = app.client.rocket();
        let fresh = testing::login(rocket, &alice);
        let stale = testing::stale_login(rocket, &alice);
        let remember = testing::remember(rocket, &alice);
        for (cookie, name, status, fresh_page) in [
            (&fresh, SESSION, "fresh=true remembered=false", None),
            (
                &stale,
                SESSION,
                "fresh=false remembered=false",
                Some("/confirm?next=%2Ffresh"),
            ),
            (
                &remember,
                REMEMBER,
                "fresh=false remembered=true",
                Some("/confirm?next=%2Ffresh"),
            ),
        ] {
            assert_eq!(cookie.name(), name);
            let mut browser = holding(&app, cookie);
            for _ in 0..3 {
                assert_eq!(browser.status(), status);
                assert_eq!(browser.get("/private").body, "private of alice");
                assert_eq!(browser.get("/fresh").location(), fresh_page);
            }
            browser.post("/logout", "");
            assert_refused(&holding(&app, cookie));
        }
    }
}

#[test]
fn no_two_cookies_are_equal() {
    let app = App::new().start();
    let alice = app.users.get("alice").unwrap();
    let rocket = app.client.rocket();
    let cookies = [(); 2].map(|()| testing::login(rocket, &alice));
    assert_ne!(cookies[0].value(), cookies[1].value());
}

#[test]
fn the_cookies_follow_the_settings_and_the_clock() {
    let app = App::new()
        .release()
        .set("login.remember_cookie_duration", "2 days")
        .start();
    let alice = app.users.get("alice").unwrap();
    let rocket = app.client.rocket();
    for (cookie, name, lifetime) in [
        (testing::login(rocket, &alice), "__Host-login_session", HOUR),
        (
            testing::remember(rocket, &alice),
            "__Host-remember_token",
            2 * DAY,
        ),
    ] {
        let now = app.clock.now();
        assert_eq!(cookie.name(), name);
        app.forward(lifetime - 1);
        assert_eq!(holding(&app, &cookie).me(), "alice");
        app.forward(1);
        assert_refused(&holding(&app, &cookie));
        app.clock.set(now.as_secs());
    }
}

#[test]
fn the_cookies_end_with_a_password_change_or_the_account() {
    let app = App::new().start();
    let alice = app.users.get("alice").unwrap();
    let rocket = app.client.rocket();
    for cookie in [
        testing::login(rocket, &alice),
        testing::remember(rocket, &alice),
    ] {
        app.users.change("alice", |alice| alice.password.push('!'));
        assert_refused(&holding(&app, &cookie));
        app.users.put("alice");
        app.users.change("alice", |alice| alice.active = false);
        assert_refused(&holding(&app, &cookie));
        app.users.put("alice");
        assert_eq!(holding(&app, &cookie).me(), "alice");
    }
}

#[test]
fn a_login_ends_the_login_of_a_made_cookie() {
    let app = App::new().start();
    let alice = app.users.get("alice").unwrap();
    let cookie = testing::login(app.client.rocket(), &alice);
    let mut browser = holding(&app, &cookie);
    assert_eq!(browser.login("bob").status, Status::SeeOther);
    assert_eq!(browser.me(), "bob");
    assert_replaced(&holding(&app, &cookie));
}

#[test]
#[should_panic = "no `LoginManager` for"]
fn without_a_manager_the_helpers_panic() {
    let alice = App::new().users.get("alice").unwrap();
    let client = Client::untracked(bare()).unwrap();
    let _ = testing::login(client.rocket(), &alice);
}

#[test]
#[should_panic = "this rocket is not ignited, so nothing is known of its `LoginManager` and its guards: \
                  start a `Client` and use `client.rocket()`, or ignite it with `rocket.ignite().await`"]
fn before_ignition_the_helpers_panic() {
    let app = App::new();
    let alice = app.users.get("alice").unwrap();
    let _ = testing::login(&app.rocket(), &alice);
}

#[rocket::async_test]
async fn after_ignition_the_helpers_work_without_a_client() {
    let app = App::new();
    let alice = app.users.get("alice").unwrap();
    let rocket = app.rocket().ignite().await.unwrap();
    let login = testing::login(&rocket, &alice);
    let client = rocket::local::asynchronous::Client::untracked(rocket)
        .await
        .unwrap();
    let response = client.get("/me").cookie(login).dispatch().await;
    assert_eq!(response.into_string().await.unwrap(), "alice");
}

#[derive(UserMixin)]
struct Wide {
    id: u16,
}

#[user_loader]
fn load_narrow(_id: u8) -> Option<Wide> {
    None
}

#[test]
#[should_panic = "the user loader takes the id as `u8` and cannot read the id of a"]
fn a_user_id_that_the_loader_cannot_read_panics() {
    let rocket = bare().attach(LoginManager::new(load_narrow));
    let client = Client::untracked(rocket).unwrap();
    let _ = testing::login(client.rocket(), &Wide { id: 300 });
}

#[test]
#[should_panic = "the user's id has 257 bytes, more than 256: return a shorter one from `get_id`"]
fn a_user_id_that_is_too_long_panics() {
    let app = App::new().start();
    let user = app.users.put(&"x".repeat(257));
    let _ = testing::login(app.client.rocket(), &user);
}
