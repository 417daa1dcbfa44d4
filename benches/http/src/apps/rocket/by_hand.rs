//! What one writes without a library: a guard that reads the user's id from Rocket's private
//! cookie. A login lasts for as long as the cookie is kept: nothing on the server ends one, neither
//! a new password nor another client matters, and the response says nothing of caching.

use rocket::http::{CookieJar, Status};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait, get, post, routes};

use crate::users::{ALICE, User, Users};

const COOKIE: &str = "user_id";

pub(crate) fn serve(port: u16) {
    super::serve(port, |rocket| rocket.mount("/", routes![login, page]));
}

struct ByHand(User);

#[async_trait]
impl<'r> FromRequest<'r> for ByHand {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let find = || {
            let id = req.cookies().get_private(COOKIE)?.value().parse().ok()?;
            req.rocket().state::<Users>()?.get(&id).cloned()
        };
        match find() {
            Some(user) => Outcome::Success(ByHand(user)),
            None => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

#[post("/login")]
fn login(cookies: &CookieJar<'_>) {
    cookies.add_private((COOKIE, ALICE.to_string()));
}

#[get("/page")]
fn page(guard: ByHand) -> String {
    let ByHand(user) = guard;
    user.name.to_string()
}
