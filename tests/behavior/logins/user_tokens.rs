//! Tokens for one purpose and one user: links to reset a password or to verify an e-mail address.

use std::time::Duration;

use rocket::http::Status;
use rocket::{Route, get, post, routes};
use rocket_login::revocation::MemoryRevocations;
use rocket_login::session::UserTokenError;
use rocket_login::{LoginManager, Signer, UserMixin, user_loader};

use super::support::encoded;
use crate::common::{App, Running, User, Users, bare};

#[get("/sign?<user>&<purpose>&<value>&<seconds>")]
fn sign(
    user: &str,
    purpose: &str,
    value: &str,
    seconds: u64,
    users: &rocket::State<Users>,
    signer: Signer<'_, User>,
) -> Result<String, UserTokenError> {
    // A user who is not stored yet has only an id.
    let user = users.get(user).unwrap_or_else(|| User {
        id: user.to_owned(),
        active: true,
        password: String::new(),
    });
    signer
        .for_user(&user)
        .sign(purpose, value, Duration::from_secs(seconds))
}

#[get("/show?<purpose>&<token>")]
async fn show(
    purpose: &str,
    token: &str,
    signer: Signer<'_, User>,
) -> Result<String, UserTokenError> {
    let token = signer.find_user(purpose, token).await?;
    Ok(format!("{} {}", token.user().id, token.value()))
}

#[post("/use?<purpose>&<token>")]
async fn use_up(
    purpose: &str,
    token: &str,
    signer: Signer<'_, User>,
) -> Result<String, UserTokenError> {
    let token = signer.find_user(purpose, token).await?;
    Ok(token.use_up().await?.id)
}

/// Verifies the token twice before it is used: two requests at once.
#[post("/race?<token>")]
async fn race(token: &str, signer: Signer<'_, User>) -> Result<String, UserTokenError> {
    let [one, two] = [
        signer.find_user("reset", token).await?,
        signer.find_user("reset", token).await?,
    ];
    let user = one.use_up().await?;
    match two.use_up().await {
        Err(UserTokenError::Spent) => Ok(user.id),
        other => panic!("{other:?}"),
    }
}

fn routes() -> Vec<Route> {
    routes![sign, show, use_up, race]
}

fn app() -> App {
    App::new().routes(routes())
}

const HOUR: u64 = 60 * 60;

impl Running {
    fn signs(&self, user: &str, purpose: &str, value: &str, seconds: u64) -> (u16, String) {
        let [user, purpose, value] = [user, purpose, value].map(encoded);
        let query = format!("user={user}&purpose={purpose}&value={value}&seconds={seconds}");
        let reply = self.browser().get(&format!("/sign?{query}"));
        (reply.status.code, reply.body)
    }

    fn token(&self, user: &str) -> String {
        let (status, token) = self.signs(user, "reset", "", HOUR);
        assert_eq!(status, 200, "{token}");
        token
    }

    fn shows(&self, purpose: &str, token: &str) -> (u16, String) {
        let [purpose, token] = [purpose, token].map(encoded);
        let reply = self
            .browser()
            .get(&format!("/show?purpose={purpose}&token={token}"));
        assert!(reply.set_cookies().is_empty());
        (reply.status.code, reply.body)
    }

    fn status_of(&self, token: &str) -> u16 {
        self.shows("reset", token).0
    }

    fn uses(&self, token: &str) -> (u16, String) {
        let path = format!("/use?purpose=reset&token={}", encoded(token));
        let reply = self.browser().post(&path, "");
        (reply.status.code, reply.body)
    }
}

#[test]
fn a_token_brings_back_its_user_and_its_value() {
    let app = app().start();
    for value in ["", "new@example.com", "ünï\0\r\n", &"a".repeat(2_048)] {
        let (status, token) = app.signs("alice", "new e-mail", value, HOUR);
        assert_eq!(status, 200);
        let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(token.bytes().all(is_url_safe), "{token}");
        assert_eq!(
            app.shows("new e-mail", &token),
            (200, format!("alice {value}"))
        );
    }
}

#[test]
fn a_token_can_be_looked_at_often_and_used_once() {
    let app = app().start();
    let (token, other) = (app.token("alice"), app.token("alice"));
    for _ in 0..3 {
        assert_eq!(app.status_of(&token), 200);
    }
    assert_eq!(app.uses(&token), (200, "alice".into()));
    assert_eq!(app.uses(&token).0, 410);
    assert_eq!(app.status_of(&token), 410);
    assert_eq!(app.uses(&other), (200, "alice".into()));
    let token = app.token("bob");
    let path = format!("/race?token={token}");
    assert_eq!(app.browser().post(&path, "").body, "bob");
}

#[test]
fn a_token_says_why_it_is_refused_to_its_holder_only() {
    let app = app().start();
    let expired = app.signs("alice", "reset", "", 10).1;
    let [changed, gone] = ["alice", "bob"].map(|user| app.token(user));
    app.clock.advance(Duration::from_secs(9));
    assert_eq!(app.status_of(&expired), 200);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.status_of(&expired), 410);
    assert_eq!(app.uses(&expired).0, 410);
    app.users
        .change("alice", |user| user.password = "new".into());
    app.users.remove("bob");
    for token in [&changed, &gone] {
        assert_eq!(app.status_of(token), 410);
        assert_eq!(app.uses(token).0, 410);
        let mut forged = token.clone();
        forged.replace_range(40..41, if &token[40..41] == "A" { "B" } else { "A" });
        assert_eq!(app.status_of(&forged), 404);
    }
    for nonsense in ["", "x", "AgM", &"A".repeat(10_000)] {
        assert_eq!(app.status_of(nonsense), 404);
    }
}

