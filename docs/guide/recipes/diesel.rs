use diesel::prelude::*;
use rocket::{Build, Rocket};
use rocket_login::{LoginManager, UserMixin, user_loader};
use rocket_sync_db_pools::database;

#[database("main")] // `[default.databases.main]` in Rocket.toml
pub struct Db(rocket_sync_db_pools::diesel::SqliteConnection);

diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        password_hash -> Text,
    }
}

#[derive(Queryable, Selectable, UserMixin)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[user(session_hash)]
    pub password_hash: String,
}

#[user_loader]
async fn load_user(id: i64, db: Db) -> QueryResult<Option<User>> {
    let query = users::table.find(id).select(User::as_select());
    db.run(move |db| query.first(db).optional()).await
}

pub fn rocket() -> Rocket<Build> {
    rocket::build()
        .attach(Db::fairing())
        .attach(LoginManager::new(load_user))
}
