//! The club in a real browser.
//!
//! Without Chromium and chromedriver these tests print how to install them, and pass. If the variable
//! `MEMBERS_BROWSER` is set, they fail instead.

/// Starts a browser, or ends the test if there is none.
macro_rules! browser {
    () => {
        match Browser::start().await {
            Some(browser) => browser,
            None => return,
        }
    };
}

mod accessibility;
#[path = "../club/mod.rs"]
mod club;
mod device;
mod driver;
mod quickstart;
#[path = "../../../../tests/common/quickstart.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
mod quickstart_process;
mod screenshots;
mod server;
mod servers;

use std::fs;

use rocket::http::SameSite;
use rocket::tokio::sync::{Mutex, MutexGuard};

use club::{ADMIN, EMAIL, PASSWORD};
use driver::Browser;
use quickstart_process::Quickstart;
use server::Server;

/// One browser at a time, for small machines.
static TURN: Mutex<()> = Mutex::const_new(());

async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// Fills in and sends the login form of the current page.
async fn give_password(browser: &Browser, password: &str) {
    browser.fill("email", EMAIL).await;
    browser.fill("password", password).await;
    browser.press("Log in").await;
}

async fn log_in(browser: &Browser, club: &Server) {
    browser.goto(&club.url("/login")).await;
    give_password(browser, PASSWORD).await;
    assert_eq!(browser.path().await, "/dashboard");
}

#[rocket::async_test]
async fn a_newcomer_joins() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    browser.goto(&club.url("/")).await;
    browser.follow("Join the club").await;
    browser.fill("name", "Noor").await;
    browser.fill("email", "noor@example.org").await;
    browser.fill("password", "short").await;
    browser.press("Join").await;

    // The error is at its field, which has the focus. The other fields keep their values.
    assert!(browser.text().await.contains("Use at least 10 characters."));
    assert_eq!(browser.focused().await.as_deref(), Some("password"));
    assert_eq!(browser.value_of("name").await, "Noor");
    assert_eq!(browser.value_of("password").await, "");

    browser.fill("password", "long enough indeed").await;
    browser.press("Join").await;
    assert_eq!(browser.path().await, "/dashboard");
    assert!(browser.text().await.contains("Welcome to the club, Noor!"));
    browser.reload().await;
    assert!(!browser.text().await.contains("Welcome to the club"));

    browser.fill("text", "Hello from Noor").await;
    browser.press("Post").await;
    browser.wait_for_text("Hello from Noor").await;
}

#[rocket::async_test]
async fn a_member_logs_in_and_out() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    browser.goto(&club.url("/login")).await;
    assert!(browser.cookies().await.is_empty());
    give_password(&browser, "wrong").await;
    assert_eq!(browser.path().await, "/login");
    assert!(browser.text().await.contains("do not match"));
    assert_eq!(browser.value_of("email").await, EMAIL);
    assert_eq!(browser.value_of("password").await, "");
    assert!(browser.cookies().await.is_empty());

    browser.fill("password", PASSWORD).await;
    browser.press("Log in").await;
    assert_eq!(browser.path().await, "/dashboard");
    assert!(browser.text().await.contains("Ahoy, Mia"));

    browser.press("Log out").await;
    assert_eq!(browser.path().await, "/");
    assert!(browser.text().await.contains("You have logged out."));
    browser.goto(&club.url("/dashboard")).await;
    assert_eq!(browser.path().await, "/login?next=%2Fdashboard");
    assert!(
        browser
            .text()
            .await
            .contains("Please log in to access this page.")
    );
}

#[rocket::async_test]
async fn without_the_box_a_login_ends_with_the_browser() {
    let _turn = turn().await;
    let mut browser = browser!();
    let club = Server::club().await;
    log_in(&browser, &club).await;
    browser.restart().await;
    browser.goto(&club.url("/dashboard")).await;
    assert_eq!(browser.path().await, "/login?next=%2Fdashboard");
}

