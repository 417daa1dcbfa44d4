//! Logins that a real browser binds to its device. Its keys are kept in software, instead of a TPM.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rocket::config::TlsConfig;
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::tokio::time::sleep;
use rocket::{Config, get, post, routes};
use rocket_login::testing::Clock;
use rocket_login::{
    CurrentUser, LoginError, LoginManager, LoginSession, UserMixin, login_required, public,
    user_loader,
};
use serde_json::json;

use super::club::{self, Folder};
use super::driver::Browser;
use super::server::Server;
use super::{ADMIN, PASSWORD, give_password, turn};

const SESSION: &str = "__Host-login_session";

#[derive(UserMixin)]
struct User {
    id: String,
}

#[allow(clippy::unnecessary_wraps, reason = "a loader's type is fixed")]
#[user_loader]
fn load_user(id: String) -> Option<User> {
    Some(User { id })
}

#[public]
#[get("/")]
async fn index(
    user: CurrentUser<'_, User>,
    session: LoginSession<'_, User>,
) -> Result<String, LoginError> {
    let name = user.get_id().unwrap_or_else(|| "nobody".to_owned());
    Ok(format!("{name} bound={}", session.device_bound().await?))
}

#[login_required]
#[get("/private")]
fn private(user: &User) -> String {
    format!("private of {}", user.id)
}

#[public]
#[get("/login")]
fn login_page() -> RawHtml<&'static str> {
    RawHtml(
        "<form method=post><button>Log in</button></form>\
         <form method=post action='/login?remember'><button>Remember me</button></form>\
         <form method=post action=/logout><button>Log out</button></form>",
    )
}

#[public]
#[post("/login?<remember>")]
async fn login(
    remember: Option<&str>,
    session: LoginSession<'_, User>,
) -> Result<Redirect, LoginError> {
    let mia = User {
        id: "mia".to_owned(),
    };
    session
        .login_user(&mia)
        .remember(remember.is_some())
        .await?;
    Ok(Redirect::to("/"))
}

#[public]
#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<Redirect, LoginError> {
    session.logout_user().await?;
    Ok(Redirect::to("/"))
}

/// Makes a certificate of `localhost`, and the file of the authority that has signed it.
fn certificate(folder: &Folder) -> (PathBuf, TlsConfig) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = folder.join("authority.pem");
    fs::write(&authority, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let tls = TlsConfig::from_bytes(certificate.pem().as_bytes(), key.serialize_pem().as_bytes());
    (authority, tls)
}

/// The site, over TLS, and what it was asked.
struct Site {
    server: Server,
    clock: Clock,
    log: Arc<Mutex<Vec<String>>>,
    authority: PathBuf,
    _folder: Folder,
}

impl Site {
    async fn start() -> Self {
        let folder = club::folder();
        let (authority, tls) = certificate(&folder);
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        // Without the `Rocket.toml` of the club.
        let figment = Figment::from(Config::debug_default())
            .merge(("port", 0))
            .merge(("shutdown.ctrlc", false))
            .merge(("log_level", "off"))
            .merge(("tls", tls))
            .merge(("login.device_binding", "offer"));
        let clock = Clock::manual(1_800_000_000);
        let written = Arc::clone(&log);
        let rocket = rocket::custom(figment)
            .attach(
                LoginManager::new(load_user)
                    .clock(clock.clone())
                    .login_view("/login"),
            )
            .mount("/", routes![index, private, login_page, login, logout])
            .attach(AdHoc::on_response("Log", move |req, res| {
                let line = format!(
                    "{} {} {}",
                    req.method(),
                    req.uri().path(),
                    res.status().code
                );
                written.lock().unwrap().push(line);
                Box::pin(async {})
            }));
        Site {
            server: Server::launch(rocket).await,
            clock,
            log,
            authority,
            _folder: folder,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.server.port)
    }

    /// How often a line of the log has come.
    fn count(&self, line: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().filter(|known| *known == line).count()
    }
}

