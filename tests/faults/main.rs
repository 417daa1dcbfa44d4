//! Every piece of application code that the library runs fails, panics and
//! hangs, in every operation: over a real socket, in the release profile.
//!
//! Operations that do not use the broken piece run as well, and must not change.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket decides the types of a handler's arguments"
)]
#![allow(unreachable_pub, reason = "a test binary has no public interface")]

#[path = "../common/mod.rs"]
mod common;

mod fault;
mod operation;
mod site;

use rocket_login::EventKind;

use common::connection::Request;
use common::socket::{body, status};
use fault::{Fault, Point};
use operation::{OPERATIONS, Operation, Outcome, cookies};
use site::{Front, Site};

/// The effect of a broken point on an operation that reaches it.
#[derive(Clone, Copy, PartialEq)]
enum Effect {
    /// The request fails, and every login is as it was: no cookie is set, none is removed.
    Fails,
    /// Only the response fails; the change of the login stays.
    FailsToAnswer,
    /// The request fails after the logins of the user have ended: one half of the operation is done.
    FailsHavingEnded,
    /// The outcome does not change.
    Unnoticed,
}

/// Every operation that looks up the user of a session or remember token.
const TOKENS: &str = "read, fresh read, renewal, restoration, condition, group, confirmation, \
    logout everywhere, logout others, stale denial, stale renewal, refusal, group refusal, outdated, stolen, broken";

/// Every operation without a user.
const STRANGERS: &str = "denial, forged, expired, revoked, outdated, twice";

/// Which operations reach a point, and the effect on them if it breaks.
fn reaches(point: Point) -> &'static [(Effect, &'static str)] {
    use Effect::{Fails, FailsHavingEnded, FailsToAnswer, Unnoticed};
    match point {
        // A logout does not depend on the user; only its event does.
        Point::UserLoader | Point::LoaderGuard => {
            &[(Fails, TOKENS), (Unnoticed, "logout, logout realm")]
        }
        Point::RequestLoader => &[(Fails, STRANGERS), (Fails, "key")],
        Point::UnauthorizedHandler => &[(FailsToAnswer, STRANGERS), (FailsToAnswer, "stolen")],
        Point::NeedsRefreshHandler => &[(FailsToAnswer, "stale denial, stale renewal")],
        Point::ForbiddenHandler => &[(FailsToAnswer, "refusal, group refusal")],
        Point::LocalizeCallback => &[
            (Unnoticed, STRANGERS),
            (Unnoticed, "stolen, stale denial, stale renewal"),
        ],
        Point::Condition => &[(Fails, "condition, refusal")],
        Point::GroupCondition => &[(Fails, "group, group refusal")],
        Point::Revoke => &[
            (
                Fails,
                "re-login, another login, confirmation, logout, stolen",
            ),
            (FailsHavingEnded, "logout everywhere"),
        ],
        Point::RevokeUser => &[(Fails, "logout everywhere, logout others")],
        Point::RevokeRealm => &[(Fails, "logout realm")],
        Point::Status => &[
            (Fails, TOKENS),
            (Fails, "revoked, expired, re-login"),
            (Unnoticed, "logout, logout realm"),
        ],
        Point::Date => &[(Fails, "login, re-login, another login")],
        Point::Listener(kind) => match kind {
            EventKind::LoggedIn => &[(Unnoticed, "login, re-login, another login")],
            EventKind::LoggedOut => &[(Unnoticed, "logout, logout everywhere")],
            EventKind::LoginsEnded => &[(Unnoticed, "logout others, logout realm")],
            EventKind::LoadedFromCookie => &[(Unnoticed, "restoration")],
            EventKind::LoadedFromRequest => &[(Unnoticed, "key")],
            EventKind::LoginConfirmed => &[(Unnoticed, "confirmation")],
            EventKind::Unauthorized => &[(Unnoticed, STRANGERS), (Unnoticed, "stolen")],
            EventKind::NeedsRefresh => &[(Unnoticed, "stale denial, stale renewal")],
            EventKind::Forbidden => &[(Unnoticed, "refusal, group refusal")],
            EventKind::Accessed => &[
                (Unnoticed, TOKENS),
                (Unnoticed, STRANGERS),
                (Unnoticed, "key, logout, logout realm"),
            ],
            EventKind::SessionProtected => &[(Unnoticed, "stolen")],
            EventKind::Forged => &[(Unnoticed, "forged")],
            EventKind::Expired => &[(Unnoticed, "expired")],
            EventKind::Revoked => &[(Unnoticed, "revoked")],
            EventKind::Outdated => &[(Unnoticed, "outdated")],
            EventKind::DuplicateCookie => &[(Unnoticed, "twice")],
            EventKind::CrossSite => &[(Unnoticed, "cross-site logout, cross-site post")],
            EventKind::LoaderFailed => &[(Unnoticed, "broken")],
            _ => panic!("a new kind of event: add the operations that emit {kind:?}"),
        },
    }
}

/// The effect of a broken point on an operation; `None` if the operation does not reach it.
fn effect(point: Point, operation: &Operation) -> Option<Effect> {
    reaches(point)
        .iter()
        .find(|(_, names)| names.split(", ").any(|name| name == operation.name))
        .map(|(effect, _)| *effect)
}

