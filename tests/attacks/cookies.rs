//! The attributes of every `Set-Cookie`, for every status of the response.

use std::collections::BTreeSet;

use rocket::http::{Method, Status};
use rocket::request::{FlashMessage, Request};
use rocket::response::content::RawText;
use rocket::response::{Flash, Redirect};
use rocket::{State, catch, catchers, post, routes};
use rocket_login::{CurrentUser, LoginError, LoginSession};

use crate::common::socket::{Server, cookie, get, header, status};
use crate::common::{App, User, Users};
use crate::forge::forged;
use crate::line;

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    UntilItCloses,
    For(u64),
    Removed,
}

use Kept::{For, Removed, UntilItCloses};

#[post("/login-and-fail")]
async fn login_and_fail(
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Status, LoginError> {
    session
        .login_user(&users.get("alice").unwrap())
        .remember(true)
        .await?;
    Ok(Status::InternalServerError)
}

#[post("/login-and-panic")]
async fn login_and_panic(session: LoginSession<'_, User>, users: &State<Users>) {
    session
        .login_user(&users.get("alice").unwrap())
        .await
        .unwrap();
    panic!("on purpose");
}

#[catch(404)]
async fn not_found(req: &Request<'_>) -> String {
    let user = req.guard::<CurrentUser<'_, User>>().await.unwrap();
    format!("not found by {:?}", user.get_id())
}

fn start(app: App) -> Server {
    let rocket = app
        .routes(routes![login_and_fail, login_and_panic])
        .rocket();
    Server::start(rocket.register("/", catchers![not_found]))
}

/// The cookies of a response, each with exactly the attributes of R10, and each name once.
fn cookies(reply: &str, secure: bool) -> Vec<(String, Kept)> {
    let mut names = BTreeSet::new();
    header(reply, "set-cookie")
        .into_iter()
        .map(|cookie| {
            assert!(cookie.len() <= 1_024, "{cookie}");
            let mut parts = cookie.split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let mut rest: BTreeSet<_> = parts.collect();
            for attribute in ["Path=/", "HttpOnly", "SameSite=Lax"] {
                assert!(rest.remove(attribute), "no {attribute}: {cookie}");
            }
            assert_eq!(rest.remove("Secure"), secure, "{cookie}");
            let age = rest.iter().find_map(|rest| rest.strip_prefix("Max-Age="));
            let kept = match age.map(|age| age.parse().unwrap()) {
                None => UntilItCloses,
                Some(0) => Removed,
                Some(seconds) => For(seconds),
            };
            assert_eq!(value.is_empty(), kept == Removed, "{cookie}");
            rest.retain(|rest| !rest.starts_with("Max-Age="));
            if kept == Removed {
                rest.retain(|rest| !rest.starts_with("Expires="));
            }
            assert!(rest.is_empty(), "{rest:?} in {cookie}");
            assert!(names.insert(name), "{name} is set twice: {reply}");
            (name.to_owned(), kept)
        })
        .collect()
}

#[test]
fn every_set_cookie_has_its_attributes_on_every_status_in_the_release_profile() {
    attributes_hold(App::new().release(), "__Host-", true);
}

#[test]
fn every_set_cookie_has_its_attributes_on_every_status_in_the_debug_profile() {
    attributes_hold(App::new(), "", false);
}

/// A request; its form, or else a header; the cookies it comes with; the status; what is set:
/// `S` for the session cookie, `R` for the remember cookie, `F` for the flash, each kept until the
/// browser closes, for so many seconds, or removed (`-`).
const ANSWERS: &str = "
POST /login           | user=alice                         | none     | 303 | S R-
POST /login           | user=alice&remember=on             | none     | 303 | S R=31536000
POST /login           | user=alice&remember=on&duration=60 | none     | 303 | S R=60
POST /login           | user=alice&permanent=on            | none     | 303 | S=2678400 R-
POST /login           | user=alice                         | forged   | 303 | S R-
POST /login           | user=bob                           | remember | 303 | S R-
POST /login           | user=nobody                        | both     | 401 |
POST /login-and-fail  |                                    | none     | 500 |
POST /login-and-fail  |                                    | both     | 500 |
POST /login           | no=form                            | forged   | 422 |
POST /login           | {}                                 | both     | 422 |
POST /confirm         | bob                                | both     | 403 |
POST /confirm         | alice                              | none     | 401 |
POST /confirm         | alice                              | forged   | 401 | S- R-
POST /confirm         | alice                              | both     | 200 | S R=31536000
POST /logout          | Sec-Fetch-Site: cross-site         | fresh    | 403 |
GET /open             |                                    | fresh    | 200 |
GET /me               |                                    | fresh    | 200 |
GET /nowhere          |                                    | fresh    | 404 |
GET /me               |                                    | restored | 200 | S
GET /nowhere          |                                    | restored | 404 | S
GET /me               |                                    | forged   | 200 | S- R-
GET /me               |                                    | foreign  | 200 |
GET /private          |                                    | foreign  | 303 | F=300
POST /login           | user=alice                         | foreign  | 303 | S
GET /nowhere          |                                    | forged   | 404 | S- R-
GET /login            |                                    | fresh    | 200 |
GET /login            |                                    | forged   | 200 |
GET /confirm          |                                    | forged   | 200 |
GET /status           |                                    | fresh    | 200 |
GET /status           |                                    | restored | 200 | S
GET /status           |                                    | forged   | 200 | S- R-
GET /private          |                                    | fresh    | 200 |
GET /private          |                                    | restored | 200 | S
POST /private         |                                    | restored | 200 | S
GET /fresh            |                                    | fresh    | 200 |
GET /fresh            |                                    | restored | 303 | F=300 S
GET /fresh            | Accept: application/json           | restored | 401 | S
GET /fresh            |                                    | forged   | 303 | F=300 S- R-
HEAD /me              |                                    | restored | 200 | S
HEAD /private         |                                    | forged   | 303 | F=300 S- R-
OPTIONS /private      |                                    | forged   | 404 | S- R-
PUT /private          |                                    | restored | 404 | S
TRACE /me             |                                    | fresh    | 404 |
MADEUP /me            |                                    | forged   | 400 |
GET /private          | Accept: application/json           | forged   | 401 | S- R-
GET /private          | Accept: text/html                  | forged   | 303 | F=300 S- R-
POST /private         | Sec-Fetch-Site: cross-site         | forged   | 403 |
POST /logout          |                                    | none     | 200 |
POST /logout          |                                    | foreign  | 200 |
POST /logout          |                                    | forged   | 200 | S- R-
POST /logout          |                                    | remember | 200 | R-
POST /logout          |                                    | fresh    | 200 | S- R-
POST /logout-everywhere |                                  | none     | 401 |
POST /logout-everywhere |                                  | forged   | 401 | S- R-
POST /logout-everywhere |                                  | fresh    | 200 | S- R-
";

/// More rows: handlers that panic, which the server must survive.
#[cfg(panic = "unwind")]
const WITH_A_PANIC: &str = "
POST /login-and-panic |                                    | none     | 500 |
POST /login-and-panic |                                    | fresh    | 500 |
POST /login-and-panic |                                    | forged   | 500 |
";
#[cfg(not(panic = "unwind"))]
const WITH_A_PANIC: &str = "";

// R10, R14, R15, T35
fn attributes_hold(app: App, prefix: &str, secure: bool) {
    let users = app.users.clone();
    let server = start(app);
    let session = format!("{prefix}login_session");
    let remember = format!("{prefix}remember_token");
    let logged_in = || {
        let login = server.post("/login", &[], "user=alice&remember=on");
        [&session, &remember].map(|name| cookie(&login, name).unwrap())
    };
    let cookies_named = |name: &str| {
        let [s, r] = logged_in();
        match name {
            "none" => b"X-None: none".to_vec(),
            "foreign" => line(&[(&session, "x"), (&remember, "x")]),
            "forged" => line(&[(&session, &forged(&s)), (&remember, &forged(&r))]),
            "remember" | "restored" => line(&[(&remember, &r)]),
            _ => line(&[(&session, &s), (&remember, &r)]),
        }
    };
    for row in [WITH_A_PANIC, ANSWERS]
        .iter()
        .flat_map(|rows| rows.trim().lines())
    {
        let [request, extra, cookies, code, expected] =
            row.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("{row}");
        };
        let (form, header) = if extra.contains(": ") {
            ("", extra)
        } else {
            (extra, "X-None: none")
        };
        let cookies = cookies_named(cookies);
        let headers = [cookies.as_slice(), header.as_bytes()];
        let reply = match request.split_once(' ').unwrap() {
            ("POST", path) => server.post(path, &headers, form),
            (method, path) => {
                let lines = [&headers[..], &[b"Connection: close"]].concat();
                let request = get(path, &lines);
                server.raw(&[method.as_bytes(), &request[b"GET".len()..]].concat())
            }
        };
        assert_eq!(status(&reply).to_string(), code, "{row}: {reply}");
        let expected: Vec<_> = expected
            .split_whitespace()
            .map(|cookie| {
                let (name, kept) = cookie.split_at(1);
                let name = match name {
                    "S" => session.as_str(),
                    "R" => &remember,
                    _ => "_flash",
                };
                let kept = match kept {
                    "" => UntilItCloses,
                    "-" => Removed,
                    seconds => For(seconds[1..].parse().unwrap()),
                };
                (name.to_owned(), kept)
            })
            .collect();
        assert_eq!(self::cookies(&reply, secure), expected, "{row}");
    }

    let [s, _] = logged_in();
    let mixed = line(&[(&session, &s), (&remember, "x")]);
    users.fail(true);
    for path in ["/me", "/private"] {
        let reply = server.get(path, &[&mixed]);
        assert_eq!(status(&reply), 503, "{reply}");
        assert_eq!(
            cookies(&reply, secure),
            [],
            "{path}: a failure touches no cookie"
        );
    }
}

