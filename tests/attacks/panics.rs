//! Panics and hangs of the application's own code; for a server that survives a panic.

use std::time::Duration;

use rocket_login::{LoginEvent, LoginManager, event_listener, unauthorized_handler, user_loader};

use crate::common::socket::{body, header, status};
use crate::common::{App, User};
use crate::{SESSION, Site, line};

#[user_loader]
fn panicking_loader(_id: &str) -> Option<User> {
    panic!("on purpose")
}

#[user_loader]
async fn hanging_loader(_id: &str) -> Option<User> {
    std::future::pending().await
}

#[unauthorized_handler]
fn panicking_handler() -> &'static str {
    panic!("on purpose")
}

#[event_listener]
fn panicking_listener(event: &LoginEvent<'_, User>) {
    panic!("on purpose, at {:?}", event.kind)
}

#[test]
fn a_panic_of_the_applications_own_code_is_answered() {
    // K10, T51, T52: in Rocket, a panic in a response fairing closes the connection without a word.
    let quick = Duration::from_millis(50);
    let with_loader = |loader| {
        let mut app = App::new().release();
        app.manager = LoginManager::new(loader)
            .clock(app.clock.clone())
            .login_view("/login")
            .loader_timeout(quick);
        app
    };
    let plain = || App::new().release();
    for (what, app, with_login, without) in [
        (
            "loader that panics",
            with_loader(panicking_loader),
            500,
            303,
        ),
        ("loader that hangs", with_loader(hanging_loader), 503, 303),
        (
            "handler",
            plain().with(|manager| manager.unauthorized_handler(panicking_handler)),
            200,
            500,
        ),
        (
            "listener",
            plain().with(|manager| manager.event_listener(panicking_listener)),
            200,
            303,
        ),
        (
            "localization",
            plain().with(|manager| manager.localize_callback(|_, _| panic!("on purpose"))),
            200,
            303,
        ),
    ] {
        let site = Site::of(app);
        let mine = line(&[(SESSION, &site.session("alice"))]);
        for _ in 0..2 {
            let reply = site.server.get("/private", &[&mine]);
            assert_eq!(status(&reply), with_login, "{what}: {reply}");
            assert_eq!(reply.contains("private of"), with_login == 200, "{what}");
            assert_eq!(header(&reply, "set-cookie"), [""; 0], "{what}");
            let reply = site.server.get("/private", &[]);
            assert_eq!(status(&reply), without, "{what}: {reply}");
            assert!(!reply.contains("private of"), "{what}");
        }
        assert_eq!(body(&site.server.get("/open", &[])), "open", "{what}");
    }
}
