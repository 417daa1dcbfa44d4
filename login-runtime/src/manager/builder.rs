//! The builder's methods besides the settings: loaders, handlers, listeners, realm, clock, revocation list, registry of
//! logins.

use std::fmt;
use std::future::ready;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rocket::Request;
use rocket::futures::future::BoxFuture;

use super::store::{RegistrySource, Source, StoreSetup, secrets};
use crate::app::handler::{
    AnswerFn, EventListener, IntoEventListener, IntoForbiddenHandler, IntoNeedsRefreshHandler,
    IntoRequestLoader, IntoUnauthorizedHandler, IntoUserLoader, Localize, RequestLoader,
    UserLoader,
};
use crate::app::id_type::IdType;
use crate::app::user::{UserMixin, UserType};
use crate::clock::Clock;
use crate::config::{Config, Settings};
#[cfg(feature = "flask")]
use crate::flask::FlaskCookies;
use crate::logins::desk::Desk;
use crate::logins::{LoginRegistry, RegistryError};
use crate::realm::message::Message;
use crate::realm::outage::Outage;
use crate::realm::{Realm, RealmCore};
use crate::revocation::log::RevocationLog;
use crate::revocation::{RevocationError, RevocationList, Revocations};
use crate::token::keys::KeyRing;

/// The fairing that manages the logins of one user type: its loaders, handlers and settings.
///
/// Each setting is a method here, and a key of the same name under `login` in Rocket's configuration; the method wins.
/// A mistake stops the launch with a message that names the setting, where it was set, and the fix.
/// Attach it after every other fairing, such as one that sets caching headers: the last one decides.
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
    pub(super) plan: Mutex<Option<Plan<U>>>,
    pub(super) realm: OnceLock<Arc<Realm<U>>>,
}

/// Everything that the builder collects until the launch.
pub(super) struct Plan<U> {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) revocations: Source,
    pub(super) registry: RegistrySource,
    user_loader: UserLoader<U>,
    pub(super) id_type: Option<IdType>,
    request_loader: Option<RequestLoader<U>>,
    listeners: Vec<EventListener<U>>,
    unauthorized_handler: Option<AnswerFn>,
    needs_refresh_handler: Option<AnswerFn>,
    forbidden_handler: Option<AnswerFn>,
    pub(super) realm: Option<String>,
    localize: Option<Box<Localize>>,
    #[cfg(feature = "flask")]
    pub(super) flask: Option<FlaskCookies>,
}

impl<U: UserMixin> LoginManager<U> {
    /// Creates a manager that finds users with `user_loader`, a function under `#[user_loader]`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// let manager = LoginManager::new(load_user);
    /// ```
    #[doc(alias("init_app", "setup_app", "user_callback"))]
    pub fn new(user_loader: impl IntoUserLoader<User = U>) -> Self {
        let id_type = user_loader.id_type();
        Self::from_loader(user_loader.into_user_loader(), Some(id_type))
    }

    /// Creates a manager for users who never log in: each request identifies its user, for example by an API key.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, request_loader};
    /// # #[derive(UserMixin)] struct Robot { id: i64 }
    /// # struct ApiKey;
    /// # #[rocket::async_trait]
    /// # impl<'r> rocket::request::FromRequest<'r> for ApiKey {
    /// #     type Error = ();
    /// #     async fn from_request(_: &'r rocket::Request<'_>) -> rocket::request::Outcome<Self, ()> {
    /// #         rocket::request::Outcome::Success(ApiKey)
    /// #     }
    /// # }
    /// #[request_loader]
    /// fn load_robot(key: Option<ApiKey>) -> Option<Robot> {
    ///     key.map(|_| Robot { id: 7 })
    /// }
    ///
    /// let manager = LoginManager::from_requests(load_robot);
    /// ```
    pub fn from_requests(request_loader: impl IntoRequestLoader<User = U>) -> Self {
        let nobody: UserLoader<U> = |_, _| Box::pin(ready(Ok(None)));
        Self::from_loader(nobody, None).request_loader(request_loader)
    }

