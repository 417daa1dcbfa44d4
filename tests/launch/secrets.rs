//! No log line and no `Debug` output shows a secret, a token or a user.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::http::Status;
use rocket::{State, post, routes};
use rocket_login::{
    CurrentUser, LoginError, LoginEvent, LoginManager, LoginSession, Signer, event_listener,
    revocation::MemoryRevocations, user_loader,
};

use crate::common::log::{Level, captured};
use crate::common::revocations::Revocations;
use crate::common::{App, KEY, Running, User, Users};
use crate::users;

#[event_listener]
fn record(event: &LoginEvent<'_, User>, emitted: &State<Emitted>) {
    emitted.0.lock().unwrap().push(format!("{event:?}"));
}

/// The events that the listener has got.
#[derive(Default)]
struct Emitted(Mutex<Vec<String>>);

/// Prints every value of the library, like a careless developer.
#[post("/debug")]
async fn debug(
    session: LoginSession<'_, User>,
    current: CurrentUser<'_, User>,
    signer: Signer<'_, User>,
    users: &State<Users>,
) -> Result<String, LoginError> {
    let alice = users.get("alice-the-user").unwrap();
    let mut printed = vec![
        format!("{session:?} {current:?} {signer:?}"),
        format!(
            "{:?} {:?}",
            session.logout_user(),
            session.confirm_login(&alice)
        ),
        format!("{:?}", session.login_user(&alice)),
        format!("{:?} {:?}", session.unauthorized(), session.needs_refresh()),
    ];
    session.login_user(&alice).remember(true).await?;
    printed.push(format!("{session:?}"));
    Ok(printed.join("\n"))
}

#[user_loader]
fn failing_with_the_id(id: &str) -> Result<Option<User>, Unescaped> {
    Err(Unescaped(id.to_owned()))
}

/// An error whose text is not escaped, like that of `anyhow`.
#[derive(Debug)]
struct Unescaped(String);

impl std::fmt::Display for Unescaped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no such user: {}", self.0)
    }
}

impl std::error::Error for Unescaped {}

/// Does everything that can happen to logins, in an application that records each issued cookie.
/// Returns the cookies, and the `Debug` output of the types of the library.
fn live(app: App) -> (Vec<String>, String) {
    app.users.put("alice-the-user");
    app.users.put("bob-the-user");
    let issued = Arc::new(Mutex::new(Vec::new()));
    let keep = issued.clone();
    let keeper = AdHoc::on_response("Issued cookies", move |_, response| {
        let cookies = response.headers().get("Set-Cookie");
        let values = cookies.filter_map(|cookie| cookie.split(['=', ';']).nth(1));
        let tokens = values.filter(|value| value.len() > 40).map(String::from);
        keep.lock().unwrap().extend(tokens);
        Box::pin(async {})
    });
    let app = app
        .with(|manager| manager.event_listener(record))
        .routes(routes![debug])
        .start_with(|rocket| rocket.manage(Emitted::default()).attach(keeper));
    let debugged = alice_comes_and_goes(&app);
    bob_grows_old(&app);

    let emitted = app.client.rocket().state::<Emitted>().unwrap();
    let emitted = emitted.0.lock().unwrap().join("\n");
    for event in [
        "LoggedIn",
        "Revoked",
        "Forged",
        "Outdated",
        "Expired",
        "log_id: Some",
    ] {
        assert!(emitted.contains(event), "{event}: {emitted}");
    }
    let built = format!(
        "{:?} {:?}",
        users().secret_key(KEY),
        MemoryRevocations::new(9)
    );
    let issued = issued.lock().unwrap().clone();
    (issued, [debugged, emitted, built].join("\n"))
}

