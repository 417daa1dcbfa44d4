//! The members: the user type, its loader, and its rows in the database.

use rocket::State;
use rocket_login::{UserMixin, user_loader};
use serde::Serialize;
use sqlx::{FromRow, SqlitePool};

/// A member of the club.
///
/// Every template gets the current member, so secrets must not be serialized.
#[derive(Clone, FromRow, Serialize, UserMixin)]
pub(crate) struct Member {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) about: String,
    pub(crate) joined: String,
    #[user(active)] // a closed account is logged out at its next request
    pub(crate) active: bool,
    #[user(session_hash)] // a new password ends all older logins
    #[serde(skip)]
    pub(crate) password_hash: String,
}

/// Loads the member of a session, at most once per request.
///
/// If it fails, the request fails, but nobody is logged out.
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

    /// Creates a member; `None` if another member has the address.
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

    /// Changes the address; `None` if another member has it.
    pub(crate) async fn set_email(&self, db: &SqlitePool, email: &str) -> sqlx::Result<Option<()>> {
        let query = sqlx::query("UPDATE members SET email = ? WHERE id = ?");
        let changed = query.bind(email).bind(self.id).execute(db).await;
        unless_taken(changed.map(|_| ()))
    }

    /// Changes the password, and returns the changed member.
    pub(crate) async fn set_password_hash(
        &self,
        db: &SqlitePool,
        password_hash: &str,
    ) -> sqlx::Result<Self> {
        let query = sqlx::query_as("UPDATE members SET password_hash = ? WHERE id = ? RETURNING *");
        query.bind(password_hash).bind(self.id).fetch_one(db).await
    }
}

/// Turns the error for a value that must be unique, but is not, into `None`.
fn unless_taken<T>(result: sqlx::Result<T>) -> sqlx::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(None),
        Err(error) => Err(error),
    }
}
