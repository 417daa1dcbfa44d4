//! The application under test, with a local client and with a real socket.

#![allow(dead_code, reason = "each test binary uses only a part")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket decides the types of a handler's arguments"
)]
#![allow(unreachable_pub, reason = "a test binary has no public interface")]

pub mod connection;
pub mod device;
pub mod log;
#[path = "../../login-runtime/src/redirect/next_values.rs"]
pub mod next_values;
pub mod quickstart;
pub mod revocations;
pub mod socket;
pub mod streams;
pub mod witness;

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::form::Form;
use rocket::http::uri::Host;
use rocket::http::{Cookie, Header, Method, RawStr, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::request::FlashMessage;
use rocket::{Build, Data, FromForm, Request, Rocket, Route, State, get, post, route, routes};
use rocket_login::{
    CurrentUser, GuardRoutes, LoginError, LoginManager, LoginSession, Next, NextField,
    NextRedirect, UserMixin, fresh_login_required, login_required, testing::Clock, user_loader,
};

/// The time at which every test begins.
pub const START: u64 = 1_800_000_000;

/// A key that no real application uses.
pub const KEY: &str = "UtbQhEZs0fCdXkjOHk7GKl1C5s3u9nPnQxqkiF2xW9E=";

pub const SESSION: &str = "login_session";
pub const REMEMBER: &str = "remember_token";

#[derive(Clone, Debug, UserMixin)]
pub struct User {
    pub id: String,
    #[user(active)]
    pub active: bool,
    #[user(session_hash)]
    pub password: String,
}

/// The users of the application. A test can change them while the application runs.
#[derive(Clone, Default)]
pub struct Users(Arc<Mutex<Store>>);

#[derive(Default)]
struct Store {
    users: BTreeMap<String, User>,
    failing: bool,
    loads: usize,
}

impl Users {
    pub fn alice_and_bob() -> Self {
        let users = Users::default();
        users.put("alice");
        users.put("bob");
        users
    }

    pub fn put(&self, id: &str) -> User {
        let user = User {
            id: id.into(),
            active: true,
            password: format!("password of {id}"),
        };
        self.0.lock().unwrap().users.insert(id.into(), user.clone());
        user
    }

    pub fn change(&self, id: &str, change: impl FnOnce(&mut User)) -> User {
        let mut store = self.0.lock().unwrap();
        let user = store.users.get_mut(id).unwrap();
        change(user);
        user.clone()
    }

    pub fn remove(&self, id: &str) {
        self.0.lock().unwrap().users.remove(id);
    }

    /// Makes every look-up fail, or succeed again.
    pub fn fail(&self, failing: bool) {
        self.0.lock().unwrap().failing = failing;
    }

    /// How often the user loader has run.
    pub fn loads(&self) -> usize {
        self.0.lock().unwrap().loads
    }

    pub fn get(&self, id: &str) -> Option<User> {
        self.0.lock().unwrap().users.get(id).cloned()
    }
}

#[user_loader]
pub fn load_user(id: &str, users: &State<Users>) -> Result<Option<User>, &'static str> {
    let mut store = users.0.lock().unwrap();
    store.loads += 1;
    if store.failing {
        return Err("the database is down");
    }
    Ok(store.users.get(id).cloned())
}

/// The fields of the login form.
#[allow(
    clippy::struct_excessive_bools,
    reason = "they are a form's checkboxes"
)]
#[derive(FromForm)]
pub struct LoginForm<'r> {
    user: &'r str,
    /// `None` for a form without the checkbox.
    remember: Option<bool>,
    /// Seconds.
    duration: Option<u64>,
    force: bool,
    permanent: bool,
    stale: bool,
    next: NextField,
}

#[get("/open")]
fn open() -> &'static str {
    "open"
}

#[get("/me")]
fn me(user: CurrentUser<'_, User>) -> String {
    match (user.user(), user.inactive()) {
        (Some(user), _) => user.id.clone(),
        (None, Some(user)) => format!("inactive {}", user.id),
        (None, None) => "anonymous".into(),
    }
}

#[login_required]
#[get("/private")]
fn private(user: &User) -> String {
    format!("private of {}", user.id)
}

#[login_required]
#[post("/private")]
fn post_private(user: &User) -> String {
    format!("posted by {}", user.id)
}

#[fresh_login_required]
#[get("/fresh")]
fn fresh(user: &User) -> String {
    format!("fresh {}", user.id)
}

#[get("/login")]
fn login_page(flash: Option<FlashMessage<'_>>, next: Next) -> String {
    let flash = flash.map_or(String::new(), |flash| {
        format!(" [{}: {}]", flash.kind(), flash.message())
    });
    format!("log in{flash} next={next}")
}

#[get("/confirm")]
fn confirm_page() -> &'static str {
    "confirm"
}

