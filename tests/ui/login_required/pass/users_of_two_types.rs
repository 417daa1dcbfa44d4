#![deny(warnings)]

use rocket::http::CookieJar;
use rocket::{State, get, routes};
use rocket_login::{CurrentUser, UserMixin, anonymous_required, login_required, public};

#[derive(UserMixin)]
struct User {
    id: i64,
}

#[derive(UserMixin)]
struct Staff {
    id: i64,
}

// Both logins are required.
#[login_required(User)]
#[get("/both")]
fn both(staff: &Staff, user: &User) {
    let _ = (staff, user);
}

#[login_required(User)]
#[get("/guards")]
fn guards<'r>(jar: &'r CookieJar<'_>, limit: &State<u8>, staff: CurrentUser<'_, Staff>) {
    let _ = (jar, limit, staff);
}

#[anonymous_required(User)]
#[get("/register")]
fn register(staff: &Staff) {
    let _ = staff;
}

#[public]
#[get("/about")]
fn about(user: CurrentUser<'_, User>, jar: &CookieJar<'_>) {
    let _ = (user, jar);
}

fn main() {
    let _ = routes![both, guards, register, about];
}