#[rocket::async_test]
async fn with_the_box_a_login_comes_back_and_is_not_fresh() {
    let _turn = turn().await;
    let mut browser = browser!();
    let club = Server::club().await;
    browser.goto(&club.url("/login")).await;
    browser.tick("remember").await;
    give_password(&browser, PASSWORD).await;
    browser.goto(&club.url("/account")).await;
    assert!(
        browser
            .text()
            .await
            .contains("This browser is remembered. You entered your password recently.")
    );
    let before = browser.cookie("login_session").await.unwrap();

    browser.restart().await;
    browser.goto(&club.url("/login")).await; // which redirects users who are logged in
    assert_eq!(browser.path().await, "/dashboard");
    let after = browser.cookie("login_session").await.unwrap();
    assert_ne!(before.value(), after.value());

    // The page for a fresh login asks for the password, refuses a wrong one, and leads back.
    browser.goto(&club.url("/account")).await;
    assert!(
        browser
            .text()
            .await
            .contains("The changes above require your password first.")
    );
    browser.goto(&club.url("/account/email?from=test")).await;
    let confirm = "/account/confirm?next=%2Faccount%2Femail%3Ffrom%3Dtest";
    assert_eq!(browser.path().await, confirm);
    assert!(
        browser
            .text()
            .await
            .contains("Please reauthenticate to access this page.")
    );
    browser.fill("password", "wrong").await;
    browser.press("Confirm").await;
    assert_eq!(browser.path().await, confirm);
    assert!(browser.text().await.contains("This is not your password."));
    browser.fill("password", PASSWORD).await;
    browser.press("Confirm").await;
    assert_eq!(browser.path().await, "/account/email?from=test");

    browser.fill("email", "mia@harbor.example").await;
    browser.press("Send the link").await;
    assert_eq!(browser.path().await, "/account");
    let text = browser.text().await;
    assert!(text.contains("We have sent a link") && !text.contains("mia@harbor.example"));
    browser.goto(&club.link_to("mia@harbor.example")).await;
    browser.press("Use this address").await;
    assert!(
        browser
            .text()
            .await
            .contains("Your e-mail address has changed.")
    );
    browser.goto(&club.url("/account")).await;
    let text = browser.text().await;
    assert!(text.contains("mia@harbor.example") && text.contains("This browser is remembered."));
}

#[rocket::async_test]
async fn a_new_password_ends_the_login_in_the_other_browser() {
    let _turn = turn().await;
    let mut other = browser!();
    let browser = browser!();
    let club = Server::club().await;
    other.goto(&club.url("/login")).await;
    other.tick("remember").await;
    give_password(&other, PASSWORD).await;
    log_in(&browser, &club).await;

    browser.goto(&club.url("/account/password")).await;
    browser.fill("password", "a better password").await;
    browser.fill("again", "a better passwort").await;
    browser.press("Change").await;
    assert!(
        browser
            .text()
            .await
            .contains("The passwords are not the same.")
    );
    browser.fill("password", "a better password").await;
    browser.fill("again", "a better password").await;
    browser.press("Change").await;
    assert_eq!(browser.path().await, "/account");
    assert!(browser.text().await.contains("Your password has changed."));

    other.reload().await;
    assert_eq!(other.path().await, "/login?next=%2Fdashboard");
    other.restart().await;
    other.goto(&club.url("/dashboard")).await;
    assert_eq!(other.path().await, "/login?next=%2Fdashboard");
    give_password(&other, PASSWORD).await;
    assert!(other.text().await.contains("do not match"));
    give_password(&other, "a better password").await;
    assert_eq!(other.path().await, "/dashboard");
}

#[rocket::async_test]
async fn log_out_everywhere_means_the_other_browser_too() {
    let _turn = turn().await;
    let other = browser!();
    let browser = browser!();
    let club = Server::club().await;
    log_in(&other, &club).await;
    log_in(&browser, &club).await;
    browser.goto(&club.url("/account/logins")).await;
    browser
        .confirm("Log out everywhere", "Yes, log out everywhere")
        .await;
    assert_eq!(browser.path().await, "/");
    other.reload().await;
    assert_eq!(other.path().await, "/login?next=%2Fdashboard");
}

#[rocket::async_test]
async fn a_member_sees_the_other_browser_and_logs_it_out() {
    let _turn = turn().await;
    let other = browser!();
    let browser = browser!();
    let club = Server::club().await;
    log_in(&other, &club).await;
    log_in(&browser, &club).await;
    browser.follow("Account").await;
    browser.follow("See your logins").await;
    assert_eq!(browser.path().await, "/account/logins");
    let (name, seen) = ("Chrome on Linux", ", just now");
    assert_eq!(browser.text().await.matches(name).count(), 2 + 1); // with the unseen text of the button

    // A question comes first, and "Cancel" does nothing.
    let button = format!("Log out {name}{seen}");
    browser.ask(&button).await;
    browser.ask("Cancel").await;
    other.reload().await;
    assert_eq!(other.path().await, "/dashboard");
    browser.confirm(&button, "Yes, log it out").await;
    assert_eq!(browser.path().await, "/account/logins");
    let text = browser.text().await;
    assert!(text.contains("That browser is logged out."), "{text}");
    assert_eq!(text.matches(name).count(), 1, "{text}");
    browser.reload().await;
    assert_eq!(browser.path().await, "/account/logins");
    other.reload().await;
    assert_eq!(other.path().await, "/login?next=%2Fdashboard");
}

