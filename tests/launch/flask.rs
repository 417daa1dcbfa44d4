//! What a launch says about Flask's cookies.

use rocket_login::flask::FlaskCookies;
use rocket_login::{LoginManager, UserMixin, user_loader};

use self::signed::{OLDER, SECRET, session};
use crate::common::log::{Level, captured};
use crate::common::{App, Users, bare, load_user, pages};
use crate::launch;

#[allow(dead_code, reason = "shared with `tests/flask`")]
#[path = "../flask/signed.rs"]
mod signed;

/// The day on which every test begins is 2027-01-15.
const UNTIL: &str = "2027-03-31";

fn flask_cookies() -> FlaskCookies {
    FlaskCookies::new(SECRET).until(UNTIL)
}

fn accepting(cookies: FlaskCookies) -> App {
    App::new().with(|manager| manager.accept_flask(cookies))
}

#[test]
fn a_mistake_stops_the_launch_and_names_the_fix() {
    let new = FlaskCookies::new;
    for (cookies, mistake) in [
        (
            new(SECRET),
            "`accept_flask` has no end date; add `.until(\"2027-03-31\")`",
        ),
        (
            new(SECRET).until("31.3.2027"),
            "`accept_flask`: the end date `31.3.2027` is not a day",
        ),
        (
            new(SECRET).until("2029-01-01"),
            "`accept_flask`: the end date 2029-01-01 is more than 400 days from now",
        ),
        (
            new(SECRET).until("2026-12-01"),
            "`accept_flask`: the end date 2026-12-01 passed more than 30 days ago",
        ),
        (
            new("dev").until(UNTIL),
            "`accept_flask`: the secret key has 3 bytes, and at least 16 are required",
        ),
        (
            flask_cookies().secret_key_fallbacks([
                OLDER,
                "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
            ]),
            "`accept_flask`: fallback key 2 is printed in public documentation",
        ),
        (
            flask_cookies().session_cookie_name("a;b"),
            "`accept_flask`: session_cookie_name is not the name of a cookie",
        ),
        (
            flask_cookies().remember_cookie_path("shop"),
            "`accept_flask`: remember_cookie_path is not a path",
        ),
        (
            flask_cookies().session_cookie_domain("a\r\nb"),
            "`accept_flask`: session_cookie_domain is not a domain",
        ),
        (
            flask_cookies().session_cookie_name("remember_token"),
            "`accept_flask`: both cookies have the name",
        ),
        (
            flask_cookies().side_by_side(),
            "`login.remember_cookie_name`: side by side with Flask, each would overwrite the cookie `remember_token`",
        ),
    ] {
        let [error] = launch(|| accepting(cookies).rocket()).misconfigured();
        assert!(error.starts_with(mistake), "{mistake}: {error}");
        assert!(!error.contains(SECRET) && !error.contains(OLDER));
    }
}

#[test]
fn a_launch_warns_of_an_end_date_that_has_passed_and_of_a_key_of_words() {
    launch(|| accepting(flask_cookies()).rocket()).went_well();
    for (cookies, warning) in [
        (
            FlaskCookies::new(SECRET).until("2027-01-15"),
            "`accept_flask`: the end date 2027-01-15 has passed",
        ),
        (
            FlaskCookies::new("my-super-secret-key").until(UNTIL),
            "`accept_flask`: the secret key is words or a pattern and not random",
        ),
        (
            FlaskCookies::new("3f1b6c0a94d27e58\u{20ac}").until(UNTIL),
            "`accept_flask`: the secret key has characters outside Latin-1",
        ),
    ] {
        let warned = launch(|| accepting(cookies).rocket()).warned();
        assert!(warned.starts_with(warning), "{warning}: {warned}");
    }
}

#[derive(UserMixin)]
struct Staff {
    id: String,
}

#[user_loader]
fn load_staff(id: &str) -> Option<Staff> {
    Some(Staff { id: id.to_owned() })
}

#[test]
fn two_managers_share_flasks_cookies_only_if_each_knows_its_users() {
    let launch = |users: FlaskCookies, staff: FlaskCookies| {
        let clock = App::new().clock;
        let users = LoginManager::new(load_user)
            .clock(clock.clone())
            .login_view("/login")
            .accept_flask(users);
        let staff = LoginManager::new(load_staff)
            .realm("staff")
            .clock(clock)
            .login_view("/login")
            .accept_flask(staff);
        launch(|| {
            let rocket = bare().manage(Users::alice_and_bob());
            rocket
                .attach(users)
                .attach(staff)
                .mount("/", pages(&["/login"]))
        })
    };
    let of = |prefix: &'static str| {
        flask_cookies().convert_id(move |id| id.strip_prefix(prefix).map(str::to_owned))
    };
    let clash = "one user of Flask would be two users here";
    launch(flask_cookies(), flask_cookies()).stopped_saying(&[clash]);
    launch(of("user-"), flask_cookies()).stopped_saying(&[clash]);
    launch(of("user-"), of("staff-")).went_well();
    let elsewhere = flask_cookies().session_cookie_name("staff");
    launch(
        flask_cookies(),
        elsewhere.remember_cookie_name("staff_remember"),
    )
    .went_well();
}

#[test]
fn a_log_line_counts_who_came_across() {
    let ((), lines) = captured(|| {
        let app = accepting(flask_cookies()).start();
        for _ in 0..2 {
            let mut browser = app.browser();
            browser.cookies.insert("session".into(), session("alice"));
            assert_eq!(browser.me(), "alice");
        }
    });
    let counts: Vec<_> = lines
        .iter()
        .filter(|line| line.text.contains("came across"))
        .collect();
    assert_eq!(counts.len(), 2);
    assert_eq!(counts[1].level, Level::Info);
    assert_eq!(
        counts[1].text,
        "a login came across from Flask; since the launch: 2 by the session cookie, 0 by the remember cookie"
    );
}
