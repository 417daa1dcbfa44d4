//! The club with its own database, two members and two of the staff.

#![allow(dead_code, reason = "each test uses its own part")]

pub(crate) mod html;
pub(crate) mod process;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::{env, fs};

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::{Build, Rocket};
use sqlx::SqlitePool;

pub(crate) const EMAIL: &str = "mia@example.org";
pub(crate) const ADMIN: &str = "ada";
/// The password of all of them.
pub(crate) const PASSWORD: &str = "correct horse";

/// A folder below `target/`. Dropping the value deletes the folder.
pub(crate) struct Folder(PathBuf);

/// Creates an empty folder.
pub(crate) fn folder() -> Folder {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("members-{}-{number}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    Folder(folder)
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The URL of the store of logins in a folder.
pub(crate) fn logins_in(folder: &Path) -> String {
    format!(
        "sqlite://{}?mode=rwc",
        folder.join("logins.sqlite3").display()
    )
}

/// The configuration of `Rocket.toml`, on a free port.
pub(crate) fn figment() -> Figment {
    rocket::Config::figment()
        .select("debug")
        .merge(("port", 0))
        .merge(("shutdown.ctrlc", false))
        .merge(("log_level", "off"))
}

/// The club with people in its database, which is deleted with it.
pub(crate) fn build(figment: Figment) -> Rocket<Build> {
    build_empty(figment).attach(AdHoc::on_ignite("People", fill))
}

/// The club before its first start.
pub(crate) fn build_empty(figment: Figment) -> Rocket<Build> {
    let folder = folder();
    let database = folder.join("members.sqlite3");
    let mails = Mails::default();
    let outbox = mails.clone();
    let send = move |to: &str, text: &str| outbox.0.lock().unwrap().push((to.into(), text.into()));
    let figment = figment
        .merge(("members.database", database))
        .merge(("login.store.url", logins_in(&folder)));
    members::rocket(figment, send).manage(folder).manage(mails)
}

/// The mails that the club has sent: address and text.
#[derive(Clone, Default)]
pub(crate) struct Mails(Arc<Mutex<Vec<(String, String)>>>);

impl Mails {
    /// Takes the texts of the mails to an address.
    pub(crate) fn take(&self, to: &str) -> Vec<String> {
        let mut mails = self.0.lock().unwrap();
        let taken = mails.extract_if(.., |(address, _)| address == to);
        taken.map(|(_, text)| text).collect()
    }
}

async fn fill(rocket: Rocket<Build>) -> Rocket<Build> {
    let db: &SqlitePool = rocket.state().unwrap();
    let hash = Argon2::default().hash_password(PASSWORD.as_bytes());
    let hash = hash.unwrap().to_string();
    for statement in [
        "INSERT INTO members (name, email, password_hash) VALUES ('Mia', 'mia@example.org', ?)",
        "INSERT INTO members (name, email, password_hash) VALUES ('Ferris', 'ferris@example.org', ?)",
        "INSERT INTO staff (name, is_admin, password_hash) VALUES ('ada', TRUE, ?)",
        "INSERT INTO staff (name, is_admin, password_hash) VALUES ('bob', FALSE, ?)",
    ] {
        let statement = sqlx::query(statement).bind(&hash);
        statement.execute(db).await.unwrap();
    }
    for notice in [
        "The summer regatta is on the first Sunday of June. Helpers wanted!",
        "Lost: one left claw glove, red. Please leave it at the bar.",
    ] {
        let statement = sqlx::query("INSERT INTO notices (member_id, text) VALUES (2, ?)");
        statement.bind(notice).execute(db).await.unwrap();
    }
    rocket
}
