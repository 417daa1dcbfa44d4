//! The notice board.

use std::convert::Infallible;

use rocket::form::{Contextual, Form};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::Redirect;
use rocket::{Request, Route, State};
use rocket_dyn_templates::{Template, context};
use rocket_login::login_required;
use serde::Serialize;
use sqlx::{FromRow, SqlitePool};

use crate::error::Error;
use crate::pages::Page;
use crate::users::Member;

pub(crate) fn routes() -> Vec<Route> {
    routes![dashboard, post_notice]
}

/// A notice on the board.
#[derive(FromRow, Serialize)]
pub(crate) struct Notice {
    author: String,
    text: String,
    posted: String,
}

impl Notice {
    /// Finds the latest notices that contain `words`.
    pub(crate) async fn search(db: &SqlitePool, words: &str) -> sqlx::Result<Vec<Self>> {
        let query = sqlx::query_as(
            "SELECT name AS author, text, posted
             FROM notices JOIN members ON members.id = member_id
             WHERE instr(lower(text), lower(?)) > 0 ORDER BY notices.id DESC LIMIT 50",
        );
        query.bind(words).fetch_all(db).await
    }

    pub(crate) async fn post(db: &SqlitePool, member_id: i64, text: &str) -> sqlx::Result<()> {
        let query = sqlx::query("INSERT INTO notices (member_id, text) VALUES (?, ?)");
        query.bind(member_id).bind(text).execute(db).await?;
        Ok(())
    }
}

/// Whether htmx sent the request and wants only a part of the page.
pub(crate) struct Htmx(bool);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Htmx {
    type Error = Infallible;

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        Outcome::Success(Htmx(req.headers().get_one("HX-Request") == Some("true")))
    }
}

#[login_required(Member)]
#[get("/dashboard?<q>")]
pub(crate) async fn dashboard(
    q: Option<&str>,
    htmx: Htmx,
    page: Page<'_>,
    db: &State<SqlitePool>,
) -> Result<Template, Error> {
    let notices = Notice::search(db, q.unwrap_or_default()).await?;
    let template = if htmx.0 { "notices" } else { "dashboard" };
    Ok(page.render(template, context! { notices, q }))
}

#[derive(FromForm)]
struct NewNotice<'r> {
    #[field(validate = len(1..=280).or_else(msg!("Write 1 to 280 characters.")))]
    text: &'r str,
}

#[login_required(Member)]
#[post("/dashboard", data = "<form>")]
async fn post_notice(
    member: &Member,
    form: Form<Contextual<'_, NewNotice<'_>>>,
    page: Page<'_>,
    db: &State<SqlitePool>,
) -> Result<Redirect, Error> {
    let Some(notice) = &form.value else {
        let notices = Notice::search(db, "").await?;
        return Err(page.refuse("dashboard", &form.context, context! { notices }));
    };
    Notice::post(db, member.id, notice.text).await?;
    Ok(Redirect::to(uri!(dashboard(q = _))))
}
