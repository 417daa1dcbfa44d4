//! The errors of handlers, and the pages for errors.

use rocket::http::Status;
use rocket::response::Debug;
use rocket::{Catcher, Request};
use rocket_dyn_templates::{Template, context};
use rocket_login::{CurrentUser, LoginError};

use crate::users::User;

/// Any error. Only the log shows it.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Responder)]
pub(crate) enum Error {
    /// The form again, with its errors.
    #[response(status = 422)]
    Form(Box<Template>),
    Login(LoginError),
    Internal(Debug<Cause>),
}

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        Self::Login(error)
    }
}

impl From<Cause> for Error {
    fn from(error: Cause) -> Self {
        Self::Internal(Debug(error))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Cause::from(error).into()
    }
}

pub(crate) fn catchers() -> Vec<Catcher> {
    catchers![page]
}

/// Shows an error as a page. Redirects to the login page do not come here.
#[catch(default)]
async fn page(status: Status, req: &Request<'_>) -> Template {
    let explanation = match status.code {
        401 => "You have to log in to see this.",
        403 => "You are not allowed to see or to do this.",
        404 => "There is nothing at this address.",
        500.. => "Something went wrong on our side. Please try again later.",
        _ => "We could not understand the request.",
    };
    // If the database has failed, this page works without a user.
    let current_user: Option<CurrentUser<'_, User>> = req.guard().await.succeeded();
    let reason = status.reason();
    Template::render("error", context! { current_user, reason, explanation })
}
