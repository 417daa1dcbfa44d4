//! The ten pages behind rocket-login.

use std::collections::HashMap;

use rocket::form::Form;
use rocket::http::Status;
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::{FromForm, State, get, launch, post, routes, uri};
use rocket_login::{LoginError, LoginManager, LoginSession, UserMixin, login_required, user_loader};

/// The number of builds of this file, so that each build has a change.
const BUILD: u32 = 0;

#[derive(Clone, UserMixin)]
struct User {
    id: i64,
    name: String,
    #[user(session_hash)]
    password: String,
}

#[user_loader]
fn load_user(id: i64, users: &State<Users>) -> Option<User> {
    users.find(id)
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

#[login_required]
#[get("/")]
fn index(user: &User) -> String {
    page("index", user)
}

#[login_required]
#[get("/orders")]
fn orders(user: &User) -> String {
    page("orders", user)
}

#[login_required]
#[get("/invoices")]
fn invoices(user: &User) -> String {
    page("invoices", user)
}

#[login_required]
#[get("/messages")]
fn messages(user: &User) -> String {
    page("messages", user)
}

#[login_required]
#[get("/reports")]
fn reports(user: &User) -> String {
    page("reports", user)
}

#[login_required]
#[get("/files")]
fn files(user: &User) -> String {
    page("files", user)
}

#[login_required]
#[get("/team")]
fn team(user: &User) -> String {
    page("team", user)
}

#[login_required]
#[get("/billing")]
fn billing(user: &User) -> String {
    page("billing", user)
}

#[login_required]
#[get("/settings")]
fn settings(user: &User) -> String {
    page("settings", user)
}

#[login_required]
#[get("/profile")]
fn profile(user: &User) -> String {
    page("profile", user)
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
async fn login(
    form: Form<Credentials>,
    users: &State<Users>,
    session: LoginSession<'_, User>,
) -> Result<Redirect, Status> {
    let user = users
        .find(form.id)
        .filter(|user| user.password == form.password);
    let user = user.ok_or(Status::Unauthorized)?;
    let login = session.login_user(&user).await;
    login.map_err(|_| Status::Forbidden)?;
    Ok(Redirect::to(uri!(index)))
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<Redirect, LoginError> {
    session.logout_user().await?;
    Ok(Redirect::to(uri!(login_page)))
}

#[launch]
fn rocket() -> _ {
    rocket::build()
        .manage(Users(HashMap::new()))
        .attach(LoginManager::new(load_user).login_view(uri!(login_page)))
        .mount(
            "/",
            routes![
                index, orders, invoices, messages, reports, files, team, billing, settings,
                profile, login_page, login, logout
            ],
        )
}