    fn from_loader(user_loader: UserLoader<U>, id_type: Option<IdType>) -> Self {
        LoginManager {
            plan: Mutex::new(Some(Plan {
                settings: Settings::default(),
                clock: Clock::system(),
                revocations: Source::default(),
                registry: RegistrySource::None,
                user_loader,
                id_type,
                request_loader: None,
                listeners: Vec::new(),
                unauthorized_handler: None,
                needs_refresh_handler: None,
                forbidden_handler: None,
                realm: None,
                localize: None,
                #[cfg(feature = "flask")]
                flask: None,
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

    pub(super) fn set(self, set: impl FnOnce(&mut Settings)) -> Self {
        self.with(|plan| set(&mut plan.settings))
    }

    /// Sets the loader that finds a user by the request itself if no login cookie does: a function under
    /// `#[request_loader]`.
    ///
    /// A guarded route then accepts a request of another site's page if the loader knows its user and the request has
    /// nothing that browsers send by themselves: no cookie, and no `Authorization` of the schemes Basic, Digest,
    /// Negotiate or NTLM. So do not let the loader know users by a client certificate or by their address.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader, request_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// # struct ApiKey;
    /// # #[rocket::async_trait]
    /// # impl<'r> rocket::request::FromRequest<'r> for ApiKey {
    /// #     type Error = ();
    /// #     async fn from_request(_: &'r rocket::Request<'_>) -> rocket::request::Outcome<Self, ()> {
    /// #         rocket::request::Outcome::Success(ApiKey)
    /// #     }
    /// # }
    /// #[request_loader]
    /// fn load_by_key(key: Option<ApiKey>) -> Option<User> {
    ///     key.map(|_| User { id: 7 })
    /// }
    ///
    /// let manager = LoginManager::new(load_user).request_loader(load_by_key);
    /// ```
    #[doc(alias("request_callback", "header_loader", "AUTH_HEADER_NAME"))]
    #[must_use]
    pub fn request_loader(self, loader: impl IntoRequestLoader<User = U>) -> Self {
        self.with(|plan| plan.request_loader = Some(loader.into_request_loader()))
    }

    /// Sets the handler that answers when nobody is logged in: a function under `#[unauthorized_handler]`.
    ///
    /// Its response replaces the redirect to the login page. Of the cookies that it sets, only those in the response's
    /// headers and Rocket's own flash are sent, not those in Rocket's cookie jar.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader, unauthorized_handler};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// #[unauthorized_handler]
    /// fn unauthorized() -> (rocket::http::Status, &'static str) {
    ///     (rocket::http::Status::Unauthorized, "please log in")
    /// }
    ///
    /// let manager = LoginManager::new(load_user).unauthorized_handler(unauthorized);
    /// ```
    #[must_use]
    pub fn unauthorized_handler(self, handler: impl IntoUnauthorizedHandler) -> Self {
        self.with(|plan| plan.unauthorized_handler = Some(handler.into_unauthorized_handler()))
    }

    /// Sets the handler that answers when the login is not fresh: a function under `#[needs_refresh_handler]`.
    ///
    /// Its response replaces the redirect to the refresh page.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader, needs_refresh_handler};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// #[needs_refresh_handler]
    /// fn needs_refresh() -> (rocket::http::Status, &'static str) {
    ///     (rocket::http::Status::Unauthorized, "please confirm your password")
    /// }
    ///
    /// let manager = LoginManager::new(load_user).needs_refresh_handler(needs_refresh);
    /// ```
    #[must_use]
    pub fn needs_refresh_handler(self, handler: impl IntoNeedsRefreshHandler) -> Self {
        self.with(|plan| plan.needs_refresh_handler = Some(handler.into_needs_refresh_handler()))
    }

    /// Sets the handler that answers when a route's condition does not hold: a function under `#[forbidden_handler]`.
    ///
    /// Default: the status is 403, and a catcher answers.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader, forbidden_handler};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// #[forbidden_handler]
    /// fn forbidden() -> (rocket::http::Status, &'static str) {
    ///     (rocket::http::Status::Forbidden, "this page is for editors")
    /// }
    ///
    /// let manager = LoginManager::new(load_user).forbidden_handler(forbidden);
    /// ```
    #[must_use]
    pub fn forbidden_handler(self, handler: impl IntoForbiddenHandler) -> Self {
        self.with(|plan| plan.forbidden_handler = Some(handler.into_forbidden_handler()))
    }

    /// Names the realm of this manager, for a second user type in one application.
    ///
    /// The settings of a realm are under `login.realms.NAME`; those that are missing there come from `login`, except
    /// cookie names, views and `device_binding_path`, which realms do not share. The cookies are `NAME_session` and `NAME_remember_token`, and
    /// the keys are derived separately.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[derive(UserMixin)] struct Staff { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// # #[user_loader] fn load_staff(id: i64) -> Option<Staff> { Some(Staff { id }) }
    /// let rocket = rocket::build()
    ///     .attach(LoginManager::new(load_user))
    ///     .attach(LoginManager::new(load_staff).realm("staff").login_view("/staff/login"));
    /// ```
    #[must_use]
    pub fn realm(self, name: impl Into<String>) -> Self {
        self.with(|plan| plan.realm = Some(name.into()))
    }

    /// Adds a listener for events: a function under `#[event_listener]`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader, event_listener, EventKind, LoginEvent};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// #[event_listener]
    /// fn count_logins(event: &LoginEvent<'_, User>) {
    ///     if event.kind == EventKind::LoggedIn {
    ///         println!("one more login");
    ///     }
    /// }
    ///
    /// let manager = LoginManager::new(load_user).event_listener(count_logins);
    /// ```
    #[must_use]
    pub fn event_listener(self, listener: impl IntoEventListener<User = U>) -> Self {
        self.with(|plan| plan.listeners.push(listener.into_event_listener()))
    }

    /// Sets a callback that translates both flashed messages into the language of the request.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// let manager = LoginManager::new(load_user).localize_callback(|message, request| {
    ///     match request.headers().get_one("Accept-Language") {
    ///         Some(language) if language.starts_with("de") => "Bitte anmelden.".to_owned(),
    ///         _ => message.to_owned(),
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn localize_callback(
        self,
        localize: impl Fn(&str, &Request<'_>) -> String + Send + Sync + 'static,
    ) -> Self {
        self.with(|plan| plan.localize = Some(Box::new(localize)))
    }

    /// Accepts the cookies of a Flask application with Flask-Login, so that its users stay logged in when it moves here.
    ///
    /// Where no cookie of ours logs anybody in, Flask's session cookie and then its remember cookie are read. What Flask
    /// would accept becomes a login of ours at once, and the cookies of Flask are removed:
    ///
    /// - The login is not fresh, and has this manager's lifetimes. A permanent session becomes a permanent login, and a
    ///   remember cookie becomes one of ours.
    /// - Each emits [`EventKind::LoadedFromFlask`](crate::EventKind::LoadedFromFlask), and a log line counts them. When
    ///   the count stands still, remove the call; [`until`](FlaskCookies::until) is the latest day.
    /// - A logout ends, for this user, every session cookie that Flask has signed so far, and every remember cookie of
    ///   Flask, copies included: they have no date, so a later one looks the same. The user's other browsers that have come
    ///   across stay logged in; those that have not must log in. `logout_everywhere`, `end_login`, and a `confirm_login`
    ///   after a new session hash, such as a new password, do the same.
    /// - With `max_logins_per_user`, a login from Flask counts as any other: the user's oldest login ends, or the cookie is
    ///   refused, as `at_login_limit` says, and the log names the setting. While they cannot be counted, the answer is 503
    ///   and the cookie stays, unless `require_login_registry` is `false`. Logins that are only at Flask do not count.
    /// - [`SessionProtection::Strong`](crate::SessionProtection::Strong) compares the client with the one that
    ///   Flask-Login has bound the session to, address and `User-Agent` in full.
    /// - A cross-site request that browsers send without opening a page, such as one for an image, brings no login
    ///   across: Flask's cookies have no `SameSite` unless set.
    ///
    /// Whoever knows Flask's secret key can log in as anybody until that day: this is a second way in. While Flask is
    /// running [side by side](FlaskCookies::side_by_side), a thief with a copy of its session can have it signed again
    /// there, after a logout as before it.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// use rocket_login::flask::FlaskCookies;
    ///
    /// # let [secret_key, older_key] = ["..", "..."];
    /// let manager = LoginManager::new(load_user).accept_flask(
    ///     FlaskCookies::new(secret_key).secret_key_fallbacks([older_key]).until("2027-03-31"),
    /// );
    /// ```
    #[cfg(feature = "flask")]
    #[must_use]
    pub fn accept_flask(self, cookies: FlaskCookies) -> Self {
        self.with(|plan| plan.flask = Some(cookies))
    }

    /// Sets the clock, for tests that move the time.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// use rocket_login::testing::Clock;
    ///
    /// let clock = Clock::manual(1_800_000_000);
    /// let manager = LoginManager::new(load_user).clock(clock.clone());
    /// ```
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.with(|plan| plan.clock = clock)
    }

    /// Sets a list of ended logins that several servers share; by default each process has its own.
    ///
    /// See [`RevocationList`] for a list of your own.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// use rocket_login::revocation::MemoryRevocations;
    ///
    /// let manager = LoginManager::new(load_user).revocation_list(MemoryRevocations::new(10_000));
    /// ```
    #[must_use]
    pub fn revocation_list(self, list: impl RevocationList) -> Self {
        self.with(|plan| plan.revocations = Source::List(Box::new(list)))
    }

    /// Sets a store of ended logins that several servers share, and that survives a restart.
    ///
    /// It is opened when Rocket ignites, so it can use what earlier fairings manage. The launch stops if the store cannot
    /// be read. Its settings are under `login.store`. With several managers, each calls this for itself; they can use one
    /// store.
    ///
    /// See [`RevocationLog`] for a store of your own.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// use rocket_login::testing::store::MemoryLog;
    ///
    /// let manager = LoginManager::new(load_user)
    ///     .revocation_store(|setup| Box::pin(async move {
    ///         // `MemoryLog` is for tests; a real store is opened with `setup.url()?`.
    ///         Ok(MemoryLog::new())
    ///     }));
    /// ```
    #[must_use]
    pub fn revocation_store<L: RevocationLog>(
        self,
        open: impl for<'r> FnOnce(StoreSetup<'r>) -> BoxFuture<'r, Result<L, RevocationError>>
        + Send
        + 'static,
    ) -> Self {
        self.with(|plan| plan.revocations = Source::store(open))
    }

    /// Sets a registry of logins, for pages that show users where they are logged in; by default there is none.
    ///
    /// [`LoginSession::logins`](crate::LoginSession::logins) is the list, and
    /// [`end_login`](crate::LoginSession::end_login) ends one of them. See [`LoginRegistry`] for a registry of your own.
    ///
    /// With a registry, a session that is in use gets a new cookie at least every five minutes, so that the list says when
    /// it was last used.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// use rocket_login::logins::MemoryRegistry;
    ///
    /// let manager = LoginManager::new(load_user).login_registry(MemoryRegistry::new());
    /// ```
    #[must_use]
    pub fn login_registry(self, registry: impl LoginRegistry) -> Self {
        self.with(|plan| plan.registry = RegistrySource::Ready(Arc::new(registry)))
    }

    /// Sets a registry of logins that is opened when Rocket ignites, so it can use what earlier fairings manage.
    ///
    /// `setup.url()` is the setting `login.store.url`: a store of ended logins and a registry go well together.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// use rocket_login::logins::MemoryRegistry;
    ///
    /// let manager = LoginManager::new(load_user)
    ///     .login_registry_from(|setup| Box::pin(async move { Ok(MemoryRegistry::new()) }));
    /// ```
    #[must_use]
    pub fn login_registry_from<L: LoginRegistry>(
        self,
        open: impl for<'r> FnOnce(StoreSetup<'r>) -> BoxFuture<'r, Result<L, RegistryError>>
        + Send
        + 'static,
    ) -> Self {
        self.with(|plan| plan.registry = RegistrySource::opened_by(open))
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
    pub(super) fn realm(
        self,
        config: Config,
        revocations: Revocations,
        registry: Option<Arc<dyn LoginRegistry>>,
    ) -> Realm<U> {
        let audience = audience(&config);
        let name = name(&config);
        let ring = KeyRing::new(
            &config.secret_key,
            &config.secret_key_fallbacks,
            &audience,
            &config.session_cookie.name,
            &config.remember_cookie.name,
        );
        let timeout = config.loader_timeout;
        let desk = |registry| Desk::new(registry, &name, secrets(&config), timeout);
        let desk = registry.map(desk);
        // Without a user loader, users do not log in: each request identifies its user.
        let has_logins = self.id_type.is_some();
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
                user_type: UserType::of::<U>(),
                config,
                ring,
                clock: self.clock,
                revocations,
                desk,
                sends_to_login: has_logins && self.unauthorized_handler.is_none(),
                sends_to_refresh: has_logins && self.needs_refresh_handler.is_none(),
                warned_of_host: AtomicBool::new(false),
                warned_of_redirect: AtomicBool::new(false),
                outage: Outage::default(),
                name,
                #[cfg(feature = "flask")]
                flask: None,
            },
            user_loader: self.user_loader,
            id_type: self.id_type,
            request_loader: self.request_loader,
            listeners: self.listeners,
            unauthorized_handler: self.unauthorized_handler,
            needs_refresh_handler: self.needs_refresh_handler,
            forbidden_handler: self.forbidden_handler,
            localize: self.localize,
        }
    }
}

/// The keys depend on the realm's name, so two realms that swap their cookie names still refuse each other's cookies.
fn audience(config: &Config) -> String {
    match &config.realm {
        Some(realm) => format!("{}\n{realm}", config.audience),
        None => config.audience.clone(),
    }
}

/// The name of a realm in a list of ended logins. Managers with the same keys share its entries; all others have their
/// own.
pub(super) fn name(config: &Config) -> String {
    format!("{}\n{}", audience(config), config.session_cookie.name)
}
