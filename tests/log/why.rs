//! Why a request has no login: one line, with what the answer was.

use std::time::Duration;

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::response::Redirect;
use rocket::{State, catch, catchers, get, routes};
use rocket_login::flask::FlaskCookies;
use rocket_login::logins::MemoryRegistry;
use rocket_login::{
    LoginManager, LoginSession, UserMixin, access::Deny, anonymous_required, login_required,
    needs_refresh_handler, request_loader, testing, unauthorized_handler, user_loader,
};

use crate::common::log::Level;
use crate::common::{App, Browser, Running, SESSION, User, Users, bare, load_user};
use crate::{ours, signed};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// What we log at the normal level about these requests.
fn lines(app: App, requests: impl FnOnce(&Running)) -> Vec<String> {
    ours(Level::Info, || requests(&app.start()))
}

/// The only line about these requests.
fn line(app: App, requests: impl FnOnce(&Running)) -> String {
    let lines = lines(app, requests);
    let [line] = &lines[..] else {
        panic!("{lines:#?}")
    };
    line.clone()
}

/// Why nobody is logged in, according to the line about a request for `/private` by this browser.
fn why(app: App, browser: impl FnOnce(&Running) -> Browser<'_>) -> String {
    let line = line(app, |app| {
        browser(app).get("/private");
    });
    let why = line
        .strip_prefix("GET /private: nobody is logged in, because ")
        .and_then(|why| why.strip_suffix("; sent to /login?next=.."));
    why.unwrap_or_else(|| panic!("{line}")).to_owned()
}

