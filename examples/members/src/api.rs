//! The API: JSON for programs, which send a key with each request and no cookie.

use data_encoding::BASE64URL_NOPAD;
use rocket::http::{Header, Status};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::serde::json::Json;
use rocket::{Catcher, Request, Route, State};
use rocket_login::{UserMixin, login_required, request_loader};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{FromRow, SqlitePool};

use crate::board::{News, Notice};
use crate::error::{Cause, Error};

pub(crate) fn routes() -> Vec<Route> {
    routes![me, notices, post_notice]
}

pub(crate) fn catchers() -> Vec<Catcher> {
    catchers![unauthorized, failed]
}

/// An API key: a user type of its own. A key opens no page, and a cookie does not open the API.
#[derive(FromRow, Serialize, UserMixin)]
pub(crate) struct ApiKey {
    id: i64,
    #[serde(skip)]
    member_id: i64,
    member: String,
    label: String,
    may_write: bool,
    made: Option<String>,
    used: Option<String>,
    #[serde(skip)]
    used_today: bool,
}

/// The columns of a key, for a `WHERE`.
const KEYS: &str =
    "SELECT api_keys.id, member_id, members.name AS member, label, may_write, made, used,
     used IS date('now') AS used_today FROM api_keys JOIN members ON members.id = member_id";

/// The secret in `Authorization: Bearer SECRET`.
struct Bearer<'r>(&'r str);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Bearer<'r> {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let header = req.headers().get_one("Authorization");
        let secret = header.and_then(|header| header.split_once(' '));
        match secret {
            Some((scheme, secret)) if scheme.eq_ignore_ascii_case("Bearer") => {
                Outcome::Success(Bearer(secret.trim()))
            }
            _ => Outcome::Forward(Status::Unauthorized),
        }
    }
}

#[request_loader]
pub(crate) async fn load_by_key(
    secret: Option<Bearer<'_>>,
    db: &State<SqlitePool>,
) -> sqlx::Result<Option<ApiKey>> {
    let Some(Bearer(secret)) = secret else {
        return Ok(None);
    };
    let query = format!("{KEYS} WHERE digest = ? AND active");
    let query = sqlx::query_as(&query).bind(digest(secret));
    let key: Option<ApiKey> = query.fetch_optional(&**db).await?;
    if let Some(key) = &key
        && !key.used_today
    {
        let query = sqlx::query("UPDATE api_keys SET used = date('now') WHERE id = ?");
        query.bind(key.id).execute(&**db).await?;
    }
    Ok(key)
}

impl ApiKey {
    pub(crate) async fn of(db: &SqlitePool, member_id: i64) -> sqlx::Result<Vec<Self>> {
        let query = format!("{KEYS} WHERE member_id = ? ORDER BY api_keys.id");
        sqlx::query_as(&query).bind(member_id).fetch_all(db).await
    }

    /// Creates a key and returns its secret. The database keeps only a digest of it.
    pub(crate) async fn create(
        db: &SqlitePool,
        member_id: i64,
        label: &str,
        may_write: bool,
    ) -> Result<String, Cause> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let secret = format!("club_{}", BASE64URL_NOPAD.encode(&bytes));
        let query = sqlx::query(
            "INSERT INTO api_keys (member_id, label, digest, may_write, made)
             VALUES (?, ?, ?, ?, date('now'))",
        );
        let query = query.bind(member_id).bind(label);
        query
            .bind(digest(&secret))
            .bind(may_write)
            .execute(db)
            .await?;
        Ok(secret)
    }

    /// Deletes a key of this member.
    pub(crate) async fn delete(db: &SqlitePool, member_id: i64, id: i64) -> sqlx::Result<()> {
        let query = sqlx::query("DELETE FROM api_keys WHERE id = ? AND member_id = ?");
        query.bind(id).bind(member_id).execute(db).await?;
        Ok(())
    }
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

#[login_required(ApiKey)]
#[get("/me")]
fn me(key: &ApiKey) -> Json<&ApiKey> {
    Json(key)
}

#[login_required(ApiKey)]
#[get("/notices?<q>")]
async fn notices(q: Option<&str>, db: &State<SqlitePool>) -> Result<Json<Vec<Notice>>, Error> {
    let latest = Notice::search(db, q.unwrap_or_default(), 0, 50).await?;
    Ok(Json(latest))
}

#[derive(Deserialize)]
struct NewNotice {
    text: String,
}

#[login_required(ApiKey, if = |key: &ApiKey| key.may_write)]
#[post("/notices", data = "<notice>")]
async fn post_notice(
    key: &ApiKey,
    notice: Json<NewNotice>,
    db: &State<SqlitePool>,
    news: &State<News>,
) -> Result<Status, Error> {
    if !(1..=280).contains(&notice.text.chars().count()) {
        return Err(Error::Refused(Status::UnprocessableEntity));
    }
    Notice::post(db, key.member_id, &notice.text).await?;
    news.send_replace(());
    Ok(Status::Created)
}

#[derive(Serialize)]
struct Failure {
    status: u16,
    error: &'static str,
}

impl Failure {
    fn of(status: Status) -> Json<Self> {
        Json(Failure {
            status: status.code,
            error: status.reason_lossy(),
        })
    }
}

#[derive(Responder)]
struct Unauthorized {
    failure: Json<Failure>,
    challenge: Header<'static>,
}

#[catch(401)]
fn unauthorized() -> Unauthorized {
    Unauthorized {
        failure: Failure::of(Status::Unauthorized),
        challenge: Header::new("WWW-Authenticate", "Bearer"),
    }
}

#[catch(default)]
fn failed(status: Status, _: &Request<'_>) -> Json<Failure> {
    Failure::of(status)
}
