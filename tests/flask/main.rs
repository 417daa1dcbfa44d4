//! Logins that come across from Flask: by cookies that the tests sign themselves, and from the real Flask-Login.

#[path = "../common/mod.rs"]
mod common;

mod arrival;
mod logout;
mod refused;
mod signed;
mod takeover;

use common::{App, Browser, Running};
use rocket_login::flask::FlaskCookies;
use signed::SECRET;

/// The day on which every test begins is 2027-01-15.
const UNTIL: &str = "2027-03-31";

const SESSION: &str = "session";
const REMEMBER: &str = "remember_token";

fn flask_cookies() -> FlaskCookies {
    FlaskCookies::new(SECRET).until(UNTIL)
}

/// An application to which Flask's users come.
fn app() -> App {
    accepting(flask_cookies())
}

fn accepting(cookies: FlaskCookies) -> App {
    App::new().with(|manager| manager.accept_flask(cookies))
}

/// An application beside a running Flask.
fn side_by_side() -> App {
    accepting(flask_cookies().side_by_side())
        .set("login.remember_cookie_name", "our_remember_token")
}

/// A browser with cookies of Flask.
fn with<'a>(app: &'a Running, cookies: &[(&str, &str)]) -> Browser<'a> {
    let mut browser = app.browser();
    let cookies = cookies
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    browser.cookies.extend(cookies);
    browser
}
