//! The application. It has everything that a manager accepts, and the switch can break each of them.

use std::cell::RefCell;
use std::time::Duration;

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, Route, State, get, post, routes};
use rocket_login::{
    GuardRoutes, LoginError, LoginEvent, LoginManager, LoginSession, RouteGuard, condition,
    event_listener, forbidden_handler, fresh_login_required, login_required, needs_refresh_handler,
    request_loader, revocation::RevocationError, testing::Clock, unauthorized_handler, user_loader,
};

use crate::common::connection::{Connection, Jar, Request as Sent};
use crate::common::revocations::{Call, Revocations};
use crate::common::socket::{Server, body, status};
use crate::common::{App, User, Users};
use crate::fault::{Point, Switch};

/// The names outside the debug profile.
pub const SESSION: &str = "__Host-login_session";
pub const REMEMBER: &str = "__Host-remember_token";

/// A user whose loader always fails.
pub const BROKEN: &str = "broken";

/// A guard that the switch can break.
struct Door;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Door {
    type Error = &'static str;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let switch: &Switch = req.rocket().state().unwrap();
        match switch.pass(Point::LoaderGuard).await {
            Ok(()) => Outcome::Success(Door),
            Err(error) => Outcome::Error((Status::BadGateway, error)),
        }
    }
}

#[user_loader]
async fn load(
    id: &str,
    _door: Door,
    switch: &State<Switch>,
    users: &State<Users>,
) -> Result<Option<User>, &'static str> {
    switch.pass(Point::UserLoader).await?;
    if id == BROKEN {
        return Err("always");
    }
    Ok(users.get(id))
}

struct Key(Option<String>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Key {
    type Error = std::convert::Infallible;

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Key(req.headers().get_one("X-Key").map(str::to_owned)))
    }
}

#[request_loader]
async fn load_by_key(
    key: Key,
    switch: &State<Switch>,
    users: &State<Users>,
) -> Result<Option<User>, &'static str> {
    switch.pass(Point::RequestLoader).await?;
    Ok(key.0.and_then(|key| users.get(&key)))
}

#[event_listener]
async fn listen(event: &LoginEvent<'_, User>, switch: &State<Switch>) {
    let _ = switch.pass(Point::Listener(event.kind)).await;
}

/// The answer of a handler: its status and text, or its failure.
type Answered = Result<(Status, &'static str), Status>;

#[unauthorized_handler]
async fn who_are_you(switch: &State<Switch>) -> Answered {
    match switch.pass(Point::UnauthorizedHandler).await {
        Ok(()) => Ok((Status::Unauthorized, "who are you?")),
        Err(_) => Err(Status::BadGateway),
    }
}

#[needs_refresh_handler]
async fn is_it_you(switch: &State<Switch>) -> Answered {
    match switch.pass(Point::NeedsRefreshHandler).await {
        Ok(()) => Ok((Status::Unauthorized, "is it you?")),
        Err(_) => Err(Status::BadGateway),
    }
}

#[forbidden_handler]
async fn not_you(switch: &State<Switch>) -> Answered {
    match switch.pass(Point::ForbiddenHandler).await {
        Ok(()) => Ok((Status::Forbidden, "not you")),
        Err(_) => Err(Status::BadGateway),
    }
}

async fn is_alice(user: &User, switch: &State<Switch>) -> Result<bool, &'static str> {
    switch.pass(Point::Condition).await?;
    Ok(user.id == "alice")
}

async fn is_member(user: &User, switch: &State<Switch>) -> Result<bool, &'static str> {
    switch.pass(Point::GroupCondition).await?;
    Ok(user.id == "alice")
}

#[login_required]
#[get("/page")]
fn page(switch: &State<Switch>) -> &'static str {
    switch.ran();
    "page"
}

#[login_required]
#[post("/page")]
fn post_page(switch: &State<Switch>) -> &'static str {
    switch.ran();
    "posted"
}

#[fresh_login_required]
#[get("/fresh-page")]
fn fresh_page(switch: &State<Switch>) -> &'static str {
    switch.ran();
    "fresh page"
}

#[login_required(if = is_alice)]
#[get("/alices")]
fn alices(switch: &State<Switch>) -> &'static str {
    switch.ran();
    "alice's page"
}

