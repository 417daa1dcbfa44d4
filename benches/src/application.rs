//! The measured application, in every size.

use std::future::ready;

use rocket::config::{Config, LogLevel, SecretKey};
use rocket::http::{CookieJar, Status};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Build, Data, Request, Rocket, Route, State, async_trait, get, post, route, routes};
use rocket_login::config::DeviceBinding;
use rocket_login::revocation::MemoryRevocations;
use rocket_login::testing::Clock;
use rocket_login::testing::store::MemoryLog;
use rocket_login::{
    LoginError, LoginManager, LoginSession, UserMixin, fresh_login_required, login_required,
    user_loader,
};

use crate::bare::{Bare, BareUser, KeepPrivate};
use crate::by_hand::{ByHand, COOKIE};
use crate::crowd::areas;
use crate::scene::Scene;
use crate::user::{User, Users};

/// The id of the first user. All ids have the same number of digits, so that all tokens have the same length.
pub(crate) const FIRST_USER: i64 = 1_000_000;

/// The secret of every application.
pub(crate) const SECRET: &str = "benches: this secret is not secret, 0123456789";

/// How large an application is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) users: i64,
    /// The number of ended sessions.
    pub(crate) ended: usize,
    /// The capacity for ended sessions, if not the default.
    pub(crate) room: Option<usize>,
    /// The secret key that signs the logins: 0 is the current one, others were replaced.
    pub(crate) key: usize,
    /// The older keys that still verify.
    pub(crate) old_keys: usize,
    /// The number of routes, including the requested one.
    pub(crate) routes: usize,
    pub(crate) realms: usize,
    /// The number of clients that send requests in turn, each with its own user.
    pub(crate) clients: usize,
}

impl Default for Size {
    fn default() -> Self {
        Size {
            users: 1_000,
            ended: 100_000,
            room: None,
            key: 0,
            old_keys: 0,
            routes: 1,
            realms: 1,
            clients: 1,
        }
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

/// The application of a scene.
pub(crate) fn rocket(scene: Scene, size: &Size) -> Rocket<Build> {
    let users = (FIRST_USER..FIRST_USER + size.users).map(|id| (id, User::new(id)));
    let mut rocket = rocket::custom(config()).manage(users.collect::<Users>());
    if scene.has_manager() {
        rocket = attach_others(rocket, size.realms - 1)
            .attach(match scene {
                Scene::SharedList => {
                    manager(size).revocation_list(MemoryRevocations::new(1_000_000))
                }
                Scene::Store => {
                    manager(size).revocation_store(|_| Box::pin(ready(Ok(MemoryLog::new()))))
                }
                scene if scene.is_refresh() => manager(size)
                    .clock(Clock::manual(2_000_000_000))
                    .device_binding(DeviceBinding::Offer),
                _ => manager(size),
            })
            .mount("/", routes![login_page, logout]);
    } else {
        // As many routes: Rocket looks at one after another.
        rocket = rocket.mount("/", routes![login_page, plain_logout]);
    }
    if scene == Scene::Bare {
        rocket = rocket
            .manage(Bare::new(SECRET, size.ended))
            .attach(KeepPrivate);
    }
    let routes = match scene {
        Scene::Plain | Scene::Attached => routes![plain],
        Scene::PlainPost => routes![plain_post],
        Scene::ByHand => routes![by_hand],
        Scene::Bare => routes![bare],
        Scene::LoginByHand => routes![login_by_hand],
        Scene::Unauthorized => routes![refused],
        Scene::Fresh => routes![fresh],
        Scene::Login | Scene::Refresh | Scene::RefreshByStranger => routes![login],
        Scene::SharedList | Scene::Store | Scene::DeviceBound => routes![guarded],
        Scene::Guarded | Scene::OldKey | Scene::Denial if size.realms == 1 => routes![guarded],
        Scene::Guarded | Scene::OldKey | Scene::Denial | Scene::EightRealms => routes![of_realm],
    };
    mount_others(rocket, size.routes - 1, scene == Scene::Guarded).mount("/", routes)
}

#[user_loader]
fn load_user(id: i64, users: &State<Users>) -> Option<User> {
    users.get(&id).cloned()
}

/// The `n`th secret key; 0 is the newest.
fn secret(n: usize) -> String {
    format!("{SECRET}, {n}")
}

fn manager(size: &Size) -> LoginManager<User> {
    let old = size.key + 1..=size.key + size.old_keys;
    let manager = LoginManager::new(load_user)
        .secret_key(secret(size.key))
        .secret_key_fallbacks(old.map(secret))
        .login_view("/login");
    match size.room {
        Some(sessions) => manager.revocation_capacity(sessions),
        None => manager,
    }
}

/// Managers in addition to the first, each with its own user type.
fn attach_others(rocket: Rocket<Build>, count: usize) -> Rocket<Build> {
    macro_rules! attach {
        ($($name:literal)*) => {
            [$(|rocket: Rocket<Build>| rocket.attach({
                #[derive(UserMixin)]
                struct Other {
                    id: i64,
                }

                #[user_loader]
                fn load_other(id: i64) -> Option<Other> {
                    Some(Other { id })
                }

                LoginManager::new(load_other).secret_key(SECRET).realm($name)
            })),*]
        };
    }
    let attach = attach!("one" "two" "three" "four" "five" "six" "seven");
    assert!(count <= attach.len(), "{count} more realms");
    attach
        .iter()
        .take(count)
        .fold(rocket, |rocket, attach| attach(rocket))
}

/// Routes that are never requested: the areas of `crowd`, mounted again and again.
fn mount_others(mut rocket: Rocket<Build>, count: usize, guarded: bool) -> Rocket<Build> {
    let areas = areas();
    let mut missing = count;
    for (n, area) in areas.iter().cycle().enumerate() {
        let mut routes = area.clone();
        routes.truncate(missing);
        missing -= routes.len();
        if !guarded {
            routes = routes.iter().map(unguarded).collect();
        }
        rocket = rocket.mount(format!("/{n}"), routes);
        if missing == 0 {
            break;
        }
    }
    rocket
}

/// The same route without its guard.
fn unguarded(route: &Route) -> Route {
    fn hello<'r>(req: &'r Request<'_>, _: Data<'r>) -> route::BoxFuture<'r> {
        route::Outcome::from(req, "Hello").pin()
    }
    Route::new(route.method, route.uri.as_str(), hello)
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
    session.login_user(&User::new(FIRST_USER)).await?;
    Ok("Hello")
}

#[get("/login")]
fn login_page() {}

#[post("/logout")]
async fn logout(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logout_user().allow_cross_site().await
}

#[post("/logout")]
fn plain_logout() {}

#[get("/page")]
fn by_hand(guard: ByHand) -> String {
    let ByHand(user) = guard;
    user.name.to_string()
}

#[get("/page")]
fn bare(user: BareUser<'_>) -> String {
    let BareUser(user) = user;
    user.name.to_string()
}

#[post("/page")]
fn login_by_hand(cookies: &CookieJar<'_>) -> &'static str {
    cookies.add_private((COOKIE, FIRST_USER.to_string()));
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