#[post("/login", data = "<form>")]
async fn login(
    form: Form<LoginForm<'_>>,
    session: LoginSession<'_, User>,
    users: &State<Users>,
    next: Next,
) -> Result<NextRedirect, LoginError> {
    let user = users.get(form.user).ok_or(LoginError::NotLoggedIn)?;
    let mut login = session
        .login_user(&user)
        .force(form.force)
        .permanent(form.permanent)
        .fresh(!form.stale);
    if let Some(remember) = form.remember {
        login = login.remember(remember);
    }
    if let Some(seconds) = form.duration {
        login = login.duration(std::time::Duration::from_secs(seconds));
    }
    login.await?;
    Ok(next.prefer(&form.next).or("/"))
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<&'static str, LoginError> {
    session.logout_user().await?;
    Ok("logged out")
}

#[post("/logout-everywhere")]
async fn logout_everywhere(session: LoginSession<'_, User>) -> Result<&'static str, LoginError> {
    session.logout_everywhere().await?;
    Ok("logged out everywhere")
}

/// Confirms the login of the user with this name. The name stands for checked credentials.
#[post("/confirm", data = "<name>")]
async fn confirm(
    name: String,
    session: LoginSession<'_, User>,
    users: &State<Users>,
) -> Result<&'static str, LoginError> {
    let user = users.get(&name).ok_or(LoginError::NotLoggedIn)?;
    session.confirm_login(&user).await?;
    Ok("confirmed")
}

/// What a page can find out about its login.
#[get("/status")]
async fn status(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    Ok(format!(
        "fresh={} remembered={}",
        session.login_fresh().await?,
        session.login_remembered().await?
    ))
}

/// Open pages at these addresses, so that redirects lead somewhere.
pub fn pages(paths: &[&str]) -> Vec<Route> {
    fn blank<'r>(req: &'r Request<'_>, _: Data<'r>) -> route::BoxFuture<'r> {
        Box::pin(ready(route::Outcome::from(req, ())))
    }
    let pages = paths
        .iter()
        .map(|path| Route::new(Method::Get, path, blank));
    pages.collect::<Vec<_>>().public()
}

/// The debug profile, with a key and without a log.
pub fn figment() -> Figment {
    Figment::from(rocket::Config::debug_default())
        .merge(("log_level", "off"))
        .merge(("secret_key", KEY))
}

/// A Rocket application with a key and nothing else.
pub fn bare() -> Rocket<Build> {
    rocket::custom(figment())
}

/// How often code that should not run has run.
#[derive(Default)]
pub struct Ran(AtomicUsize);

impl Ran {
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the code has run since the last call.
    pub fn times(app: &Running) -> usize {
        app.client.rocket().state::<Ran>().unwrap().take()
    }

    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// The application, its users and its clock.
pub struct App {
    pub users: Users,
    pub clock: Clock,
    pub manager: LoginManager<User>,
    figment: Figment,
    routes: Vec<Route>,
}

impl App {
    pub fn new() -> Self {
        let clock = Clock::manual(START);
        App {
            users: Users::alice_and_bob(),
            manager: LoginManager::new(load_user)
                .clock(clock.clone())
                .login_view("/login")
                .refresh_view("/confirm"),
            clock,
            figment: figment(),
            routes: Vec::new(),
        }
    }

    /// Changes the manager.
    pub fn with(mut self, change: impl FnOnce(LoginManager<User>) -> LoginManager<User>) -> Self {
        self.manager = change(self.manager);
        self
    }

    /// Sets a key of Rocket's configuration, such as `login.session_protection`.
    pub fn set(mut self, key: &str, value: impl serde::Serialize) -> Self {
        self.figment = self.figment.merge((key, value));
        self
    }

    /// Selects the release profile, with its defaults.
    pub fn release(mut self) -> Self {
        self.figment = Figment::from(rocket::Config::release_default())
            .merge(("log_level", "off"))
            .merge(("secret_key", KEY))
            .select("release");
        self
    }

    pub fn routes(mut self, routes: Vec<Route>) -> Self {
        self.routes.extend(routes);
        self
    }

    pub fn rocket(self) -> Rocket<Build> {
        rocket::custom(self.figment)
            .manage(self.users)
            .attach(self.manager)
            .mount(
                "/",
                routes![
                    open,
                    me,
                    private,
                    post_private,
                    fresh,
                    login_page,
                    confirm_page,
                    login,
                    logout,
                    logout_everywhere,
                    confirm,
                    status
                ],
            )
            .mount("/", self.routes)
    }

    /// Starts the application for a local client that keeps no cookies of its own.
    pub fn start(self) -> Running {
        self.start_with(|rocket| rocket)
    }

    /// Starts the application with catchers, state or fairings of the test.
    pub fn start_with(self, build: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> Running {
        let (users, clock) = (self.users.clone(), self.clock.clone());
        let rocket = build(self.rocket()).manage(Ran::default());
        Running {
            client: Client::untracked(rocket).expect("the application starts"),
            users,
            clock,
        }
    }
}

/// The application, running for a local client.
pub struct Running {
    pub client: Client,
    pub users: Users,
    pub clock: Clock,
}

impl Running {
    pub fn browser(&self) -> Browser<'_> {
        Browser {
            app: self,
            cookies: BTreeMap::new(),
            headers: Vec::new(),
            address: None,
        }
    }