#[rocket::async_test]
async fn a_forgotten_password_is_replaced_by_a_link() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    browser.goto(&club.url("/login")).await;
    browser.follow("Forgotten your password?").await;
    browser.fill("email", EMAIL).await;
    browser.press("Send the link").await;
    assert_eq!(browser.path().await, "/forgotten");
    browser.goto(&club.link_to(EMAIL)).await;
    browser.fill("password", "a better password").await;
    browser.fill("again", "a better password").await;
    browser.press("Save").await;
    assert_eq!(browser.path().await, "/login");
    assert!(browser.text().await.contains("You have a new password."));
    give_password(&browser, "a better password").await;
    assert_eq!(browser.path().await, "/dashboard");
}

#[rocket::async_test]
async fn after_a_logout_back_shows_nothing_private() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    log_in(&browser, &club).await;
    browser.follow("Profile").await;
    browser.wait_for_path("/profile").await;
    browser.press("Log out").await;
    assert_eq!(browser.path().await, "/");

    browser.back().await;
    browser.wait_for_path("/login?next=%2Fprofile").await;
    browser.back().await;
    let text = browser.text().await;
    assert!(!text.contains("Mia") && !text.contains("regatta"), "{text}");
}

#[rocket::async_test]
async fn a_logout_in_one_tab_holds_in_another() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    log_in(&browser, &club).await;
    browser.new_tab().await;
    browser.goto(&club.url("/dashboard")).await;
    browser.new_tab().await;
    browser.goto(&club.url("/dashboard")).await;
    browser.press("Log out").await;

    // A link in the other tab leads to the login page, and after the login to its target.
    browser.switch_to_tab(0).await;
    assert!(browser.text().await.contains("Ahoy, Mia"));
    browser.follow("Profile").await;
    browser.wait_for_path("/login?next=%2Fprofile").await;

    // So does a request of htmx. The login page must not appear inside the old page.
    browser.switch_to_tab(1).await;
    browser.fill("q", "glove").await;
    browser.wait_for_path("/login?next=%2Fdashboard").await;
    give_password(&browser, PASSWORD).await;
    assert_eq!(browser.path().await, "/dashboard");
}

#[rocket::async_test]
async fn a_search_changes_the_list_alone() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    log_in(&browser, &club).await;
    browser.fill("text", "half a notice").await;
    browser.fill("q", "glove").await;
    for _ in 0..100 {
        if !browser.text().await.contains("regatta") {
            break;
        }
        rocket::tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let text = browser.text().await;
    assert!(text.contains("claw glove") && !text.contains("regatta"));
    assert_eq!(browser.value_of("text").await, "half a notice");
    assert_eq!(browser.path().await, "/dashboard");
}

#[rocket::async_test]
async fn a_link_from_elsewhere_lands_there_after_the_login() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    let link = format!(
        r#"<a href="{}">The glove</a>"#,
        club.url("/dashboard?q=glove")
    );
    let elsewhere = Server::elsewhere(link).await;
    let page = format!("http://localhost:{}/", elsewhere.port);

    browser.goto(&page).await;
    browser.follow("The glove").await;
    assert_eq!(browser.path().await, "/login?next=%2Fdashboard%3Fq%3Dglove");
    give_password(&browser, PASSWORD).await;
    assert_eq!(browser.path().await, "/dashboard?q=glove");
    assert!(browser.text().await.contains("claw glove"));

    // After the login it leads there at once: browsers send the cookie with a link from another site.
    browser.goto(&page).await;
    browser.follow("The glove").await;
    assert_eq!(browser.path().await, "/dashboard?q=glove");
}

#[rocket::async_test]
async fn a_login_link_to_another_site_stays_at_home() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    for next in [
        "https://example.com/",
        "//example.com/",
        "/%5Cexample.com",
        "%5C%5Cexample.com",
        "/%09/example.com",
        "javascript:alert(1)",
        "/login",
    ] {
        browser
            .goto(&club.url(&format!("/login?next={next}")))
            .await;
        give_password(&browser, PASSWORD).await;
        assert_eq!(browser.host().await, "127.0.0.1", "{next}");
        assert_eq!(browser.path().await, "/dashboard", "{next}");
        browser.press("Log out").await;
    }
}

#[rocket::async_test]
async fn the_browser_stores_the_cookies_with_their_attributes() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    browser.goto(&club.url("/login")).await;
    browser.tick("remember").await;
    give_password(&browser, PASSWORD).await;
    let session = browser.cookie("login_session").await.unwrap();
    let remember = browser.cookie("remember_token").await.unwrap();
    for cookie in [&session, &remember] {
        assert_eq!(cookie.http_only(), Some(true));
        assert_eq!(cookie.same_site(), Some(SameSite::Lax));
        assert_eq!(cookie.secure(), Some(false)); // in the debug profile, over plain HTTP
        assert_eq!(cookie.path(), Some("/"));
        assert_eq!(cookie.domain(), Some("127.0.0.1"));
    }
    assert_eq!(session.expires_datetime(), None);
    assert!(remember.expires_datetime().is_some());
    assert_eq!(browser.script_cookies().await, "");
}

