//! An application with every kind of route, which counts what runs behind its guards.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Rocket's handlers take what they are given"
)]

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use rocket::figment::Figment;
use rocket::form::Form;

use rocket::http::Status;
use rocket::outcome::IntoOutcome;
use rocket::request::{self, FlashMessage, FromRequest};
use rocket::response::Redirect;
use rocket::{
    Build, FromForm, Request, Rocket, State, catch, catchers, delete, get, options, patch, post,
    put, routes,
};
use rocket_login::{
    CurrentUser, Denied, Fresh, GuardRoutes, LoginError, LoginManager, LoginSession, Next,
    NextField, NextRedirect, UserMixin, anonymous_required, fresh_login_required, login_required,
    public, request_loader,
    revocation::{
        RevocationError, RevocationList, RevokeRealm, RevokeSession, RevokeUser, Revoked,
        SessionRef, SessionStatus, Successor, UnixTime, UserRef,
    },
    testing::Clock,
    user_loader,
};

/// The time of every request.
pub const NOW: u64 = 1_800_000_000;

/// The secret key, 32 bytes as text.
pub const KEY: &str = "a key of thirty-two bytes, or so";

pub const AUDIENCE: &str = "fuzz";

/// The start of a page that names its user.
pub const PAGE_OF: &str = "page of ";
pub const NOBODYS_PAGE: &str = "nobody's page";

/// The API key of a program.
pub const ROBOTS_KEY: &str = "robot-key-1";

#[derive(Clone, Debug, UserMixin)]
pub struct User {
    pub id: String,
    #[user(active)]
    active: bool,
    #[user(session_hash)]
    password: &'static str,
}

impl User {
    /// A user as the application once knew them.
    pub fn with(id: &str, password: &'static str) -> Self {
        User {
            id: id.to_owned(),
            active: id != "dave",
            password,
        }
    }

    /// Alice, bob and the robot exist; dave is inactive, erin has a new password, and nobody else exists.
    pub fn find(id: &str) -> Option<Self> {
        let password = match id {
            "alice" | "bob" | "dave" | "robot" => "old",
            "erin" => "new",
            _ => return None,
        };
        Some(Self::with(id, password))
    }
}

#[user_loader]
fn load_user(id: &str) -> Option<User> {
    User::find(id)
}

struct ApiKey<'r>(&'r str);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for ApiKey<'r> {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let key = req.headers().get_one("X-Api-Key").map(ApiKey);
        key.or_forward(Status::Unauthorized)
    }
}

#[request_loader]
fn load_from_request(key: Option<ApiKey<'_>>) -> Option<User> {
    key.filter(|key| key.0 == ROBOTS_KEY)
        .and_then(|_| User::find("robot"))
}

/// Ended sessions, and users whose sessions have ended; reset before each request.
#[derive(Clone, Default)]
pub struct Ended(Arc<Mutex<Lists>>);

#[derive(Clone, Default, PartialEq)]
pub struct Lists {
    logins: HashSet<[u8; 16]>,
    /// The session ids that a confirmation has replaced, each with its login.
    sessions: HashSet<([u8; 16], [u8; 8])>,
    users: HashSet<String>,
}

impl Ended {
    pub fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().expect("nothing panics under this lock")
    }
}

impl Lists {
    fn is_open(&self, session: SessionRef<'_>) -> bool {
        let login = *session.login_id.as_bytes();
        !self.logins.contains(&login)
            && !self
                .sessions
                .contains(&(login, *session.session_id.as_bytes()))
            && !self.users.contains(session.user_id)
    }
}

type Answer<T> = Result<T, RevocationError>;

#[rocket::async_trait]
impl RevocationList for Ended {
    async fn revoke(&self, ended: RevokeSession<'_>) -> Answer<Revoked> {
        let session = ended.session;
        let login = *session.login_id.as_bytes();
        let mut lists = self.lists();
        let was_open = lists.is_open(session);
        match ended.successor {
            Some(Successor::Session(_)) => {
                lists
                    .sessions
                    .insert((login, *session.session_id.as_bytes()));
            }
            _ => {
                lists.logins.insert(login);
            }
        }
        Ok(if was_open {
            Revoked::Now
        } else {
            Revoked::Before
        })
    }

    async fn revoke_user(&self, ended: RevokeUser<'_>) -> Answer<Revoked> {
        self.lists().users.insert(ended.user_id.to_owned());
        Ok(Revoked::Now)
    }

