//! `rocket_flex_session` with its default settings, and the request guard of its README: sessions in memory, found by
//! an id in Rocket's private cookie. It has sessions and no users: a new password or another client changes nothing,
//! and a restart loses all sessions.

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Build, Request, Rocket, async_trait, get, post, routes};
use rocket_flex_session::{RocketFlexSession, Session};

use crate::users::{ALICE, User, Users};

pub(crate) fn application(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket
        .attach(RocketFlexSession::<LoggedIn>::default())
        .mount("/", routes![login, page])
}

#[derive(Clone)]
struct LoggedIn {
    user_id: i64,
}

struct Guard(User);

#[async_trait]
impl<'r> FromRequest<'r> for Guard {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let session = req.guard::<Session<LoggedIn>>().await;
        let find = || {
            let id = session.succeeded()?.get()?.user_id;
            req.rocket().state::<Users>()?.get(&id).cloned()
        };
        match find() {
            Some(user) => Outcome::Success(Guard(user)),
            None => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

#[post("/login")]
fn login(mut session: Session<'_, LoggedIn>) {
    session.set(LoggedIn { user_id: ALICE });
}

#[get("/page")]
fn page(guard: Guard) -> String {
    let Guard(user) = guard;
    user.name.to_string()
}