#[test]
fn a_token_is_for_its_purpose_only() {
    let app = app().start();
    let token = app.token("alice");
    for purpose in ["", "rese", "reset ", "Reset", "new e-mail"] {
        assert_eq!(app.shows(purpose, &token).0, 404, "{purpose:?}");
    }
}

#[test]
fn an_inactive_user_can_verify_an_address() {
    let app = app().start();
    let token = app.token("alice");
    app.users.change("alice", |user| user.active = false);
    assert_eq!(app.uses(&token), (200, "alice".into()));
}

#[test]
fn a_token_outlives_a_logout_everywhere_and_its_use_ends_no_login() {
    let app = app().start();
    let token = app.token("alice");
    app.logged_in("alice").post("/logout-everywhere", "");
    let mut browser = app.logged_in("alice");
    assert_eq!(app.uses(&token), (200, "alice".into()));
    assert_eq!(browser.me(), "alice");
}

#[test]
fn a_token_that_no_request_could_accept_is_not_signed() {
    let app = app().start();
    for (user, value, seconds) in [
        ("", "", HOUR),
        (&*"u".repeat(257), "", HOUR),
        ("alice", &*"v".repeat(2_049), HOUR),
        ("alice", "", 0),
        ("alice", "", 400 * 24 * HOUR + 1),
        ("alice", "", u64::MAX),
    ] {
        assert_eq!(app.signs(user, "reset", value, seconds).0, 500);
    }
    assert_eq!(app.signs("alice", "reset", "", 400 * 24 * HOUR).0, 200);
    assert_eq!(app.signs(&"u".repeat(256), "reset", "", HOUR).0, 200);
}

#[test]
fn a_failure_uses_nothing_up() {
    let app = app().start();
    let token = app.token("alice");
    app.users.fail(true);
    assert_eq!(app.uses(&token).0, 503);
    app.users.fail(false);
    assert_eq!(app.uses(&token).0, 200);
}

#[test]
fn a_list_that_cannot_remember_a_use_refuses_it() {
    let full = MemoryRevocations::new(0);
    let app = app().with(|manager| manager.revocation_list(full)).start();
    let token = app.token("alice");
    assert_eq!(app.status_of(&token), 200);
    for _ in 0..2 {
        assert_eq!(app.uses(&token).0, 503);
    }
}

#[test]
fn a_retired_secret_still_verifies_a_token() {
    let old = app().set("secret_key", "I4qyrj2MLWceERuvTviZIXcVtHmP2hIqMMSTnT2ltgY=");
    let token = old.start().token("alice");
    let rotated = app().set(
        "login.secret_key_fallbacks",
        ["I4qyrj2MLWceERuvTviZIXcVtHmP2hIqMMSTnT2ltgY="],
    );
    assert_eq!(rotated.start().status_of(&token), 200);
    assert_eq!(app().start().status_of(&token), 404);
}

/// A user of another realm with the same id, and no session hash either.
#[derive(UserMixin)]
struct Guest {
    id: String,
}

#[user_loader]
fn load_guest(id: String) -> Option<Guest> {
    Some(Guest { id })
}

#[derive(UserMixin)]
struct Clerk {
    id: String,
}

#[user_loader]
fn load_clerk(id: String) -> Option<Clerk> {
    Some(Clerk { id })
}

#[get("/guest-token")]
fn guest(signer: Signer<'_, Guest>) -> Result<String, UserTokenError> {
    let user = Guest { id: "1".into() };
    signer
        .for_user(&user)
        .sign("reset", "", Duration::from_secs(HOUR))
}

#[get("/guest?<token>")]
async fn as_guest(token: &str, signer: Signer<'_, Guest>) -> Result<String, UserTokenError> {
    Ok(signer.find_user("reset", token).await?.use_up().await?.id)
}

#[get("/clerk?<token>")]
async fn as_clerk(token: &str, signer: Signer<'_, Clerk>) -> Result<String, UserTokenError> {
    Ok(signer.find_user("reset", token).await?.use_up().await?.id)
}

#[get("/guest-value")]
fn guest_value(signer: Signer<'_, Guest>) -> Option<String> {
    signer.sign("invitation", "group 7", Duration::from_secs(HOUR))
}

#[get("/guest-read?<value>")]
fn read_as_guest(value: &str, signer: Signer<'_, Guest>) -> Option<String> {
    signer.verify("invitation", value)
}

#[get("/clerk-read?<value>")]
fn read_as_clerk(value: &str, signer: Signer<'_, Clerk>) -> Option<String> {
    signer.verify("invitation", value)
}

#[test]
fn what_one_realm_has_signed_is_nothing_in_another() {
    let rocket = bare()
        .attach(LoginManager::new(load_guest).realm("guests"))
        .attach(LoginManager::new(load_clerk).realm("clerks"))
        .mount("/", routes![guest, as_guest, as_clerk])
        .mount("/", routes![guest_value, read_as_guest, read_as_clerk]);
    let client = rocket::local::blocking::Client::untracked(rocket).unwrap();
    let get = |path: String| {
        let response = client.get(path).dispatch();
        (
            response.status(),
            response.into_string().unwrap_or_default(),
        )
    };
    let (_, token) = get("/guest-token".into());
    assert_eq!(get(format!("/clerk?token={token}")).0, Status::NotFound);
    assert_eq!(
        get(format!("/guest?token={token}")),
        (Status::Ok, "1".into())
    );
    assert_eq!(get(format!("/guest?token={token}")).0, Status::Gone);

    let (_, value) = get("/guest-value".into());
    let (status, _) = get(format!("/clerk-read?value={value}"));
    assert_eq!(status, Status::NotFound);
    let read = get(format!("/guest-read?value={value}"));
    assert_eq!(read, (Status::Ok, "group 7".into()));
}
