//! Logging in, logging out and registering.

use rocket::form::{Contextual, Error as FieldError, Form};
use rocket::response::{Flash, Redirect};
use rocket::{Route, State};
use rocket_dyn_templates::{Template, context};
use rocket_login::{LoginSession, Next, NextRedirect, anonymous_required, public};
use sqlx::SqlitePool;

use crate::attempts::Attempts;
use crate::board;
use crate::error::Error;
use crate::pages::{self, Page};
use crate::password::Hasher;
use crate::users::Member;

pub(crate) fn routes() -> Vec<Route> {
    routes![login_page, log_in, log_out, registration_page, register]
}

#[anonymous_required(Member, redirect = "/dashboard")]
#[get("/login")]
pub(crate) fn login_page(page: Page<'_>) -> Template {
    page.render("login", context! {})
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
    session: LoginSession<'_, Member>,
    attempts: Attempts<'_>,
    db: &State<SqlitePool>,
    next: Next,
) -> Result<NextRedirect, Error> {
    if let Some(given) = &form.value {
        let member = Member::by_email(db, given.email).await?;
        let hash = member.as_ref().map(|member| &*member.password_hash);
        let matches = attempts
            .verify("member", given.email, hash, given.password)
            .await?;
        // Only somebody who knows the password learns that the account is closed.
        match member.filter(|_| matches) {
            Some(member) if member.active => {
                session.login_user(&member).remember(given.remember).await?;
                return Ok(next.or(uri!(board::dashboard(q = _, skip = _))));
            }
            Some(_) => form
                .context
                .push_error(FieldError::validation("This account is closed.")),
            None => form.context.push_error(FieldError::validation(
                "E-mail address and password do not match.",
            )),
        }
    }
    Err(page.refuse("login", &form.context, context! {}))
}

#[public]
#[post("/logout")]
async fn log_out(session: LoginSession<'_, Member>) -> Result<Flash<Redirect>, Error> {
    session.logout_user().await?;
    Ok(Flash::success(
        Redirect::to(uri!(pages::home)),
        "You have logged out.",
    ))
}

#[anonymous_required(Member, redirect = "/dashboard")]
#[get("/register")]
fn registration_page(page: Page<'_>) -> Template {
    page.render("register", context! {})
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

#[anonymous_required(Member, redirect = "/dashboard")]
#[post("/register", data = "<form>")]
async fn register(
    mut form: Form<Contextual<'_, Registration<'_>>>,
    page: Page<'_>,
    session: LoginSession<'_, Member>,
    db: &State<SqlitePool>,
    hasher: &State<Hasher>,
) -> Result<Flash<Redirect>, Error> {
    if let Some(given) = &form.value {
        let hash = hasher.hash(given.password).await?;
        if let Some(member) = Member::create(db, given.name, given.email, &hash).await? {
            session.login_user(&member).await?;
            let welcome = format!("Welcome to the club, {}!", member.name);
            return Ok(Flash::success(
                Redirect::to(uri!(board::dashboard(q = _, skip = _))),
                welcome,
            ));
        }
        form.context.push_error(address_is_taken());
    }
    Err(page.refuse("register", &form.context, context! {}))
}

/// A rough check: only a mail can show whether an address exists.
pub(crate) fn is_address(text: &&str) -> bool {
    matches!(text.split_once('@'), Some((name, host)) if !name.is_empty() && !host.is_empty())
        && text.len() <= 254
        && !text.contains(char::is_whitespace)
}

fn address_is_taken<'v>() -> FieldError<'v> {
    FieldError::validation("This address is already in use.").with_name("email")
}
