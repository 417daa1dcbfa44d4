//! Guards: groups, conditions, forwards, realms, and the audit of them all.

mod anonymous;
mod audit;
mod conditions;
mod forward;
mod groups;
mod public;
mod realms;

use std::sync::Mutex;

use rocket::{Build, Request, Rocket, State, catch};
use rocket_login::{Denied, EventKind, LoginEvent, event_listener};

use crate::common::{App, Browser, Reply, Running, User};

/// Starts the application with mounts, catchers or state of the test.
fn start(app: App, build: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> Running {
    app.with(|manager| manager.event_listener(listen))
        .start_with(|rocket| build(rocket).manage(Emitted::default()))
}

#[derive(Default)]
struct Emitted(Mutex<Vec<(EventKind, Option<String>)>>);

#[event_listener]
fn listen(event: &LoginEvent<'_, User>, emitted: &State<Emitted>) {
    let user = event.user.map(|user| user.id.clone());
    emitted.0.lock().unwrap().push((event.kind, user));
}

/// The events since the last call, without `Accessed`.
fn emitted(app: &Running) -> Vec<(EventKind, Option<String>)> {
    let emitted = app.client.rocket().state::<Emitted>().unwrap();
    let mut emitted = std::mem::take(&mut *emitted.0.lock().unwrap());
    emitted.retain(|(kind, _)| *kind != EventKind::Accessed);
    emitted
}

/// A denial as a catcher sees it.
#[catch(default)]
fn reason(status: rocket::http::Status, req: &Request<'_>) -> String {
    match Denied::of(req) {
        Some(denied) => format!("caught {:?}", denied.reason()),
        None => format!("caught {}", status.code),
    }
}

/// The outcome of a reply: its status, and its redirect or body.
fn outcome(reply: &Reply) -> String {
    let text = reply.location().unwrap_or(&reply.body);
    format!("{} {text}", reply.status.code)
}

/// A browser in which `user` has logged in without freshness.
fn stale<'a>(app: &'a Running, user: &str) -> Browser<'a> {
    app.logged_in_with(user, "stale=on")
}

/// Sends requests like a script, which does not accept HTML.
fn script(browser: Browser<'_>) -> Browser<'_> {
    browser.header("Accept", "application/json")
}
