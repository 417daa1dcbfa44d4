//! Verbs and errors that the application throws away: each is logged where it happens.

use rocket::futures::{FutureExt as _, Stream, StreamExt as _, stream};
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::Redirect;
use rocket::response::stream::TextStream;
use rocket::{async_trait, get, post, routes};
use rocket_login::{
    LoginError, LoginManager, LoginSession, Next, NextRedirect, UserMixin, request_loader,
};

use crate::common::log::Level;
use crate::common::{App, SESSION, User, Users, bare};
use crate::ours;

fn alice() -> User {
    Users::alice_and_bob().get("alice").unwrap()
}

/// Replaces each place in this file by `here`.
fn placeless(lines: Vec<String>) -> Vec<String> {
    let placeless = |line: String| match line.split_once(concat!(file!(), ":")) {
        Some((before, after)) => {
            let is_place = |c: char| c.is_ascii_digit() || c == ':';
            format!("{before}here{}", after.trim_start_matches(is_place))
        }
        None => line,
    };
    lines.into_iter().map(placeless).collect()
}

#[post("/forgotten/login")]
fn forgotten_login(session: LoginSession<'_, User>) {
    let user = alice();
    let _ = session.login_user(&user).remember(true);
}

#[post("/forgotten/changes")]
fn forgotten_changes(session: LoginSession<'_, User>) {
    let user = alice();
    let _ = session.logout_user();
    let _ = session.logout_everywhere();
    let _ = session.logout_everywhere_for(&user);
    drop(session.confirm_login(&user).into_future());
}

#[test]
fn a_verb_that_is_not_awaited_is_an_error() {
    let lines = ours(Level::Error, || {
        let app = App::new()
            .routes(routes![forgotten_login, forgotten_changes])
            .start();
        app.browser().post("/forgotten/login", "");
        app.browser().post("/forgotten/changes", "");
    });
    let verbs = [
        "login_user",
        "logout_user",
        "logout_everywhere",
        "logout_everywhere_for",
        "confirm_login",
    ];
    assert_eq!(
        placeless(lines),
        verbs.map(|verb| format!(
            "`{verb}` at here did nothing, because it was never awaited: write `.await?` after it"
        ))
    );
}

#[get("/logins")]
async fn logins(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logins().await?;
    Ok(())
}

#[get("/logins-for")]
async fn logins_for(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logins_for(&alice()).await?;
    Ok(())
}

#[test]
fn a_list_of_logins_that_fails_is_logged_where_it_happens() {
    let send = || {
        let app = App::new().routes(routes![logins, logins_for]).start();
        let mut browser = app.browser();
        assert_eq!(browser.get("/logins").status, Status::Unauthorized);
        browser.login("alice");
        for path in ["/logins", "/logins-for"] {
            assert_eq!(browser.get(path).status, Status::InternalServerError);
        }
    };
    let failed = ["logins", "logins_for"]
        .map(|verb| format!("`{verb}` at here failed: {}", LoginError::NoRegistry));
    assert_eq!(placeless(ours(Level::Error, send)), failed);
    let refused = format!("`logins` at here was refused: {}", LoginError::NotLoggedIn);
    assert!(placeless(ours(Level::Info, send)).contains(&refused));
}

#[get("/unguarded-stream")]
async fn unguarded_stream(session: LoginSession<'_, User>) {
    session.ended().await;
}

#[test]
fn a_stream_on_a_route_without_a_guard_is_an_error() {
    let lines = ours(Level::Error, || {
        let app = App::new().routes(routes![unguarded_stream]).start();
        app.logged_in("alice").get("/unguarded-stream");
    });
    assert_eq!(
        placeless(lines),
        [
            "`ended` at here resolves at once, because no guard of this request has determined who is logged in: write \
             `#[login_required]` above the route, or take `&User` or `CurrentUser`"
        ]
    );
}

#[post("/swallowed")]
async fn swallowed(session: LoginSession<'_, User>) {
    let mut user = alice();
    session.logout_user().await.ok();
    session.confirm_login(&user).await.ok();
    user.active = false;
    let _ = session.login_user(&user).await;
    user.active = true;
    user.id = String::new();
    let _ = session.login_user(&user).await;
}

