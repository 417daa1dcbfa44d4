//! The account: what a user can change, and what requires the password again.

use rocket::form::{Contextual, Error as FieldError, Form};
use rocket::response::{Flash, Redirect};
use rocket::{Route, State};
use rocket_dyn_templates::{Template, context};
use rocket_login::{LoginSession, Next, NextRedirect, fresh_login_required, login_required};
use sqlx::SqlitePool;

use crate::error::Error;
use crate::pages::{self, Page};
use crate::password::Hasher;
use crate::users::User;

pub(crate) fn routes() -> Vec<Route> {
    routes![
        overview,
        confirm_page,
        confirm,
        password_page,
        set_password,
        log_out_everywhere
    ]
}

#[login_required(User)]
#[get("/")]
async fn overview(page: Page<'_>, session: LoginSession<'_, User>) -> Result<Template, Error> {
    let remembered = session.login_remembered().await?;
    Ok(page.render("account", context! { remembered }))
}

/// Asks users whose login is not fresh for their password, then leads back to `next`.
#[login_required(User)]
#[get("/confirm")]
pub(crate) fn confirm_page(page: Page<'_>) -> Template {
    page.render("confirm", ())
}

#[derive(FromForm)]
struct Confirmation<'r> {
    password: &'r str,
}

#[login_required(User)]
#[post("/confirm", data = "<form>")]
async fn confirm(
    user: &User,
    mut form: Form<Contextual<'_, Confirmation<'_>>>,
    page: Page<'_>,
    session: LoginSession<'_, User>,
    hasher: &State<Hasher>,
    next: Next,
) -> Result<NextRedirect, Error> {
    if let Some(given) = &form.value {
        let hash = Some(&*user.password_hash);
        if hasher.verify(hash, given.password).await? {
            session.confirm_login(user).await?;
            return Ok(next.or(uri!("/account", overview)));
        }
        let error = FieldError::validation("This is not your password.");
        form.context.push_error(error.with_name("password"));
    }
    Err(page.refuse("confirm", &form.context))
}

#[fresh_login_required(User)]
#[get("/password")]
fn password_page(page: Page<'_>) -> Template {
    page.render("password", ())
}

#[derive(FromForm)]
struct NewPassword<'r> {
    #[field(validate = len(10..=200).or_else(msg!("Use at least 10 characters.")))]
    password: &'r str,
}

#[fresh_login_required(User)]
#[post("/password", data = "<form>")]
async fn set_password(
    user: &User,
    form: Form<Contextual<'_, NewPassword<'_>>>,
    page: Page<'_>,
    session: LoginSession<'_, User>,
    db: &State<SqlitePool>,
    hasher: &State<Hasher>,
) -> Result<Flash<Redirect>, Error> {
    let Some(given) = &form.value else {
        return Err(page.refuse("password", &form.context));
    };
    let hash = hasher.hash(given.password).await?;
    let changed = user.set_password_hash(db, &hash).await?;
    // The new hash ends every login of this user. This browser gets a new one.
    session.confirm_login(&changed).await?;
    let account = Redirect::to(uri!("/account", overview));
    let message = "Your password has changed. All other devices are logged out.";
    Ok(Flash::success(account, message))
}

#[login_required(User)]
#[post("/logout-everywhere")]
async fn log_out_everywhere(session: LoginSession<'_, User>) -> Result<Flash<Redirect>, Error> {
    session.logout_everywhere().await?;
    let home = Redirect::to(uri!(pages::home));
    Ok(Flash::success(home, "You are logged out on all devices."))
}
