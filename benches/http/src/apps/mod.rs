//! The applications: each answers `GET /page` with the user's name after `POST /login` has logged the user in; a plain
//! application answers everybody.

mod actix;
mod axum;
pub(crate) mod flask;
pub(crate) mod rocket;

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

/// Those in Rust, in the order of the table.
pub(crate) const RUST: [Application; 9] = [
    application("rocket-plain", "rocket-plain", |port| {
        rocket::serve(port, rocket::plain);
    }),
    application("rocket-by-hand", "rocket-plain", |port| {
        rocket::serve(port, rocket::by_hand::application);
    }),
    application(ROCKET_LOGIN, "rocket-plain", |port| {
        rocket::serve(port, rocket::login::application);
    }),
    application("rocket-flex-session", "rocket-plain", |port| {
        rocket::serve(port, rocket::flex_session::application);
    }),
    application("axum-plain", "axum-plain", axum::plain),
    application("axum-login", "axum-plain", axum::login),
    application("axum-login-signed", "axum-plain", axum::login_signed),
    application("actix-plain", "actix-plain", actix::plain),
    application("actix-identity", "actix-plain", actix::identity),
];

/// Those in Python.
pub(crate) const PYTHON: [Application; 2] = [
    application("flask-plain", "flask-plain", |port| {
        flask::serve("plain", port);
    }),
    application("flask-login", "flask-plain", |port| {
        flask::serve("login", port);
    }),
];

/// The application with which the others are compared; it keeps a list of ended sessions.
pub(crate) const ROCKET_LOGIN: &str = "rocket-login";

const fn application(name: &'static str, plain: &'static str, serve: fn(u16)) -> Application {
    Application { name, plain, serve }
}

impl Application {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        let mut all = RUST.iter().chain(&PYTHON);
        all.find(|app| app.name == name)
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
