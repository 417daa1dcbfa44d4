//! The hand-written guard that `login-benches` measures too.

use rocket::http::CookieJar;
use rocket::{Build, Rocket, get, post, routes};

use crate::by_hand::{ByHand, COOKIE};
use crate::users::ALICE;

pub(crate) fn application(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket.mount("/", routes![login, page])
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
