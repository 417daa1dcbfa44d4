use std::error::Error;

use rocket::fairing::AdHoc;
use rocket::{Build, Rocket, State};
use rocket_login::{LoginManager, UserMixin, user_loader};
use sqlx::PgPool;

#[derive(sqlx::FromRow, UserMixin)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[user(active)] // a closed account is logged out at its next request
    pub is_active: bool,
    #[user(session_hash)] // a new password ends all older logins
    pub password_hash: String,
}

#[user_loader]
async fn load_user(id: i64, db: &State<PgPool>) -> sqlx::Result<Option<User>> {
    sqlx::query_as("SELECT id, name, is_active, password_hash FROM users WHERE id = $1")
        .bind(id)
        .fetch_optional(db.inner())
        .await
}

/// For the login form.
pub async fn find_by_name(name: &str, db: &PgPool) -> sqlx::Result<Option<User>> {
    sqlx::query_as("SELECT id, name, is_active, password_hash FROM users WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await
}

/// Connects at the launch, with the address in the setting `database_url`.
async fn connect(rocket: Rocket<Build>) -> Result<Rocket<Build>, Rocket<Build>> {
    let Ok(url) = rocket.figment().extract_inner::<String>("database_url") else {
        rocket::error!("set `database_url`, for example with ROCKET_DATABASE_URL");
        return Err(rocket);
    };
    match open(&url).await {
        Ok(pool) => Ok(rocket.manage(pool)),
        Err(error) => {
            rocket::error!("cannot open the database: {error}");
            Err(rocket)
        }
    }
}

async fn open(url: &str) -> Result<PgPool, Box<dyn Error>> {
    let pool = PgPool::connect(url).await?;
    login_sqlx::migrate(&pool).await?; // the tables of the store and of the registry
    Ok(pool)
}

pub fn rocket() -> Rocket<Build> {
    rocket::build()
        .attach(AdHoc::try_on_ignite("Database", connect))
        .attach(
            LoginManager::new(load_user)
                // A logout holds on all servers and after a restart.
                .revocation_store(login_sqlx::from_pool::<PgPool>)
                // Users see where they are logged in.
                .login_registry_from(login_sqlx::registry_from_pool::<PgPool>),
        )
}
