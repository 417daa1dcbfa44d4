//! Every page on a phone and on a desktop, light and dark. The pictures are in `target/screenshots/`.

use std::fs;
use std::path::Path;

use super::{ADMIN, Browser, EMAIL, PASSWORD, Server, give_password, log_in, turn};

/// Posts a page of notices.
const POST: &str = "
    const done = arguments[0];
    const body = new URLSearchParams({text: 'The bar is open until ten.'});
    const posts = Array.from({length: 20}, () => fetch('/dashboard', {method: 'POST', body}));
    Promise.all(posts).then(() => done());";

impl Browser {
    /// Takes a picture of the current page, and returns what is wrong with the page.
    pub(crate) async fn problems(&self, name: &str) -> Vec<String> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        fs::create_dir_all(&folder).unwrap();
        let mut problems = self.violations().await;
        if self.screenshot(&folder.join(format!("{name}.png"))).await {
            problems.push("scrolls sideways".into());
        }
        let with_name = |problem| format!("{name}: {problem}");
        problems.into_iter().map(with_name).collect()
    }
}

#[rocket::async_test]
async fn every_page_is_accessible_and_fits_on_a_phone_and_on_a_desktop() {
    let _turn = turn().await;
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mut problems = Vec::new();
    for (device, width) in [("desktop", 1280), ("phone", 390)] {
        for scheme in ["light", "dark"] {
            let club = Server::club().await;
            browser.look(width, scheme);
            let mut take = async |page: &str| {
                let name = format!("{page}-{device}-{scheme}");
                problems.extend(browser.problems(&name).await);
            };
            for (page, path) in [
                ("home", "/"),
                ("register", "/register"),
                ("forgotten", "/forgotten"),
                ("link-wrong", "/reset?token=wrong"),
                ("login", "/dashboard"),
                ("not-found", "/nothing"),
            ] {
                browser.goto(&club.url(path)).await;
                take(page).await;
            }
            browser.goto(&club.url("/login")).await;
            give_password(&browser, "wrong").await;
            take("login-wrong").await;
            browser.goto(&club.url("/register")).await;
            browser.fill("name", "Mia").await;
            browser.fill("email", EMAIL).await;
            browser.fill("password", "long enough indeed").await;
            browser.press("Join").await;
            take("register-taken").await;

            browser.goto(&club.url("/forgotten")).await;
            browser.fill("email", EMAIL).await;
            browser.press("Send the link").await;
            take("forgotten-sent").await;
            browser.goto(&club.link_to(EMAIL)).await;
            take("reset").await;

            log_in(&browser, &club).await;
            browser.forget_cookies().await;
            log_in(&browser, &club).await;
            browser.wait_for_stream().await;
            browser.run_async(POST).await;
            browser.wait_for_text("There is a new notice.").await;
            take("dashboard-news").await;
            for (page, path) in [
                ("dashboard", "/dashboard"),
                ("dashboard-older", "/dashboard?skip=20"),
                ("profile", "/profile"),
                ("account", "/account"),
                ("confirm", "/account/confirm"),
                ("email", "/account/email"),
                ("password", "/account/password"),
                ("keys", "/account/keys"),
                ("logins", "/account/logins"),
            ] {
                browser.goto(&club.url(path)).await;
                take(page).await;
            }
            browser.ask("Log out all others").await;
            take("logins-question").await;
            browser.goto(&club.url("/account/email")).await;
            browser.fill("email", "mia@harbor.example").await;
            browser.press("Send the link").await;
            browser.goto(&club.link_to("mia@harbor.example")).await;
            take("email-confirm").await;
            browser.goto(&club.url("/account/keys")).await;
            browser.fill("label", "Harbor clock").await;
            browser.press("Make a key").await;
            take("keys-made").await;

            browser.goto(&club.url("/staff")).await;
            take("staff-login").await;
            browser.fill("name", ADMIN).await;
            browser.fill("password", PASSWORD).await;
            browser.press("Log in").await;
            take("staff").await;
            browser.follow("Logins of Mia").await;
            take("staff-logins").await;
            browser.goto(&club.url("/staff/password")).await;
            take("staff-password").await;
            browser.goto(&club.url("/staff")).await;
            browser
                .confirm("Close the account of Mia", "Yes, close it")
                .await;
            take("staff-closed").await;
        }
    }
    assert_eq!(problems, Vec::<String>::new());
}
