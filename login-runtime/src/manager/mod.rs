//! `LoginManager`: what a developer attaches to the rocket, and the fairing that puts it to work.

mod builder;
mod clash;
mod fairing;
mod settings;

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::{Method, SameSite};
use rocket::{Build, Orbit, Request, Response, Rocket};
use tracing::{error, warn};

use crate::access::denial::Denied;
use crate::access::user::erased;
use crate::app::handler::{
    AnswerFn, EventListener, IntoEventListener, IntoForbiddenHandler, IntoNeedsRefreshHandler,
    IntoRequestLoader, IntoUnauthorizedHandler, IntoUserLoader, RequestLoader, UserLoader,
};
use crate::app::user::UserMixin;
use crate::audit::{self, audit};
use crate::clock::Clock;
use crate::config::{
    Config, IdleTimeout, KeyInput, ProtectionAddress, SessionProtection, Settings, UnguardedRoutes,
};
use crate::login::visit::Visit;
use crate::realm::{Realm, RealmCore, Realms, Revocations, peek};
use crate::request::cross_site::CrossSiteProtection;
use crate::response::answer;
use crate::response::cookies;
use crate::response::flash::Message;
use crate::revocation::{MemoryRevocations, RevocationList};
use crate::token::keys::KeyRing;

/// A callback that puts a flashed message into the language of the request.
pub type Localize = dyn Fn(&str, &Request<'_>) -> String + Send + Sync;

/// Everything about the logins of one user type: loaders, handlers, settings. Attach it to the rocket.
///
/// Each setting is a method here and a key of the same name under `login` in Rocket's own
/// configuration; the method wins. What cannot work stops the launch, with a message that names
/// the setting and the mend.
///
/// # Example
///
/// ```rust,no_run
/// # #[macro_use] extern crate rocket;
/// use rocket_login::{LoginManager, UserMixin, user_loader};
///
/// #[derive(UserMixin)]
/// struct User { id: i64 }
///
/// #[user_loader]
/// fn load_user(id: i64) -> Option<User> {
///     Some(User { id })
/// }
///
/// #[get("/login")]
/// fn login_page() -> &'static str { "please log in" }
///
/// #[launch]
/// fn rocket() -> _ {
///     rocket::build()
///         .attach(LoginManager::new(load_user).login_view(uri!(login_page)))
///         .mount("/", routes![login_page])
/// }
/// ```
pub struct LoginManager<U> {
    plan: Mutex<Option<Plan<U>>>,
    realm: OnceLock<Arc<Realm<U>>>,
}

/// What the builder collects until the launch.
struct Plan<U> {
    settings: Settings,
    clock: Clock,
    revocations: Option<Box<dyn RevocationList>>,
    user_loader: UserLoader<U>,
    request_loader: Option<RequestLoader<U>>,
    listeners: Vec<EventListener<U>>,
    unauthorized_handler: Option<AnswerFn>,
    needs_refresh_handler: Option<AnswerFn>,
    forbidden_handler: Option<AnswerFn>,
    realm: Option<String>,
    localize: Option<Box<Localize>>,
}

impl<U: UserMixin> LoginManager<U> {
    /// Creates a manager that finds users by `user_loader`, a function under `#[user_loader]`.
    pub fn new(user_loader: impl IntoUserLoader<User = U>) -> Self {
        Self::from_loader(user_loader.into_user_loader())
    }

    /// Creates a manager whose users come by the request itself and never log in, such as by API key.
    pub fn from_requests(request_loader: impl IntoRequestLoader<User = U>) -> Self {
        Self::from_loader(|_, _| Box::pin(ready(Ok(None)))).request_loader(request_loader)
    }

    fn from_loader(user_loader: UserLoader<U>) -> Self {
        LoginManager {
            plan: Mutex::new(Some(Plan {
                settings: Settings::default(),
                clock: Clock::system(),
                revocations: None,
                user_loader,
                request_loader: None,
                listeners: Vec::new(),
                unauthorized_handler: None,
                needs_refresh_handler: None,
                forbidden_handler: None,
                realm: None,
                localize: None,
            })),
            realm: OnceLock::new(),
        }
    }

    fn with(mut self, set: impl FnOnce(&mut Plan<U>)) -> Self {
        let plan = self.plan.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plan {
            set(plan);
        }
        self
    }

    fn set(self, set: impl FnOnce(&mut Settings)) -> Self {
        self.with(|plan| set(&mut plan.settings))
    }

    /// Sets the loader that is asked last, about the request itself: a function under `#[request_loader]`.
    #[must_use]
    pub fn request_loader(self, loader: impl IntoRequestLoader<User = U>) -> Self {
        self.with(|plan| plan.request_loader = Some(loader.into_request_loader()))
    }

    /// Sets the whole answer to a request for which nobody is logged in: a function under
    /// `#[unauthorized_handler]`.
    ///
    /// A cookie goes out with it only if it is in the response's headers or Rocket's own flash.
    #[must_use]
    pub fn unauthorized_handler(self, handler: impl IntoUnauthorizedHandler) -> Self {
        self.with(|plan| plan.unauthorized_handler = Some(handler.into_unauthorized_handler()))
    }

    /// Sets the whole answer to a request for which the login is not fresh: a function under
    /// `#[needs_refresh_handler]`.
    #[must_use]
    pub fn needs_refresh_handler(self, handler: impl IntoNeedsRefreshHandler) -> Self {
        self.with(|plan| plan.needs_refresh_handler = Some(handler.into_needs_refresh_handler()))
    }

    /// Sets the whole answer to a request for which a route's condition does not hold: a function
    /// under `#[forbidden_handler]`. Default: the 403 stands, for a catcher.
    #[must_use]
    pub fn forbidden_handler(self, handler: impl IntoForbiddenHandler) -> Self {
        self.with(|plan| plan.forbidden_handler = Some(handler.into_forbidden_handler()))
    }

    /// Names a realm, for a second user type in one application.
    ///
    /// Its settings stand under `login.realms.NAME`, over those under `login` (but for cookie names
    /// and views, which are its own); its cookies are called `NAME_session` and
    /// `NAME_remember_token`, and its keys are derived apart.
    #[must_use]
    pub fn realm(self, name: impl Into<String>) -> Self {
        self.with(|plan| plan.realm = Some(name.into()))
    }

    /// Adds a listener for events: a function under `#[event_listener]`.
    #[must_use]
    pub fn event_listener(self, listener: impl IntoEventListener<User = U>) -> Self {
        self.with(|plan| plan.listeners.push(listener.into_event_listener()))
    }

    /// Sets a callback that puts both flashed messages into the request's language.
    #[must_use]
    pub fn localize_callback(
        self,
        localize: impl Fn(&str, &Request<'_>) -> String + Send + Sync + 'static,
    ) -> Self {
        self.with(|plan| plan.localize = Some(Box::new(localize)))
    }

    /// Sets the clock, for tests.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.with(|plan| plan.clock = clock)
    }

    /// Sets a list of ended sessions that several servers share; by default each process has its own.
    #[must_use]
    pub fn revocation_list(self, list: impl RevocationList) -> Self {
        self.with(|plan| plan.revocations = Some(Box::new(list)))
    }
}

macro_rules! setters {
    ($( $(#[doc = $doc:literal])* $name:ident($arg:ident: $type:ty) $value:expr; )*) => {
        /// Settings; each is also a key of the same name under `login` in Rocket's configuration.
        impl<U: UserMixin> LoginManager<U> {
            $(
                $(#[doc = $doc])*
                #[must_use]
                pub fn $name(self, $arg: $type) -> Self {
                    self.set(|settings| settings.$name = Some($value))
                }
            )*
        }
    };
}

setters! {
    /// Sets the secret that signs the cookies: 32 bytes or more, as base64, hexadecimal or plain text.
    ///
    /// Default: Rocket's own `secret_key`. In the debug profile a random one, else no launch.
    secret_key(key: impl Into<String>) KeyInput::Text(key.into());
    /// Sets retired secrets, the latest first, at most three: they still verify, and no longer sign.
    ///
    /// Default: none.
    secret_key_fallbacks(keys: impl IntoIterator<Item = impl Into<String>>)
        keys.into_iter().map(|key| KeyInput::Text(key.into())).collect();
    /// Sets the application's name in the derivation of keys, so that two applications with one
    /// secret do not take each other's cookies. Changing it ends every login.
    ///
    /// Default: the crate that defines the user type.
    audience(name: impl Into<String>) name.into();

    /// Sets the session cookie's name. Default: `login_session`, with `__Host-` before it where the
    /// cookie is Secure, has the path `/` and no domain.
    session_cookie_name(name: impl Into<String>) name.into();
    /// Sets the session cookie's domain. Default: none, so that no sibling host gets it.
    session_cookie_domain(domain: impl Into<String>) domain.into();
    /// Sets the session cookie's path. Default: `/`.
    session_cookie_path(path: impl Into<String>) path.into();
    /// Sets whether the session cookie is sent over HTTPS only. Default: yes outside the debug profile.
    session_cookie_secure(secure: bool) secure;
    /// Sets the session cookie's `SameSite`. Default: `Lax`.
    session_cookie_samesite(same_site: SameSite) same_site;
    /// Sets how long a session lasts at the most, from login on. Default: 24 hours.
    session_lifetime(lifetime: Duration) lifetime;
    /// Sets how long a permanent login lasts. Default: 31 days.
    permanent_session_lifetime(lifetime: Duration) lifetime;
    /// Sets after how long without a request a session ends; `None`: never. Default: 1 hour.
    ///
    /// A permanent login has none.
    session_idle_timeout(timeout: Option<Duration>) IdleTimeout(timeout);
    /// Sets for how long after the credentials were given a login is fresh. Default: as long as it lasts.
    fresh_lifetime(lifetime: Duration) lifetime;

    /// Sets the remember cookie's name. Default: `remember_token`, with `__Host-` as for the session.
    remember_cookie_name(name: impl Into<String>) name.into();
    /// Sets how long a login is remembered, at most 400 days. Default: 365 days.
    remember_cookie_duration(duration: Duration) duration;
    /// Sets the remember cookie's domain. Default: none.
    remember_cookie_domain(domain: impl Into<String>) domain.into();
    /// Sets the remember cookie's path. Default: `/`.
    remember_cookie_path(path: impl Into<String>) path.into();
    /// Sets whether the remember cookie is sent over HTTPS only. Default: yes outside the debug profile.
    remember_cookie_secure(secure: bool) secure;
    /// Sets whether scripts cannot read the remember cookie. Default: they cannot.
    remember_cookie_httponly(http_only: bool) http_only;
    /// Sets the remember cookie's `SameSite`. Default: `Lax`.
    remember_cookie_samesite(same_site: SameSite) same_site;
    /// Sets whether use prolongs a remember cookie by its own duration, to 400 days in all. Default: no.
    remember_cookie_refresh_each_request(refresh: bool) refresh;

    /// Sets what happens to a login that comes from another client. Default: `Basic`.
    session_protection(protection: SessionProtection) protection;
    /// Sets how much of the client's address counts. Default: `Full`.
    session_protection_address(address: ProtectionAddress) address;
    /// Sets the proxies that may say whom they speak for, as addresses or networks. Default: none;
    /// the client is who holds the other end of the connection.
    trusted_proxies(networks: impl IntoIterator<Item = impl Into<String>>)
        networks.into_iter().map(Into::into).collect();
    /// Sets the header in which a trusted proxy says so. Default: `X-Forwarded-For`.
    proxy_header(name: impl Into<String>) name.into();

    /// Sets the page to which browsers are sent to log in: a path of this site, such as from
    /// `uri!`, or an absolute URL. Default: none; they get a 401.
    login_view(view: impl fmt::Display) view.to_string();
    /// Sets the page for logins that are not fresh. Default: none; a 401.
    refresh_view(view: impl fmt::Display) view.to_string();
    /// Sets what is flashed before the login page; empty: nothing. Default: `Please log in to access this page.`
    login_message(message: impl Into<String>) message.into();
    /// Sets the kind of that flash. Default: `message`.
    login_message_category(category: impl Into<String>) category.into();
    /// Sets what is flashed before the refresh page; empty: nothing. Default: `Please reauthenticate to access this page.`
    needs_refresh_message(message: impl Into<String>) message.into();
    /// Sets the kind of that flash. Default: `message`.
    needs_refresh_message_category(category: impl Into<String>) category.into();
    /// Sets whether the wanted page is kept in a cookie for ten minutes rather than in the login
    /// page's address. Default: no.
    use_session_for_next(use_session: bool) use_session;
    /// Sets this site's host, where login pages are reached under it whatever the request says;
    /// needed to come back from a login page on another site. Default: none; redirects are relative.
    force_host_for_redirects(host: impl Into<String>) host.into();

    /// Sets methods that guarded routes let through, as Flask-Login does OPTIONS. Default: none.
    ///
    /// Only `#[login_required]` and `#[fresh_login_required]` know exemptions: a route that asks for
    /// the user cannot do without.
    exempt_methods(methods: impl IntoIterator<Item = Method>) methods.into_iter().collect();
    /// Sets how requests from other sites are told apart. Default: `Standard`.
    cross_site_protection(protection: CrossSiteProtection) protection;
    /// Sets further origins that may send changes, such as `https://app.example`. Default: none.
    trusted_origins(origins: impl IntoIterator<Item = impl Into<String>>)
        origins.into_iter().map(Into::into).collect();
    /// Sets what a launch does with routes that are neither guarded nor marked by `#[public]`.
    /// Default: `Allow`.
    unguarded_routes(routes: UnguardedRoutes) routes;
    /// Sets whether a logout tells the browser to forget caches and storage (`Clear-Site-Data`). Default: no.
    clear_site_data(clear: bool) clear;
    /// Sets whether cookies without Secure or `HttpOnly` are let pass outside the debug profile. Default: no.
    insecure_cookies(insecure: bool) insecure;
    /// Sets how long a loader, handler or listener may take. Default: 5 seconds.
    loader_timeout(timeout: Duration) timeout;
    /// Sets how many ended sessions the process keeps one by one; beyond, a logout ends all logins
    /// of its user. Default: 1,000,000, about 50 MB.
    revocation_capacity(sessions: usize) sessions;
}

impl<U: UserMixin> LoginManager<U> {
    /// Sets the login page for everything under a mount point; the longest base around a request wins.
    ///
    /// Flask-Login's `blueprint_login_views`; the key is `mount_login_views`, a table from base to page.
    #[must_use]
    pub fn mount_login_view(self, base: impl fmt::Display, view: impl fmt::Display) -> Self {
        self.set(|settings| {
            settings
                .mount_login_views
                .get_or_insert_with(BTreeMap::new)
                .insert(base.to_string(), view.to_string());
        })
    }
}

impl<U> fmt::Debug for LoginManager<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginManager")
            .field("user_type", &std::any::type_name::<U>())
            .finish_non_exhaustive()
    }
}

impl<U: UserMixin> Plan<U> {
    fn realm(self, config: Config) -> Realm<U> {
        // The realm's name stands in the derivation, so that cookies may change names between realms.
        let audience = match &config.realm {
            Some(realm) => format!("{}\n{realm}", config.audience),
            None => config.audience.clone(),
        };
        let ring = KeyRing::new(
            &config.secret_key,
            &config.secret_key_fallbacks,
            &audience,
            &config.session_cookie.name,
            &config.remember_cookie.name,
        );
        let revocations = match self.revocations {
            Some(list) => Revocations::Shared {
                list,
                timeout: config.loader_timeout,
            },
            None => {
                Revocations::Memory(Box::new(MemoryRevocations::new(config.revocation_capacity)))
            }
        };
        let message = |text: &Option<String>, category: &String| {
            let text = text.clone()?;
            let secure = config.session_cookie.secure;
            Some(Message::new(text, category.clone(), secure))
        };
        Realm {
            login_message: message(&config.login_message, &config.login_message_category),
            needs_refresh_message: message(
                &config.needs_refresh_message,
                &config.needs_refresh_message_category,
            ),
            core: RealmCore {
                user_type: TypeId::of::<U>(),
                user_type_name: std::any::type_name::<U>(),
                config,
                ring,
                clock: self.clock,
                revocations,
            },
            user_loader: self.user_loader,
            request_loader: self.request_loader,
            listeners: self.listeners,
            unauthorized_handler: self.unauthorized_handler,
            needs_refresh_handler: self.needs_refresh_handler,
            forbidden_handler: self.forbidden_handler,
            localize: self.localize,
        }
    }
}

/// The crate that defines a type, which is as near as a library comes to the application's name.
fn crate_of<U>() -> &'static str {
    let name = std::any::type_name::<U>();
    name.split_once("::").map_or(name, |(krate, _)| krate)
}

/// Says what is seldom meant; what several realms share, once.
fn warn_once(rocket: &Rocket<Build>, warnings: Vec<String>) {
    for warning in warnings {
        if Realms::is_news(rocket, &warning) {
            warn!("{warning}");
        }
    }
}

/// Says why the launch stops.
fn report(mistakes: &[impl fmt::Display]) {
    for mistake in mistakes {
        error!("{mistake}");
    }
}

/// Mistakes that concern several managers of one application.
fn clashes<U: UserMixin>(config: &Config, rocket: &Rocket<Build>) -> Vec<String> {
    let mut clashes = Vec::new();
    for other in Realms::all(rocket) {
        let other = other.core();
        if other.user_type == TypeId::of::<U>() {
            clashes.push(format!(
                "two `LoginManager`s for `{}` are attached: attach one",
                other.user_type_name
            ));
            continue;
        }
        let cookies = |config: &Config| {
            [
                ("session_cookie_name", config.session_cookie.name.clone()),
                ("remember_cookie_name", config.remember_cookie.name.clone()),
                ("realm", config.next_cookie.name.clone()),
            ]
        };
        let both_keep_next = config.use_session_for_next && other.config.use_session_for_next;
        let theirs = cookies(&other.config);
        for (setting, name) in cookies(config) {
            let is_taken = |(taken_by, taken): &(&str, String)| {
                *taken == name && (setting != *taken_by || setting != "realm" || both_keep_next)
            };
            if theirs.iter().any(is_taken) {
                clashes.push(format!(
                    "`{setting}`: the managers for `{}` and `{}` both use the cookie `{name}`: \
                     give one of them another name with `.{setting}(..)`",
                    other.user_type_name,
                    std::any::type_name::<U>(),
                ));
            }
        }
    }
    clashes
}

#[rocket::async_trait]
impl<U: UserMixin> Fairing for LoginManager<U> {
    fn info(&self) -> Info {
        Info {
            name: "Login Manager",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Response,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let plan = self
            .plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut plan) = plan else {
            error!("this `LoginManager` has been launched before: build a new one");
            return Err(rocket);
        };
        let rocket = match rocket.state::<Realms>() {
            Some(_) => rocket,
            None => rocket.manage(Realms::default()),
        };
        let settings = std::mem::take(&mut plan.settings);
        let realm = plan.realm.as_deref();
        let config = match Config::new(settings, rocket.figment(), realm, crate_of::<U>()) {
            Ok((config, warnings)) => {
                warn_once(&rocket, warnings);
                config
            }
            Err(mistakes) => {
                if let Some(realm) = realm {
                    error!("the settings of the realm `{realm}` are wrong:");
                }
                report(&mistakes);
                return Err(rocket);
            }
        };
        let clashes = clashes::<U>(&config, &rocket);
        if !clashes.is_empty() {
            report(&clashes);
            return Err(rocket);
        }
        let realm = Arc::new(plan.realm(config));
        let _ = self.realm.set(Arc::clone(&realm));
        if let Some(realms) = rocket.state::<Realms>() {
            realms.add(erased(&realm));
        }
        Ok(rocket.manage(realm))
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        // One audit for all managers, by the first of them.
        let first = Realms::all(rocket).into_iter().next();
        if first.is_some_and(|realm| realm.core().user_type == TypeId::of::<U>()) {
            let audit = audit(rocket);
            audit::print(&audit);
            for missing in audit::missing_views(rocket) {
                warn!("{missing}");
            }
            audit::stop(&audit::mistakes(rocket, &audit));
        }
    }

    fn on_response<'r, 'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        req: &'r Request<'life1>,
        res: &'life2 mut Response<'r>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'r: 'async_trait,
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        // A request that asked nothing of the user pays for one look-up and no allocation.
        let (Some(visit), Some(realm)) = (peek::<Visit<U>>(req), self.realm.get()) else {
            return Box::pin(Done);
        };
        let denied = Denied::of(req).filter(|denied| denied.realm == realm.core.user_type);
        let Some(denied) = denied else {
            finish(realm, visit, res, false);
            return Box::pin(Done);
        };
        Box::pin(async move {
            let answered = answer::answer(realm, req, res, denied).await;
            finish(realm, visit, res, answered);
        })
    }
}

/// A future of no size, so that boxing it allocates nothing.
struct Done;

impl Future for Done {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// What happens to every response that depends on the user: the cookies, the caching.
fn finish<U: UserMixin>(
    realm: &Realm<U>,
    visit: &Visit<U>,
    res: &mut Response<'_>,
    answered: bool,
) {
    let pending = visit.pending();
    // A failure touches no cookie, but takes nothing back that was accepted.
    let writes = pending.writes() && (visit.has_changed() || !visit.failed());
    if writes {
        cookies::write(&realm.core, &pending, res);
    }
    if answered || writes || visit.consulted() {
        answer::keep_private(res);
    }
}