    async fn revoke_realm(&self, _: RevokeRealm<'_>) -> Answer<()> {
        Ok(())
    }

    async fn status(&self, session: SessionRef<'_>, _: UnixTime) -> Answer<SessionStatus> {
        Ok(match self.lists().is_open(session) {
            true => SessionStatus::Open,
            false => SessionStatus::Ended,
        })
    }

    async fn date(&self, _: UserRef<'_>, now: UnixTime) -> Answer<UnixTime> {
        Ok(now)
    }
}

/// The handlers that ran in one request.
#[derive(Default)]
pub struct Ran(Mutex<Vec<Run>>);

#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    /// A page that requires a login, with its user.
    Guarded(String),
    /// A page that requires a fresh login.
    Fresh(String),
    /// A page that requires a login, with an unsafe method.
    Unsafe(String),
    /// A page for visitors who are not logged in.
    Anonymous,
    /// An accepted login, logout or confirmation.
    Changed,
}

impl Ran {
    pub fn take(&self) -> Vec<Run> {
        std::mem::take(&mut self.0.lock().expect("nothing panics under this lock"))
    }

    fn note(&self, run: Run) {
        self.0
            .lock()
            .expect("nothing panics under this lock")
            .push(run);
    }

    /// Records the user of a page, and makes the page.
    fn page(&self, run: fn(String) -> Run, user: Option<&User>) -> String {
        let page = page_of(user);
        self.note(run(user.map_or(String::new(), |user| user.id.clone())));
        page
    }
}

fn page_of(user: Option<&User>) -> String {
    user.map_or(NOBODYS_PAGE.into(), |user| format!("{PAGE_OF}{}", user.id))
}

#[public]
#[get("/open")]
fn open() -> &'static str {
    "open"
}

/// Describes its visitor, logged in or not.
#[get("/me")]
fn me(user: CurrentUser<'_, User>) -> String {
    page_of(user.user())
}

#[get("/maybe")]
fn maybe(user: Option<&User>) -> String {
    page_of(user)
}

/// Protected by its attribute only, because `CurrentUser` lets everybody in.
#[login_required]
#[get("/private")]
fn private(user: CurrentUser<'_, User>, ran: &State<Ran>) -> String {
    ran.page(Run::Guarded, user.user())
}

#[get("/by-type")]
fn by_type(user: &User, ran: &State<Ran>) -> String {
    ran.page(Run::Guarded, Some(user))
}

#[login_required(if = |user: &User| user.id == "alice")]
#[get("/alices")]
fn alices(user: &User, ran: &State<Ran>) -> String {
    assert_eq!(user.id, "alice");
    ran.page(Run::Guarded, Some(user))
}

#[login_required]
#[options("/private")]
fn options_private(user: &User, ran: &State<Ran>) -> String {
    ran.page(Run::Guarded, Some(user))
}

#[login_required]
#[post("/private", data = "<body>")]
fn post_private(user: &User, body: &[u8], ran: &State<Ran>) -> String {
    let _ = body;
    ran.page(Run::Unsafe, Some(user))
}

#[login_required]
#[put("/private")]
fn put_private(user: CurrentUser<'_, User>, ran: &State<Ran>) -> String {
    ran.page(Run::Unsafe, user.user())
}

#[login_required]
#[patch("/private")]
fn patch_private(user: CurrentUser<'_, User>, ran: &State<Ran>) -> String {
    ran.page(Run::Unsafe, user.user())
}

#[login_required]
#[delete("/private")]
fn delete_private(user: &User, ran: &State<Ran>) -> String {
    ran.page(Run::Unsafe, Some(user))
}

#[fresh_login_required]
#[get("/fresh")]
fn fresh(user: CurrentUser<'_, User>, ran: &State<Ran>) -> String {
    ran.page(Run::Fresh, user.user())
}

#[get("/fresh-by-type")]
fn fresh_by_type(user: Fresh<'_, User>, ran: &State<Ran>) -> String {
    ran.page(Run::Fresh, Some(&user))
}

#[anonymous_required(redirect = "/me")]
#[get("/register")]
fn register(ran: &State<Ran>) -> &'static str {
    ran.note(Run::Anonymous);
    "register"
}

