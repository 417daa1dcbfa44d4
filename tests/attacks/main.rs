//! The catalogue of attacks, over a real socket, against the application in the release profile.
//!
//! After every attack the server answers the next request, none of its threads has panicked, and no log line of ours shows
//! an issued value.

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod borrowed;
mod caching;
mod cookies;
mod cross_site;
mod flask;
mod forge;
mod forgery;
mod http2;
mod ids;
mod logs;
mod methods;
mod next;
mod random_values;
mod redirects;
mod replay;
mod rotation;
mod timing;
mod transport;
mod user_tokens;
mod verdicts;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use common::connection::Connection;
use common::socket::{Server, body, cookie, header, status};
use common::{App, Users, witness};
use http2::Http2;
use rocket::{Build, Rocket};
use rocket_login::testing::Clock;

/// The names outside the debug profile.
const SESSION: &str = "__Host-login_session";
const REMEMBER: &str = "__Host-remember_token";
const BOTH: [&str; 2] = [SESSION, REMEMBER];

/// The application on a socket, in the release profile.
struct Site {
    server: Server,
    users: Users,
    clock: Clock,
    connection: Mutex<Connection>,
    key_id: OnceLock<Vec<u8>>,
    http2: Option<Mutex<Http2>>,
}

impl Site {
    fn start() -> Self {
        Self::of(App::new().release())
    }

    fn of(app: App) -> Self {
        Self::with(app, |rocket| rocket)
    }

    /// An application with more than routes: catchers, state, fairings.
    fn with(app: App, build: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> Self {
        witness::watch();
        let (users, clock) = (app.users.clone(), app.clock.clone());
        let server = Server::start(build(app.rocket()));
        let connection = Mutex::new(server.connect());
        Site {
            server,
            users,
            clock,
            connection,
            key_id: OnceLock::new(),
            http2: None,
        }
    }

    fn of_audience(audience: &str) -> Self {
        Self::of(App::new().release().set("login.audience", audience))
    }

    /// From now on requests go over HTTP/2.
    fn over_http2(mut self) -> Self {
        self.http2 = Some(Mutex::new(Http2::connect(self.server.address)));
        self
    }

    /// Sends a GET on the connection that stays open. Not for requests that make the server close it.
    fn get(&self, path: &str, headers: &[&[u8]]) -> String {
        match &self.http2 {
            Some(http2) => lock(http2).get(path, headers),
            None => self.connection().get(path, headers),
        }
    }

    fn post(&self, path: &str, headers: &[&[u8]], form: &str) -> String {
        match &self.http2 {
            Some(http2) => lock(http2).post(path, headers, form),
            None => self.connection().post(path, headers, form),
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.connection)
    }

    /// The value of the named cookie of a new login.
    fn value(&self, name: &str, user: &str) -> String {
        match name {
            REMEMBER => self.remember(user),
            _ => self.session(user),
        }
    }

    /// The session cookie of a new login.
    fn session(&self, user: &str) -> String {
        cookie(&self.login(user, &[]), SESSION).expect("a session")
    }

    fn remember(&self, user: &str) -> String {
        let reply = self.post("/login", &[], &format!("user={user}&remember=on"));
        cookie(&reply, REMEMBER).expect("a remember token")
    }

    fn login(&self, user: &str, headers: &[&[u8]]) -> String {
        let reply = self.post("/login", headers, &format!("user={user}"));
        assert_eq!(status(&reply), 303, "{reply}");
        reply
    }

    fn me(&self, headers: &[&[u8]]) -> String {
        let reply = self.get("/me", headers);
        assert_eq!(status(&reply), 200, "{reply}");
        body(&reply).to_owned()
    }

    /// ANON: nobody is logged in, and the response does not change that.
    fn assert_anonymous(&self, headers: &[&[u8]], what: &str) -> Vec<String> {
        let me = self.get("/me", headers);
        assert_eq!((status(&me), body(&me)), (200, "anonymous"), "{what}: {me}");
        assert_eq!(
            header(&me, "cache-control"),
            ["private, no-store"],
            "{what}"
        );
        assert_eq!(header(&me, "vary"), ["Cookie"], "{what}");

        let private = self.get("/private", headers);
        assert_eq!(status(&private), 303, "{what}: {private}");
        assert_eq!(
            header(&private, "location"),
            ["/login?next=%2Fprivate"],
            "{what}"
        );
        let removed = removals(&me);
        assert_eq!(removals(&private), removed, "{what}");
        self.assert_unharmed(what);
        removed
    }

    /// ANON, and the response removes no cookie.
    fn assert_ignored(&self, headers: &[&[u8]], what: &str) {
        assert_eq!(self.assert_anonymous(headers, what), [""; 0], "{what}");
    }

    /// ANON+CLEAR.
    fn assert_cleared(&self, headers: &[&[u8]], names: &[&str], what: &str) {
        assert_eq!(self.assert_anonymous(headers, what), names, "{what}");
    }

    /// Nobody is logged in by this value of the named cookie. It is removed if it is this application's: of our
    /// version, one of the two kinds, without unknown flags, and with our key id. Else it stays.
    fn assert_refused(&self, name: &str, value: &str, what: &str) {
        let headers: [&[u8]; 1] = [&line(&[(name, value)])];
        let what = format!("{name}, {what}");
        // A server sees the value up to a semicolon, without the blanks around it.
        let shown = value.split(';').next().unwrap_or_default();
        if self.is_ours(shown.trim_matches([' ', '\t'])) {
            self.assert_cleared(&headers, &[name], &what);
        } else {
            self.assert_ignored(&headers, &what);
        }
    }

    fn is_ours(&self, value: &str) -> bool {
        let key_id = self.key_id.get_or_init(|| {
            self.users.put("the owner of a key id");
            forge::decode(&self.session("the owner of a key id"))[forge::place("key id")].to_vec()
        });
        let bytes = data_encoding::BASE64URL_NOPAD.decode(value.as_bytes());
        bytes.is_ok_and(|bytes| {
            value.len() <= 1_024
                && bytes.len() >= 7
                && bytes[0] == 2
                && [1, 2, 4].contains(&bytes[1])
                && bytes[2] < 128
                && bytes[3..7] == key_id[..]
        })
    }

    /// What must be true after every attack.
    fn assert_unharmed(&self, what: &str) {
        let next = self.get("/open", &[]);
        assert_eq!((status(&next), body(&next)), (200, "open"), "{what}");
        assert_eq!(header(&next, "set-cookie"), [""; 0], "{what}");
        witness::assert_innocent(what);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_unharmed("at the end");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The login cookies that an answer removes; it must not set any.
fn removals(reply: &str) -> Vec<String> {
    let cookies = header(reply, "set-cookie").into_iter();
    let cookies = cookies.filter(|cookie| !cookie.starts_with("_flash="));
    cookies
        .map(|cookie| {
            let (name, rest) = cookie.split_once('=').unwrap();
            assert!(rest.starts_with("; "), "a cookie is set: {cookie}");
            assert!(
                rest.contains("; Max-Age=0"),
                "a cookie is not removed: {cookie}"
            );
            name.to_owned()
        })
        .collect()
}

/// A `Cookie` header line.
fn line(cookies: &[(&str, &str)]) -> Vec<u8> {
    let pairs: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("Cookie: {}", pairs.join("; ")).into_bytes()
}
