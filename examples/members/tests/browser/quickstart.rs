//! The quickstart in a real browser.

use super::{Browser, Quickstart, club, turn};

#[rocket::async_test]
async fn every_page_of_the_quickstart_is_accessible_and_fits_on_a_phone() {
    let _turn = turn().await;
    let Some(browser) = Browser::start().await else {
        return;
    };
    let quickstart = Quickstart::start();
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", quickstart.port);
    let mut problems = Vec::new();
    for path in ["/", "/login"] {
        let response = quickstart.send("GET", path, "", "");
        let (_, page) = response.split_once("\r\n\r\n").unwrap();
        problems.extend(club::html::errors(page).into_iter().map(String::from));
    }
    for (device, width) in [("desktop", 1280), ("phone", 390)] {
        for scheme in ["light", "dark"] {
            browser.look(width, scheme);
            let mut check = async |page: &str| {
                let name = format!("quickstart-{page}-{device}-{scheme}");
                problems.extend(browser.problems(&name).await);
            };
            browser.goto(&url("/")).await;
            assert!(browser.text().await.contains("Log in"));
            check("home").await;
            browser.goto(&url("/dashboard")).await;
            assert_eq!(browser.path().await, "/login?next=%2Fdashboard");
            check("login").await;

            // The form comes back with what was typed, except the password.
            browser.fill("name", "ferris").await;
            browser.fill("password", "wrong").await;
            browser.tick("remember").await;
            browser.press("Log in").await;
            assert!(browser.text().await.contains("Wrong name or password."));
            assert_eq!(browser.value_of("name").await, "ferris");
            assert_eq!(browser.value_of("password").await, "");
            browser.find("[name=remember][checked]").await;
            check("login-wrong").await;
            browser.fill("password", "correct horse").await;
            browser.press("Log in").await;
            assert_eq!(browser.path().await, "/dashboard");
            check("dashboard").await;

            browser.follow("Password").await;
            browser.fill("password", "short").await;
            browser.press("Change").await;
            assert!(browser.text().await.contains("at least 8 characters"));
            check("password-short").await;
            browser.fill("password", "correct horse").await;
            browser.press("Change").await;
            assert!(browser.text().await.contains("Your password has changed."));
            check("password-changed").await;

            browser.follow("Home").await;
            assert!(browser.text().await.contains("ferris"));
            check("home-logged-in").await;
            browser.press("Log out").await;
        }
    }
    assert_eq!(problems, Vec::<String>::new());
}
