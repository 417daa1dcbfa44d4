//! Users that the request loader finds.

use rocket::http::Status;
use rocket::{Request, State, get, routes};
use rocket_login::handler::IntoRequestLoader;
use rocket_login::{Fresh, LoginManager, request_loader};

use crate::common::{App, REMEMBER, SESSION, User, Users};

struct Key<'r>(Option<&'r str>);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Key<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> rocket::request::Outcome<Self, Self::Error> {
        rocket::request::Outcome::Success(Key(req.headers().get_one("X-Api-Key")))
    }
}

#[request_loader]
fn sync_loader(key: Key<'_>, users: &State<Users>) -> Option<User> {
    users.get(key.0?)
}

#[request_loader]
async fn async_loader(key: Key<'_>, users: &State<Users>) -> Result<Option<User>, &'static str> {
    rocket::tokio::task::yield_now().await;
    match key.0 {
        Some("broken") => Err("the key store is down"),
        Some(key) => Ok(users.get(key)),
        None => Ok(None),
    }
}

#[get("/fresh-guard")]
fn fresh_guard(user: Fresh<'_, User>) -> String {
    user.id.clone()
}

fn app_with(loader: impl IntoRequestLoader<User = User>) -> App {
    App::new().with(|manager| manager.request_loader(loader))
}

fn keyed(change: impl FnOnce(LoginManager<User>) -> LoginManager<User>) -> App {
    app_with(sync_loader).with(change)
}

#[test]
fn an_api_key_opens_the_same_pages_with_every_kind_of_loader() {
    for app in [app_with(sync_loader), app_with(async_loader)] {
        let app = app.start();
        let mut robot = app.browser().header("X-Api-Key", "bob");
        assert_eq!(robot.me(), "bob");
        let reply = robot.get("/private");
        assert_eq!(reply.body, "private of bob");
        assert!(reply.set_cookies().is_empty());
        assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
        assert_eq!(robot.post("/private", "").body, "posted by bob");
        let mut stranger = app.browser().header("X-Api-Key", "mallory");
        assert_eq!(stranger.me(), "anonymous");
        assert_eq!(stranger.get("/private").status, Status::SeeOther);
        assert_eq!(app.users.loads(), 0);
    }
}

#[test]
fn session_and_remember_cookie_come_before_the_request_loader() {
    let app = keyed(|manager| manager).start();
    let mut alice = app.remembered("alice").header("X-Api-Key", "bob");
    assert_eq!(alice.me(), "alice");
    alice.restart();
    assert_eq!(alice.me(), "alice");
}

// D11, D12
#[test]
fn an_invalid_cookie_does_not_disable_api_keys() {
    let app = keyed(|manager| manager).start();
    for name in [SESSION, REMEMBER] {
        for value in ["forged", "", "1|0123456789abcdef"] {
            let mut robot = app.browser().header("X-Api-Key", "bob");
            robot.cookies.insert(name.into(), value.into());
            let reply = robot.get("/private");
            assert_eq!(reply.body, "private of bob", "{name}={value}");
            // No key of ours has signed it: it may be another application's.
            assert!(reply.set_cookies().is_empty(), "{name}={value}");
        }
    }
    let mut gone = app.remembered("alice").header("X-Api-Key", "bob");
    app.users.remove("alice");
    assert_eq!(gone.me(), "bob");
    assert!(gone.cookies.is_empty());
}

#[test]
fn duplicate_cookies_are_not_removed_and_the_api_key_counts() {
    let app = keyed(|manager| manager).start();
    let mut robot = app
        .browser()
        .header("X-Api-Key", "bob")
        .header("Cookie", &format!("{SESSION}=a; {SESSION}=b"));
    let reply = robot.get("/private");
    assert_eq!(reply.body, "private of bob");
    assert!(reply.set_cookies().is_empty());
}

// D17, D33
#[test]
fn a_user_with_an_api_key_is_never_fresh_and_cannot_confirm() {
    let app = keyed(|manager| manager)
        .routes(routes![fresh_guard])
        .start();
    let mut fresh_session = app.logged_in("alice");
    let session = fresh_session.cookies.clone();
    assert_eq!(fresh_session.get("/fresh").body, "fresh alice");
    app.users.remove("alice");

    let robot = app.browser().header("X-Api-Key", "bob");
    let mut with_session = robot.clone();
    with_session.cookies = session;
    for mut robot in [robot, with_session] {
        assert_eq!(
            robot.clone().get("/fresh").location(),
            Some("/confirm?next=%2Ffresh")
        );
        assert_eq!(robot.clone().get("/fresh-guard").status, Status::SeeOther);
        assert_eq!(
            robot.clone().get("/status").body,
            "fresh=false remembered=false"
        );
        assert_eq!(robot.post("/confirm", "bob").status, Status::Unauthorized);
    }
}

#[test]
fn an_inactive_user_cannot_use_an_api_key() {
    let app = keyed(|manager| manager).start();
    app.users.change("bob", |bob| bob.active = false);
    let mut robot = app.browser().header("X-Api-Key", "bob");
    assert_eq!(robot.me(), "inactive bob");
    assert_eq!(robot.get("/private").status, Status::SeeOther);
}

#[test]
fn strong_protection_does_not_try_the_api_key() {
    let app = keyed(|manager| {
        manager.session_protection(rocket_login::config::SessionProtection::Strong)
    })
    .start();
    let mut thief = app
        .logged_in("alice")
        .header("User-Agent", "thief")
        .header("X-Api-Key", "bob");
    assert_eq!(thief.me(), "anonymous");
    assert_eq!(thief.me(), "bob");
}

#[test]
fn a_failing_request_loader_fails_the_request() {
    let app = app_with(async_loader).start();
    let reply = app.browser().header("X-Api-Key", "broken").get("/me");
    assert_eq!(reply.status, Status::ServiceUnavailable);
    assert!(reply.set_cookies().is_empty());
    // With a session, the request loader does not run.
    let mut alice = app.logged_in("alice").header("X-Api-Key", "broken");
    assert_eq!(alice.me(), "alice");
}

#[test]
fn whom_the_key_alone_makes_known_may_come_from_another_site() {
    let app = keyed(|manager| manager).start();
    let foreign = app.browser().header("Sec-Fetch-Site", "cross-site");
    let mut robot = foreign.clone().header("X-Api-Key", "bob");
    assert_eq!(robot.post("/private", "").body, "posted by bob");
    // A login stays a matter of this site's pages.
    assert_eq!(robot.login("alice").status, Status::Forbidden);
    for mut refused in [
        foreign.clone(),
        foreign.clone().header("X-Api-Key", "mallory"),
        robot.clone().header("Authorization", "Basic YTpi"),
    ] {
        assert_eq!(refused.post("/private", "").status, Status::Forbidden);
    }
    let mut with_session = robot.clone();
    with_session.cookies = app.logged_in("alice").cookies;
    assert_eq!(with_session.post("/private", "").status, Status::Forbidden);
    app.users.change("bob", |bob| bob.active = false);
    assert_eq!(robot.post("/private", "").status, Status::Forbidden);
}

#[test]
fn a_broken_request_loader_fails_a_request_of_another_site_too() {
    let app = app_with(async_loader).start();
    let mut robot = app
        .browser()
        .header("Sec-Fetch-Site", "cross-site")
        .header("X-Api-Key", "broken");
    assert_eq!(
        robot.post("/private", "").status,
        Status::ServiceUnavailable
    );
}

#[test]
fn a_request_with_an_api_key_can_log_in() {
    let app = keyed(|manager| manager).start();
    let mut browser = app.browser().header("X-Api-Key", "bob");
    browser.login("alice");
    assert_eq!(browser.me(), "alice");
    assert_eq!(browser.get("/fresh").body, "fresh alice");
}

#[test]
fn a_manager_with_only_a_request_loader_has_no_sessions() {
    let app = App::new()
        .with(|_| LoginManager::from_requests(sync_loader))
        .start();
    // With a cookie from before, when the application had a user loader.
    let before = App::new().start();
    let mut browser = app.browser();
    browser
        .cookies
        .clone_from(&before.logged_in("alice").cookies);
    assert_eq!(browser.me(), "anonymous");
    assert_eq!(app.browser().header("X-Api-Key", "alice").me(), "alice");
}
