//! What members do by a link from a mail: choose a new password, confirm a new e-mail address.

use std::time::Duration;

use rocket::form::{Contextual, Form};
use rocket::http::Status;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State};
use rocket_dyn_templates::{Template, context};
use rocket_login::session::{UserToken, UserTokenError};
use rocket_login::{Signer, public};
use sqlx::SqlitePool;

use crate::account::NewPassword;
use crate::attempts::Attempts;
use crate::error::Error;
use crate::mail::Mailer;
use crate::pages::{self, Page};
use crate::password::Hasher;
use crate::sessions;
use crate::users::Member;

const PASSWORD: &str = "new password";
const EMAIL: &str = "new e-mail address";
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

pub(crate) fn routes() -> Vec<Route> {
    routes![
        forgotten_page,
        forgotten,
        reset_page,
        reset,
        email_page,
        set_email
    ]
}

#[public]
#[get("/forgotten")]
fn forgotten_page(page: Page<'_>) -> Template {
    page.render("forgotten", context! {})
}

#[public]
#[post("/forgotten", data = "<email>")]
async fn forgotten(
    email: Form<&str>,
    attempts: Attempts<'_>,
    signer: Signer<'_, Member>,
    mailer: &State<Mailer>,
    db: &State<SqlitePool>,
) -> Result<Flash<Redirect>, Error> {
    attempts.count("forgotten", &email)?;
    let member = Member::by_email(db, &email).await?;
    if let Some(member) = member.filter(|member| member.active) {
        let signer = signer.for_user(&member);
        let token = signer.sign(PASSWORD, &member.email, HALF_AN_HOUR)?;
        let text = "Choose a new password within half an hour:";
        mailer.send(&member.email, text, &uri!(reset_page(token)));
    }
    // The same for every address, so that nobody learns who is a member.
    let message = "If a member has this address, a mail with a link is on its way.";
    Ok(Flash::success(Redirect::to(uri!(forgotten_page)), message))
}

/// Finds the member who may choose a new password. A link to an address that is no longer the member's is worthless.
async fn find<'r>(
    signer: Signer<'r, Member>,
    token: &str,
) -> Result<UserToken<'r, Member>, UserTokenError> {
    let token = signer.find_user(PASSWORD, token).await?;
    if token.value() == token.user().email {
        Ok(token)
    } else {
        Err(UserTokenError::Spent)
    }
}

#[public]
#[get("/reset?<token>")]
async fn reset_page(
    token: &str,
    page: Page<'_>,
    signer: Signer<'_, Member>,
) -> Result<Template, Error> {
    match find(signer, token).await {
        Ok(token) => Ok(page.render("reset", context! { email: token.value() })),
        Err(error) => Err(refuse(page, error)),
    }
}

#[public]
#[post("/reset?<token>", data = "<form>")]
async fn reset(
    token: &str,
    form: Form<Contextual<'_, NewPassword<'_>>>,
    page: Page<'_>,
    signer: Signer<'_, Member>,
    db: &State<SqlitePool>,
    hasher: &State<Hasher>,
) -> Result<Flash<Redirect>, Error> {
    let token = match find(signer, token).await {
        Ok(token) => token,
        Err(error) => return Err(refuse(page, error)),
    };
    let Some(given) = &form.value else {
        let email = token.value();
        return Err(page.refuse("reset", &form.context, context! { email }));
    };
    // Before the token is used up, because there may be too many hashes at the moment.
    let hash = hasher.hash(given.password).await?;
    match token.use_up().await {
        // The new hash ends every login of this member.
        Ok(member) => member.set_password_hash(db, &hash).await?,
        Err(error) => return Err(refuse(page, error)),
    };
    let login = Redirect::to(uri!(sessions::login_page));
    let message = "You have a new password. Please log in with it.";
    Ok(Flash::success(login, message))
}

/// Sends a link to a member's new address.
pub(crate) fn send_email_link(
    member: &Member,
    email: &str,
    signer: Signer<'_, Member>,
    mailer: &Mailer,
) -> Result<(), UserTokenError> {
    let token = signer.for_user(member).sign(EMAIL, email, HALF_AN_HOUR)?;
    let text = "Confirm your new e-mail address within half an hour:";
    mailer.send(email, text, &uri!(email_page(token)));
    Ok(())
}

// Public, because the mail may be opened on another device. A GET changes nothing: programs that check mails open every link.
#[public]
#[get("/email?<token>")]
async fn email_page(
    token: &str,
    page: Page<'_>,
    signer: Signer<'_, Member>,
) -> Result<Template, Error> {
    match signer.find_user(EMAIL, token).await {
        Ok(token) => Ok(page.render("email", context! { email: token.value() })),
        Err(error) => Err(refuse(page, error)),
    }
}

#[public]
#[post("/email?<token>")]
async fn set_email(
    token: &str,
    page: Page<'_>,
    signer: Signer<'_, Member>,
    db: &State<SqlitePool>,
) -> Result<Flash<Redirect>, Error> {
    let used = async {
        let token = signer.find_user(EMAIL, token).await?;
        let email = token.value().to_owned();
        Ok((token.use_up().await?, email))
    };
    let (member, email) = match used.await {
        Ok(used) => used,
        Err(error) => return Err(refuse(page, error)),
    };
    if member.set_email(db, &email).await?.is_none() {
        let problem = "Another member has this address.";
        let page = page.render("link", context! { problem });
        return Err(Error::Page((Status::Conflict, page)));
    }
    let message = "Your e-mail address has changed.";
    Ok(Flash::success(Redirect::to(uri!(pages::home)), message))
}

/// Says why a link does not work.
fn refuse(page: Page<'_>, error: UserTokenError) -> Error {
    let problem = match error {
        UserTokenError::Invalid => "This link is not complete. Please copy all of it.",
        UserTokenError::Expired => "This link has expired.",
        UserTokenError::Spent => "This link has been used, or does not work any more.",
        error => return error.into(),
    };
    Error::Page((error.status(), page.render("link", context! { problem })))
}
