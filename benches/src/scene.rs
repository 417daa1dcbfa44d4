//! The requests that are measured: each an application, and what its client sends.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rocket::config::{Config, LogLevel, SecretKey};
use rocket::http::{Cookie, CookieJar, Header, Status};
use rocket::local::asynchronous::{Client, LocalRequest};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::tokio::runtime::{Builder, Runtime};
use rocket::{Build, Request, Rocket, State, async_trait, get, post, routes};
use rocket_login::{
    LoginError, LoginManager, LoginSession, UserMixin, fresh_login_required, login_required,
    testing, user_loader,
};

/// The users that every application has.
pub(crate) const USERS: i64 = 1_000;

/// The sessions that have ended in every application.
pub(crate) const ENDED: usize = 100_000;

/// Who asks.
const USER: i64 = 7;

/// The path that is asked for.
const PATH: &str = "/page";

/// The name of our session cookie, and the length of its value.
const SESSION: &str = "__Host-login_session";
const TOKEN: usize = 163;

/// The name of the cookie of the guard by hand.
const HAND: &str = "user_id";

/// The secret of every application.
pub(crate) const SECRET: &str = "benches: this secret is not secret, 0123456789";
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
                       (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const ARGON2: &str = "$argon2id$v=19$m=19456,t=2,p=1$YmVuY2hlcy1zYWx0LTEyMw\
                      $0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

/// A request that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// A route of an application without rocket-login.
    Plain,
    /// The same route, with a manager attached that nobody asks.
    Attached,
    /// A route with a guard by hand over Rocket's private cookie: what the guarded route may cost.
    ByHand,
    /// `#[login_required]` and `&User`.
    Guarded,
    /// `#[fresh_login_required]` and `&User`.
    Fresh,
    /// The guarded route where eight managers are attached.
    EightRealms,
    /// A POST to an application without rocket-login.
    PlainPost,
    /// A login by hand: Rocket's private cookie is set.
    LoginByHand,
    /// `login_user`.
    Login,
    /// Rocket's own answer to a guard that fails with 401.
    Unauthorized,
    /// A guarded route for nobody: the redirect, with its message.
    Denial,
}

impl Scene {
    /// Every scene, in the order of the table.
    pub(crate) const ALL: [Self; 11] = [
        Self::Plain,
        Self::Attached,
        Self::ByHand,
        Self::Guarded,
        Self::Fresh,
        Self::EightRealms,
        Self::PlainPost,
        Self::LoginByHand,
        Self::Login,
        Self::Unauthorized,
        Self::Denial,
    ];

    /// The scene's name.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Attached => "attached",
            Self::ByHand => "by-hand",
            Self::Guarded => "guarded",
            Self::Fresh => "fresh",
            Self::EightRealms => "eight-realms",
            Self::PlainPost => "plain-post",
            Self::LoginByHand => "login-by-hand",
            Self::Login => "login",
            Self::Unauthorized => "401",
            Self::Denial => "denial",
        }
    }

    /// The scene of this name.
    #[must_use]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scene| scene.name() == name)
    }

    /// The request without a login that this one is compared with.
    #[must_use]
    pub(crate) fn floor(self) -> Self {
        match self {
            Self::PlainPost | Self::LoginByHand | Self::Login => Self::PlainPost,
            Self::Unauthorized | Self::Denial => Self::Unauthorized,
            _ => Self::Plain,
        }
    }

    /// The status of the answer.
    fn status(self) -> Status {
        match self {
            Self::Unauthorized => Status::Unauthorized,
            Self::Denial => Status::SeeOther,
            _ => Status::Ok,
        }
    }

    fn has_manager(self) -> bool {
        !matches!(
            self,
            Self::Plain | Self::PlainPost | Self::ByHand | Self::LoginByHand | Self::Unauthorized
        )
    }

    fn rocket(self) -> Rocket<Build> {
        let users = (1..=USERS).map(|id| (id, User { id, ..alice() }));
        let mut rocket = rocket::custom(config()).manage(Users(users.collect()));
        if self == Self::EightRealms {
            rocket = others(rocket);
        }
        if self.has_manager() {
            rocket = rocket.attach(manager()).mount("/", routes![logout]);
        }
        match self {
            Self::Plain | Self::Attached => rocket.mount("/", routes![plain]),
            Self::PlainPost => rocket.mount("/", routes![plain_post]),
            Self::ByHand => rocket.mount("/", routes![by_hand]),
            Self::LoginByHand => rocket.mount("/", routes![login_by_hand]),
            Self::Unauthorized => rocket.mount("/", routes![refused]),
            Self::Fresh => rocket.mount("/", routes![fresh]),
            Self::Login => rocket.mount("/", routes![login]),
            Self::Guarded | Self::Denial => rocket.mount("/", routes![guarded]),
            Self::EightRealms => rocket.mount("/", routes![of_realm]),
        }
    }

    fn request<'c>(self, client: &'c Client, cookies: &[Cookie<'static>]) -> LocalRequest<'c> {
        let is_post = self.floor() == Self::PlainPost;
        let method = if is_post {
            client.post(PATH)
        } else {
            client.get(PATH)
        };
        let mut request = method
            .remote(SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 49_152)))
            .header(Header::new("Host", "app.example"))
            .header(Header::new("User-Agent", BROWSER))
            .header(Header::new(
                "Accept",
                "text/html,application/xhtml+xml,*/*;q=0.8",
            ))
            .header(Header::new("Accept-Language", "en"))
            .header(Header::new("Sec-Fetch-Site", "same-origin"))
            .header(Header::new("Sec-Fetch-Mode", "navigate"));
        // As on the wire: in the header, and parsed by Rocket in its jar.
        let pairs: Vec<_> = cookies
            .iter()
            .map(|cookie| cookie.stripped().to_string())
            .collect();
        request.add_header(Header::new("Cookie", pairs.join("; ")));
        request.cookies(cookies.iter().cloned())
    }
}

