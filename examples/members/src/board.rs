//! The notice board: pages of notices, a search, and word of new notices while the page is open.

use std::convert::Infallible;

use rocket::form::{Contextual, Form};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::Redirect;
use rocket::response::stream::{Event, EventStream};
use rocket::tokio::select;
use rocket::tokio::sync::watch;
use rocket::{Request, Route, Shutdown, State};
use rocket_dyn_templates::Template;
use rocket_login::{LoginSession, login_required};
use serde::Serialize;
use sqlx::{FromRow, SqlitePool};

use crate::error::Error;
use crate::pages::Page;
use crate::users::Member;

pub(crate) fn routes() -> Vec<Route> {
    routes![dashboard, post_notice, events]
}

/// How many notices are on a page.
const PAGE: u32 = 20;

/// Tells the open boards of new notices. Each server tells its own.
pub(crate) type News = watch::Sender<()>;

/// A notice on the board.
#[derive(FromRow, Serialize)]
pub(crate) struct Notice {
    author: String,
    text: String,
    posted: String,
}

impl Notice {
    /// Finds the latest notices that contain `words`: after the first `skip` of them, at most `count`.
    pub(crate) async fn search(
        db: &SqlitePool,
        words: &str,
        skip: u32,
        count: u32,
    ) -> sqlx::Result<Vec<Self>> {
        let query = sqlx::query_as(
            "SELECT name AS author, text, posted
             FROM notices JOIN members ON members.id = member_id
             WHERE instr(lower(text), lower(?)) > 0 ORDER BY notices.id DESC LIMIT ? OFFSET ?",
        );
        let query = query.bind(words).bind(count).bind(skip);
        query.fetch_all(db).await
    }

    pub(crate) async fn post(db: &SqlitePool, member_id: i64, text: &str) -> sqlx::Result<()> {
        let query = sqlx::query("INSERT INTO notices (member_id, text) VALUES (?, ?)");
        query.bind(member_id).bind(text).execute(db).await?;
        Ok(())
    }
}

/// One page of the board, with links to the pages beside it.
#[derive(Serialize)]
struct Board<'q> {
    q: Option<&'q str>,
    notices: Vec<Notice>,
    newer: Option<String>,
    older: Option<String>,
}

impl<'q> Board<'q> {
    async fn find(db: &SqlitePool, q: Option<&'q str>, skip: u32) -> sqlx::Result<Self> {
        // One more shows whether there are older ones.
        let mut notices = Notice::search(db, q.unwrap_or_default(), skip, PAGE + 1).await?;
        let has_older = notices.len() > PAGE as usize;
        notices.truncate(PAGE as usize);
        let link = |skip: u32| {
            let skip = Some(skip).filter(|skip| *skip > 0);
            uri!(dashboard(q, skip)).to_string()
        };
        Ok(Board {
            q,
            notices,
            newer: (skip > 0).then(|| link(skip.saturating_sub(PAGE))),
            older: has_older.then(|| link(skip.saturating_add(PAGE))),
        })
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
#[get("/dashboard?<q>&<skip>")]
pub(crate) async fn dashboard(
    q: Option<&str>,
    skip: Option<u32>,
    htmx: Htmx,
    page: Page<'_>,
    db: &State<SqlitePool>,
) -> Result<Template, Error> {
    let board = Board::find(db, q, skip.unwrap_or_default()).await?;
    let template = if htmx.0 { "notices" } else { "dashboard" };
    Ok(page.render(template, board))
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
    news: &State<News>,
) -> Result<Redirect, Error> {
    let Some(notice) = &form.value else {
        let board = Board::find(db, None, 0).await?;
        return Err(page.refuse("dashboard", &form.context, board));
    };
    Notice::post(db, member.id, notice.text).await?;
    news.send_replace(());
    Ok(Redirect::to(uri!(dashboard(q = _, skip = _))))
}

/// Says when there is a new notice, until the login ends.
#[login_required(Member)]
#[get("/dashboard/events")]
fn events(
    session: LoginSession<'_, Member>,
    news: &State<News>,
    mut shutdown: Shutdown,
) -> EventStream![] {
    let mut ended = session.ended();
    let mut news = news.subscribe();
    EventStream! {
        loop {
            select! {
                () = &mut ended => {
                    yield Event::data("").event("ended");
                    break;
                }
                () = &mut shutdown => break,
                Ok(()) = news.changed() => yield Event::data("").event("notice"),
            }
        }
    }
}
