//! The errors of handlers, and their pages.

use rocket::http::{Header, Status};
use rocket::response::Debug;
use rocket::{Catcher, Request};
use rocket_dyn_templates::{Template, context};
use rocket_login::session::UserTokenError;
use rocket_login::{CurrentUser, LoginError};

use crate::password::HashError;
use crate::users::Member;

/// Any error. Only the log shows it.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a handler does not do what the request wants.
#[derive(Responder)]
pub(crate) enum Error {
    /// The form again, with its errors.
    #[response(status = 422)]
    Form(Template),
    /// A page that says what is wrong.
    Page((Status, Template)),
    /// Nothing but a status, for which a catcher makes the page.
    Refused(Status),
    Login(LoginError),
    Link(UserTokenError),
    Internal(Debug<Cause>),
}

impl Error {
    pub(crate) const NOT_FOUND: Self = Self::Refused(Status::NotFound);
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        Self::Login(error)
    }
}

impl From<UserTokenError> for Error {
    fn from(error: UserTokenError) -> Self {
        Self::Link(error)
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

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Refused(Status::ServiceUnavailable),
            error => Cause::from(error).into(),
        }
    }
}

pub(crate) fn catchers() -> Vec<Catcher> {
    catchers![page, busy, too_many]
}

/// Shows every error as a page, except those that the login manager answers, such as by a redirect.
#[catch(default)]
async fn page(status: Status, req: &Request<'_>) -> Template {
    let explanation = match status.code {
        401 => "You have to log in to see this.",
        403 => "You are not allowed to see or to do this.",
        404 => "There is nothing at this address.",
        429 => "There were too many attempts. Please try again in half a minute.",
        503 => "The club is very busy. Please try again in a few seconds.",
        500.. => "Something went wrong on our side. Please try again later.",
        _ => "We could not understand the request.",
    };
    // If the database has failed, this page works without a user.
    let current_user: Option<CurrentUser<'_, Member>> = req.guard().await.succeeded();
    Template::render(
        "error",
        context! { current_user, code: status.code, reason: status.reason(), explanation },
    )
}

/// A page that says when to come back.
#[derive(Responder)]
struct Later {
    page: Template,
    retry_after: Header<'static>,
}

#[catch(503)]
async fn busy(status: Status, req: &Request<'_>) -> Later {
    let page = page(status, req).await;
    let retry_after = Header::new("Retry-After", "5");
    Later { page, retry_after }
}

#[catch(429)]
async fn too_many(status: Status, req: &Request<'_>) -> Later {
    let page = page(status, req).await;
    let retry_after = Header::new("Retry-After", "30");
    Later { page, retry_after }
}
