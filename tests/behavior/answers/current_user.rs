//! `CurrentUser` of a logged-in, an anonymous and an inactive visitor, in handlers and in templates.

use rocket::http::{Cookie, Status};
use rocket::local::blocking::Client;
use rocket::{State, get, post, routes};
use rocket_login::{
    CurrentUser, Fresh, LoginError, LoginManager, LoginSession, UserMixin, login_required, testing,
    user_loader,
};
use serde::Serialize;

use crate::common::{App, User, Users, bare};

#[derive(Clone, Serialize, UserMixin)]
struct Member {
    id: i64,
    name: String,
    #[serde(skip)]
    #[user(session_hash)]
    password: String,
}

#[derive(Default, Serialize)]
struct Guest {
    greeting: &'static str,
    basket: Vec<u32>,
}

#[derive(Default, Serialize)]
struct Nameless;

#[user_loader]
fn load_member(id: i64) -> Option<Member> {
    Some(Member {
        id,
        name: "Ada".into(),
        password: "secret".into(),
    })
}

#[get("/member")]
fn member(user: CurrentUser<'_, Member>) -> String {
    serde_json::to_string(&user).unwrap()
}

#[get("/guest")]
fn guest(user: CurrentUser<'_, Member, Guest>) -> String {
    assert_eq!(user.anonymous().greeting, "");
    serde_json::to_string(&user).unwrap()
}

#[get("/nameless")]
fn nameless(user: CurrentUser<'_, Member, Nameless>) -> String {
    serde_json::to_string(&user).unwrap()
}

fn members() -> (Client, Cookie<'static>) {
    let rocket = bare()
        .attach(LoginManager::new(load_member))
        .mount("/", routes![member, guest, nameless]);
    let client = Client::untracked(rocket).unwrap();
    let user = load_member_7();
    let cookie = testing::login(client.rocket(), &user);
    (client, cookie)
}

fn load_member_7() -> Member {
    Member {
        id: 7,
        name: "Ada".into(),
        password: "secret".into(),
    }
}

#[test]
fn templates_get_the_fields_of_the_user_and_three_flags() {
    let (client, cookie) = members();
    let known =
        r#"{"id":7,"is_active":true,"is_anonymous":false,"is_authenticated":true,"name":"Ada"}"#;
    let flags = r#""is_active":false,"is_anonymous":true,"is_authenticated":false}"#;
    let guest = format!(r#"{{"basket":[],"greeting":"",{flags}"#);
    let empty = format!("{{{flags}");
    for (path, anonymous) in [
        ("/member", &empty),
        ("/guest", &guest),
        ("/nameless", &empty),
    ] {
        let body =
            |response: rocket::local::blocking::LocalResponse<'_>| response.into_string().unwrap();
        assert_eq!(body(client.get(path).dispatch()), *anonymous, "{path}");
        assert_eq!(
            body(client.get(path).cookie(cookie.clone()).dispatch()),
            known,
            "{path}"
        );
    }
}

#[derive(Clone, Serialize, UserMixin)]
struct Flagged {
    id: u8,
    #[user(active)]
    is_active: bool,
    is_anonymous: &'static str,
}

#[user_loader]
fn load_flagged(id: u8) -> Option<Flagged> {
    Some(Flagged {
        id,
        is_active: true,
        is_anonymous: "no",
    })
}

#[get("/flagged")]
fn flagged(user: CurrentUser<'_, Flagged>) -> String {
    serde_json::to_string(&user).unwrap()
}

#[test]
fn a_field_with_the_name_of_a_flag_is_serialized_once() {
    let rocket = bare()
        .attach(LoginManager::new(load_flagged))
        .mount("/", routes![flagged]);
    let client = Client::untracked(rocket).unwrap();
    let user = Flagged {
        id: 1,
        is_active: true,
        is_anonymous: "no",
    };
    let cookie = testing::login(client.rocket(), &user);
    let body = client
        .get("/flagged")
        .cookie(cookie)
        .dispatch()
        .into_string()
        .unwrap();
    for name in ["is_active", "is_anonymous", "is_authenticated"] {
        assert_eq!(body.matches(name).count(), 1, "{body}");
    }
}

#[get("/all")]
fn all(user: CurrentUser<'_, User>) -> String {
    format!(
        "user={:?} inactive={:?} authenticated={} active={} anonymous={} fresh={} id={:?}",
        user.user().map(|user| &user.id),
        user.inactive().map(|user| &user.id),
        user.is_authenticated(),
        user.is_active(),
        user.is_anonymous(),
        user.is_fresh(),
        user.get_id()
    )
}

#[get("/debug")]
fn debug(user: CurrentUser<'_, User>) -> String {
    format!("{user:?}")
}

#[test]
fn every_method_of_current_user_works_for_every_kind_of_visitor() {
    let app = App::new().routes(routes![all, debug]).start();
    let all = |form: &str| {
        let mut browser = app.browser();
        if !form.is_empty() {
            assert_eq!(browser.post("/login", form).status, Status::SeeOther);
        }
        browser.get("/all").body
    };
    assert_eq!(
        all(""),
        "user=None inactive=None authenticated=false active=false anonymous=true fresh=false id=None"
    );
    let known = |fresh| {
        format!(
            "user=Some(\"alice\") inactive=None authenticated=true active=true anonymous=false \
             fresh={fresh} id=Some(\"alice\")"
        )
    };
    assert_eq!(all("user=alice"), known(true));
    assert_eq!(all("user=alice&stale=on"), known(false));
    app.users.change("bob", |bob| bob.active = false);
    assert_eq!(
        all("user=bob&force=on"),
        "user=None inactive=Some(\"bob\") authenticated=false active=false anonymous=false \
         fresh=false id=Some(\"bob\")"
    );
    assert!(!app.logged_in("alice").get("/debug").body.contains("alice"));
}

#[get("/fresh-user")]
fn fresh_user(user: Fresh<'_, User>) -> String {
    user.into_inner().id.clone()
}

#[get("/plain-user")]
fn plain_user(user: &User) -> String {
    user.id.clone()
}

#[login_required]
#[get("/guarded")]
fn guarded() -> &'static str {
    "guarded"
}

