//! The users: their type, their loader, and their rows in the database.

use rocket::State;
use rocket_login::{UserMixin, user_loader};
use serde::Serialize;
use sqlx::{FromRow, SqlitePool};

/// A user. Every template gets the current user, so secrets must not be serialized.
#[derive(Clone, FromRow, Serialize, UserMixin)]
pub struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    #[user(session_hash)] // a new password ends all older logins
    #[serde(skip)]
    pub(crate) password_hash: String,
}

/// Loads the user of a login, at most once per request. If it fails, the request fails, but nobody
/// is logged out.
#[user_loader]
pub(crate) async fn load_user(id: i64, db: &State<SqlitePool>) -> sqlx::Result<Option<User>> {
    let query = sqlx::query_as("SELECT * FROM users WHERE id = ?");
    query.bind(id).fetch_optional(&**db).await
}

impl User {
    pub(crate) async fn by_email(db: &SqlitePool, email: &str) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as("SELECT * FROM users WHERE email = ?");
        query.bind(email).fetch_optional(db).await
    }

    /// Creates a user; `None` if another user has the address.
    pub(crate) async fn create(
        db: &SqlitePool,
        name: &str,
        email: &str,
        password_hash: &str,
    ) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as(
            "INSERT INTO users (name, email, password_hash) VALUES (?, ?, ?)
             ON CONFLICT (email) DO NOTHING RETURNING *",
        );
        let query = query.bind(name).bind(email).bind(password_hash);
        query.fetch_optional(db).await
    }

    /// Changes the password, and returns the changed user.
    pub(crate) async fn set_password_hash(
        &self,
        db: &SqlitePool,
        password_hash: &str,
    ) -> sqlx::Result<Self> {
        let query = sqlx::query_as("UPDATE users SET password_hash = ? WHERE id = ? RETURNING *");
        query.bind(password_hash).bind(self.id).fetch_one(db).await
    }
}
