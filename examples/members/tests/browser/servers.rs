//! Two servers, each a process of its own, which share a store of logins in a real PostgreSQL.

use std::time::{Duration, Instant};

use login_engines::Postgres;

use super::club::process::Process;
use super::club::{self, EMAIL, PASSWORD};
use super::driver::Browser;
use super::{give_password, turn};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Posts a notice, and leaves the page as it is.
const POST: &str =
    "fetch('/dashboard', {method: 'POST', body: new URLSearchParams({text: 'Ahoy'})})";

/// How late a logout may be honored on another server.
const LATEST: Duration = Duration::from_secs(1);

async fn log_in(browser: &Browser, club: &Process) {
    browser.goto(&club.url("/login")).await;
    give_password(browser, PASSWORD).await;
    assert_eq!(browser.path().await, "/dashboard");
}

/// Clicks until the click leads to the login page.
async fn is_logged_out(browser: &Browser) {
    let start = Instant::now();
    loop {
        browser.follow("Profile").await;
        match browser.path().await.as_str() {
            "/login?next=%2Fprofile" => return,
            path => assert_eq!(path, "/profile"),
        }
        assert!(start.elapsed() < LATEST, "{:?}", start.elapsed());
    }
}

#[rocket::async_test]
async fn a_member_of_two_servers_ends_the_login_at_the_other() {
    let _turn = turn().await;
    let here = browser!();
    let there = browser!();
    let Some(postgres) = Postgres::start(&[]) else {
        return;
    };
    let (folder, logins) = (club::folder(), postgres.database());
    let [one, two] = [(); 2].map(|()| Process::start(&folder, &logins));
    there.pretend(FIREFOX);

    here.goto(&one.url("/register")).await;
    here.fill("name", "Mia").await;
    here.fill("email", EMAIL).await;
    here.fill("password", PASSWORD).await;
    here.press("Join").await;
    log_in(&there, &two).await;
    for (browser, club, own, other) in [
        (&here, &one, "Chrome on Linux", "Firefox on Linux"),
        (&there, &two, "Firefox on Linux", "Chrome on Linux"),
    ] {
        browser.goto(&club.url("/account/logins")).await;
        let page = browser.text().await;
        let (marked, rest) = page.split_once("this browser").unwrap();
        assert!(marked.ends_with(&format!("{own} ")), "{page}");
        assert!(!marked.contains(other) && rest.contains(other), "{page}");
    }
    let end = || here.confirm("Log out Firefox on Linux, just now", "Yes, log it out");
    end().await;
    is_logged_out(&there).await;

    // An open board shows what is new, and leaves by itself when its login ends.
    log_in(&there, &two).await;
    there.wait_for_stream().await;
    there.run(POST).await;
    there.wait_for_text("There is a new notice.").await;
    here.reload().await;
    end().await;
    let start = Instant::now();
    there.wait_for_path("/login?next=%2Fdashboard").await;
    assert!(start.elapsed() < LATEST, "{:?}", start.elapsed());

    log_in(&there, &two).await;
    there.follow("Account").await;
    here.confirm("Log out everywhere", "Yes, log out everywhere")
        .await;
    assert_eq!(here.path().await, "/");
    is_logged_out(&there).await;
    here.goto(&one.url("/profile")).await;
    assert_eq!(here.path().await, "/login?next=%2Fprofile");
}
