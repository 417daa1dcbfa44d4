//! The members: who they are, how they are found, and what they keep in the database.

use rocket::State;
use rocket_login::{UserMixin, user_loader};
use serde::Serialize;
use sqlx::{FromRow, SqlitePool};

/// A member of the club.
///
/// Every page gets the current one, so that what is secret must not be serialized.
#[derive(Clone, FromRow, Serialize, UserMixin)]
pub(crate) struct Member {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) about: String,
    pub(crate) joined: String,
    #[user(active)] // the login of a closed account ends with the next request
    pub(crate) active: bool,
    #[user(session_hash)] // and so does every older one when the password changes
    #[serde(skip)]
    pub(crate) password_hash: String,
}

/// What a member has pinned to the board.
#[derive(FromRow, Serialize)]
pub(crate) struct Notice {
    author: String,
    text: String,
    posted: String,
}

/// Finds the member of a session, once in each request that asks.
///
/// An error here fails the request, and logs nobody out.
#[user_loader]
pub(crate) async fn load_member(id: i64, db: &State<SqlitePool>) -> sqlx::Result<Option<Member>> {
    Member::find(db, id).await
}

impl Member {
    pub(crate) async fn find(db: &SqlitePool, id: i64) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as("SELECT * FROM members WHERE id = ?");
        query.bind(id).fetch_optional(db).await
    }

    pub(crate) async fn by_email(db: &SqlitePool, email: &str) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as("SELECT * FROM members WHERE email = ?");
        query.bind(email).fetch_optional(db).await
    }

    pub(crate) async fn all(db: &SqlitePool) -> sqlx::Result<Vec<Self>> {
        let query = sqlx::query_as("SELECT * FROM members ORDER BY name");
        query.fetch_all(db).await
    }

    /// Takes in a new member; `None` if the address is taken.
    pub(crate) async fn create(
        db: &SqlitePool,
        name: &str,
        email: &str,
        password_hash: &str,
    ) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as(
            "INSERT INTO members (name, email, password_hash) VALUES (?, ?, ?) RETURNING *",
        );
        let query = query.bind(name).bind(email).bind(password_hash);
        unless_taken(query.fetch_one(db).await)
    }

    pub(crate) async fn set_profile(
        &self,
        db: &SqlitePool,
        name: &str,
        about: &str,
    ) -> sqlx::Result<()> {
        let query = sqlx::query("UPDATE members SET name = ?, about = ? WHERE id = ?");
        query
            .bind(name)
            .bind(about)
            .bind(self.id)
            .execute(db)
            .await?;
        Ok(())
    }

    /// Changes the address; `None` if it is another member's.
    pub(crate) async fn set_email(&self, db: &SqlitePool, email: &str) -> sqlx::Result<Option<()>> {
        let query = sqlx::query("UPDATE members SET email = ? WHERE id = ?");
        let changed = query.bind(email).bind(self.id).execute(db).await;
        unless_taken(changed.map(|_| ()))
    }

    /// Changes the password, and returns the member as changed.
    pub(crate) async fn set_password_hash(
        &self,
        db: &SqlitePool,
        password_hash: &str,
    ) -> sqlx::Result<Self> {
        let query = sqlx::query_as("UPDATE members SET password_hash = ? WHERE id = ? RETURNING *");
        query.bind(password_hash).bind(self.id).fetch_one(db).await
    }

    pub(crate) async fn post_notice(&self, db: &SqlitePool, text: &str) -> sqlx::Result<()> {
        Notice::post(db, self.id, text).await
    }
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

/// Tells a value that somebody else has from other errors.
fn unless_taken<T>(result: sqlx::Result<T>) -> sqlx::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(None),
        Err(error) => Err(error),
    }
}
