//! What can go wrong in a handler, and the pages that say so.

use rocket::http::Status;
use rocket::response::Debug;
use rocket::tokio::task::JoinError;
use rocket::{Catcher, Request};
use rocket_dyn_templates::{Template, context};
use rocket_login::{CurrentUser, LoginError};

use crate::users::Member;

/// Any error that only the log is told.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a handler does not do what it was asked for.
#[derive(Responder)]
#[expect(clippy::large_enum_variant, reason = "there is one in a request")]
pub(crate) enum Error {
    /// The form again, with what is wrong with it.
    #[response(status = 422)]
    Form(Template),
    /// What the request asks for cannot be done.
    Refused(Status),
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

impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        Cause::from(error).into()
    }
}

pub(crate) fn catchers() -> Vec<Catcher> {
    catchers![page]
}

/// Every error as a page. What the login manager answers instead, such as a redirect, is its own.
#[catch(default)]
async fn page(status: Status, req: &Request<'_>) -> Template {
    let explanation = match status.code {
        401 => "You have to log in to see this.",
        403 => "This is not yours to see or to do.",
        404 => "There is nothing at this address.",
        500.. => "Something went wrong on our side. Please try again in a while.",
        _ => "The request could not be understood.",
    };
    // Should the database be what failed, this page has to do without it.
    let current_user: Option<CurrentUser<'_, Member>> = req.guard().await.succeeded();
    Template::render(
        "error",
        context! { current_user, code: status.code, reason: status.reason(), explanation },
    )
}
