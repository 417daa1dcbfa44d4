//! Several verbs in one handler leave what they leave in a request each.

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::tokio::join;
use rocket::tokio::task::yield_now;
use rocket::{post, routes};
use rocket_login::{LoginError, LoginManager, LoginSession, UserMixin, user_loader};

use super::registry::{Registry, app};
use crate::common::{Browser, bare};

const VERBS: [&str; 8] = [
    "login alice",
    "login bob",
    "remember alice",
    "confirm alice",
    "logout",
    "everywhere",
    "others",
    "end alice",
];

/// How the browser begins.
#[derive(Clone, Copy, Debug)]
enum Start {
    Anonymous,
    LoggedIn,
    Remembered,
    Restored,
}

impl Start {
    fn prepare(self, browser: &mut Browser<'_>) {
        let form = match self {
            Self::Anonymous => return,
            Self::LoggedIn => "user=alice",
            Self::Remembered | Self::Restored => "user=alice&remember=on",
        };
        browser.post("/login", form);
        if matches!(self, Self::Restored) {
            browser.restart();
        }
    }
}

/// Plays scripts in a request each, and returns whether all succeeded and what is left.
fn play(start: Start, scripts: &[&str]) -> (bool, Vec<String>) {
    let registry = Registry::default();
    let app = app(&registry).start();
    let mut elsewhere = app.remembered("alice");
    let mut browser = app.browser();
    start.prepare(&mut browser);
    let mut before = browser.clone();
    let mut succeeded = true;
    for script in scripts {
        succeeded &= browser.post("/script", script).status == Status::Ok;
    }
    let mut closed = browser.clone();
    closed.restart();
    let mut left = vec![browser.me(), browser.status()];
    left.extend([&mut closed, &mut before, &mut elsewhere].map(Browser::me));
    left.push(app.logged_in("alice").list().len().to_string());
    (succeeded, left)
}

#[test]
fn two_verbs_in_one_handler_do_what_they_do_in_two_requests() {
    use Start::{Anonymous, LoggedIn, Remembered, Restored};
    for start in [Anonymous, LoggedIn, Remembered, Restored] {
        // After the end of all logins, only the same handler still knows its user.
        for first in VERBS.iter().filter(|verb| **verb != "end alice") {
            for second in VERBS {
                let together = play(start, &[&format!("{first}, {second}")]);
                let apart = play(start, &[first, second]);
                assert_eq!(together.0, apart.0, "{start:?}: {first}, {second}");
                if together.0 {
                    assert_eq!(together, apart, "{start:?}: {first}, {second}");
                }
            }
        }
    }
}

#[derive(UserMixin)]
struct Member {
    id: u8,
}

#[user_loader]
async fn load_member(id: u8) -> Option<Member> {
    for _ in 0..20 {
        yield_now().await;
    }
    Some(Member { id })
}

#[post("/two")]
async fn two_at_once(session: LoginSession<'_, Member>) -> Result<String, LoginError> {
    session.login_user(&Member { id: 1 }).await?;
    let (_, begun) = join!(session.current_user(), async {
        yield_now().await;
        session.login_user(&Member { id: 2 }).await
    });
    begun?;
    let current = session.current_user().await?;
    Ok(current.user().map_or(0, |user| user.id).to_string())
}

#[test]
fn a_user_who_is_being_loaded_is_not_the_one_who_logs_in_meanwhile() {
    let rocket = bare()
        .attach(LoginManager::new(load_member))
        .mount("/", routes![two_at_once]);
    let client = Client::untracked(rocket).unwrap();
    let body = client.post("/two").dispatch().into_string();
    assert_eq!(body.as_deref(), Some("2"));
}