#[test]
fn the_longest_user_id_makes_no_cookie_over_a_kilobyte() {
    // R13, T35
    let app = App::new().release();
    let id = "u".repeat(256);
    app.users.put(&id);
    let server = start(app);
    let reply = server.post("/login", &[], &format!("user={id}&remember=on"));
    assert_eq!(cookies(&reply, true).len(), 2);
}

#[test]
fn a_removal_has_the_domain_and_path_of_its_cookie() {
    // D23, R14: a browser removes only the cookie of the same name, domain and path.
    let server = start(
        App::new()
            .release()
            .set("login.session_cookie_domain", ".example.com")
            .set("login.remember_cookie_path", "/account")
            .set("login.remember_cookie_samesite", "Strict"),
    );
    let attributes = |reply: &str| -> Vec<_> {
        let known = |part: &&str| !part.contains("Max-Age") && !part.contains("Expires");
        header(reply, "set-cookie")
            .into_iter()
            .map(|cookie| {
                let (name, rest) = cookie.split_once('=').unwrap();
                let rest: BTreeSet<_> = rest.split("; ").skip(1).filter(known).collect();
                (
                    name.to_owned(),
                    rest.into_iter().map(String::from).collect::<Vec<_>>(),
                )
            })
            .collect()
    };
    let set = server.post("/login", &[], "user=alice&remember=on");
    let expected = [
        (
            "login_session",
            [
                "Domain=example.com",
                "HttpOnly",
                "Path=/",
                "SameSite=Lax",
                "Secure",
            ]
            .as_slice(),
        ),
        (
            "remember_token",
            &["HttpOnly", "Path=/account", "SameSite=Strict", "Secure"],
        ),
    ]
    .map(|(name, rest)| {
        (
            name.to_owned(),
            rest.iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
    });
    assert_eq!(attributes(&set), expected);
    // K27: the session cookie is only removed where it came; the other is not sent to this path.
    let removed = attributes(&server.post("/logout", &[], ""));
    assert_eq!(removed, expected[1..]);
    let [session, remember] =
        ["login_session", "remember_token"].map(|name| cookie(&set, name).unwrap());
    let both = line(&[("login_session", &session), ("remember_token", &remember)]);
    let removed = attributes(&server.post("/logout", &[&both], ""));
    for cookie in &expected {
        assert!(removed.contains(cookie), "{cookie:?}");
    }
}

#[catch(401)]
async fn flashing_catcher(req: &Request<'_>) -> Flash<RawText<String>> {
    let flash = req.guard::<FlashMessage<'_>>().await.succeeded();
    let seen = flash.map_or(String::new(), |flash| flash.message().to_owned());
    Flash::error(RawText(format!("seen: {seen}")), "from the catcher")
}

#[test]
fn a_catcher_that_flashes_and_a_redirect_that_flashes_set_one_cookie() {
    // R15, and K5: from catchers, too, one Set-Cookie for each name.
    let server = Server::start(
        App::new()
            .rocket()
            .register("/", catchers![flashing_catcher]),
    );
    let reply = server.get("/private", &[]);
    assert_eq!(status(&reply), 303, "{reply}");
    let flashes = header(&reply, "set-cookie");
    assert_eq!(flashes.len(), 1, "{flashes:?}");
    // The application's message wins.
    assert!(flashes[0].contains("from%20the%20catcher"), "{flashes:?}");
}

#[post("/switch")]
async fn switch(
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Redirect, LoginError> {
    session
        .login_user(&users.get("alice").unwrap())
        .remember(true)
        .await?;
    session.logout_user().await?;
    session.login_user(&users.get("bob").unwrap()).await?;
    Ok(Redirect::to("/"))
}

#[test]
fn several_changes_in_one_request_leave_one_cookie_for_each_name() {
    // R15: the last change counts.
    let app = App::new().routes(routes![switch]).start();
    let mut browser = app.remembered("alice");
    let reply = browser.send(Method::Post, "/switch", Some(""));
    assert_eq!(reply.status, Status::SeeOther);
    let names: Vec<_> = reply
        .set_cookies()
        .iter()
        .map(|c| c.name().to_owned())
        .collect();
    assert_eq!(names, ["login_session", "remember_token"]);
    assert!(reply.removes("remember_token"));
    assert_eq!(browser.me(), "bob");
}
