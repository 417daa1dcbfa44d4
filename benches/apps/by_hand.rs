//! The ten pages behind a hand-written guard that uses Rocket's private cookie.

use std::collections::HashMap;

use rocket::form::Form;
use rocket::http::{CookieJar, Status};
use rocket::outcome::IntoOutcome;
use rocket::request::{self, FromRequest};
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::{FromForm, Request, State, async_trait, get, launch, post, routes, uri};

/// The number of builds of this file, so that each build has a change.
const BUILD: u32 = 0;

#[derive(Clone)]
struct User {
    id: i64,
    name: String,
    password: String,
}

#[async_trait]
impl<'r> FromRequest<'r> for User {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let find = || {
            let id = req.cookies().get_private("user_id")?.value().parse().ok()?;
            req.rocket().state::<Users>()?.find(id)
        };
        find().or_error((Status::Unauthorized, ()))
    }
}

struct Users(HashMap<i64, User>);

impl Users {
    fn find(&self, id: i64) -> Option<User> {
        self.0.get(&id).cloned()
    }
}

fn page(title: &str, user: &User) -> String {
    format!("{title} of {}, build {BUILD}", user.name)
}

#[get("/")]
fn index(user: User) -> String {
    page("index", &user)
}

#[get("/orders")]
fn orders(user: User) -> String {
    page("orders", &user)
}

#[get("/invoices")]
fn invoices(user: User) -> String {
    page("invoices", &user)
}

#[get("/messages")]
fn messages(user: User) -> String {
    page("messages", &user)
}

#[get("/reports")]
fn reports(user: User) -> String {
    page("reports", &user)
}

#[get("/files")]
fn files(user: User) -> String {
    page("files", &user)
}

#[get("/team")]
fn team(user: User) -> String {
    page("team", &user)
}

#[get("/billing")]
fn billing(user: User) -> String {
    page("billing", &user)
}

#[get("/settings")]
fn settings(user: User) -> String {
    page("settings", &user)
}

#[get("/profile")]
fn profile(user: User) -> String {
    page("profile", &user)
}

#[get("/login")]
fn login_page() -> RawHtml<&'static str> {
    RawHtml(
        "<form method=post><input name=id><input name=password type=password><button>Log in</button></form>",
    )
}

#[derive(FromForm)]
struct Credentials {
    id: i64,
    password: String,
}

#[post("/login", data = "<form>")]
fn login(
    form: Form<Credentials>,
    users: &State<Users>,
    jar: &CookieJar<'_>,
) -> Result<Redirect, Status> {
    let user = users
        .find(form.id)
        .filter(|user| user.password == form.password);
    let user = user.ok_or(Status::Unauthorized)?;
    jar.add_private(("user_id", user.id.to_string()));
    Ok(Redirect::to(uri!(index)))
}

#[post("/logout")]
fn logout(jar: &CookieJar<'_>) -> Redirect {
    jar.remove_private("user_id");
    Redirect::to(uri!(login_page))
}

#[launch]
fn rocket() -> _ {
    rocket::build().manage(Users(HashMap::new())).mount(
        "/",
        routes![
            index, orders, invoices, messages, reports, files, team, billing, settings, profile,
            login_page, login, logout
        ],
    )
}