/// Rocket's settings, as in production.
pub(crate) fn config() -> Config {
    Config {
        secret_key: SecretKey::derive_from(SECRET.as_bytes()),
        log_level: LogLevel::Off,
        ..Config::release_default()
    }
}

/// A launched application, ready for requests of one scene.
#[derive(Debug)]
pub(crate) struct Stage {
    scene: Scene,
    runtime: Runtime,
    client: Client,
    cookies: Vec<Cookie<'static>>,
}

impl Stage {
    /// Launches the scene's application, where as many sessions have ended as `ended` says.
    ///
    /// # Panics
    ///
    /// If it does not launch, or does not answer as the scene says.
    #[must_use]
    pub(crate) fn new(scene: Scene, ended: usize) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let user = alice();
        let client = runtime
            .block_on(Client::untracked(scene.rocket()))
            .expect("the application launches");
        let mut stage = Stage {
            scene,
            runtime,
            client,
            cookies: Vec::new(),
        };
        if scene.has_manager() {
            stage.end(ended);
        }
        stage.cookies = stage.cookies_of(&user);
        let status = stage.answer(stage.request());
        assert_eq!(status, scene.status(), "{}", scene.name());
        stage
    }

    /// Ends sessions, many with each request: a logout ends all that it is shown.
    pub(crate) fn end(&self, sessions: usize) {
        let user = alice();
        for start in (0..sessions).step_by(200) {
            let some: Vec<_> = (start..sessions.min(start + 200))
                .map(|_| testing::login(self.client.rocket(), &user).to_string())
                .collect();
            let request = self.client.post("/logout");
            let status = self.answer(request.header(Header::new("Cookie", some.join("; "))));
            assert_eq!(status, Status::Ok, "a logout");
        }
    }

    /// Cookies of the same number and size in all scenes that are compared with each other.
    fn cookies_of(&self, user: &User) -> Vec<Cookie<'static>> {
        let theme = Cookie::new("theme", "dark");
        let login = match self.scene {
            Scene::Guarded | Scene::Fresh | Scene::EightRealms => self.bound(user),
            Scene::Plain | Scene::Attached | Scene::ByHand => {
                Cookie::new(SESSION, "A".repeat(TOKEN))
            }
            // Nobody is logged in yet.
            _ => return vec![theme],
        };
        assert_eq!(login.value().len(), TOKEN);
        let request = self.client.get(PATH);
        let request = request.private_cookie((HAND, user.id.to_string()));
        let hand = request
            .inner()
            .cookies()
            .get(HAND)
            .expect("a private cookie");
        vec![theme, login, hand.clone()]
    }

    /// A login that is bound to the client that will show it.
    fn bound(&self, user: &User) -> Cookie<'static> {
        let login = testing::login(self.client.rocket(), user);
        let request = self.scene.request(&self.client, &[login]);
        let response = self.runtime.block_on(request.dispatch());
        let bound = response.cookies().get(SESSION).expect("a bound login");
        Cookie::new(SESSION, bound.value().to_owned())
    }

    /// A request, ready to be served.
    #[must_use]
    pub(crate) fn request(&self) -> LocalRequest<'_> {
        self.scene.request(&self.client, &self.cookies)
    }

    /// What is measured: from the request to the answer's last byte.
    #[inline(never)]
    pub(crate) fn serve(&self, request: LocalRequest<'_>) {
        self.answer(request);
    }

    /// The cookies that the answer sets.
    pub(crate) fn set_cookies(&self) -> Vec<String> {
        let response = self.runtime.block_on(self.request().dispatch());
        let headers = response.headers().get("Set-Cookie");
        headers.map(str::to_owned).collect()
    }

    fn answer(&self, request: LocalRequest<'_>) -> Status {
        self.runtime.block_on(async {
            let response = request.dispatch().await;
            let status = response.status();
            response.into_bytes().await;
            status
        })
    }
}