#[rocket::async_test]
async fn over_tls_the_cookies_are_secure_and_of_this_host_alone() {
    let _turn = turn().await;
    let mut browser = browser!();
    let names = vec!["localhost".to_owned()];
    let certificate = rcgen::generate_simple_self_signed(names).unwrap();
    let folder = club::folder();
    let (certs, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&certs, certificate.cert.pem()).unwrap();
    fs::write(&key, certificate.signing_key.serialize_pem()).unwrap();
    let figment = club::figment()
        .select("release")
        .merge(("secret_key", "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E="))
        .merge(("tls.certs", certs))
        .merge(("tls.key", key));
    let club = Server::club_with(figment).await;
    let home = format!("https://localhost:{}", club.port);

    browser.goto(&format!("{home}/login")).await;
    browser.tick("remember").await;
    give_password(&browser, PASSWORD).await;
    assert_eq!(browser.path().await, "/dashboard");
    for name in ["__Host-login_session", "__Host-remember_token"] {
        let cookie = browser.cookie(name).await.unwrap();
        assert_eq!(cookie.http_only(), Some(true));
        assert_eq!(cookie.same_site(), Some(SameSite::Lax));
        assert_eq!(cookie.secure(), Some(true));
        assert_eq!(cookie.path(), Some("/"));
        assert_eq!(cookie.domain(), Some("localhost"));
    }
    assert_eq!(browser.script_cookies().await, "");

    browser.restart().await;
    browser.goto(&format!("{home}/account/password")).await;
    assert_eq!(
        browser.path().await,
        "/account/confirm?next=%2Faccount%2Fpassword"
    );
    browser.press("Log out").await;
    assert_eq!(browser.cookie("__Host-login_session").await, None);
    assert_eq!(browser.cookie("__Host-remember_token").await, None);
}

#[rocket::async_test]
async fn forms_of_another_site_are_refused() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    let form = |path: &str, fields: &str| {
        format!(
            r#"<form method="post" action="{}">{fields}<button>{path}</button></form>"#,
            club.url(path)
        )
    };
    let credentials = format!(
        r#"<input name="email" value="{EMAIL}"><input name="password" value="{PASSWORD}">"#
    );
    let page = [
        form("/logout", ""),
        form(
            "/profile",
            r#"<input name="name" value="Mallory"><input name="about">"#,
        ),
        form("/account/logout-everywhere", ""),
        form("/login", &credentials),
    ];
    let elsewhere = Server::elsewhere(page.concat()).await;
    // Another host is another site. Another port of one host is the same site, but another origin.
    for host in ["localhost", "127.0.0.1"] {
        let page = format!("http://{host}:{}/", elsewhere.port);
        log_in(&browser, &club).await;
        for path in ["/logout", "/profile", "/account/logout-everywhere"] {
            browser.goto(&page).await;
            browser.press(path).await;
            assert!(
                browser.text().await.contains("Forbidden"),
                "{path} from {host}"
            );
        }
        browser.goto(&club.url("/profile")).await;
        assert_eq!(browser.value_of("name").await, "Mia");

        // It cannot log anybody in either.
        browser.press("Log out").await;
        browser.goto(&page).await;
        browser.press("/login").await;
        assert!(
            browser.text().await.contains("Forbidden"),
            "/login from {host}"
        );
        assert_eq!(browser.cookie("login_session").await, None);
    }
}

#[rocket::async_test]
async fn the_staff_has_a_login_of_its_own() {
    let _turn = turn().await;
    let browser = browser!();
    let club = Server::club().await;
    log_in(&browser, &club).await;
    browser.goto(&club.url("/staff")).await;
    assert_eq!(browser.path().await, "/staff/login?next=%2Fstaff");
    browser.fill("name", ADMIN).await;
    browser.fill("password", PASSWORD).await;
    browser.press("Log in").await;
    assert_eq!(browser.path().await, "/staff");

    // Both logins are valid, each in its area.
    browser.goto(&club.url("/dashboard")).await;
    assert!(browser.text().await.contains("Ahoy, Mia"));
    browser.goto(&club.url("/staff")).await;
    browser
        .confirm("Close the account of Mia", "Yes, close it")
        .await;
    assert!(
        browser
            .text()
            .await
            .contains("The account of Mia is closed.")
    );
    browser.goto(&club.url("/dashboard")).await;
    assert_eq!(browser.path().await, "/login?next=%2Fdashboard");
    browser.goto(&club.url("/staff")).await;
    assert_eq!(browser.path().await, "/staff");
}
