//! Which routes are open, and what the logins promise.

use std::time::{Duration, SystemTime};

use rocket::http::{ContentType, Cookie, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket_login::LoginManager;
use rocket_login::testing::Clock;
use tempfile::TempDir;

use {{crate_name}}::{logins, users::User};

/// For tests only: a secret in a file is not secret.
const SECRET: &str = "4bSwoLBhVEpHHnlha9WmyO4guoDECMhzYxVWHpAnapk=";

/// Starts the application with a database in this folder, as after each restart.
fn start(folder: &TempDir) -> Client {
    start_with(folder, logins())
}

fn start_with(folder: &TempDir, logins: LoginManager<User>) -> Client {
    let figment = rocket::Config::figment()
        .select("debug")
        .merge(("app.database", folder.path().join("app.sqlite3")))
        .merge(("secret_key", SECRET))
        .merge(("log_level", "critical"));
    let client = Client::tracked({{crate_name}}::rocket(figment, logins));
    client.unwrap_or_else(|error| panic!("{error}"))
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn post<'c>(client: &'c Client, path: &'c str, form: &str) -> LocalResponse<'c> {
    let request = client.post(path).header(ContentType::Form);
    request.body(form).dispatch()
}

fn register(client: &Client) {
    let form = "name=Mia&email=mia@example.org&password=correct+horse";
    let response = post(client, "/register", form);
    assert_eq!(location(&response), Some("/dashboard"));
}

fn log_in<'c>(client: &'c Client, password: &str) -> LocalResponse<'c> {
    let form = format!("email=mia@example.org&password={password}&remember=on");
    post(client, "/login", &form)
}

fn location<'r>(response: &'r LocalResponse<'_>) -> Option<&'r str> {
    response.headers().get_one("Location")
}

fn is_logged_in(client: &Client) -> bool {
    accepts(client, &[])
}

/// Whether these cookies, besides the client's own, are a login.
fn accepts(client: &Client, cookies: &[Cookie<'static>]) -> bool {
    let request = client.get("/dashboard").cookies(cookies.to_vec());
    request.dispatch().status() == Status::Ok
}

fn cookies(client: &Client) -> Vec<Cookie<'static>> {
    client.cookies().iter().cloned().collect()
}

/// Fails when somebody adds a route and forgets its guard.
#[test]
fn these_routes_are_open_and_no_others() {
    let folder = folder();
    let client = start(&folder);
    let audit = rocket_login::audit(client.rocket());
    assert_eq!(
        audit.open(),
        [
            "GET /",
            "GET /login",
            "POST /login",
            "POST /logout",
            "GET /register",
            "POST /register",
            "GET /static/<path..>",
        ]
    );
}

#[test]
fn a_guarded_page_leads_to_the_login_and_back() {
    let folder = folder();
    let client = start(&folder);
    register(&client);
    post(&client, "/logout", "");

    let response = client.get("/account").dispatch();
    assert_eq!(location(&response), Some("/login?next=%2Faccount"));
    let form = "email=mia@example.org&password=correct+horse";
    let response = post(&client, "/login?next=%2Faccount", form);
    assert_eq!(location(&response), Some("/account"));
    assert!(is_logged_in(&client));
}

