//! The database: opened and migrated at launch, with two users after the first launch.

use rocket::fairing::AdHoc;
use rocket::figment::value::magic::RelativePathBuf;
use rocket::{Build, Rocket};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use crate::board::Notice;
use crate::error::Cause;
use crate::password::{self, Hasher};
use crate::staff::Staff;
use crate::users::Member;

pub(crate) fn stage() -> AdHoc {
    AdHoc::try_on_ignite("Database", |rocket| async {
        match open(&rocket).await {
            Ok(db) => Ok(rocket.manage(db)),
            Err(error) => {
                error!("cannot open the database: {error}");
                Err(rocket)
            }
        }
    })
}

async fn open(rocket: &Rocket<Build>) -> Result<SqlitePool, Cause> {
    let path: RelativePathBuf = rocket.figment().extract_inner("members.database")?;
    let options = SqliteConnectOptions::new()
        .filename(path.relative())
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let db = SqlitePool::connect_with(options).await?;
    sqlx::migrate!().run(&db).await?;
    Ok(db)
}

/// Creates the first users after liftoff, because their passwords are printed only once.
pub(crate) fn first_users() -> AdHoc {
    AdHoc::on_liftoff("First Users", |rocket| {
        Box::pin(async {
            if let (Some(db), Some(hasher)) = (rocket.state(), rocket.state())
                && let Err(error) = make_first_users(db, hasher).await
            {
                error!("cannot create the first users: {error}");
            }
        })
    })
}

async fn make_first_users(db: &SqlitePool, hasher: &Hasher) -> Result<(), Cause> {
    if Staff::count(db).await? > 0 {
        return Ok(());
    }
    let (ferris, admin) = (password::random()?, password::random()?);
    let hash = hasher.hash(&ferris).await?;
    if let Some(member) = Member::create(db, "Ferris", "ferris@example.org", &hash).await? {
        for notice in [
            "The summer regatta is on the first Sunday of June. Helpers wanted!",
            "Lost: one left claw glove, red. Please leave it at the bar.",
        ] {
            Notice::post(db, member.id, notice).await?;
        }
    }
    let hash = hasher.hash(&admin).await?;
    Staff::create(db, "admin", true, &hash).await?;
    println!("The first users and their passwords, which are not printed again:");
    println!("    member  ferris@example.org  {ferris}   (at /login)");
    println!("    staff   admin               {admin}   (at /staff/login)");
    Ok(())
}