/// Any path without another route; below `/staff` a group guards the same route.
#[login_required]
#[get("/<_..>", rank = 20)]
fn everything(user: CurrentUser<'_, User>, ran: &State<Ran>) -> String {
    ran.page(Run::Guarded, user.user())
}

#[get("/<_..>")]
fn staff(user: CurrentUser<'_, User>, ran: &State<Ran>) -> String {
    ran.page(Run::Fresh, user.user())
}

#[derive(FromForm)]
struct LoginForm<'r> {
    user: &'r str,
    remember: bool,
    permanent: bool,
    next: NextField,
}

#[get("/login")]
fn login_page(flash: Option<FlashMessage<'_>>, next: Next) -> String {
    let flash = flash.map(|flash| flash.message().to_owned());
    format!("log in {flash:?} to {next}")
}

#[get("/confirm")]
fn confirm_page(next: Next) -> String {
    format!("confirm to {next}")
}

#[post("/login", data = "<form>")]
async fn login(
    form: Form<LoginForm<'_>>,
    session: LoginSession<'_, User>,
    ran: &State<Ran>,
    next: Next,
) -> Result<NextRedirect, LoginError> {
    let user = User::find(form.user).ok_or(LoginError::NotLoggedIn)?;
    let login = session.login_user(&user).remember(form.remember);
    login.permanent(form.permanent).await?;
    ran.note(Run::Changed);
    Ok(next.prefer(&form.next).or("/me"))
}

/// Calling it twice in one request has the same effect as calling it once.
#[post("/logout")]
async fn logout(session: LoginSession<'_, User>, ran: &State<Ran>) -> Result<Redirect, LoginError> {
    session.logout_user().await?;
    session.logout_user().await?;
    ran.note(Run::Changed);
    Ok(Redirect::to("/"))
}

#[post("/logout-everywhere")]
async fn logout_everywhere(
    session: LoginSession<'_, User>,
    ran: &State<Ran>,
) -> Result<Redirect, LoginError> {
    session.logout_everywhere().await?;
    ran.note(Run::Changed);
    Ok(Redirect::to("/"))
}

/// The name replaces a check of credentials.
#[post("/confirm", data = "<name>")]
async fn confirm(
    name: &str,
    session: LoginSession<'_, User>,
    ran: &State<Ran>,
    next: Next,
) -> Result<NextRedirect, LoginError> {
    let user = User::find(name).ok_or(LoginError::NotLoggedIn)?;
    session.confirm_login(&user).await?;
    ran.note(Run::Changed);
    Ok(next.or("/me"))
}

/// A mistake of the application: a change with a safe method.
#[get("/logout-by-link")]
async fn logout_by_link(
    session: LoginSession<'_, User>,
    ran: &State<Ran>,
) -> Result<Redirect, LoginError> {
    session.logout_user().await?;
    ran.note(Run::Changed);
    Ok(Redirect::to("/"))
}

#[get("/status")]
async fn status(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    let (fresh, remembered) = (
        session.login_fresh().await?,
        session.login_remembered().await?,
    );
    Ok(format!("fresh={fresh} remembered={remembered}"))
}

#[catch(default)]
fn any_error(status: Status, req: &Request<'_>) -> String {
    format!(
        "{status} {:?}",
        Denied::of(req).map(|denied| denied.reason())
    )
}

pub fn build(clock: Clock, ended: Ended, audience: &str) -> Rocket<Build> {
    let figment = Figment::from(rocket::Config::release_default())
        .merge(("log_level", "off"))
        .merge(("login.secret_key", KEY))
        .merge(("login.audience", audience))
        .merge(("login.trusted_proxies", ["10.0.0.0/8"]))
        .select("release");
    let manager = LoginManager::new(load_user)
        .request_loader(load_from_request)
        .revocation_list(ended)
        .clock(clock)
        .login_view("/login")
        .refresh_view("/confirm");
    rocket::custom(figment)
        .manage(Ran::default())
        .attach(manager)
        .register("/", catchers![any_error])
        .mount("/staff", routes![staff].fresh_login_required())
        .mount(
            "/",
            routes![
                open,
                me,
                maybe,
                private,
                by_type,
                alices,
                options_private,
                post_private,
                put_private,
                patch_private,
                delete_private,
                fresh,
                fresh_by_type,
                register,
                everything,
                login_page,
                confirm_page,
                login,
                logout,
                logout_everywhere,
                confirm,
                logout_by_link,
                status
            ],
        )
}