#[get("/swallowed")]
async fn swallowed_get(session: LoginSession<'_, User>) {
    session.logout_user().await.ok();
}

#[test]
fn an_error_that_the_handler_drops_is_logged_where_it_happens() {
    let send = |site: &'static str| {
        move || {
            let app = App::new().routes(routes![swallowed, swallowed_get]).start();
            let mut browser = app.browser().header("Sec-Fetch-Site", site);
            browser.post("/swallowed", "");
            browser.get("/swallowed");
        }
    };
    let from_elsewhere = placeless(ours(Level::Warn, send("cross-site")));
    let cross_site = "a request to change a login was refused: it comes from another site; if that site is yours, name it \
                      in `login.trusted_origins`; behind a proxy, let the proxy pass the `Host` header on, with its port";
    assert_eq!(from_elsewhere[..2], [cross_site; 2]);
    assert_eq!(
        placeless(ours(Level::Warn, send("same-origin"))),
        [
            "`logout_user` at here was refused: a GET, HEAD or OPTIONS route may not change a login: make it a POST route, \
          or call `.allow_cross_site()` if another site redirects here, as in OAuth"
        ]
    );
    assert_eq!(
        placeless(ours(Level::Info, send("same-origin"))),
        [
            "`confirm_login` at here was refused: nobody is logged in by a session cookie",
            "`login_user` at here was refused: the user is inactive",
        ]
    );
    assert_eq!(
        placeless(ours(Level::Error, send("same-origin"))),
        ["`login_user` at here failed: the user's id is empty: return a unique id from `get_id`"]
    );
}

/// Streams the result of a verb, which begins when the response is under way.
fn late<'r>(
    verb: impl Future<Output = Result<(), LoginError>> + Send + 'r,
) -> TextStream<impl Stream<Item = String> + 'r> {
    let shown = verb.map(|result| format!("{:?}", result.map_err(|error| error.status())));
    TextStream(stream::once(shown).boxed())
}

#[post("/late/login")]
fn late_login(session: LoginSession<'_, User>) -> TextStream<impl Stream<Item = String>> {
    late(async move { session.login_user(&alice()).await })
}

#[post("/late/confirm")]
fn late_confirm(session: LoginSession<'_, User>) -> TextStream<impl Stream<Item = String>> {
    late(async move { session.confirm_login(&alice()).await })
}

#[post("/late/logout")]
fn late_logout(session: LoginSession<'_, User>) -> TextStream<impl Stream<Item = String>> {
    late(async move { session.logout_user().await })
}

#[test]
fn in_a_stream_a_login_is_an_error_and_a_logout_holds() {
    let lines = ours(Level::Error, || {
        let app = App::new()
            .routes(routes![late_login, late_confirm, late_logout])
            .start();
        let mut browser = app.browser();
        let failed = format!("Err({:?})", Status::InternalServerError);
        assert_eq!(browser.post("/late/login", "").body, failed);
        assert_eq!(browser.me(), "anonymous");

        let mut browser = app.logged_in("alice");
        assert_eq!(browser.post("/late/confirm", "").body, failed);
        assert_eq!(browser.me(), "alice");
        assert_eq!(browser.post("/late/logout", "").body, "Ok(())");
        assert!(browser.cookies.contains_key(SESSION));
        assert_eq!(browser.me(), "anonymous");
    });
    let why = "the response is under way, and its cookies with it: change the login in the handler, before it returns a \
               stream";
    assert_eq!(
        placeless(lines),
        [
            format!("`login_user` at here failed: {why}"),
            format!("`confirm_login` at here failed: {why}"),
        ]
    );
}

struct Key;

#[async_trait]
impl<'r> FromRequest<'r> for Key {
    type Error = std::convert::Infallible;

    async fn from_request(_: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Key)
    }
}

#[request_loader]
fn by_key(_key: Key) -> Option<User> {
    None
}

#[post("/login")]
async fn log_in(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.login_user(&alice()).await
}

