//! The applications: each answers `GET /page` with the user's name after `POST /login` has logged the user in; a plain
//! application answers everybody.

mod actix;
mod axum;
mod rocket;

use tokio::runtime::Builder;

/// A measured application.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) name: &'static str,
    /// The application of the same framework without logins.
    pub(crate) plain: &'static str,
    /// Serves on a port of this machine, with one worker thread.
    pub(crate) serve: fn(u16),
}

/// All of them, in the order of the table.
pub(crate) const ALL: [Application; 9] = [
    application("rocket-plain", "rocket-plain", rocket::plain),
    application("rocket-by-hand", "rocket-plain", rocket::by_hand::serve),
    application(ROCKET_LOGIN, "rocket-plain", rocket::login::serve),
    application(
        "rocket-flex-session",
        "rocket-plain",
        rocket::flex_session::serve,
    ),
    application("axum-plain", "axum-plain", axum::plain),
    application("axum-login", "axum-plain", axum::login),
    application("axum-login-signed", "axum-plain", axum::login_signed),
    application("actix-plain", "actix-plain", actix::plain),
    application("actix-identity", "actix-plain", actix::identity),
];

/// The application with which the others are compared; it keeps a list of ended sessions.
pub(crate) const ROCKET_LOGIN: &str = "rocket-login";

const fn application(name: &'static str, plain: &'static str, serve: fn(u16)) -> Application {
    Application { name, plain, serve }
}

impl Application {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|app| app.name == name)
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.name == self.plain
    }
}

/// Runs a server of Rocket or axum; actix-web has a runtime of its own.
fn block_on<F: Future>(server: F) -> F::Output {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(server)
}