#[test]
fn a_forced_login_of_an_inactive_user_opens_nothing() {
    let app = App::new()
        .routes(routes![fresh_user, plain_user, guarded])
        .start();
    app.users.change("bob", |bob| bob.active = false);
    let mut browser = app.browser();
    assert_eq!(browser.login("bob").status, Status::Forbidden);
    assert_eq!(
        browser.post("/login", "user=bob&force=on").status,
        Status::SeeOther
    );
    assert_eq!(browser.me(), "inactive bob");
    for path in [
        "/private",
        "/fresh",
        "/fresh-user",
        "/plain-user",
        "/guarded",
    ] {
        let reply = browser.get(path);
        assert_eq!(reply.status, Status::SeeOther, "{path}");
        assert!(reply.location().unwrap().starts_with("/login?"), "{path}");
    }
    assert_eq!(browser.get("/status").body, "fresh=false remembered=false");
    app.users.change("bob", |bob| bob.active = true);
    assert_eq!(browser.get("/guarded").body, "guarded");
}

#[post("/many")]
async fn many(
    first: CurrentUser<'_, User>,
    second: &User,
    third: Option<&User>,
    fourth: Fresh<'_, User>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<String, LoginError> {
    let fresh = session.login_fresh().await?;
    let remembered = session.login_remembered().await?;
    Ok(format!(
        "{:?} {} {} {} {fresh} {remembered} loads={}",
        first.get_id(),
        second.id,
        third.is_some(),
        fourth.id,
        users.loads()
    ))
}

#[test]
fn each_request_loads_the_user_once() {
    let app = App::new().routes(routes![many]).start();
    let mut browser = app.logged_in("alice");
    assert_eq!(app.users.loads(), 0);
    let expected = |loads| format!("Some(\"alice\") alice true alice true false loads={loads}");
    assert_eq!(browser.post("/many", "").body, expected(1));
    assert_eq!(browser.post("/many", "").body, expected(2));
    browser.get("/open");
    assert_eq!(app.users.loads(), 2);
    app.browser().get("/private");
    assert_eq!(app.users.loads(), 2);
}