/// Why nobody is logged in, if alice's login meets this event.
fn why_after(app: App, event: impl FnOnce(&Running, &mut Browser<'_>)) -> String {
    why(app, |app| {
        let mut browser = app.browser().from("192.0.2.1");
        browser.login("alice");
        event(app, &mut browser);
        browser
    })
}

fn pass(app: &Running, seconds: u64) {
    app.clock.advance(Duration::from_secs(seconds));
}

#[test]
fn no_cookie() {
    let why = why(App::new(), Running::browser);
    assert_eq!(why, "the request has no login cookie");
}

#[test]
fn expired() {
    let app = App::new().set("login.session_idle_timeout", false);
    let why = why_after(app, |app, _| pass(app, 30 * DAY));
    assert_eq!(why, "the session cookie has expired");
}

#[test]
fn idle() {
    let why = why_after(App::new(), |app, _| pass(app, HOUR));
    assert_eq!(
        why,
        "the session cookie was not used for longer than `login.session_idle_timeout`"
    );
}

#[test]
fn from_the_future() {
    let why = why_after(App::new(), |app, _| {
        app.clock.set(crate::common::START - 61);
    });
    assert_eq!(
        why,
        "the session cookie is dated in the future: check the clocks of the servers"
    );
}

#[test]
fn from_flask_beyond_the_limit() {
    let app = App::new()
        .set("login.max_logins_per_user", 1)
        .set("login.at_login_limit", "refuse")
        .with(|manager| {
            let cookies = FlaskCookies::new(signed::SECRET).until("2027-03-31");
            let manager = manager.login_registry(MemoryRegistry::new());
            manager.accept_flask(cookies)
        });
    let lines = lines(app, |app| {
        app.logged_in("alice");
        let mut browser = app.browser();
        let cookie = ("session".to_owned(), signed::session("alice"));
        browser.cookies.extend([cookie]);
        browser.get("/private");
    });
    assert_eq!(
        lines.last().unwrap(),
        "GET /private: nobody is logged in, because Flask's cookie came when its user had as many logins as \
         `login.max_logins_per_user` allows; sent to /login?next=.."
    );
}

#[test]
fn ended() {
    let why = why_after(App::new(), |_, browser| {
        browser.clone().post("/logout", "");
    });
    assert_eq!(
        why,
        "the session cookie belongs to a login that has ended, by a logout or another login"
    );
}

#[test]
fn replaced() {
    let why = why_after(App::new(), |_, browser| {
        browser.clone().post("/confirm", "alice");
    });
    assert_eq!(
        why,
        "the session cookie was replaced a moment ago, by another request of this browser"
    );
}

#[test]
fn user_gone() {
    let why = why_after(App::new(), |app, _| app.users.remove("alice"));
    assert_eq!(
        why,
        "the session cookie belongs to a user whom the user loader does not find"
    );
}

#[test]
fn inactive() {
    let close = |app: &Running| {
        app.users.change("alice", |user| user.active = false);
    };
    let of_cookie = why_after(App::new(), |app, _| close(app));
    assert_eq!(
        of_cookie,
        "the session cookie belongs to a user who is inactive"
    );
    let forced = why(App::new(), |app| {
        close(app);
        app.logged_in_with("alice", "force=on")
    });
    assert_eq!(forced, "the user is inactive");
}

#[test]
fn session_hash_changed() {
    let why = why_after(App::new(), |app, _| {
        app.users
            .change("alice", |user| user.password = "new".into());
    });
    assert_eq!(
        why,
        "the session cookie was made before the user's session hash changed, for example with the password"
    );
}

#[test]
fn other_client() {
    let strong = App::new().set("login.session_protection", "strong");
    let why = why_after(strong, |_, browser| {
        *browser = browser.clone().from("192.0.2.2");
    });
    assert_eq!(
        why,
        "the session cookie came from another client than the one that it is bound to \
         (`login.session_protection`)"
    );
}

#[test]
fn other_key() {
    let why = why_after(App::new(), |_, browser| {
        let rotated = App::new()
            .set("secret_key", "I4qyrj2MLWceERuvTviZIXcVtHmP2hIqMMSTnT2ltgY=")
            .start();
        let other = rotated.logged_in("alice");
        browser.cookies.clone_from(&other.cookies);
    });
    let foreign =
        "was signed with a secret that is not in use (any more), or is from another application";
    assert_eq!(why, format!("the session cookie {foreign}"));
}

#[test]
fn altered() {
    let why = why_after(App::new(), |_, browser| {
        let value = browser.cookies.get_mut(SESSION).unwrap();
        let last = if value.ends_with('A') { "Q" } else { "A" };
        value.replace_range(value.len() - 1.., last);
    });
    assert_eq!(
        why,
        "the session cookie was altered: its signature is wrong"
    );
}

#[test]
fn several_cookies() {
    let why = why_after(App::new(), |app, browser| {
        let bob = app.logged_in("bob");
        let (hers, his) = (&browser.cookies[SESSION], &bob.cookies[SESSION]);
        let both = format!("{SESSION}={hers}; {SESSION}={his}");
        browser.cookies.clear();
        *browser = browser.clone().header("Cookie", &both);
    });
    assert_eq!(
        why,
        "the session cookie came more than once, so none of them counts"
    );
}

#[test]
fn both_cookies() {
    let why = why(App::new(), |app| {
        let browser = app.remembered("alice");
        pass(app, 400 * DAY);
        browser
    });
    assert_eq!(
        why,
        "the session cookie has expired, and the remember cookie has expired"
    );
}

#[derive(UserMixin)]
struct Staff {
    id: u8,
}

#[user_loader]
fn load_staff(id: u8) -> Option<Staff> {
    Some(Staff { id })
}

#[get("/staff-only")]
fn staff_only(_staff: &Staff) {}

#[test]
fn wrong_realm() {
    let lines = ours(Level::Info, || {
        let rocket = bare()
            .manage(Users::alice_and_bob())
            .attach(LoginManager::new(load_user))
            .attach(LoginManager::new(load_staff).realm("staff"))
            .mount("/", routes![staff_only]);
        let client = Client::untracked(rocket).unwrap();
        for login in [
            testing::login(
                client.rocket(),
                &Users::alice_and_bob().get("alice").unwrap(),
            ),
            testing::remember(
                client.rocket(),
                &Users::alice_and_bob().get("alice").unwrap(),
            ),
        ] {
            client.get("/staff-only").cookie(login).dispatch();
        }
        let login = testing::login(client.rocket(), &Staff { id: 1 });
        client.get("/staff-only").cookie(login).dispatch();
    });
    let line = format!(
        "GET /staff-only: nobody is logged in, because the request has a login of a `{}`, and the route requires one \
         of a `{}`; 401 Unauthorized",
        std::any::type_name::<User>(),
        std::any::type_name::<Staff>(),
    );
    assert_eq!(lines, [line.clone(), line]);
}

#[request_loader]
fn nobody() -> Option<User> {
    None
}

#[test]
fn the_request_loader_found_nobody() {
    let app = App::new().with(|manager| manager.request_loader(nobody));
    let why = why(app, Running::browser);
    assert_eq!(
        why,
        "the request has no login cookie, and the request loader found nobody"
    );
}

#[test]
fn a_login_that_is_gone_is_logged_on_open_pages_too() {
    let line = line(App::new(), |app| {
        let mut browser = app.logged_in("alice");
        pass(app, HOUR);
        assert_eq!(browser.me(), "anonymous");
        // Its cookie has been removed.
        assert_eq!(browser.me(), "anonymous");
    });
    assert_eq!(
        line,
        "GET /me: nobody is logged in, because the session cookie was not used for longer than \
         `login.session_idle_timeout`; 200 OK"
    );
}

#[test]
fn a_valid_login_and_a_visitor_on_an_open_page_are_not_logged() {
    let lines = lines(App::new(), |app| {
        let mut browser = app.remembered("alice");
        for page in ["/", "/me", "/private", "/fresh", "/status"] {
            browser.get(page);
        }
        browser.post("/confirm", "alice");
        browser.post("/logout", "");
        browser.get("/me");
        browser.get("/login");
    });
    assert_eq!(lines, [""; 0]);
}

#[test]
fn copied() {
    let app = App::new().with(|manager| manager.login_registry(MemoryRegistry::new()));
    let lines = lines(app, |app| {
        let mut owner = app.remembered("alice");
        let mut thief = owner.clone();
        for _ in 0..2 {
            owner.restart();
            owner.get("/me");
            pass(app, 60);
        }
        thief.restart();
        thief.get("/private");
    });
    assert_eq!(
        lines.last().unwrap(),
        "GET /private: nobody is logged in, because the remember cookie was used before and its successor is in use \
         too, so the login has ended: its cookies were copied; sent to /login?next=.."
    );
}

#[test]
fn a_restored_login_is_logged_once_and_again_where_it_is_not_enough() {
    let lines = lines(App::new(), |app| {
        let mut browser = app.remembered("alice");
        browser.restart();
        browser.get("/me");
        browser.get("/me");
        browser.get("/fresh");
        browser.restart();
        browser.get("/fresh");
    });
    assert_eq!(
        lines,
        [
            "GET /me: the remember cookie logged its user in again, and such a login is not fresh; 200 OK",
            "GET /fresh: the login is not fresh, because it was restored from a remember cookie, has moved to another \
             client, or began with `.fresh(false)`; sent to /confirm?next=..",
            "GET /fresh: the login is not fresh, because the remember cookie has just restored it; sent to \
             /confirm?next=..",
        ]
    );
}

#[test]
fn a_stale_login_is_logged_with_its_cause() {
    let fresh = |causes: fn(&Running, Browser<'_>)| {
        let app = App::new().set("login.fresh_lifetime", "10 minutes");
        line(app, |app| {
            let mut browser = app.browser().from("192.0.2.1");
            browser.login("alice");
            causes(app, browser);
        })
    };
    let too_long_ago = fresh(|app, mut browser| {
        pass(app, 600);
        browser.get("/fresh");
    });
    let moved = fresh(|_, browser| {
        browser.from("192.0.2.2").get("/fresh");
    });
    assert_eq!(
        too_long_ago,
        "GET /fresh: the login is not fresh, because the credentials were given too long ago for this route; sent to \
         /confirm?next=.."
    );
    assert_eq!(
        moved,
        "GET /fresh: the login is not fresh, because it came from another client than the one that it is bound to \
         (`login.session_protection`); sent to /confirm?next=.."
    );
}

#[test]
fn a_test_login_that_is_refused_says_why() {
    let strong = App::new().set("login.session_protection", "strong");
    let lines = lines(strong, |app| {
        let mut unknown = app.users.get("alice").unwrap();
        unknown.id = "nobody".into();
        let login = testing::login(app.client.rocket(), &unknown);
        app.client.get("/private").cookie(login).dispatch();

        let alice = app.users.get("alice").unwrap();
        let login = testing::login(app.client.rocket(), &alice);
        let bound = app.client.get("/private").cookie(login).dispatch();
        let bound = bound.cookies().get(SESSION).unwrap().clone();
        let elsewhere = app.client.get("/private").cookie(bound);
        elsewhere.remote(([192, 0, 2, 7], 80).into()).dispatch();
    });
    assert_eq!(
        lines,
        [
            "GET /private: nobody is logged in, because the session cookie belongs to a user whom the user loader does \
             not find; sent to /login?next=..",
            "GET /private: nobody is logged in, because the session cookie came from another client than the one that \
             it is bound to (`login.session_protection`); sent to /login?next=..",
        ]
    );
}

fn never(_: &User) -> bool {
    false
}

#[login_required(if = never)]
#[get("/never")]
fn never_page() {}

#[anonymous_required(redirect = "/me")]
#[get("/join")]
fn join() {}

#[get("/by-hand")]
fn by_hand(session: LoginSession<'_, User>) -> Deny {
    session.unauthorized()
}

#[get("/by-hand-as-well")]
fn by_hand_as_well(_user: &User, session: LoginSession<'_, User>) -> Deny {
    session.unauthorized()
}

#[unauthorized_handler]
fn teapot() -> Status {
    Status::ImATeapot
}

#[needs_refresh_handler]
fn again() -> Status {
    Status::Conflict
}

#[catch(401)]
fn elsewhere() -> Redirect {
    Redirect::to("/welcome")
}

#[test]
fn the_answer_is_what_the_client_got() {
    let routes = || routes![never_page, join, by_hand, by_hand_as_well];
    let lines = lines(App::new().routes(routes()), |app| {
        let mut browser = app.logged_in("alice");
        for page in ["/never", "/join", "/by-hand", "/by-hand-as-well"] {
            browser.get(page);
        }
        let api = app.browser().header("Accept", "application/json");
        api.clone().get("/private");
        let htmx = app.browser().header("HX-Request", "true");
        htmx.header("HX-Current-URL", "http://a.example/part?of=it")
            .get("/private");
    });
    assert_eq!(
        lines,
        [
            "GET /never: the user may not use this route; 403 Forbidden",
            "GET /join: a user is logged in already; sent to /me",
            "GET /by-hand: nobody is logged in, because the handler says so; sent to /login?next=..",
            "GET /by-hand-as-well: nobody is logged in, because the handler or the condition of the route requires \
             another user; sent to /login?next=..",
            "GET /private: nobody is logged in, because the request has no login cookie; 401 Unauthorized",
            "GET /private: nobody is logged in, because the request has no login cookie; htmx sent to \
             /login?next=..",
        ]
    );
}

#[test]
fn a_handler_is_named() {
    let app = App::new().with(|manager| {
        manager
            .unauthorized_handler(teapot)
            .needs_refresh_handler(again)
    });
    let lines = lines(app, |app| {
        app.browser().get("/private");
        app.logged_in_with("alice", "stale=on").get("/fresh");
    });
    assert_eq!(
        lines,
        [
            "GET /private: nobody is logged in, because the request has no login cookie; the `unauthorized_handler` \
             answered: 418 I'm a teapot",
            "GET /fresh: the login is not fresh, because it was restored from a remember cookie, has moved to another \
             client, or began with `.fresh(false)`; the `needs_refresh_handler` answered: 409 Conflict",
        ]
    );
}

#[test]
fn a_catcher_that_answers_a_denial_is_seen() {
    let lines = ours(Level::Info, || {
        let app = App::new().start_with(|rocket| rocket.register("/", catchers![elsewhere]));
        app.browser().get("/private");
    });
    assert_eq!(
        lines,
        [
            "GET /private: nobody is logged in, because the request has no login cookie; sent to /welcome"
        ]
    );
}

#[get("/<page>?<query>")]
fn any(_user: &User, page: &str, query: Option<&str>) -> String {
    format!("{page} {query:?}")
}

#[test]
fn foreign_text_stays_in_its_line_and_queries_stay_out_of_it() {
    let lines = lines(App::new().routes(routes![any]), |app| {
        let browser = app.browser();
        browser.clone().get("/a%0AError%1b[2J?token=secret");
        let htmx = browser.header("HX-Request", "true");
        htmx.header("HX-Current-URL", "http://a.example/b?token=secret")
            .get("/c");
    });
    assert_eq!(
        lines,
        [
            "GET /a%0AError%1b[2J: nobody is logged in, because the request has no login cookie; sent to /login",
            "GET /c: nobody is logged in, because the request has no login cookie; htmx sent to /login?next=..",
        ]
    );
}

#[test]
fn outside_the_debug_profile_the_line_is_the_same() {
    let visit = || {
        App::new().release().start().browser().get("/private");
    };
    assert_eq!(
        ours(Level::Info, visit),
        [
            "GET /private: nobody is logged in, because the request has no login cookie; sent to \
             /login?next=.."
        ]
    );
}

#[request_loader]
fn always_alice(users: &State<Users>) -> Option<User> {
    users.get("alice")
}

#[test]
fn a_user_of_the_request_loader_is_not_fresh() {
    let app = App::new().with(|manager| manager.request_loader(always_alice));
    let lines = lines(app, |app| {
        let browser = app.browser();
        browser.header("Accept", "application/json").get("/fresh");
    });
    assert_eq!(
        lines,
        [
            "GET /fresh: the login is not fresh, because the request loader found the user, and such a user is never fresh; \
             401 Unauthorized"
        ]
    );
}