#[test]
fn a_wrong_password_shows_the_form_again() {
    let folder = folder();
    let client = start(&folder);
    register(&client);
    post(&client, "/logout", "");

    let response = log_in(&client, "wrong");
    assert_eq!(response.status(), Status::UnprocessableEntity);
    let page = response.into_string().unwrap();
    assert!(page.contains("do not match"), "{page}");
    assert!(page.contains(r#"value="mia@example.org""#), "{page}");
    assert!(!is_logged_in(&client));
}

#[test]
fn a_taken_address_and_a_short_password_are_reported_at_their_fields() {
    let folder = folder();
    let client = start(&folder);
    register(&client);
    post(&client, "/logout", "");

    for (form, error) in [
        (
            "name=M&email=MIA@example.org&password=correct+horse",
            "email-error",
        ),
        (
            "name=M&email=m@example.org&password=short",
            "password-error",
        ),
        ("name=M&email=m&password=correct+horse", "email-error"),
        (
            "name=&email=m@example.org&password=correct+horse",
            "name-error",
        ),
    ] {
        let page = post(&client, "/register", form).into_string().unwrap();
        assert!(
            page.contains(&format!(r#"<p class="error" id="{error}">"#)),
            "{page}"
        );
    }
}

#[test]
fn a_remembered_login_needs_the_password_for_a_new_password() {
    let folder = folder();
    let client = start(&folder);
    register(&client);
    post(&client, "/logout", "");
    log_in(&client, "correct+horse");

    // The browser was closed, so it has lost the session cookie.
    let browser = start(&folder);
    let mut cookies = cookies(&client);
    cookies.retain(|cookie| cookie.name().contains("remember"));
    assert_eq!(cookies.len(), 1);
    let request = browser.get("/account/password").cookies(cookies);
    let response = request.dispatch();
    let confirm = "/account/confirm?next=%2Faccount%2Fpassword";
    assert_eq!(location(&response), Some(confirm));

    let response = post(&browser, confirm, "password=wrong");
    assert_eq!(response.status(), Status::UnprocessableEntity);
    let response = post(&browser, confirm, "password=correct+horse");
    assert_eq!(location(&response), Some("/account/password"));
    let page = browser.get("/account/password").dispatch();
    assert_eq!(page.status(), Status::Ok);
}

#[test]
fn a_new_password_logs_out_all_other_devices() {
    let folder = folder();
    let (client, other) = (start(&folder), start(&folder));
    register(&client);
    log_in(&other, "correct+horse");
    assert!(is_logged_in(&other));

    let response = post(&client, "/account/password", "password=battery+staple");
    assert_eq!(location(&response), Some("/account"));
    assert!(is_logged_in(&client));
    assert!(!is_logged_in(&other));
}

#[test]
fn a_logout_on_all_devices_ends_every_login() {
    let folder = folder();
    let (client, other) = (start(&folder), start(&folder));
    register(&client);
    log_in(&other, "correct+horse");
    let others = cookies(&other);
    assert!(accepts(&start(&folder), &others));

    post(&client, "/account/logout-everywhere", "");
    assert!(!is_logged_in(&client));
    assert!(!accepts(&start(&folder), &others));
}

#[test]
fn a_logout_holds_in_copies_of_the_cookies_and_after_a_restart() {
    let folder = folder();
    let client = start(&folder);
    register(&client);
    let copies = cookies(&client);
    assert!(accepts(&start(&folder), &copies));

    post(&client, "/logout", "");
    assert!(!accepts(&client, &copies));
    assert!(!accepts(&start(&folder), &copies));
}

#[test]
fn an_error_has_a_page_with_the_navigation() {
    let folder = folder();
    let client = start(&folder);
    register(&client);
    let response = client.get("/nothing").dispatch();
    assert_eq!(response.status(), Status::NotFound);
    let page = response.into_string().unwrap();
    assert!(page.contains("There is nothing at this address."), "{page}");
    assert!(page.contains("Log out"), "{page}");
}

#[test]
fn a_login_that_is_not_remembered_ends_after_a_day() {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let clock = Clock::manual(now);
    let folder = folder();
    let client = start_with(&folder, logins().clock(clock.clone()));
    register(&client);
    clock.advance(Duration::from_secs(23 * 60 * 60));
    assert!(is_logged_in(&client));
    clock.advance(Duration::from_secs(61 * 60));
    assert!(!is_logged_in(&client));
}

/// Rocket's flash cookie is not signed: anybody can send one.
#[test]
fn a_flash_cookie_from_anybody_is_escaped() {
    let folder = folder();
    let client = start(&folder);
    let flash = ("_flash", "7:message<script>alert(1)</script>");
    let page = client.get("/login").cookie(flash).dispatch();
    let page = page.into_string().unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(!page.contains("<script>"), "{page}");
}
