//! The pages, and the data that every page gets.

use rocket::form::{self, Contextual, Form};
use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FlashMessage, FromRequest};
use rocket::response::{Flash, Redirect};
use rocket::{Request, Route, State};
use rocket_dyn_templates::{Template, context};
use rocket_login::{CurrentUser, UserMixin, access::GuardError, login_required, public};
use serde::Serialize;
use sqlx::SqlitePool;

use crate::error::Error;
use crate::users::Member;

pub(crate) fn routes() -> Vec<Route> {
    routes![home, profile, set_profile]
}

/// What every template gets, such as the current user and the flash message.
///
/// A request guard. A handler cannot render a template without it.
#[derive(Serialize)]
pub(crate) struct Page<'r, U: UserMixin + Serialize = Member> {
    current_user: CurrentUser<'r, U>,
    flash: Option<FlashMessage<'r>>,
    path: &'r str,
}

impl<U: UserMixin + Serialize> Page<'_, U> {
    pub(crate) fn render(self, template: &'static str, context: impl Serialize) -> Template {
        #[derive(Serialize)]
        struct Whole<P, C> {
            #[serde(flatten)]
            page: P,
            #[serde(flatten)]
            context: C,
        }
        Template::render(
            template,
            Whole {
                page: self,
                context,
            },
        )
    }

    /// Shows a form again, with its errors.
    pub(crate) fn refuse(
        self,
        template: &'static str,
        form: &form::Context<'_>,
        context: impl Serialize,
    ) -> Error {
        #[derive(Serialize)]
        struct Refused<F, C> {
            form: F,
            #[serde(flatten)]
            context: C,
        }
        #[derive(Serialize)]
        struct Focused<'f, 'v> {
            #[serde(flatten)]
            form: &'f form::Context<'v>,
            /// The first wrong field.
            focus: Option<String>,
        }
        let first = form.errors().find_map(|error| error.name.as_ref());
        let focus = first.map(ToString::to_string);
        let form = Focused { form, focus };
        Error::Form(self.render(template, Refused { form, context }))
    }
}

#[rocket::async_trait]
impl<'r, U: UserMixin + Serialize> FromRequest<'r> for Page<'r, U> {
    type Error = GuardError;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, GuardError> {
        let current_user = try_outcome!(req.guard().await);
        Outcome::Success(Page {
            current_user,
            flash: req.guard().await.succeeded(),
            path: req.uri().path().as_str(),
        })
    }
}

#[public]
#[get("/")]
pub(crate) fn home(page: Page<'_>) -> Template {
    page.render("home", context! {})
}

#[login_required(Member)]
#[get("/profile")]
fn profile(page: Page<'_>) -> Template {
    page.render("profile", context! {})
}

#[derive(FromForm)]
struct Profile<'r> {
    #[field(validate = len(1..=80).or_else(msg!("Enter a name of 1 to 80 characters.")))]
    name: &'r str,
    #[field(validate = len(..=500).or_else(msg!("Use at most 500 characters.")))]
    about: &'r str,
}

#[login_required(Member)]
#[post("/profile", data = "<form>")]
async fn set_profile(
    member: &Member,
    form: Form<Contextual<'_, Profile<'_>>>,
    page: Page<'_>,
    db: &State<SqlitePool>,
) -> Result<Flash<Redirect>, Error> {
    let Some(given) = &form.value else {
        return Err(page.refuse("profile", &form.context, context! {}));
    };
    member.set_profile(db, given.name, given.about).await?;
    Ok(Flash::success(
        Redirect::to(uri!(profile)),
        "Your profile has changed.",
    ))
}
