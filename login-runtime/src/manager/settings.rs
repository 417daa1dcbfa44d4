//! The methods that set a setting, from the table of settings.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rocket::http::{Method, SameSite};

use super::LoginManager;
use crate::app::user::UserMixin;
use crate::config::table::{argument, converted, settings_table, shown};
use crate::config::{
    AtLimit, DeviceBinding, IdleTimeout, KeyInput, MountView, OnLoss, OnStale, SessionProtection,
    StoreUrl, UnguardedRoutes,
};
use crate::request::cross_site::CrossSiteProtection;
use crate::request::fingerprint::ProtectionAddress;

macro_rules! setters {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($argument:tt: $kind:ident) = $default:tt
            $(-> $checked:ty $(, check $check:path)?)?;
    )*) => {
        /// Settings; each is also a key of the same name under `login` in Rocket's configuration.
        ///
        /// # Example
        ///
        /// ```rust
        /// # use rocket_login::{LoginManager, UserMixin, user_loader};
        /// # #[derive(UserMixin)] struct User { id: i64 }
        /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
        /// use std::time::Duration;
        /// use rocket_login::config::SessionProtection;
        ///
        /// let manager = LoginManager::new(load_user)
        ///     .login_view("/login")
        ///     .session_idle_timeout(Some(Duration::from_secs(15 * 60)))
        ///     .session_protection(SessionProtection::Strong)
        ///     .trusted_proxies(["10.0.0.0/8", "192.0.2.1"]);
        /// ```
        ///
        /// The same settings in `Rocket.toml`:
        ///
        /// ```toml
        /// [default.login]
        /// login_view = "/login"
        /// session_idle_timeout = "15 minutes"
        /// session_protection = "strong"
        /// trusted_proxies = ["10.0.0.0/8", "192.0.2.1"]
        /// ```
        impl<U: UserMixin> LoginManager<U> {
            $( setter! { [$($doc),+] $name($argument: $kind) = $default } )*
        }
    };
}

macro_rules! setter {
    // `mount_login_view`, below.
    ([$($doc:literal),+] $name:ident(_: $kind:ident) = $default:tt) => {};
    ([$($doc:literal),+] $name:ident($argument:ident: $kind:ident) = $default:tt) => {
        $( #[doc = $doc] )+
        ///
        #[doc = concat!(" Default: ", shown!($kind $default), ".")]
        #[must_use]
        pub fn $name(self, $argument: argument!($kind)) -> Self {
            self.set(|settings| settings.$name = Some(converted!($kind $argument)))
        }
    };
}

settings_table!(setters);

/// A login page: whatever prints as a path of this site, such as from `uri!`, or as an absolute URL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a login page",
    label = "write a path of this site, such as `uri!(login_page)` or `\"/login\"`",
    note = "for a mount point without a login page, call `.mount_without_login_view(base)`"
)]
pub trait LoginPage: fmt::Display {}

// The compiler would otherwise ask for `Display`.
#[diagnostic::do_not_recommend]
impl<T: fmt::Display> LoginPage for T {}

impl<U: UserMixin> LoginManager<U> {
    /// Sets the login page for everything below a mount point; the longest mount point that contains the request wins.
    ///
    /// In the configuration, the key is `mount_login_views`, a table from mount point to page. Flask-Login's
    /// `blueprint_login_views`; for its `None`, call [`mount_without_login_view`](Self::mount_without_login_view).
    ///
    /// Default: none.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin, user_loader};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
    /// let manager = LoginManager::new(load_user)
    ///     .login_view("/login")
    ///     .mount_login_view("/shop", "/shop/login");
    /// ```
    #[doc(alias("blueprint_login_views", "set_login_view"))]
    #[must_use]
    pub fn mount_login_view(self, base: impl fmt::Display, view: impl LoginPage) -> Self {
        self.mount(&base, MountView(Some(view.to_string())))
    }

    /// Sets that a mount point has no login page and no refresh page: everybody gets the 401, as a script does.
    ///
    /// It is for an area whose clients are programs, such as `/api`. This is Flask-Login's `None` in
    /// `blueprint_login_views`. In the configuration, the page in `mount_login_views` is `false`.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginManager, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # fn manage(manager: LoginManager<User>) -> LoginManager<User> {
    /// manager.login_view("/login").mount_without_login_view("/api")
    /// # }
    /// ```
    #[must_use]
    pub fn mount_without_login_view(self, base: impl fmt::Display) -> Self {
        self.mount(&base, MountView(None))
    }

    fn mount(self, base: &impl fmt::Display, view: MountView) -> Self {
        self.set(|settings| {
            settings
                .mount_login_views
                .get_or_insert_with(BTreeMap::new)
                .insert(base.to_string(), view);
        })
    }
}
