//! What a member can change only with a fresh login: address, password, API keys.

use rocket::form::{Contextual, Error as FieldError, Form};
use rocket::response::{Flash, Redirect};
use rocket::{Route, State};
use rocket_dyn_templates::{Template, context};
use rocket_login::{
    LoginSession, Next, NextRedirect, Signer, fresh_login_required, login_required,
};
use sqlx::SqlitePool;

use crate::api::ApiKey;
use crate::attempts::Attempts;
use crate::error::Error;
use crate::links;
use crate::mail::Mailer;
use crate::pages::{self, Page};
use crate::password::Hasher;
use crate::sessions::is_address;
use crate::users::Member;

pub(crate) fn routes() -> Vec<Route> {
    routes![
        overview,
        confirm_page,
        confirm,
        email_page,
        set_email,
        password_page,
        set_password,
        keys_page,
        make_key,
        delete_key,
        log_out_everywhere
    ]
}

#[login_required(Member)]
#[get("/")]
async fn overview(page: Page<'_>, session: LoginSession<'_, Member>) -> Result<Template, Error> {
    let fresh = session.login_fresh().await?;
    let remembered = session.login_remembered().await?;
    Ok(page.render("account/overview", context! { fresh, remembered }))
}

/// Asks members whose login is not fresh for their password, then leads back to `next`.
#[login_required(Member)]
#[get("/confirm")]
pub(crate) fn confirm_page(page: Page<'_>) -> Template {
    page.render("account/confirm", context! {})
}

#[derive(FromForm)]
struct Confirmation<'r> {
    password: &'r str,
}

#[login_required(Member)]
#[post("/confirm", data = "<form>")]
async fn confirm(
    member: &Member,
    mut form: Form<Contextual<'_, Confirmation<'_>>>,
    page: Page<'_>,
    session: LoginSession<'_, Member>,
    attempts: Attempts<'_>,
    next: Next,
) -> Result<NextRedirect, Error> {
    if let Some(given) = &form.value {
        let hash = Some(&*member.password_hash);
        let (email, password) = (&member.email, given.password);
        if attempts.verify("member", email, hash, password).await? {
            session.confirm_login(member).await?;
            return Ok(next.or(uri!("/account", overview)));
        }
        let error = FieldError::validation("This is not your password.");
        form.context.push_error(error.with_name("password"));
    }
    Err(page.refuse("account/confirm", &form.context, context! {}))
}

#[fresh_login_required(Member)]
#[get("/email")]
fn email_page(page: Page<'_>) -> Template {
    page.render("account/email", context! {})
}

#[derive(FromForm)]
struct NewEmail<'r> {
    #[field(validate = with(is_address, "This is not an e-mail address."))]
    email: &'r str,
}

#[expect(
    clippy::needless_pass_by_value,
    clippy::result_large_err,
    reason = "like the other handlers, which are async"
)]
#[fresh_login_required(Member)]
#[post("/email", data = "<form>")]
fn set_email(
    member: &Member,
    form: Form<Contextual<'_, NewEmail<'_>>>,
    page: Page<'_>,
    signer: Signer<'_, Member>,
    mailer: &State<Mailer>,
) -> Result<Flash<Redirect>, Error> {
    let Some(given) = &form.value else {
        return Err(page.refuse("account/email", &form.context, context! {}));
    };
    // For a taken address too: the page must not say who else is a member.
    links::send_email_link(member, given.email, signer, mailer)?;
    Ok(done(
        "We have sent a link to the new address. Open it to confirm the change.",
    ))
}

#[fresh_login_required(Member)]
#[get("/password")]
fn password_page(page: Page<'_>) -> Template {
    page.render("account/password", context! {})
}

#[derive(FromForm)]
pub(crate) struct NewPassword<'r> {
    #[field(validate = len(10..=200).or_else(msg!("Use at least 10 characters.")))]
    pub(crate) password: &'r str,
    #[field(validate = eq(self.password).or_else(msg!("The passwords are not the same.")))]
    #[expect(dead_code, reason = "only compared")]
    again: &'r str,
}

#[fresh_login_required(Member)]
#[post("/password", data = "<form>")]
async fn set_password(
    member: &Member,
    form: Form<Contextual<'_, NewPassword<'_>>>,
    page: Page<'_>,
    session: LoginSession<'_, Member>,
    db: &State<SqlitePool>,
    hasher: &State<Hasher>,
) -> Result<Flash<Redirect>, Error> {
    let Some(given) = &form.value else {
        return Err(page.refuse("account/password", &form.context, context! {}));
    };
    let hash = hasher.hash(given.password).await?;
    let changed = member.set_password_hash(db, &hash).await?;
    // The new hash ends every login of this member. This browser gets a new login.
    session.confirm_login(&changed).await?;
    Ok(done(
        "Your password has changed. All other browsers are logged out.",
    ))
}

#[fresh_login_required(Member)]
#[get("/keys")]
async fn keys_page(
    member: &Member,
    page: Page<'_>,
    db: &State<SqlitePool>,
) -> Result<Template, Error> {
    let keys = ApiKey::of(db, member.id).await?;
    Ok(page.render("account/keys", context! { keys }))
}

#[derive(FromForm)]
struct NewKey<'r> {
    #[field(validate = len(1..=80).or_else(msg!("Enter a name of 1 to 80 characters.")))]
    label: &'r str,
    may_write: bool,
}

#[fresh_login_required(Member)]
#[post("/keys", data = "<form>")]
async fn make_key(
    member: &Member,
    form: Form<Contextual<'_, NewKey<'_>>>,
    page: Page<'_>,
    db: &State<SqlitePool>,
) -> Result<Template, Error> {
    let Some(given) = &form.value else {
        let keys = ApiKey::of(db, member.id).await?;
        return Err(page.refuse("account/keys", &form.context, context! { keys }));
    };
    let secret = ApiKey::create(db, member.id, given.label, given.may_write).await?;
    let keys = ApiKey::of(db, member.id).await?;
    // In this response and not after a redirect, because the secret is not stored.
    Ok(page.render("account/keys", context! { keys, secret }))
}

#[fresh_login_required(Member)]
#[post("/keys/<id>/delete")]
async fn delete_key(
    id: i64,
    member: &Member,
    db: &State<SqlitePool>,
) -> Result<Flash<Redirect>, Error> {
    ApiKey::delete(db, member.id, id).await?;
    Ok(Flash::success(
        Redirect::to(uri!("/account", keys_page)),
        "The key is deleted.",
    ))
}

#[login_required(Member)]
#[post("/logout-everywhere")]
async fn log_out_everywhere(session: LoginSession<'_, Member>) -> Result<Flash<Redirect>, Error> {
    session.logout_everywhere().await?;
    Ok(Flash::success(
        Redirect::to(uri!(pages::home)),
        "You are logged out in all browsers.",
    ))
}

fn done(message: &str) -> Flash<Redirect> {
    Flash::success(Redirect::to(uri!("/account", overview)), message)
}