/// Runs every operation with every point broken in every way.
fn run(front: Front, points: &[Point]) {
    let site = Site::start(front);
    for operation in OPERATIONS {
        let baseline = operation.baseline(&site);
        for &point in points {
            let effect = effect(point, operation);
            let faults = match effect {
                Some(_) => point.faults(),
                // One fault is enough, since it cannot happen.
                None => &point.faults()[..1],
            };
            for &fault in faults {
                cell(&site, operation, &baseline, (point, fault), effect);
            }
        }
    }
}

fn cell(
    site: &Site,
    operation: &Operation,
    baseline: &Outcome,
    (point, fault): (Point, Fault),
    effect: Option<Effect>,
) {
    let what = format!("{point:?} {fault:?}: {}", operation.name);
    let jar = operation.browser(site);
    let before = site.standing(&jar);
    let mut connection = site.connect();

    site.switch.arm(point, fault);
    let reply = connection.ask(operation.request(&jar));
    let seen = site.switch.disarm();
    assert_eq!(seen.reached > 0, effect.is_some(), "{what}: {reply}");

    let broken = point.status(fault);
    match effect {
        None | Some(Effect::Unnoticed) => {
            let outcome = Operation::outcome(site, &jar, &reply);
            assert_eq!(outcome, *baseline, "{what}: {reply}");
        }
        Some(Effect::FailsToAnswer) => {
            let outcome = Operation::outcome(site, &jar, &reply);
            assert_eq!((outcome.status, seen.ran), (broken, 0), "{what}: {reply}");
            assert_eq!(outcome.location, None, "{what}");
            assert_eq!(outcome.cookies, baseline.cookies, "{what}: {reply}");
            assert_eq!(outcome.old, baseline.old, "{what}");
            assert_eq!(outcome.new, baseline.new, "{what}");
        }
        Some(Effect::Fails | Effect::FailsHavingEnded) => {
            assert_eq!((status(&reply), seen.ran), (broken, 0), "{what}: {reply}");
            assert!(!reply.contains("on purpose"), "{what}: {reply}");
            assert_eq!(cookies(&reply), "", "{what}: {reply}");
            let left = match effect {
                Some(Effect::FailsHavingEnded) => &baseline.old,
                _ => &before,
            };
            assert_eq!(site.standing(&jar), *left, "{what}");
        }
    }

    let reply = connection.ask(Request::get("/open", &[]));
    assert_eq!((status(&reply), body(&reply)), (200, "open"), "{what}");
    let reply = connection.ask(Request::get("/me", &[]));
    assert_eq!((status(&reply), body(&reply)), (200, "anonymous"), "{what}");
}

const LOADERS: [Point; 3] = [Point::UserLoader, Point::LoaderGuard, Point::RequestLoader];

const LIST: [Point; 5] = [
    Point::Revoke,
    Point::RevokeUser,
    Point::RevokeRealm,
    Point::Status,
    Point::Date,
];

const CONDITIONS: [Point; 2] = [Point::Condition, Point::GroupCondition];

const HANDLERS: [Point; 3] = [
    Point::UnauthorizedHandler,
    Point::NeedsRefreshHandler,
    Point::ForbiddenHandler,
];

const LISTENERS: [Point; 18] = [
    Point::Listener(EventKind::LoggedIn),
    Point::Listener(EventKind::LoggedOut),
    Point::Listener(EventKind::LoginsEnded),
    Point::Listener(EventKind::LoadedFromCookie),
    Point::Listener(EventKind::LoadedFromRequest),
    Point::Listener(EventKind::LoginConfirmed),
    Point::Listener(EventKind::Unauthorized),
    Point::Listener(EventKind::NeedsRefresh),
    Point::Listener(EventKind::Forbidden),
    Point::Listener(EventKind::Accessed),
    Point::Listener(EventKind::SessionProtected),
    Point::Listener(EventKind::Forged),
    Point::Listener(EventKind::Expired),
    Point::Listener(EventKind::Revoked),
    Point::Listener(EventKind::Outdated),
    Point::Listener(EventKind::DuplicateCookie),
    Point::Listener(EventKind::CrossSite),
    Point::Listener(EventKind::LoaderFailed),
];

// R36, T50, T51, T52
#[test]
fn a_broken_loader_fails_the_request_and_leaves_every_login_as_it_was() {
    run(Front::Handlers, &LOADERS);
}

// R36, T53
#[test]
fn a_broken_list_of_ended_sessions_logs_nobody_in_or_out() {
    run(Front::Handlers, &LIST);
}

// R36
#[test]
fn a_broken_condition_is_a_server_error() {
    run(Front::Handlers, &CONDITIONS);
}

// K10: in Rocket, a panic in a response fairing closes the connection without a response.
#[test]
fn a_broken_refusal_handler_shows_nothing_and_changes_no_login() {
    run(Front::Handlers, &HANDLERS);
}

// K10
#[test]
fn a_broken_localization_changes_no_answer() {
    run(Front::Views, &[Point::LocalizeCallback]);
}

// K10
#[test]
fn a_broken_listener_changes_nothing() {
    run(Front::Handlers, &LISTENERS);
}

#[test]
fn every_operation_in_the_table_exists() {
    let handlers = HANDLERS.iter().chain([&Point::LocalizeCallback]);
    let others = LOADERS.iter().chain(&LIST).chain(&CONDITIONS);
    for point in others.chain(handlers).chain(&LISTENERS) {
        let rows = reaches(*point);
        for name in rows.iter().flat_map(|(_, names)| names.split(", ")) {
            let is_known = OPERATIONS.iter().any(|known| known.name == name);
            assert!(is_known, "{point:?}: {name}");
        }
    }
}
