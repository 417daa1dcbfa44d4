use rocket::{Build, Rocket};
use rocket_db_pools::sqlx::{self, Row};
use rocket_db_pools::{Connection, Database};
use rocket_login::{LoginManager, UserMixin, user_loader};

#[derive(Database)]
#[database("main")] // `[default.databases.main]` in Rocket.toml
pub struct Db(sqlx::PgPool);

#[derive(UserMixin)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[user(session_hash)]
    pub password_hash: String,
}

#[user_loader]
async fn load_user(id: i64, mut db: Connection<Db>) -> sqlx::Result<Option<User>> {
    let query = sqlx::query("SELECT id, name, password_hash FROM users WHERE id = $1");
    let Some(row) = query.bind(id).fetch_optional(&mut **db).await? else {
        return Ok(None);
    };
    Ok(Some(User {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        password_hash: row.try_get("password_hash")?,
    }))
}

pub fn rocket() -> Rocket<Build> {
    rocket::build()
        .attach(Db::init())
        .attach(LoginManager::new(load_user))
}