fn alice_comes_and_goes(app: &Running) -> String {
    let mut browser = app.remembered("alice-the-user");
    let stolen = browser.clone();
    assert_eq!(browser.get("/fresh").body, "fresh alice-the-user");
    assert_eq!(
        browser.post("/confirm", "bob-the-user").status,
        Status::Forbidden
    );
    assert_eq!(browser.post("/confirm", "alice-the-user").body, "confirmed");
    let debugged = browser.post("/debug", "").body;
    assert_eq!(debugged.lines().count(), 5, "{debugged}");
    for printed in [
        "LoginSession CurrentUser { is_authenticated: true, .. } Signer([redacted])",
        "Login",
    ] {
        assert!(debugged.contains(printed), "{printed}: {debugged}");
    }
    browser.restart();
    assert_eq!(browser.me(), "alice-the-user");

    assert_eq!(stolen.clone().me(), "anonymous");
    let session = format!("login_session={}", stolen.cookies["login_session"]);
    let twice = format!("{session}; {session}");
    assert_eq!(app.browser().header("Cookie", &twice).me(), "anonymous");
    let token = &stolen.cookies["login_session"];
    let changed = |end| format!("{}{end}", &token[..token.len() - 1]);
    for value in [
        "x",
        "alice-the-user",
        &KEY.repeat(3),
        &changed('A'),
        &changed('Q'),
    ] {
        let forged = format!("login_session={value}");
        assert_eq!(app.browser().header("Cookie", &forged).me(), "anonymous");
    }
    let mut elsewhere = browser.clone().header("Sec-Fetch-Site", "cross-site");
    assert_eq!(elsewhere.post("/logout", "").status, Status::Forbidden);
    app.users.fail(true);
    assert_eq!(browser.get("/private").status, Status::ServiceUnavailable);
    app.users.fail(false);
    let mut moved = browser
        .clone()
        .from("203.0.113.9")
        .header("User-Agent", "Thief");
    assert_eq!(moved.get("/fresh").status, Status::SeeOther);

    let mut browser = app.remembered("alice-the-user");
    let change = |user: &mut User| user.password = "a new password".into();
    app.users.change("alice-the-user", change);
    assert_eq!(browser.me(), "anonymous");
    debugged
}

fn bob_grows_old(app: &Running) {
    let mut bob = app.remembered("bob-the-user");
    app.clock.advance(Duration::from_secs(800 * 86_400));
    assert_eq!(bob.me(), "anonymous");
    let forever = bob.post("/login", "user=bob-the-user&remember=on&duration=0");
    assert_eq!(forever.status, Status::InternalServerError);
    assert_eq!(bob.login("bob-the-user").status, Status::SeeOther);
    assert_eq!(
        bob.post("/logout-everywhere", "").body,
        "logged out everywhere"
    );
    assert_eq!(bob.get("/private").status, Status::SeeOther);
}

fn assert_no_secret(text: &str, secrets: &[String]) {
    let constant = [
        KEY,
        "alice-the-user",
        "bob-the-user",
        "password of",
        "a new password",
    ];
    for secret in constant
        .into_iter()
        .chain(secrets.iter().map(String::as_str))
    {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
}

#[test]
fn no_log_line_and_no_debug_output_shows_a_secret_or_a_user() {
    // T78, R47
    let ((secrets, printed), lines) = captured(|| {
        let basic = live(App::new());
        let strong = App::new()
            .set("login.session_protection", "strong")
            .set("login.remember_cookie_refresh_each_request", true);
        let strong = live(strong);
        ([basic.0, strong.0].concat(), basic.1 + &strong.1)
    });
    assert!(secrets.len() > 20, "{}", secrets.len());
    assert_no_secret(&printed, &secrets);
    for line in lines.iter().filter(|line| line.is_ours()) {
        assert_no_secret(&line.text, &secrets);
    }
    // The control: Rocket's own lines show the requests.
    assert!(
        lines
            .iter()
            .any(|line| !line.is_ours() && line.text.contains("/logout-everywhere"))
    );
    let ours = |level| {
        lines
            .iter()
            .filter(|line| line.is_ours() && line.level == level)
            .count()
    };
    assert!(
        ours(Level::Error) >= 2 && ours(Level::Warn) >= 2 && ours(Level::Info) >= 2,
        "{lines:#?}"
    );
}

#[test]
fn the_arguments_of_a_revocation_list_print_no_user() {
    // R47, T78
    let list = Revocations::new();
    captured(|| {
        let app = list.app().start();
        app.users.put("alice-the-user");
        assert_eq!(
            app.logged_in("alice-the-user").post("/logout", "").status,
            Status::Ok
        );
    });
    let emitted = list.ended();
    assert!(emitted.contains("redacted"), "{emitted}");
    assert_no_secret(&emitted, &[]);
}

#[test]
fn the_error_of_a_loader_cannot_inject_log_lines() {
    // R47, T78: the text of the error contains a user id with control characters.
    let ((), lines) = captured(|| {
        let mut app = App::new();
        app.users.put("evil\x1b[2J\nError: all is lost");
        app.manager = LoginManager::new(failing_with_the_id);
        let app = app.start();
        let mut browser = app.browser();
        let form = "user=evil%1b%5b2J%0aError:%20all%20is%20lost";
        assert_eq!(browser.post("/login", form).status, Status::SeeOther);
        assert_eq!(browser.get("/me").status, Status::ServiceUnavailable);
    });
    let ours: Vec<_> = lines.iter().filter(|line| line.is_ours()).collect();
    assert!(
        ours.iter().any(|line| line.text.contains("no such user")),
        "{ours:?}"
    );
    for line in ours {
        assert!(!line.text.contains(char::is_control), "{line:?}");
    }
}
