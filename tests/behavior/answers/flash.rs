//! The message that a refused visitor sees.

use rocket::http::Status;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{Request, State, catch, catchers, get, post, routes};
use rocket_login::{LoginError, LoginSession, unauthorized_handler};

use super::{flash, flashed};
use crate::common::socket::{Server, body, cookie, header};
use crate::common::{App, User, Users};

#[test]
fn the_application_chooses_messages_and_categories() {
    let app = App::new()
        .with(|manager| {
            manager
                .login_message("Wer da?")
                .login_message_category("warnung")
                .needs_refresh_message("Noch einmal: bitte")
                .needs_refresh_message_category("3:x")
        })
        .start();
    let mut browser = app.browser();
    assert_eq!(
        flashed(&browser.get("/private")),
        flash("warnung", "Wer da?")
    );
    browser.post("/login", "user=alice&stale=on");
    assert_eq!(
        flashed(&browser.get("/fresh")),
        flash("3:x", "Noch einmal: bitte")
    );
}

#[test]
fn an_empty_message_is_not_flashed() {
    let app = App::new()
        .with(|manager| manager.login_message(""))
        .set("login.needs_refresh_message", "")
        .start();
    let mut browser = app.browser();
    let reply = browser.get("/private");
    assert_eq!(reply.status, Status::SeeOther);
    assert!(reply.set_cookies().is_empty());
    browser.post("/login", "user=alice&stale=on");
    let reply = browser.get("/fresh");
    assert_eq!(reply.location(), Some("/confirm?next=%2Ffresh"));
    assert!(reply.set_cookies().is_empty());
}

#[test]
fn localize_callback_sees_message_and_request() {
    let app = App::new()
        .with(|manager| {
            manager.localize_callback(|message, req| {
                let language = req.headers().get_one("Accept-Language").unwrap_or("?");
                format!("{language} {} {message}", req.uri().path())
            })
        })
        .start();
    let mut browser = app.browser().header("Accept-Language", "de");
    let expected = "de /private Please log in to access this page.";
    assert_eq!(
        flashed(&browser.get("/private")),
        flash("message", expected)
    );
    browser.post("/login", "user=alice&stale=on");
    let expected = "de /fresh Please reauthenticate to access this page.";
    assert_eq!(flashed(&browser.get("/fresh")), flash("message", expected));
}

#[test]
fn a_panic_of_localize_callback_keeps_the_message_as_it_is() {
    let app = App::new()
        .with(|manager| manager.localize_callback(|_, _| panic!("no such language")))
        .start();
    let reply = app.browser().get("/private");
    assert_eq!(reply.location(), Some("/login?next=%2Fprivate"));
    assert_eq!(
        flashed(&reply),
        flash("message", "Please log in to access this page.")
    );
}

#[test]
fn localize_callback_does_not_run_without_a_message() {
    let app = App::new()
        .with(|manager| {
            manager
                .login_message("")
                .localize_callback(|_, _| "asked".into())
        })
        .start();
    assert_eq!(flashed(&app.browser().get("/private")), None);
}

#[test]
fn a_redirect_of_htmx_flashes_the_message_as_well() {
    let app = App::new().start();
    let mut browser = app.browser().header("HX-Request", "true");
    // Several parts of a page may be refused at once.
    for _ in 0..2 {
        let reply = browser.get("/private");
        assert_eq!(reply.header("HX-Redirect"), Some("/login"));
    }
    browser.headers.clear();
    let message = "[message: Please log in to access this page.]";
    assert!(browser.get("/login").body.contains(message));
    assert!(!browser.get("/login").body.contains("message"));
    // What a script asks for is not redirected.
    let reply = browser.header("Sec-Fetch-Mode", "cors").get("/private");
    assert!(reply.set_cookies().is_empty());
}

#[test]
fn a_login_takes_back_a_message_that_nobody_has_seen() {
    for language in [None, Some("de")] {
        let app = App::new()
            .with(|manager| match language {
                Some(_) => manager.localize_callback(|_, req| format!("für {}", req.uri())),
                None => manager,
            })
            .start();
        let mut browser = app.browser();
        assert!(flashed(&browser.get("/private")).is_some());
        let reply = browser.post("/login", "user=alice&stale=on");
        assert!(reply.removes("_flash"));
        assert_eq!(reply.cookie("_flash").unwrap().path(), Some("/"));

        assert!(flashed(&browser.get("/fresh")).is_some());
        assert!(browser.post("/confirm", "alice").removes("_flash"));
        // There is nothing to take back any more.
        assert!(browser.post("/confirm", "alice").cookie("_flash").is_none());
    }
}

#[test]
fn a_failed_login_takes_back_nothing() {
    let app = App::new().start();
    let mut browser = app.browser();
    browser.get("/private");
    assert!(
        browser
            .post("/login", "user=nobody")
            .set_cookies()
            .is_empty()
    );
    assert!(browser.get("/login").body.contains("Please log in"));
}

#[get("/saved")]
fn saved() -> Flash<Redirect> {
    Flash::success(Redirect::to("/private"), "saved")
}