#[get("/members")]
fn members(switch: &State<Switch>) -> &'static str {
    switch.ran();
    "members' page"
}

#[post("/logout-others")]
async fn logout_others(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logout_others().await
}

#[post("/logout-realm")]
async fn logout_realm(session: LoginSession<'_, User>) -> Result<(), LoginError> {
    session.logout_realm().await
}

fn pages() -> Vec<Route> {
    let group = RouteGuard::login().only_if(condition!(is_member));
    let mut routes = routes![
        page,
        post_page,
        fresh_page,
        alices,
        logout_others,
        logout_realm
    ];
    routes.extend(routes![members].guarded(group));
    routes
}

/// A list of ended sessions that the switch can break.
fn list(switch: Switch) -> Revocations {
    Revocations::after(move |call| {
        let fault = switch.reach(match call {
            Call::Revoke => Point::Revoke,
            Call::RevokeUser => Point::RevokeUser,
            Call::RevokeRealm => Point::RevokeRealm,
            Call::Status => Point::Status,
            Call::Date => Point::Date,
        });
        Box::pin(async move {
            match fault {
                Some(fault) => fault.happen().await.map_err(RevocationError::new),
                None => Ok(()),
            }
        })
    })
}

/// What answers refused requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Front {
    /// The application's own handlers.
    Handlers,
    /// Login views, and a message in the visitor's language.
    Views,
}

/// The application on a socket, in the release profile.
pub struct Site {
    pub front: Front,
    pub switch: Switch,
    pub users: Users,
    pub clock: Clock,
    server: Server,
    /// For requests when nothing is broken.
    quiet: RefCell<Connection>,
}

impl Site {
    pub fn start(front: Front) -> Self {
        let switch = Switch::default();
        let mut app = App::new()
            .release()
            .set("login.session_protection", "strong")
            .routes(pages());
        let manager = LoginManager::new(load)
            .clock(app.clock.clone())
            .loader_timeout(Duration::from_millis(30))
            .revocation_list(list(switch.clone()))
            .request_loader(load_by_key)
            .event_listener(listen);
        app.manager = match front {
            Front::Handlers => manager
                .unauthorized_handler(who_are_you)
                .needs_refresh_handler(is_it_you)
                .forbidden_handler(not_you),
            Front::Views => manager
                .login_view("/login")
                .refresh_view("/confirm")
                .localize_callback(|message, req| {
                    let switch: &Switch = req.rocket().state().unwrap();
                    switch.reach(Point::LocalizeCallback);
                    format!("{message} S'il vous plaît.")
                }),
        };
        let (users, clock) = (app.users.clone(), app.clock.clone());
        users.put("carol");
        users.put(BROKEN);
        let server = Server::start(app.rocket().manage(switch.clone()));
        let quiet = RefCell::new(server.connect());
        Site {
            front,
            switch,
            users,
            clock,
            server,
            quiet,
        }
    }

    pub fn connect(&self) -> Connection {
        self.server.connect()
    }

    /// The cookies of a new login, as the form says.
    pub fn login(&self, form: &str) -> Jar {
        let mut jar = Jar::default();
        let reply = self.ask(&Sent::post("/login", &[], form));
        assert_eq!(status(&reply), 303, "{reply}");
        jar.keep(&reply);
        jar
    }

    pub fn post(&self, path: &str, jar: &Jar) -> String {
        self.ask(&Sent::post(path, &[&jar.line()], ""))
    }

    /// The user, freshness and memory of the cookies: together, and each of them alone.
    pub fn standing(&self, jar: &Jar) -> Vec<String> {
        let alone = jar.0.keys().map(|name| jar.only(name));
        let jars: Vec<_> = alone.chain([jar.clone()]).collect();
        let ask = |path, jar: &Jar| {
            let reply = self.ask(&Sent::get(path, &[&jar.line()]));
            format!("{} {}", status(&reply), body(&reply))
        };
        jars.iter()
            .map(|jar| format!("{}, {}", ask("/me", jar), ask("/status", jar)))
            .collect()
    }

    fn ask(&self, request: &Sent) -> String {
        self.quiet.borrow_mut().ask(request)
    }
}
