//! The settings of a `LoginManager`: their table, their checks at launch, and their final values.
//!
//! [`table`] lists every setting. [`Settings`] has the settings that were set, [`Values`] also has the defaults, and
//! [`Config`] is the checked result.

mod check;
mod cookie;
mod debug_key;
pub(crate) mod device;
mod duration;
mod enums;
mod error;
mod guessable;
mod host;
mod lifetimes;
mod misplaced;
mod names;
mod reach;
mod secret;
mod settings;
pub(crate) mod table;
mod unit;
mod view;

use std::env;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use rocket::config::LogLevel;
use rocket::figment::Figment;
use rocket::http::Method;

pub(crate) use self::cookie::CookieSpec;
pub(crate) use self::device::DeviceConfig;
pub(crate) use self::duration::IdleTimeout;
pub use self::enums::{
    AtLimit, DeviceBinding, OnLoss, OnStale, SessionProtection, UnguardedRoutes,
};
pub(crate) use self::error::LaunchError;
#[cfg(feature = "flask")]
pub(crate) use self::guessable::is_guessable;
pub(crate) use self::secret::{KeyInput, StoreUrl};
pub use self::settings::{Setting, settings};
pub(crate) use self::settings::{Settings, realm_mistakes, unread_settings};
pub(crate) use self::view::{MountView, View};

use self::cookie::Cookies;
use self::error::{Origin, Report};
use self::settings::Values;
use self::table::settings_table;
use crate::request::cross_site::{CrossSiteProtection, TrustedOrigin};
use crate::request::fingerprint::ProtectionAddress;
use crate::token::Kind;
use crate::token::secret::SecretKey;

macro_rules! config {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($argument:tt: $kind:ident) = $default:tt
            $(-> $checked:ty $(, check $check:path)?)?;
    )*) => {
        /// The final, checked settings. Times are in seconds.
        #[derive(Debug)]
        pub(crate) struct Config {
            pub(crate) realm: Option<String>,
            pub(crate) secret_key: SecretKey,
            pub(crate) secret_key_fallbacks: Vec<SecretKey>,
            pub(crate) audience: String,
            pub(crate) session_cookie: CookieSpec,
            pub(crate) remember_cookie: CookieSpec,
            pub(crate) next_cookie: CookieSpec,
            pub(crate) device: DeviceConfig,
            /// `Some(true)` if this site is known to be served over HTTPS.
            pub(crate) https: Option<bool>,
            pub(crate) session_idle_timeout: Option<u64>,
            pub(crate) fresh_lifetime: Option<u64>,
            pub(crate) store_key: Option<SecretKey>,
            // The settings that have a `-> Type` in the table.
            $($( pub(crate) $name: $checked, )?)*
        }

        impl Config {
            /// Checks all values; a substitute replaces a wrong value until the report stops the launch.
            fn checked(
                values: Values,
                figment: &Figment,
                realm: Option<&str>,
                default_audience: &str,
                site: &Site,
                report: &mut Report,
            ) -> Option<Self> {
                let secret_key =
                    secret::current(values.secret_key.as_ref(), figment, site.debug, report);
                let secret_key_fallbacks =
                    secret::fallbacks(&values.secret_key_fallbacks, secret_key.as_ref(), report);
                let cookies = Cookies::checked(&values, realm, site, report);
                let config = Self {
                    device: DeviceConfig::checked(&values, &cookies.session, realm, report),
                    realm: realm.map(str::to_owned),
                    audience: check::audience(values.audience.as_deref(), default_audience, report),
                    https: (site.tls || cookies.session.secure).then_some(true),
                    session_cookie: cookies.session,
                    remember_cookie: cookies.remember,
                    next_cookie: cookies.next,
                    session_idle_timeout: lifetimes::idle_timeout(&values, report),
                    fresh_lifetime: lifetimes::fresh_lifetime(&values, report),
                    store_key: secret::of_store(values.store_key.as_ref(), report),
                    $($(
                        $name: {
                            let given = values.$name;
                            $( let given = $check(given, &mut report.on(stringify!($name))); )?
                            given
                        },
                    )?)*
                    secret_key_fallbacks,
                    // Last, so that a missing key does not hide mistakes in other settings.
                    secret_key: secret_key?,
                };
                Some(config)
            }
        }
    };
}

settings_table!(config);

impl Config {
    /// Combines the builder's settings, Rocket's configuration and the defaults; the first that has a value wins.
    ///
    /// Also returns warnings for the log.
    ///
    /// # Errors
    ///
    /// All mistakes, not only the first one.
    pub(crate) fn new(
        builder: Settings,
        figment: &Figment,
        realm: Option<&str>,
        default_audience: &str,
    ) -> Result<(Self, Vec<String>), Vec<LaunchError>> {
        let mut report = Report::default();
        if let Some(name) = realm.filter(|name| !check::is_realm(name)) {
            report.mistake("realm", check::bad_realm(name));
            return Err(report.errors);
        }
        misplaced::check(figment, &mut report);
        let file = Settings::read(figment, realm, &mut report);
        for name in builder.given() {
            report.hidden_by_method(name, realm);
            report.found(name, Origin::method(name));
        }
        let values = builder.or(file).or_default();
        let site = Site::of(figment);
        match Self::checked(values, figment, realm, default_audience, &site, &mut report) {
            Some(config) if report.errors.is_empty() => {
                config.warn(&site, &mut report);
                Ok((config, report.warnings))
            }
            _ => Err(report.errors),
        }
    }