    /// A browser in which `user` has just logged in.
    pub fn logged_in(&self, user: &str) -> Browser<'_> {
        let mut browser = self.browser();
        assert_eq!(browser.login(user).status, Status::SeeOther);
        browser
    }

    /// A browser in which `user` has just logged in and is remembered.
    pub fn remembered(&self, user: &str) -> Browser<'_> {
        self.logged_in_with(user, "remember=on")
    }

    /// A browser in which `user` is logged in as the form says, such as `permanent=on`.
    pub fn logged_in_with(&self, user: &str, form: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let reply = browser.post("/login", &format!("user={user}&{form}"));
        assert_eq!(reply.status, Status::SeeOther);
        browser
    }
}

/// A browser. It keeps cookies; a clone is the browser of a thief who has copied them.
#[derive(Clone)]
pub struct Browser<'a> {
    pub app: &'a Running,
    pub cookies: BTreeMap<String, String>,
    pub headers: Vec<(String, String)>,
    pub address: Option<std::net::SocketAddr>,
}

/// The whole response.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: Status,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Browser<'_> {
    /// Sends a header with every request from now on.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Comes from this address from now on.
    pub fn from(mut self, address: &str) -> Self {
        self.address = Some(std::net::SocketAddr::new(address.parse().unwrap(), 4711));
        self
    }

    /// Closes the browser and opens it again: cookies without `Max-Age` are gone.
    pub fn restart(&mut self) {
        self.cookies.retain(|name, _| name.contains(REMEMBER));
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.send(Method::Get, path, None)
    }

    pub fn post(&mut self, path: &str, form: &str) -> Reply {
        self.send(Method::Post, path, Some(form))
    }

    pub fn login(&mut self, user: &str) -> Reply {
        self.post("/login", &format!("user={user}"))
    }

    /// The user that the application sees.
    pub fn me(&mut self) -> String {
        self.get("/me").body
    }

    pub fn send(&mut self, method: Method, path: &str, form: Option<&str>) -> Reply {
        let mut request = self.app.client.req(method, path);
        for (name, value) in &self.cookies {
            // As a server reads it from a `Cookie` header.
            let value = RawStr::new(value).percent_decode_lossy().into_owned();
            request = request.cookie(Cookie::new(name.clone(), value));
        }
        for (name, value) in &self.headers {
            if name == "Host" {
                let host = Host::parse_owned(value.clone()).unwrap();
                request.inner_mut().set_host(host);
            }
            request.add_header(Header::new(name.clone(), value.clone()));
        }
        if let Some(address) = self.address {
            request = request.remote(address);
        }
        if let Some(form) = form {
            request = request.header(rocket::http::ContentType::Form).body(form);
        }
        let reply = Reply::read(request.dispatch());
        for cookie in reply.set_cookies() {
            if cookie
                .max_age()
                .is_some_and(rocket::time::Duration::is_zero)
            {
                self.cookies.remove(cookie.name());
            } else {
                self.cookies
                    .insert(cookie.name().into(), cookie.value().into());
            }
        }
        reply
    }
}

impl Reply {
    fn read(response: LocalResponse<'_>) -> Self {
        Reply {
            status: response.status(),
            headers: response
                .headers()
                .iter()
                .map(|header| (header.name.to_string(), header.value.to_string()))
                .collect(),
            body: response.into_string().unwrap_or_default(),
        }
    }

    /// The value of a header that may appear only once.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.all(name);
        let value = values.next();
        assert_eq!(values.next(), None, "{name} comes more than once");
        value
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn set_cookies(&self) -> Vec<Cookie<'static>> {
        self.all("Set-Cookie")
            .map(|cookie| Cookie::parse(cookie.to_owned()).unwrap())
            .collect()
    }

    /// The cookie of this name that the response sets; it may be a removal.
    pub fn cookie(&self, name: &str) -> Option<Cookie<'static>> {
        let mut cookies = self.set_cookies();
        cookies.retain(|cookie| cookie.name() == name);
        assert!(cookies.len() <= 1, "{name} is set more than once");
        cookies.pop()
    }

    /// Whether the response removes the cookie of this name.
    pub fn removes(&self, name: &str) -> bool {
        self.cookie(name).is_some_and(|cookie| {
            cookie.value().is_empty()
                && cookie
                    .max_age()
                    .is_some_and(rocket::time::Duration::is_zero)
        })
    }

    /// The target of a redirect.
    pub fn location(&self) -> Option<&str> {
        self.header("Location")
    }
}

/// Adds a fairing that asks for the user, and then one that turns a request with a query into a POST.
pub fn change_methods_late(rocket: Rocket<Build>) -> Rocket<Build> {
    let look = AdHoc::on_request("Look", |req, _| {
        Box::pin(async move {
            let _ = req.guard::<CurrentUser<'_, User>>().await;
        })
    });
    let change = AdHoc::on_request("Change", |req, _| {
        Box::pin(async move {
            if req.uri().query().is_some() {
                req.set_method(Method::Post);
            }
        })
    });
    rocket.attach(look).attach(change)
}
