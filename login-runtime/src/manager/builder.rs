//! What a developer attaches besides the settings: loaders, handlers, listeners, realm, clock, revocation list.

use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rocket::Request;

use crate::app::handler::{
    AnswerFn, EventListener, IntoEventListener, IntoForbiddenHandler, IntoNeedsRefreshHandler,
    IntoRequestLoader, IntoUnauthorizedHandler, IntoUserLoader, Localize, RequestLoader,
    UserLoader,
};
use crate::app::user::{UserMixin, UserType};
use crate::clock::Clock;
use crate::config::{Config, Settings};
use crate::realm::message::Message;
use crate::realm::{Realm, RealmCore};
use crate::revocation::{MemoryRevocations, RevocationList, Revocations};
use crate::token::keys::KeyRing;

/// Everything about the logins of one user type: loaders, handlers, settings. Attach it to the rocket.
///
/// Each setting is a method here and a key of the same name under `login` in Rocket's own
/// configuration; the method wins. A mistake stops the launch, with a message that names the
/// setting, where it was given, and the fix.
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

/// What the builder collects until the launch.
pub(super) struct Plan<U> {
    pub(super) settings: Settings,
    clock: Clock,
    revocations: Option<Box<dyn RevocationList>>,
    user_loader: UserLoader<U>,
    request_loader: Option<RequestLoader<U>>,
    listeners: Vec<EventListener<U>>,
    unauthorized_handler: Option<AnswerFn>,
    needs_refresh_handler: Option<AnswerFn>,
    forbidden_handler: Option<AnswerFn>,
    pub(super) realm: Option<String>,
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

    pub(super) fn set(self, set: impl FnOnce(&mut Settings)) -> Self {
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
    /// Its settings are under `login.realms.NAME`, and for those that are missing there, under `login`. It
    /// shares no cookie names and no views: its cookies are `NAME_session` and `NAME_remember_token`.
    /// Its keys are derived separately.
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

    /// Sets the clock.
    #[cfg(feature = "testing")]
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

impl<U> fmt::Debug for LoginManager<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginManager")
            .field("user_type", &std::any::type_name::<U>())
            .finish_non_exhaustive()
    }
}

impl<U: UserMixin> Plan<U> {
    pub(super) fn realm(self, config: Config) -> Realm<U> {
        // The realm's name is part of the derivation, so that two realms may swap the names of their cookies.
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
                user_type: UserType::of::<U>(),
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