    /// The cookie that carries this kind of token.
    pub(crate) fn cookie(&self, kind: Kind) -> &CookieSpec {
        match kind {
            Kind::Session => &self.session_cookie,
            Kind::Remember => &self.remember_cookie,
            Kind::Device => &self.device.cookie,
        }
    }

    /// How long a session can last, permanent or not.
    pub(crate) fn longest_session(&self) -> u64 {
        self.session_lifetime.max(self.permanent_session_lifetime)
    }

    /// Returns a mistake for each setting that does nothing without a registry of logins.
    pub(crate) fn needing_a_registry(&self) -> Vec<String> {
        let detects = self.remember_cookie_theft_detection == Some(true);
        let needing = [
            ("remember_cookie_theft_detection", detects),
            ("max_logins_per_user", self.max_logins_per_user.is_some()),
        ];
        let given = needing.into_iter().filter(|(_, is_given)| *is_given);
        given
            .map(|(name, _)| {
                format!(
                    "`login.{name}` requires a registry of logins: write `.login_registry(MemoryRegistry::new())` at \
                     the `LoginManager`, or remove the setting"
                )
            })
            .collect()
    }

    /// Warns about settings that are allowed but rarely intended.
    fn warn(&self, site: &Site, report: &mut Report) {
        let is_external = |view: &View| matches!(view, View::External(_));
        if self.views().any(is_external) && self.force_host_for_redirects.is_none() {
            report.warning(
                "a login view is a full URL: if it is on another site, that site cannot lead users back here, because \
                 redirects to it have no `next`; set `login.force_host_for_redirects` to this site's host",
            );
        }
        let mut proxies = self.trusted_proxies.iter();
        if let Some(network) = proxies.find(|network| is_everything(network)) {
            report.warning(format!(
                "`login.trusted_proxies` trusts `{network}`, which is more or less every address, so every client can \
                 pretend to have another address; list only the proxies"
            ));
        }
        if report.is_given("proxy_header") && self.trusted_proxies.is_empty() {
            report.warning(
                "`login.proxy_header` has no effect without `login.trusted_proxies`; list the proxies there",
            );
        }
        let methods = self.exempt_methods.iter();
        let open: Vec<_> = methods
            .filter(|method| **method != Method::Options)
            .map(|method| method.as_str())
            .collect();
        if !open.is_empty() {
            report.warning(format!(
                "`login.exempt_methods` has {}, so everybody gets into every guarded route of that method without a \
                 login; remove it, unless these routes check the user themselves",
                open.join(", ")
            ));
        }
        if !site.debug
            && !report.is_given("audience")
            && let Some(program) = site.program.as_deref().filter(|it| *it != self.audience)
        {
            report.warning(format!(
                "`login.audience` is not set, so it is the crate of the user type, `{}`, and this program is `{program}`: \
                 another program with the same user type and secret accepts these logins, and this one accepts its \
                 logins. Set a name for each; a new name ends every login",
                self.audience
            ));
        }
        if site.logs_cookies && !site.debug {
            report.warning(
                "`log_level = \"debug\"` makes Rocket write cookies to the log, and everybody who reads the log can \
                 log in with them; set another level",
            );
        }
    }
}

/// Whether a network has most public addresses. The widest that operators mean are `10.0.0.0/8` and `fc00::/7`.
fn is_everything(network: &IpNet) -> bool {
    network.prefix_len() < if network.addr().is_ipv4() { 8 } else { 7 }
}

/// Facts about this site from Rocket's own configuration.
struct Site {
    debug: bool,
    tls: bool,
    logs_cookies: bool,
    /// The name of the executable, as its crate is called.
    program: Option<String>,
}

/// Returns the name of the crate that an executable is built from by default.
fn crate_of_program(path: &Path) -> Option<String> {
    let name = path.file_stem()?.to_str()?;
    // Cargo adds a hash to tests, so that they do not replace each other.
    let name = match name.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && is_hexadecimal(hash) => name,
        _ => name,
    };
    Some(name.replace('-', "_"))
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Site {
    fn of(figment: &Figment) -> Self {
        // This cannot fail, because Rocket has already read the same configuration. Only Rocket knows whether it was
        // built with TLS.
        let rocket = rocket::Config::try_from(figment).ok();
        Self {
            debug: *figment.profile() == rocket::Config::DEBUG_PROFILE,
            tls: rocket.as_ref().is_some_and(rocket::Config::tls_enabled),
            program: env::current_exe()
                .ok()
                .and_then(|path| crate_of_program(&path)),
            logs_cookies: rocket.is_some_and(|rocket| rocket.log_level == LogLevel::Debug),
        }
    }
}

#[cfg(test)]
mod tests;
