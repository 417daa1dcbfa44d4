//! How large the cookies are, and what an ended session takes.

use std::fs;

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket::{post, routes};
use rocket_login::{LoginError, LoginManager, LoginSession, UserMixin, user_loader};

use crate::scene::{self, Scene, Stage};

#[derive(UserMixin)]
struct Named {
    id: String,
}

#[user_loader]
fn load_named(id: &str) -> Option<Named> {
    (!id.is_empty()).then(|| Named { id: id.to_owned() })
}

#[post("/login", data = "<id>")]
async fn login(id: String, session: LoginSession<'_, Named>) -> Result<(), LoginError> {
    session.login_user(&Named { id }).remember(true).await
}

/// Prints both cookies' sizes for ids of several lengths, and the memory of an ended session.
pub(crate) fn print() {
    let rocket = rocket::custom(scene::config())
        .attach(LoginManager::new(load_named).secret_key(scene::SECRET))
        .mount("/", routes![login]);
    let client = Client::untracked(rocket).expect("the application launches");
    println!("\n| user id | session cookie | remember cookie | bytes sent with each request |");
    println!("| ---: | ---: | ---: | ---: |");
    for length in [1, 16, 36] {
        let request = client.post("/login").body("1".repeat(length));
        let response = request
            .header(Header::new("Sec-Fetch-Site", "same-origin"))
            .dispatch();
        let lines: Vec<_> = response.headers().get("Set-Cookie").collect();
        let [session, remember] = lines.as_slice() else {
            panic!("two cookies, not {lines:?}");
        };
        let pair = |line: &str| line.split(';').next().map_or(0, str::len);
        println!(
            "| {length} | {} | {} | {} |",
            session.len(),
            remember.len(),
            "Cookie: ".len() + pair(session) + "; ".len() + pair(remember),
        );
    }
    let (few, many) = (100_000, 1_000_000);
    let stage = Stage::new(Scene::Guarded, few);
    let before = resident();
    stage.end(many - few);
    let bytes = (resident() - before) / (many - few);
    println!("\nA logged-in user takes no memory; an ended session {bytes} bytes, of {many}.");
}

/// The process's memory in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux's account of the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: usize = kilobytes.and_then(|kb| kb.parse().ok()).expect("a size");
    kilobytes * 1024
}
