//! The two routes that bind a login to the device of its browser, and prove it again.
//!
//! The browser sends these requests itself, and what it does next depends on the status alone: after a 503 it tries again,
//! after a 403 it signs the challenge that came with it, and after a 401 it forgets the binding for good. So both routes
//! answer everything themselves, without a catcher, and a refusal sets no cookie.

mod refresh;
mod register;

use std::io::Cursor;
use std::marker::PhantomData;

use rocket::http::{ContentType, Method, Status};
use rocket::outcome::Outcome;
use rocket::route::{self, Handler};
use rocket::{Data, Request, Response, Route};
use tracing::debug;

use crate::access::group::GuardRoutes as _;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::config::device::{REFRESH, REGISTER};
use crate::device::fields;
use crate::login::search::load;
use crate::login::visit::Visit;
use crate::realm::seal::is_sealed_for;
use crate::realm::unavailable::Unavailable;
use crate::realm::{Realm, RealmCore};
use crate::request::cache::peek;
use crate::request::headers;
use crate::revocation::replicated::freshness::Trust;
use crate::revocation::{RevocationError, SessionStatus};
use crate::token::keys::KeySet;
use crate::token::{Flags, Token};

/// Returns the routes of a realm, without the path of its settings.
pub(crate) fn routes<U: UserMixin>() -> Vec<Route> {
    let routes = [(REGISTER, Act::Register), (REFRESH, Act::Refresh)].map(|(path, act)| {
        let mut route = Route::new(Method::Post, path, Endpoint::<U>(act, PhantomData));
        route.name = Some(act.name().into());
        route
    });
    // Whoever comes without a genuine cookie is refused here, and not by a guard.
    routes.to_vec().public()
}

#[derive(Clone, Copy)]
enum Act {
    Register,
    Refresh,
}

impl Act {
    fn name(self) -> &'static str {
        match self {
            Self::Register => "device registration",
            Self::Refresh => "device refresh",
        }
    }
}

/// The handler of a route for one user type.
struct Endpoint<U>(Act, PhantomData<fn() -> U>);

impl<U> Clone for Endpoint<U> {
    fn clone(&self) -> Self {
        Self(self.0, PhantomData)
    }
}

#[rocket::async_trait]
impl<U: UserMixin> Handler for Endpoint<U> {
    async fn handle<'r>(&self, req: &'r Request<'_>, _: Data<'r>) -> route::Outcome<'r> {
        let Self(act, _) = *self;
        let Some(realm) = Realm::<U>::of(req.rocket()) else {
            return Outcome::Success(Answer::of(Status::ServiceUnavailable).response());
        };
        // A fairing may have asked for the user, but this request is no use of the login, and renews nothing.
        if let Some(visit) = peek::<Visit<U>>(req) {
            visit.drop_changes();
        }
        let answer = match act {
            Act::Register => register::register(realm, req).await,
            Act::Refresh => refresh::refresh(realm, req).await,
        };
        Outcome::Success(match answer {
            Ok(answer) => answer.response(),
            Err(Refusal {
                status,
                why,
                failure,
            }) => {
                if let Some(failure) = &failure {
                    realm.core.log_failure(failure, format_args!("{failure}"));
                }
                debug!("{}: {why}", act.name());
                Answer::of(status).response()
            }
        })
    }
}

/// What the browser is answered.
struct Answer {
    status: Status,
    challenge: Option<String>,
    instructions: Option<String>,
}

impl Answer {
    fn of(status: Status) -> Self {
        Self {
            status,
            challenge: None,
            instructions: None,
        }
    }

    fn response<'r>(self) -> Response<'r> {
        let mut res = Response::new();
        res.set_status(self.status);
        res.set_raw_header("Cache-Control", "private, no-store");
        // By the time of an answer another site could find out whether somebody is logged in.
        res.set_raw_header("Cross-Origin-Resource-Policy", "same-origin");
        if let Some(challenge) = self.challenge {
            res.set_raw_header(fields::CHALLENGE, challenge);
        }
        if let Some(instructions) = self.instructions {
            res.set_header(ContentType::JSON);
            res.set_sized_body(instructions.len(), Cursor::new(instructions));
        }
        res
    }
}

/// Why a request is refused; for the log.
struct Refusal {
    status: Status,
    why: &'static str,
    failure: Option<Unavailable>,
}

impl Refusal {
    /// The browser forgets the binding.
    fn end(why: &'static str) -> Self {
        Self {
            status: Status::Unauthorized,
            why,
            failure: None,
        }
    }

    /// The browser tries again later.
    fn wait(why: &'static str) -> Self {
        Self {
            status: Status::ServiceUnavailable,
            why,
            failure: None,
        }
    }
}

impl From<Unavailable> for Refusal {
    fn from(failure: Unavailable) -> Self {
        Self {
            failure: Some(failure),
            ..Self::wait("the login could not be judged")
        }
    }
}

impl From<RevocationError> for Refusal {
    fn from(failure: RevocationError) -> Self {
        Unavailable::from(failure).into()
    }
}

/// Returns the text of a header that must come once.
fn field(req: &Request<'_>, wanted: &str) -> Option<String> {
    let mut found = Vec::new();
    headers::each(req, |name, value| {
        if name.is(wanted) {
            found.push(value);
        }
    });
    match found[..] {
        [value] => Some(fields::text(value)?.into_owned()),
        _ => None,
    }
}

/// Returns the status of a session, for what an old copy of the store may not decide.
async fn status_for_sure(
    core: &RealmCore,
    token: &Token,
    now: UnixTime,
) -> Result<SessionStatus, Refusal> {
    match core.revocations.status(core.session(token), now).await? {
        (status, Trust::Fresh) => Ok(status),
        (_, Trust::Stale) => Err(Refusal::wait("the copy of the store is old")),
    }
}

/// Loads the user of a token whose login goes on, and checks that the token still fits the user.
async fn user_of<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    token: &Token,
    keys: &KeySet,
) -> Result<U, Refusal> {
    match load(realm, req, &token.uid).await? {
        None => Err(Refusal::end("the user loader does not find the user")),
        Some(user) if !is_sealed_for(token, keys, &user) => {
            Err(Refusal::end("the session hash of the user has changed"))
        }
        Some(user) if !user.is_active() && !token.flags.contains(Flags::FORCED) => {
            Err(Refusal::end("the user is inactive"))
        }
        Some(user) => Ok(user),
    }
}

/// Returns until when a session needs no new proof, if its device has answered a challenge of this time.
///
/// The time of the challenge counts, and not that of the answer: a proof that is sent again gains nothing.
fn bound_until<U>(realm: &Realm<U>, given_at: UnixTime) -> UnixTime {
    given_at.plus(realm.core.config.device.lifetime)
}

/// The host that the request was sent to.
fn host(req: &Request<'_>) -> Option<String> {
    req.host().map(ToString::to_string)
}
