//! Shared by these tests: time, thieves, a handler that follows a script, a listener that records events.

#![allow(unreachable_pub, reason = "a test binary has no public interface")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocket::http::{RawStr, Status};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, State, post};
use rocket_login::{
    CurrentUser, EventKind, LoginError, LoginEvent, LoginSession, event_listener, request_loader,
};

use crate::common::{App, Browser, REMEMBER, Reply, Running, SESSION, User, Users};

pub const MINUTE: u64 = 60;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

impl Running {
    pub fn forward(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The same cookies and headers, sent to this application.
    pub fn visited_by(&self, other: &Browser<'_>) -> Browser<'_> {
        let mut browser = self.browser();
        browser.cookies.clone_from(&other.cookies);
        browser.headers.clone_from(&other.headers);
        browser.address = other.address;
        browser
    }
}

impl Browser<'_> {
    /// A copy with only one of the cookies.
    pub fn with_only(&self, name: &str) -> Self {
        let mut copy = self.clone();
        copy.cookies.retain(|known, _| known == name);
        assert_eq!(copy.cookies.len(), 1, "there is no {name}");
        copy
    }

    /// Runs a script, see [`script`], and returns its output.
    pub fn run(&mut self, script: &str) -> String {
        let reply = self.post("/script", script);
        assert_eq!(reply.status, Status::Ok, "{script:?}");
        reply.body
    }

    pub fn status(&mut self) -> String {
        self.get("/status").body
    }

    pub fn is_fresh(&mut self) -> bool {
        self.status().starts_with("fresh=true")
    }
}

/// The `Max-Age` of a cookie that the reply sets.
pub fn max_age(reply: &Reply, name: &str) -> Option<i64> {
    let cookie = reply.cookie(name).expect("the cookie is set");
    cookie.max_age().map(rocket::time::Duration::whole_seconds)
}

/// ANON+CLEAR in SECURITY.md: nobody is logged in, and the invalid cookies are removed.
#[track_caller]
pub fn assert_refused(browser: &Browser<'_>) {
    let reply = browser.clone().get("/me");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::Ok, "anonymous")
    );
    assert!(!browser.cookies.is_empty());
    for name in browser.cookies.keys() {
        assert!(reply.removes(name), "{name} is not removed");
    }
    let reply = browser.clone().get("/private");
    assert_eq!(reply.status, Status::SeeOther);
    assert_eq!(reply.location(), Some("/login?next=%2Fprivate"));
    assert!(reply.body.is_empty());
}

/// Nobody is logged in, and no login cookie is touched: it is another application's, or a late one.
#[track_caller]
pub fn assert_ignored(browser: &Browser<'_>) {
    let reply = browser.clone().get("/me");
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (Status::Ok, "anonymous")
    );
    assert!(!browser.cookies.is_empty());
    assert!(reply.set_cookies().is_empty(), "{reply:?}");
    let reply = browser.clone().get("/private");
    assert_eq!(reply.status, Status::SeeOther);
    for name in browser.cookies.keys() {
        assert_eq!(reply.cookie(name), None);
    }
}

/// The session was replaced a moment ago: it is refused, and its cookies are removed only after a minute.
#[track_caller]
pub fn assert_replaced(browser: &Browser<'_>) {
    assert_ignored(browser);
    browser.app.forward(MINUTE);
    assert_refused(browser);
}

pub fn encoded(id: &str) -> String {
    RawStr::new(id).percent_encode().to_string()
}

/// The request itself, for a handler.
#[derive(Clone, Copy)]
pub struct Asked<'r>(&'r Request<'r>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Asked<'r> {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        Outcome::Success(Asked(req))
    }
}

/// Executes each line of the body in one request, and returns one line for each question.
#[post("/script", data = "<script>")]
pub async fn script(
    script: &str,
    session: LoginSession<'_, User>,
    users: &State<Users>,
    asked: Asked<'_>,
) -> Result<String, LoginError> {
    let mut answers = Vec::new();
    for line in script.split(", ") {
        let (verb, id) = line.split_once(' ').unwrap_or((line, ""));
        let user = users.get(id);
        match (verb, &user) {
            ("login", Some(user)) => session.login_user(user).await?,
            ("remember", Some(user)) => session.login_user(user).remember(true).await?,
            ("force", Some(user)) => session.login_user(user).force(true).await?,
            ("confirm", Some(user)) => session.confirm_login(user).await?,
            ("end", Some(user)) => session.logout_everywhere_for(user).await?,
            ("logout", _) => session.logout_user().await?,
            ("everywhere", _) => session.logout_everywhere().await?,
            ("others", _) => session.logout_others().await?,
            ("realm", _) => session.logout_realm().await?,
            ("password", Some(_)) => {
                users.change(id, |user| user.password.push('!'));
            }
            ("who", _) => {
                let user = CurrentUser::<User>::from_request(asked.0).await;
                answers.push(match user {
                    Outcome::Success(user) => user.get_id().unwrap_or("anonymous".into()),
                    _ => "failed".into(),
                });
            }
            ("status", _) => answers.push(format!(
                "fresh={} remembered={}",
                session.login_fresh().await?,
                session.login_remembered().await?
            )),
            _ => panic!("no such line: {line}"),
        }
    }
    Ok(answers.join(", "))
}

/// Logs in requests with the header `X-Key: NAME`.
#[request_loader]
pub fn load_by_key(asked: Asked<'_>, users: &State<Users>) -> Option<User> {
    users.get(asked.0.headers().get_one("X-Key")?)
}

/// The kind of an event, and its user.
pub type Emitted = (EventKind, Option<String>);

/// The events that a listener has got.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Emitted>>>);

impl Log {
    /// The events since the last call.
    pub fn take(&self) -> Vec<Emitted> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// How many events of this kind there were since the last call.
    pub fn count(&self, kind: EventKind) -> usize {
        self.take()
            .iter()
            .filter(|(emitted, _)| *emitted == kind)
            .count()
    }
}

#[event_listener]
fn record(event: &LoginEvent<'_, User>, log: &State<Log>) {
    let user = event.user.map(|user| user.id.clone());
    log.0.lock().unwrap().push((event.kind, user));
}

/// Starts the application with a listener.
pub fn logged(app: App) -> (Running, Log) {
    let log = Log::default();
    let app = app.with(|manager| manager.event_listener(record));
    (app.start_with(|rocket| rocket.manage(log.clone())), log)
}

/// Both cookies' names.
pub const BOTH: [&str; 2] = [SESSION, REMEMBER];