/// Logs in, and waits until the browser has bound the login.
async fn log_in(browser: &Browser, site: &Site, button: &str) {
    browser.goto(&site.url("/login")).await;
    browser.press(button).await;
    for _ in 0..100 {
        if site.count("POST /login-device/register 200") > 0 {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    browser.goto(&site.url("/")).await;
    assert_eq!(browser.text().await, "mia bound=true", "{:?}", site.log);
}

/// What a script of the open page gets from an address.
async fn fetched(browser: &Browser, path: &str) -> String {
    let script = format!(
        "const done = arguments[0]; fetch('{path}').then(it => it.text()).then(done, it => done(String(it)))"
    );
    let text = browser.run_async(&script).await;
    text.as_str().unwrap_or_default().to_owned()
}

/// As if the life of the session cookie were over.
fn drop_session(browser: &Browser, site: &Site) {
    let cookie = json!({"name": SESSION, "url": site.url("/")});
    browser.devtools("Network.deleteCookies", &cookie);
}

macro_rules! browser {
    ($authority:expr) => {
        match Browser::start_with_device(&$authority).await {
            Some(browser) => browser,
            None => return,
        }
    };
}

#[rocket::async_test]
async fn copied_cookies_die_while_the_device_goes_on() {
    let _turn = turn().await;
    let site = Site::start().await;
    let browser = browser!(site.authority);
    log_in(&browser, &site, "Log in").await;

    // The page stays open, and notices nothing.
    for refreshes in 1..=2 {
        drop_session(&browser, &site);
        assert_eq!(fetched(&browser, "/private").await, "private of mia");
        assert_eq!(site.count("POST /login-device/refresh 200"), refreshes);
    }

    let cookies = browser.devtools("Network.getAllCookies", &json!({}));
    let cookies = cookies["cookies"].as_array().unwrap();
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    let thief = browser!(site.authority);
    thief.goto(&site.url("/")).await;
    for cookie in cookies {
        let url = site.url(cookie["path"].as_str().unwrap());
        let copy = json!({
            "name": cookie["name"], "value": cookie["value"], "url": url, "path": cookie["path"],
            "secure": true, "httpOnly": true,
        });
        let set = thief.devtools("Network.setCookie", &copy);
        assert_eq!(set["success"], true, "{copy}");
    }
    assert_eq!(fetched(&thief, "/private").await, "private of mia");
    site.clock.advance(Duration::from_secs(11 * 60));
    thief.goto(&site.url("/")).await;
    assert_eq!(thief.text().await, "nobody bound=false");
    drop_session(&browser, &site);
    assert_eq!(fetched(&browser, "/private").await, "private of mia");

    // A link in a web mail.
    drop_session(&browser, &site);
    let link = format!("<a href='{}'>Your order</a>", site.url("/private"));
    let mail = Server::elsewhere(link).await;
    browser.goto(&mail.url("/")).await;
    browser.find("a").await.click().await.unwrap();
    browser.wait_for_text("private of mia").await;
    assert_eq!(browser.path().await, "/private");

    browser.goto(&site.url("/login")).await;
    browser.press("Log out").await;
    assert_eq!(browser.text().await, "nobody bound=false");
    assert_eq!(fetched(&browser, "/").await, "nobody bound=false");
    println!("{}", site.log.lock().unwrap().join("\n"));
}

#[rocket::async_test]
async fn a_remembered_device_comes_back_after_a_restart() {
    let _turn = turn().await;
    let site = Site::start().await;
    let mut browser = browser!(site.authority);
    log_in(&browser, &site, "Remember me").await;
    browser.restart().await;
    drop_session(&browser, &site);
    site.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    browser.goto(&site.url("/private")).await;
    assert_eq!(browser.text().await, "private of mia", "{:?}", site.log);
    assert_eq!(site.count("POST /login-device/refresh 200"), 1);
    browser.goto(&site.url("/login")).await;
    browser.press("Log out").await;
    drop_session(&browser, &site);
    browser.goto(&site.url("/private")).await;
    assert_eq!(browser.path().await, "/login?next=%2Fprivate");
}

#[rocket::async_test]
async fn members_and_staff_see_which_logins_are_bound() {
    let _turn = turn().await;
    let folder = club::folder();
    let (authority, tls) = certificate(&folder);
    let figment = club::figment()
        .merge(("tls", tls))
        .merge(("login.device_binding", "offer"));
    let club = Server::club_with(figment).await;
    let url = |path: &str| format!("https://localhost:{}{path}", club.port);
    let browser = browser!(authority);
    browser.goto(&url("/login")).await;
    give_password(&browser, PASSWORD).await;
    for _ in 0..100 {
        browser.goto(&url("/account/logins")).await;
        if browser.text().await.contains("bound to its device") {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }

    browser.goto(&url("/staff")).await;
    browser.fill("name", ADMIN).await;
    browser.fill("password", PASSWORD).await;
    browser.press("Log in").await;
    browser.follow("Logins of Mia").await;
    let staff = browser.path().await;
    let mut problems = Vec::new();
    for (page, path) in [
        ("logins-bound", "/account/logins"),
        ("staff-logins-bound", &*staff),
    ] {
        for (device, width) in [("desktop", 1280), ("phone", 390)] {
            for scheme in ["light", "dark"] {
                browser.look(width, scheme);
                browser.goto(&url(path)).await;
                browser.wait_for_text("bound to its device").await;
                let name = format!("{page}-{device}-{scheme}");
                problems.extend(browser.problems(&name).await);
            }
        }
    }
    assert_eq!(problems, Vec::<String>::new());
}
