//! Cookies for requests: valid ones, ones that used to be valid, and ones that are valid elsewhere.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rocket::http::{Cookie, Header};
use rocket::local::blocking::Client;
use rocket_login::testing::{self, Clock};

use crate::app::{self, AUDIENCE, Ended, NOW, User};

pub const SESSION: &str = "__Host-login_session";
pub const REMEMBER: &str = "__Host-remember_token";

/// The cookies, each by its placeholder in a request, such as `session:alice`.
pub struct Cookies(BTreeMap<String, Genuine>);

struct Genuine {
    value: String,
    login: Option<Login>,
}

/// The login of a valid cookie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Login {
    pub name: &'static str,
    pub user: &'static str,
    pub fresh: bool,
    /// Bound to a client at the address below, without a `User-Agent`.
    pub bound: bool,
}

const HOME: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4711);

impl Cookies {
    pub fn new(client: &Client, clock: &Clock, ended: &Ended) -> Self {
        let rocket = client.rocket();
        let mut cookies = Cookies(BTreeMap::new());
        let holding = |name, user, fresh| {
            let bound = false;
            Some(Login {
                name,
                user,
                fresh,
                bound,
            })
        };
        for id in ["alice", "bob"] {
            let user = User::with(id, "old");
            let session = testing::login(rocket, &user);
            let response = client
                .get("/me")
                .remote(HOME)
                .header(line(&session))
                .dispatch();
            let bound = response
                .cookies()
                .get(SESSION)
                .expect("it is bound now")
                .clone();
            cookies.add("session", id, &session, holding(SESSION, id, true));
            let login = Login {
                name: SESSION,
                user: id,
                fresh: true,
                bound: true,
            };
            cookies.add("bound", id, &bound, Some(login));
            let stale = testing::stale_login(rocket, &user);
            cookies.add("stale", id, &stale, holding(SESSION, id, false));
            let remember = testing::remember(rocket, &user);
            cookies.add("remember", id, &remember, holding(REMEMBER, id, false));
        }
        // One user is inactive, one has a new password, and one does not exist.
        for id in ["dave", "erin", "nobody"] {
            let user = User::with(id, "old");
            cookies.add("session", id, &testing::login(rocket, &user), None);
            cookies.add("remember", id, &testing::remember(rocket, &user), None);
        }
        let alice = User::with("alice", "old");
        for (kind, cookie) in [
            ("ended", testing::login(rocket, &alice)),
            ("ended-remember", testing::remember(rocket, &alice)),
        ] {
            client.post("/logout").header(line(&cookie)).dispatch();
            cookies.add(kind, "alice", &cookie, None);
        }
        let elsewhere = app::build(clock.clone(), ended.clone(), &format!("not {AUDIENCE}"));
        let elsewhere = Client::untracked(elsewhere).expect("it starts");
        cookies.add(
            "foreign",
            "alice",
            &testing::login(elsewhere.rocket(), &alice),
            None,
        );
        for (kind, time) in [("expired", NOW - 2 * 24 * 60 * 60), ("future", NOW + 61)] {
            clock.set(time);
            cookies.add(kind, "alice", &testing::login(rocket, &alice), None);
        }
        clock.set(NOW);
        cookies
    }

    fn add(&mut self, kind: &str, id: &str, cookie: &Cookie<'_>, login: Option<Login>) {
        let value = cookie.value().to_owned();
        self.0
            .insert(format!("{kind}:{id}"), Genuine { value, login });
    }

    /// The login of a value that matches byte for byte.
    pub fn login_of(&self, value: &str) -> Option<Login> {
        self.0
            .values()
            .find(|genuine| genuine.value == value)?
            .login
    }

    /// Inserts the cookies into a text: `{session:alice}`, and `{session:alice:7}` with byte 7 changed.
    pub fn put_into(&self, text: &str) -> String {
        let mut pieces = text.split('{');
        let mut whole = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let named = piece
                .split_once('}')
                .and_then(|(name, rest)| Some((self.named(name)?, rest)));
            match named {
                Some((value, rest)) => whole.extend([&value, rest]),
                None => whole.extend(["{", piece]),
            }
        }
        whole
    }

    fn named(&self, name: &str) -> Option<String> {
        if let Some(genuine) = self.0.get(name) {
            return Some(genuine.value.clone());
        }
        let (name, at) = name.rsplit_once(':')?;
        let mut value = self.0.get(name)?.value.clone();
        let at = at.parse::<usize>().ok()? % value.len();
        let other = if &value[at..=at] == "A" { "B" } else { "A" };
        value.replace_range(at..=at, other);
        Some(value)
    }
}

fn line(cookie: &Cookie<'_>) -> Header<'static> {
    Header::new("Cookie", format!("{}={}", cookie.name(), cookie.value()))
}
