//! The format of signed values. It never changes, since a change would log everybody out.
//!
//! The values come from `format.py`, which shares no code with this library.

use rocket::{get, routes};
use rocket_login::Signer;

use super::support::{BOTH, assert_refused};
use crate::common::{App, Browser, REMEMBER, Running, SESSION};

const TOKENS: [&str; 2] = [
    "AgECAcUJGwABAgMEBQYHCAkKCwwNDg8AAQIDBAUGBwBrSdIAAGtJ0gAAa0nSAABrSyOAgB7_n_nA_bnBWhcBbgkwsJAoSnNFWHaUAAVhbGljZa5tvUy2_2ALeqcDRIIQZGk",
    "AgIAAcUJGwABAgMEBQYHCAkKCwwNDg8AAQIDBAUGBwAAAAAAAGtJ0gAAa0nSAABtKwWAqWMBE_lUI8A18ydtQtDa1J9FTN_LaCQnAAVhbGljZfA8GZwJqsloj545hWGbCM4",
];
const VALUE: &str = "AgMBxQkbAAAAAGtJ0jxncm91cCA3SLIq2lxMB_JIr1NOe14Mwg";

fn app() -> App {
    App::new().set("login.audience", "app")
}

/// Both cookies, in the client that they are bound to.
fn bearer(app: &Running) -> Browser<'_> {
    let mut browser = app
        .browser()
        .from("192.0.2.1")
        .header("User-Agent", "Firefox");
    browser.cookies = BOTH
        .map(String::from)
        .into_iter()
        .zip(TOKENS.map(String::from))
        .collect();
    browser
}

#[test]
fn a_token_made_from_the_specification_logs_in() {
    // R3, R5, R25, R35
    let app = app().set("login.session_protection", "strong").start();
    let both = bearer(&app);
    assert_eq!(both.clone().status(), "fresh=true remembered=true");
    for (name, status) in [
        (SESSION, "fresh=true remembered=false"),
        (REMEMBER, "fresh=false remembered=true"),
    ] {
        assert_eq!(both.with_only(name).me(), "alice");
        assert_eq!(both.with_only(name).status(), status);
    }
    app.users.change("alice", |alice| alice.password.push('!'));
    assert_refused(&both);
}

#[test]
fn a_token_made_from_the_specification_is_bound_to_its_client() {
    for name in BOTH {
        let app = app().set("login.session_protection", "strong").start();
        let token = bearer(&app).with_only(name);
        assert_refused(&token.clone().from("192.0.2.2"));
        assert_refused(&token);
    }
}

#[get("/value")]
fn value(signer: Signer<'_, crate::common::User>) -> Option<String> {
    signer.sign("invitation", "group 7", std::time::Duration::from_secs(60))
}

#[get("/read")]
fn read(signer: Signer<'_, crate::common::User>) -> Option<String> {
    signer.verify("invitation", VALUE)
}

#[test]
fn a_signed_value_follows_the_specification() {
    let app = app().routes(routes![value, read]).start();
    assert_eq!(app.browser().get("/value").body, VALUE);
    assert_eq!(app.browser().get("/read").body, "group 7");
}
