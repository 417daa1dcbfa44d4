//! The operations, and their outcomes when nothing is broken.

use std::time::Duration;

use crate::common::connection::{Jar, Request, set_cookies};
use crate::common::socket::{body, header, status};
use crate::site::{BROKEN, Front, REMEMBER, SESSION, Site};

/// One request, by a browser in some state.
pub struct Operation {
    pub name: &'static str,
    /// The cookies of the browser.
    browser: fn(&Site) -> Jar,
    /// As in `POST /login user=alice`.
    request: &'static str,
    headers: &'static [&'static str],
    /// The status when nothing is broken.
    status: u16,
    /// The changes of session and remember cookie when nothing is broken, such as `+session`.
    cookies: &'static str,
}

/// The outcome of an operation.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub status: u16,
    pub location: Option<String>,
    pub body: String,
    /// The changes of the login cookies.
    pub cookies: String,
    /// The users that the old cookies log in now.
    pub old: Vec<String>,
    /// The users that the new cookies log in now.
    pub new: Vec<String>,
}

macro_rules! operations {
    ($($name:literal: $browser:ident $request:literal $headers:tt => $status:literal $cookies:literal;)*) => {
        /// Every operation that can reach the application's own code.
        pub const OPERATIONS: &[Operation] = &[$(Operation {
            name: $name,
            browser: $browser,
            request: $request,
            headers: &$headers,
            status: $status,
            cookies: $cookies,
        }),*];
    };
}

operations! {
    "read": remembered "GET /page" [] => 200 "";
    "fresh read": remembered "GET /fresh-page" [] => 200 "";
    "renewal": idle "GET /page" [] => 200 "+session";
    "restoration": restarted "GET /page" [] => 200 "+session";
    "key": nobody "GET /page" ["X-Key: alice"] => 200 "";
    "condition": remembered "GET /alices" [] => 200 "";
    "group": remembered "GET /members" [] => 200 "";

    "login": nobody "POST /login user=alice&remember=on" [] => 303 "+session +remember";
    "re-login": remembered "POST /login user=alice" [] => 303 "+session +remember";
    "another login": remembered "POST /login user=bob&remember=on" [] => 303 "+session +remember";
    "confirmation": restored "POST /confirm alice" [] => 200 "+session +remember";
    "logout": remembered "POST /logout" [] => 200 "-session -remember";
    "logout everywhere": remembered "POST /logout-everywhere" [] => 200 "-session -remember";
    "logout others": remembered "POST /logout-others" [] => 200 "";
    "logout realm": remembered "POST /logout-realm" [] => 200 "";

    "denial": nobody "GET /page" [] => 401 "";
    "stale denial": restored "GET /fresh-page" [] => 401 "";
    "stale renewal": restored_and_idle "GET /fresh-page" [] => 401 "+session";
    "refusal": bob "GET /alices" [] => 403 "";
    "group refusal": bob "GET /members" [] => 403 "";
    "forged": forged "GET /page" [] => 401 "-session";
    "expired": expired "GET /page" [] => 401 "-session";
    "revoked": revoked "GET /page" [] => 401 "-session -remember";
    "outdated": outdated "GET /page" [] => 401 "-session -remember";
    "twice": doubled "GET /page" [] => 401 "";
    "stolen": remembered "GET /page" ["User-Agent: thief"] => 401 "-session -remember";
    "cross-site logout": remembered "POST /logout" ["Sec-Fetch-Site: cross-site"] => 403 "";
    "cross-site post": remembered "POST /page" ["Sec-Fetch-Site: cross-site"] => 403 "";
    "broken": of_a_broken_user "GET /page" [] => 503 "";
}

fn nobody(_: &Site) -> Jar {
    Jar::default()
}

fn remembered(site: &Site) -> Jar {
    site.login("user=alice&remember=on")
}

fn bob(site: &Site) -> Jar {
    site.login("user=bob")
}

/// Its session is to be renewed.
fn idle(site: &Site) -> Jar {
    let jar = remembered(site);
    site.clock.advance(HALF_AN_HOUR);
    jar
}

/// The browser was closed.
fn restarted(site: &Site) -> Jar {
    remembered(site).only(REMEMBER)
}

/// The browser was opened again: its login is not fresh.
fn restored(site: &Site) -> Jar {
    let mut jar = restarted(site);
    let reply = site.connect().ask(Request::get("/me", &[&jar.line()]));
    jar.keep(&reply);
    jar
}

fn restored_and_idle(site: &Site) -> Jar {
    let jar = restored(site);
    site.clock.advance(HALF_AN_HOUR);
    jar
}

fn forged(site: &Site) -> Jar {
    let mut jar = bob(site);
    let session = jar.0.get_mut(SESSION).unwrap();
    // A character of the login id.
    let other = if session[20..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    session.replace_range(20..21, other);
    jar
}

/// The session cookie comes twice.
fn doubled(site: &Site) -> Jar {
    let mut jar = bob(site);
    let session = jar.0.get_mut(SESSION).unwrap();
    *session = format!("{session}; {SESSION}={session}");
    jar
}

fn expired(site: &Site) -> Jar {
    let jar = bob(site);
    site.clock.advance(25 * 2 * HALF_AN_HOUR);
    jar
}

fn revoked(site: &Site) -> Jar {
    let jar = remembered(site);
    site.post("/logout", &jar);
    jar
}

fn outdated(site: &Site) -> Jar {
    let jar = site.login("user=carol&remember=on");
    site.users.change("carol", |carol| carol.password.push('!'));
    jar
}

fn of_a_broken_user(site: &Site) -> Jar {
    site.login(&format!("user={BROKEN}"))
}

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

impl Operation {
    pub fn browser(&self, site: &Site) -> Jar {
        (self.browser)(site)
    }

    pub fn request(&self, jar: &Jar) -> Request {
        let mut words = self.request.split(' ');
        let [method, path] = [(); 2].map(|()| words.next().unwrap());
        let form = words.next().unwrap_or_default();
        let line = jar.line();
        let headers: Vec<_> = self.headers.iter().copied().chain([&*line]).collect();
        match method {
            "GET" => Request::get(path, &headers),
            _ => Request::post(path, &headers, form),
        }
    }

    /// The outcome, given the cookies from before.
    pub fn outcome(site: &Site, old: &Jar, reply: &str) -> Outcome {
        let mut new = old.clone();
        new.keep(reply);
        Outcome {
            status: status(reply),
            location: header(reply, "location").first().map(ToString::to_string),
            body: body(reply).to_owned(),
            cookies: cookies(reply),
            old: site.standing(old),
            new: site.standing(&new),
        }
    }

    /// Runs the operation with nothing broken, and checks that its outcome is the declared one.
    pub fn baseline(&self, site: &Site) -> Outcome {
        let jar = self.browser(site);
        let reply = site.connect().ask(self.request(&jar));
        let outcome = Self::outcome(site, &jar, &reply);
        let status = match (site.front, self.status) {
            (Front::Views, 401) => 303,
            (_, status) => status,
        };
        let seen = (outcome.status, &*outcome.cookies);
        assert_eq!(seen, (status, self.cookies), "{}: {reply}", self.name);
        outcome
    }
}

/// The changes of the login cookies.
pub fn cookies(reply: &str) -> String {
    let mut changes = Vec::new();
    for (name, value) in set_cookies(reply) {
        let change = if value.is_empty() { '-' } else { '+' };
        match name {
            SESSION => changes.push(format!("{change}session")),
            REMEMBER => changes.push(format!("{change}remember")),
            _ => assert_eq!(name, "_flash"),
        }
    }
    changes.join(" ")
}
