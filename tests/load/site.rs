//! The application on a socket, in the release profile, with many users.

use std::time::Duration;

use rocket::Route;
use rocket_login::testing::Clock;

use crate::common::connection::{Connection, Jar, Request, set_cookies};
use crate::common::socket::{Server, body, status};
use crate::common::{App, Users};

/// The names outside the debug profile.
pub const SESSION: &str = "__Host-login_session";
pub const REMEMBER: &str = "__Host-remember_token";

pub const MINUTE: u64 = 60;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

pub struct Site {
    pub clock: Clock,
    pub users: Users,
    server: Server,
}

impl Site {
    pub fn start(routes: Vec<Route>) -> Self {
        Self::of(App::new().release().routes(routes), |rocket| rocket)
    }

    pub fn of(
        app: App,
        build: impl FnOnce(rocket::Rocket<rocket::Build>) -> rocket::Rocket<rocket::Build>,
    ) -> Self {
        // No message, so the only cookies are those of a login.
        let app = app.with(|manager| manager.login_message("").needs_refresh_message(""));
        Site {
            clock: app.clock.clone(),
            users: app.users.clone(),
            server: Server::start(build(app.rocket())),
        }
    }

    pub fn connect(&self) -> Connection {
        self.server.connect()
    }

    pub fn forward(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// The name of the user with this number.
pub fn name(n: usize) -> String {
    format!("user-{n}")
}

/// The cookies of a new login in a new browser.
pub fn log_in(connection: &mut Connection, user: &str) -> Jar {
    let form = format!("user={user}&remember=on");
    let reply = connection.ask(Request::post("/login", &[], &form));
    assert_eq!(status(&reply), 303, "{reply}");
    let mut jar = Jar::default();
    jar.keep(&reply);
    assert_eq!(jar.0.len(), 2, "{reply}");
    jar
}

pub fn log_out(connection: &mut Connection, jar: &Jar) {
    let reply = connection.ask(Request::post("/logout", &[&jar.line()], ""));
    assert_eq!((status(&reply), body(&reply)), (200, "logged out"));
}

/// The user that the application sees for these cookies.
pub fn me(connection: &mut Connection, cookies: &str) -> String {
    let reply = connection.ask(Request::get("/me", &[cookies]));
    assert_eq!(status(&reply), 200, "{reply}");
    body(&reply).to_owned()
}

/// Each cookie that a response issues, as its own header line.
pub fn issued(reply: &str) -> impl Iterator<Item = String> {
    set_cookies(reply)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("Cookie: {name}={value}"))
}
