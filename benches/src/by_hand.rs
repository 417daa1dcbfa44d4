//! A guard as people write it without a library, here and in `benches/http`: it reads the user's id from Rocket's
//! private cookie. A login lasts as long as the browser keeps the cookie: the server cannot end it, a new password or
//! another client changes nothing, and the response has no caching headers.

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait};

use crate::user::{User, Users};

/// The name of its cookie.
pub(crate) const COOKIE: &str = "user_id";

pub(crate) struct ByHand(pub(crate) User);

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
