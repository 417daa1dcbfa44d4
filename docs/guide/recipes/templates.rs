use rocket::request::FlashMessage;
use rocket::{Build, Rocket, get, routes, uri};
use rocket_dyn_templates::{Template, context};
use rocket_login::{CurrentUser, LoginManager, UserMixin, login_required, public, user_loader};
use serde::Serialize;

/// Every template gets the current user: secrets must not be serialized.
#[derive(Serialize, UserMixin)]
pub struct User {
    id: i64,
    name: String,
    #[serde(skip)]
    #[user(session_hash)]
    password_hash: String,
}

#[public]
#[get("/")]
fn home(current_user: CurrentUser<'_, User>) -> Template {
    Template::render("home", context! { current_user })
}

#[public]
#[get("/login")]
fn login_page(current_user: CurrentUser<'_, User>, flash: Option<FlashMessage<'_>>) -> Template {
    Template::render("login", context! { current_user, flash })
}

#[login_required]
#[get("/board")]
fn board(current_user: CurrentUser<'_, User>) -> Template {
    Template::render("board", context! { current_user, notices: ["Hello"] })
}

#[user_loader]
fn load_user(id: i64) -> Option<User> {
    Some(User {
        id,
        name: "ferris".into(),
        password_hash: "..".into(),
    })
}

pub fn rocket() -> Rocket<Build> {
    rocket::build()
        .attach(Template::fairing())
        .attach(LoginManager::new(load_user).login_view(uri!(login_page)))
        .mount("/", routes![home, login_page, board])
}