#[post("/log-in")]
async fn log_in(
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<Flash<Redirect>, LoginError> {
    session.login_user(&users.get("alice").unwrap()).await?;
    Ok(Flash::success(Redirect::to("/"), "welcome"))
}

#[test]
fn a_message_of_the_application_stays() {
    let app = App::new().routes(routes![saved, log_in]).start();
    let mut browser = app.browser();
    assert_eq!(flashed(&browser.get("/saved")), flash("success", "saved"));
    let reply = browser.get("/private");
    assert_eq!(reply.location(), Some("/login?next=%2Fprivate"));
    assert_eq!(flashed(&reply), None);
    // A login does not take it back either.
    assert_eq!(browser.login("alice").cookie("_flash"), None);
    assert_eq!(browser.get("/login").body, "log in [success: saved] next=");

    let mut browser = app.browser();
    browser.get("/private");
    let reply = browser.post("/log-in", "");
    assert_eq!(flashed(&reply), flash("success", "welcome"));
}

#[test]
fn a_message_of_the_application_that_a_catcher_reads_stays_if_the_page_is_dropped() {
    let server = Server::start(App::new().rocket().register("/", catchers![with_flash]));
    let flash: &[u8] = b"Cookie: _flash=7%3Asuccesssaved";
    let reply = server.get("/private", &[flash]);
    assert_eq!(header(&reply, "Location"), ["/login?next=%2Fprivate"]);
    assert_eq!(header(&reply, "Set-Cookie"), [""; 0], "{reply}");
    // The page that shows it is sent.
    let reply = server.get("/private", &[flash, b"Accept: application/json"]);
    assert_eq!(body(&reply), "saved");
    assert_eq!(cookie(&reply, "_flash").as_deref(), Some(""));
}

// D30
#[test]
fn several_refusals_flash_once_and_the_message_is_shown_once() {
    let server = Server::start(App::new().rocket());
    let mut jar = Vec::new();
    for _ in 0..3 {
        let header = jar
            .first()
            .map_or(String::new(), |flash| format!("Cookie: _flash={flash}"));
        let headers: &[&[u8]] = if jar.is_empty() {
            &[]
        } else {
            &[header.as_bytes()]
        };
        let reply = server.get("/private", headers);
        jar = vec![cookie(&reply, "_flash").unwrap()];
    }
    let header = format!("Cookie: _flash={}", jar[0]);
    let reply = server.get("/login", &[header.as_bytes()]);
    assert_eq!(
        body(&reply),
        "log in [message: Please log in to access this page.] next="
    );
    assert_eq!(cookie(&reply, "_flash").as_deref(), Some(""));
    assert_eq!(body(&server.get("/login", &[])), "log in next=");
}

#[catch(401)]
async fn with_flash(req: &Request<'_>) -> String {
    let flash = req.guard::<FlashMessage<'_>>().await.succeeded();
    flash.map_or(String::new(), |flash| flash.message().to_owned())
}

// R15
#[test]
fn a_catcher_that_reads_the_message_leaves_one_flash_cookie() {
    let server = Server::start(App::new().rocket().register("/", catchers![with_flash]));
    let flash = cookie(&server.get("/private", &[]), "_flash").unwrap();
    let flash = format!("Cookie: _flash={flash}");

    let reply = server.get("/private", &[flash.as_bytes(), b"Accept: application/json"]);
    assert_eq!(body(&reply), "Please log in to access this page.");
    assert_eq!(header(&reply, "Set-Cookie").len(), 1);
    assert_eq!(cookie(&reply, "_flash").as_deref(), Some(""));

    let reply = server.get("/private", &[flash.as_bytes()]);
    assert_eq!(header(&reply, "Location"), ["/login?next=%2Fprivate"]);
    assert_eq!(header(&reply, "Set-Cookie").len(), 1, "{reply}");
    assert_ne!(cookie(&reply, "_flash").as_deref(), Some(""));
}

#[unauthorized_handler]
fn flashing() -> Flash<&'static str> {
    Flash::error("who is there?", "new")
}

#[unauthorized_handler]
fn silent() -> &'static str {
    "who is there?"
}

#[test]
fn with_a_handler_only_its_own_message_is_sent() {
    let old: &[&[u8]] = &[b"Cookie: _flash=5%3Aerrorold"];
    let app = App::new().with(|manager| manager.unauthorized_handler(flashing));
    let reply = Server::start(app.rocket()).get("/private", old);
    assert_eq!(cookie(&reply, "_flash").as_deref(), Some("5%3Aerrornew"));
    let app = App::new().with(|manager| manager.unauthorized_handler(silent));
    let reply = Server::start(app.rocket()).get("/private", old);
    assert_eq!(body(&reply), "who is there?");
    assert_eq!(cookie(&reply, "_flash"), None);
}

#[test]
fn any_text_survives_in_rockets_flash_message() {
    for (category, message) in [
        ("Ünïcode", "Bitte anmelden, 请登录 — «ñ»"),
        ("", "no category; a=b, \"quoted\" \\ % %41 +"),
        ("line", "two\r\nSet-Cookie: x=1"),
    ] {
        let app = App::new().with(|manager| {
            manager
                .login_message(message)
                .login_message_category(category)
        });
        let server = Server::start(app.rocket());
        let reply = server.get("/private", &[]);
        assert!(!reply.contains("\nSet-Cookie: x=1"), "{reply}");
        let header = format!("Cookie: _flash={}", cookie(&reply, "_flash").unwrap());
        let page = server.get("/login", &[header.as_bytes()]);
        assert_eq!(body(&page), format!("log in [{category}: {message}] next="));
    }
}

#[test]
fn the_flash_lasts_minutes_and_is_hidden_from_scripts() {
    let reply = App::new().start().browser().get("/private");
    let cookie = reply.cookie("_flash").unwrap();
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.path(), Some("/"));
    assert_eq!(cookie.max_age().unwrap().whole_minutes(), 5);
    assert_eq!(cookie.secure(), None);
    let reply = App::new().release().start().browser().get("/private");
    assert_eq!(reply.cookie("_flash").unwrap().secure(), Some(true));
}
