//! The pages, and what every page gets.

use rocket::form;
use rocket::outcome::try_outcome;
use rocket::request::{FlashMessage, FromRequest, Outcome};
use rocket::{Request, Route};
use rocket_dyn_templates::{Template, context};
use rocket_login::access::GuardError;
use rocket_login::{CurrentUser, login_required, public};
use serde::Serialize;

use crate::error::Error;
use crate::users::User;

pub(crate) fn routes() -> Vec<Route> {
    routes![home, dashboard]
}

/// What every template gets: the current user, the flash message and the current path.
pub(crate) struct Page<'r> {
    current_user: CurrentUser<'r, User>,
    flash: Option<FlashMessage<'r>>,
    path: &'r str,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Page<'r> {
    type Error = GuardError;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, GuardError> {
        let current_user = try_outcome!(req.guard().await);
        Outcome::Success(Page {
            current_user,
            flash: req.guard().await.succeeded(),
            path: req.uri().path().as_str(),
        })
    }
}

impl Page<'_> {
    /// Renders a template. It sees `data` under this name.
    pub(crate) fn render(self, template: &'static str, data: impl Serialize) -> Template {
        let Page {
            current_user,
            flash,
            path,
        } = self;
        Template::render(template, context! { current_user, flash, path, data })
    }

    /// Shows a form again, with its values and errors.
    pub(crate) fn refuse(self, template: &'static str, form: &form::Context<'_>) -> Error {
        let Page {
            current_user,
            flash,
            path,
        } = self;
        let context = context! { current_user, flash, path, form };
        Error::Form(Box::new(Template::render(template, context)))
    }
}

#[public]
#[get("/")]
pub(crate) fn home(page: Page<'_>) -> Template {
    page.render("home", ())
}

#[login_required(User)]
#[get("/dashboard")]
pub(crate) fn dashboard(user: &User, page: Page<'_>) -> Template {
    let greeting = format!("Hello, {}", user.name);
    page.render("dashboard", context! { greeting })
}