#[test]
fn a_login_without_a_user_loader_is_an_error() {
    let lines = ours(Level::Error, || {
        let rocket = bare()
            .attach(LoginManager::from_requests(by_key))
            .mount("/", routes![log_in]);
        let client = rocket::local::blocking::Client::untracked(rocket).unwrap();
        let response = client.post("/login").dispatch();
        assert_eq!(response.status(), Status::InternalServerError);
        assert!(response.cookies().iter().next().is_none());
    });
    assert_eq!(
        placeless(lines),
        [
            "`login_user` at here failed: a `LoginManager::from_requests` has no user loader, so nobody can log in: use \
             `LoginManager::new(load_user)`, and `.request_loader(..)` beside it"
        ]
    );
}

#[post("/raw?<next>")]
async fn raw(next: String, session: LoginSession<'_, User>) -> Result<Redirect, LoginError> {
    session.login_user(&alice()).await?;
    Ok(Redirect::to(next))
}

#[post("/checked")]
async fn checked(next: Next, session: LoginSession<'_, User>) -> Result<NextRedirect, LoginError> {
    session.login_user(&alice()).await?;
    Ok(next.or("/"))
}

#[post("/unrelated")]
fn unrelated() -> Redirect {
    Redirect::to("https://other.example/")
}

#[test]
fn a_login_that_leaves_the_site_is_warned_of_once() {
    let send = |requests: &[&str]| {
        ours(Level::Warn, || {
            let app = App::new()
                .routes(routes![raw, checked, unrelated])
                .set("login.force_host_for_redirects", "app.example")
                .start();
            let mut browser = app.browser();
            for path in requests {
                let status = browser.post(path, "").status;
                assert_eq!(status, Status::SeeOther, "{path}");
            }
        })
    };
    for away in [
        "//evil.example",
        "https://evil.example/login",
        "//app.example@evil.example",
        "https://app.example.evil.example",
    ] {
        let path = format!("/raw?next={away}");
        let lines = send(&[&path, &path]);
        let site = away.trim_start_matches("https:").trim_start_matches('/');
        let site = site.split('/').next().unwrap();
        assert_eq!(
            lines,
            [format!(
                "POST /raw logged a user in and sent the browser to another site, `{site}`: if the request chose that \
                 address, as a `next` does, anybody can make a link to your login page that ends on theirs. Take \
                 `next: Next` in the handler and return `next.or(..)`, which stays on this site"
            )]
        );
    }
    let stays = [
        "/raw?next=/notes",
        "/raw?next=//app.example/notes",
        "/checked?next=//evil.example",
        "/unrelated",
    ];
    assert_eq!(send(&stays), [""; 0]);
}

#[derive(UserMixin)]
struct Named {
    #[user(id)]
    name: Name,
}

/// Like `String`, but no launch can know that.
#[derive(Clone)]
struct Name(&'static str);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[rocket_login::user_loader]
fn load_named(_id: i64) -> Option<Named> {
    None
}

#[post("/named/<name>")]
async fn log_named_in(name: &str, session: LoginSession<'_, Named>) -> Result<(), LoginError> {
    let name = Name(if name == "7" { "7" } else { "seven" });
    session.login_user(&Named { name }).await
}

#[test]
fn an_id_that_the_loader_cannot_read_is_an_error_at_the_login() {
    let lines = ours(Level::Error, || {
        let rocket = bare()
            .attach(LoginManager::new(load_named))
            .mount("/", routes![log_named_in]);
        let client = rocket::local::blocking::Client::untracked(rocket).unwrap();
        let status = |path: &str| client.post(path.to_owned()).dispatch().status();
        assert_eq!(status("/named/7"), Status::Ok);
        assert_eq!(status("/named/seven"), Status::InternalServerError);
    });
    assert_eq!(
        placeless(lines),
        [
            "`login_user` at here failed: the user loader takes the id as `i64` and cannot read the id of a \
             `log::thrown_away::Named`, which is a `log::thrown_away::Name`: give the loader's first parameter the type \
             of the user's id, or take `id: &str`"
        ]
    );
}