/// A user of the application.
#[derive(Clone, Debug, UserMixin)]
pub(crate) struct User {
    id: i64,
    name: Arc<str>,
    #[user(session_hash)]
    password_hash: Arc<str>,
}

fn alice() -> User {
    User {
        id: USER,
        name: "Alice".into(),
        password_hash: ARGON2.into(),
    }
}

struct Users(HashMap<i64, User>);

#[user_loader]
fn load_user(id: i64, users: &State<Users>) -> Option<User> {
    users.0.get(&id).cloned()
}

fn manager() -> LoginManager<User> {
    LoginManager::new(load_user)
        .secret_key(SECRET)
        .login_view("/login")
}

/// Seven managers, each of a user type of its own.
fn others(rocket: Rocket<Build>) -> Rocket<Build> {
    macro_rules! attach {
        ($($name:literal)*) => {
            rocket$(.attach({
                #[derive(UserMixin)]
                struct Other {
                    id: i64,
                }

                #[user_loader]
                fn load_other(id: i64) -> Option<Other> {
                    Some(Other { id })
                }

                LoginManager::new(load_other).secret_key(SECRET).realm($name)
            }))*
        };
    }
    attach!("one" "two" "three" "four" "five" "six" "seven")
}

#[get("/page")]
fn plain() -> &'static str {
    "Hello"
}

#[post("/page")]
fn plain_post() -> &'static str {
    "Hello"
}

#[login_required]
#[get("/page")]
fn guarded(user: &User) -> String {
    user.name.to_string()
}

#[login_required(User)]
#[get("/page")]
fn of_realm(user: &User) -> String {
    user.name.to_string()
}

#[fresh_login_required]
#[get("/page")]
fn fresh(user: &User) -> String {
    user.name.to_string()
}

#[post("/page")]
async fn login(session: LoginSession<'_, User>) -> Result<&'static str, LoginError> {
    session.login_user(&alice()).await?;
    Ok("Hello")
}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logout_user().allow_cross_site().await
}

/// What one writes without a library: a user's id in Rocket's private cookie.
struct ByHand(User);

#[async_trait]
impl<'r> FromRequest<'r> for ByHand {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let find = || {
            let id = req.cookies().get_private(HAND)?.value().parse().ok()?;
            req.rocket().state::<Users>()?.0.get(&id).cloned()
        };
        match find() {
            Some(user) => Outcome::Success(ByHand(user)),
            None => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

#[get("/page")]
fn by_hand(guard: ByHand) -> String {
    let ByHand(user) = guard;
    user.name.to_string()
}

#[post("/page")]
fn login_by_hand(cookies: &CookieJar<'_>) -> &'static str {
    cookies.add_private((HAND, USER.to_string()));
    "Hello"
}

struct Nobody;

#[async_trait]
impl<'r> FromRequest<'r> for Nobody {
    type Error = ();

    async fn from_request(_: &'r Request<'_>) -> request::Outcome<Self, ()> {
        Outcome::Error((Status::Unauthorized, ()))
    }
}

#[get("/page")]
fn refused(_nobody: Nobody) -> &'static str {
    "Hello"
}
