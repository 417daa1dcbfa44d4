//! Registering, logging in and logging out.

use rocket::form::{Contextual, Error as FieldError, Form};
use rocket::response::{Flash, Redirect};
use rocket::{Route, State};
use rocket_dyn_templates::Template;
use rocket_login::{LoginSession, Next, NextRedirect, anonymous_required, public};
use sqlx::SqlitePool;

use crate::error::Error;
use crate::pages::{self, Page};
use crate::password::Hasher;
use crate::users::User;

pub(crate) fn routes() -> Vec<Route> {
    routes![login_page, log_in, log_out, registration_page, register]
}

#[anonymous_required(User, redirect = "/dashboard")]
#[get("/login")]
pub(crate) fn login_page(page: Page<'_>) -> Template {
    page.render("login", ())
}

#[derive(FromForm)]
struct Credentials<'r> {
    email: &'r str,
    password: &'r str,
    remember: bool,
}

// The form has no `action`: it posts to the address of its page, so it keeps the `next` there.
#[public]
#[post("/login", data = "<form>")]
async fn log_in(
    mut form: Form<Contextual<'_, Credentials<'_>>>,
    page: Page<'_>,
    session: LoginSession<'_, User>,
    db: &State<SqlitePool>,
    hasher: &State<Hasher>,
    next: Next,
) -> Result<NextRedirect, Error> {
    if let Some(given) = &form.value {
        let user = User::by_email(db, given.email).await?;
        let hash = user.as_ref().map(|user| &*user.password_hash);
        let matches = hasher.verify(hash, given.password).await?;
        if let Some(user) = user.filter(|_| matches) {
            session.login_user(&user).remember(given.remember).await?;
            return Ok(next.or(uri!(pages::dashboard)));
        }
        let message = "E-mail address and password do not match.";
        form.context.push_error(FieldError::validation(message));
    }
    Err(page.refuse("login", &form.context))
}

#[public]
#[post("/logout")]
async fn log_out(session: LoginSession<'_, User>) -> Result<Flash<Redirect>, Error> {
    session.logout_user().await?;
    let home = Redirect::to(uri!(pages::home));
    Ok(Flash::success(home, "You have logged out."))
}

#[anonymous_required(User, redirect = "/dashboard")]
#[get("/register")]
fn registration_page(page: Page<'_>) -> Template {
    page.render("register", ())
}

#[derive(FromForm)]
struct Registration<'r> {
    #[field(validate = len(1..=80).or_else(msg!("Enter a name of 1 to 80 characters.")))]
    name: &'r str,
    #[field(validate = with(is_address, "This is not an e-mail address."))]
    email: &'r str,
    #[field(validate = len(10..=200).or_else(msg!("Use at least 10 characters.")))]
    password: &'r str,
}

#[anonymous_required(User, redirect = "/dashboard")]
#[post("/register", data = "<form>")]
async fn register(
    mut form: Form<Contextual<'_, Registration<'_>>>,
    page: Page<'_>,
    session: LoginSession<'_, User>,
    db: &State<SqlitePool>,
    hasher: &State<Hasher>,
) -> Result<Flash<Redirect>, Error> {
    if let Some(given) = &form.value {
        let hash = hasher.hash(given.password).await?;
        if let Some(user) = User::create(db, given.name, given.email, &hash).await? {
            session.login_user(&user).await?;
            let dashboard = Redirect::to(uri!(pages::dashboard));
            return Ok(Flash::success(dashboard, "Your account is ready."));
        }
        let error = FieldError::validation("This address is already in use.");
        form.context.push_error(error.with_name("email"));
    }
    Err(page.refuse("register", &form.context))
}

/// A rough check: only a mail can show whether an address exists.
fn is_address(text: &&str) -> bool {
    matches!(text.split_once('@'), Some((name, host)) if !name.is_empty() && !host.is_empty())
        && text.len() <= 254
        && !text.contains(char::is_whitespace)
}
