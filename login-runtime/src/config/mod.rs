//! The settings of a `LoginManager`: defaults, what is checked at launch, and what then holds.

mod cookie;
mod duration;
mod enums;
mod error;
mod host;
mod lifetimes;
mod secret;
mod settings;
mod view;

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use rocket::config::LogLevel;
use rocket::figment::Figment;
use rocket::http::{Method, SameSite};

pub(crate) use self::cookie::CookieSpec;
pub(crate) use self::duration::IdleTimeout;
pub use self::enums::{ProtectionAddress, SessionProtection, UnguardedRoutes};
pub(crate) use self::error::LaunchError;
pub(crate) use self::secret::KeyInput;
pub(crate) use self::settings::{Settings, realms};
pub(crate) use self::view::View;

use self::error::Report;
use self::lifetimes::Lifetimes;
use crate::request::cross_site::{CrossSiteProtection, WebOrigin};
use crate::token::secret::SecretKey;

const MAX_AUDIENCE: usize = 255;

const PROXY_HEADER: &str = "X-Forwarded-For";

/// The settings as they hold, checked. Times are in seconds.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) realm: Option<String>,
    pub(crate) secret_key: SecretKey,
    pub(crate) secret_key_fallbacks: Vec<SecretKey>,
    pub(crate) audience: String,

    pub(crate) session_cookie: CookieSpec,
    pub(crate) remember_cookie: CookieSpec,
    pub(crate) next_cookie: CookieSpec,
    pub(crate) session_lifetime: u64,
    pub(crate) permanent_session_lifetime: u64,
    pub(crate) session_idle_timeout: Option<u64>,
    pub(crate) fresh_lifetime: Option<u64>,
    pub(crate) remember_cookie_duration: u64,
    pub(crate) remember_cookie_refresh_each_request: bool,

    pub(crate) session_protection: SessionProtection,
    pub(crate) session_protection_address: ProtectionAddress,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) proxy_header: String,

    pub(crate) login_view: Option<View>,
    /// The longest base first.
    pub(crate) mount_login_views: Vec<(String, View)>,
    pub(crate) refresh_view: Option<View>,
    pub(crate) login_message: Option<String>,
    pub(crate) login_message_category: String,
    pub(crate) needs_refresh_message: Option<String>,
    pub(crate) needs_refresh_message_category: String,
    pub(crate) use_session_for_next: bool,
    pub(crate) force_host_for_redirects: Option<String>,

    pub(crate) exempt_methods: Vec<Method>,
    pub(crate) cross_site_protection: CrossSiteProtection,
    pub(crate) trusted_origins: Vec<WebOrigin>,
    pub(crate) unguarded_routes: UnguardedRoutes,
    /// `Some(true)` where this site is known to be served over HTTPS.
    pub(crate) https: Option<bool>,
    pub(crate) clear_site_data: bool,
    pub(crate) loader_timeout: Duration,
    pub(crate) revocation_capacity: usize,
}

impl Config {
    /// The builder's settings over those of Rocket's configuration over the defaults, and warnings for the log.
    ///
    /// # Errors
    ///
    /// Every mistake there is, not only the first.
    pub(crate) fn new(
        builder: Settings,
        figment: &Figment,
        realm: Option<&str>,
        default_audience: &str,
    ) -> Result<(Self, Vec<String>), Vec<LaunchError>> {
        let site = Site::of(figment);
        let mut report = Report::default();
        if let Some(name) = realm.filter(|name| !is_realm(name)) {
            report.mistake(
                "realm",
                format!(
                    "`{}` cannot begin the names of cookies and settings; take letters, digits, `-` and `_`",
                    name.escape_debug()
                ),
            );
            return Err(report.errors);
        }
        let settings = builder.or(Settings::read(figment, realm, &mut report));
        match Self::checked(
            settings,
            figment,
            realm,
            default_audience,
            &site,
            &mut report,
        ) {
            Some(config) if report.errors.is_empty() => {
                config.warn(&site, &mut report);
                Ok((config, report.warnings))
            }
            _ => Err(report.errors),
        }
    }

    /// How long a session can last, permanent or not.
    pub(crate) fn longest_session(&self) -> u64 {
        self.session_lifetime.max(self.permanent_session_lifetime)
    }

    /// Fills in the defaults; where a setting is wrong, some value stands in for it until the report is read.
    fn checked(
        settings: Settings,
        figment: &Figment,
        realm: Option<&str>,
        default_audience: &str,
        site: &Site,
        report: &mut Report,
    ) -> Option<Self> {
        let secret_key = secret::current(settings.secret_key.as_ref(), figment, site.debug, report);
        let secret_key_fallbacks = secret::fallbacks(
            settings.secret_key_fallbacks.as_deref().unwrap_or_default(),
            secret_key.as_ref(),
            report,
        );
        let [session_cookie, remember_cookie, next_cookie] =
            cookies(&settings, realm, site, report);
        let lifetimes = Lifetimes::checked(&settings, report);
        let https = (site.tls || session_cookie.secure).then_some(true);

        let login_view = settings
            .login_view
            .and_then(|view| View::checked("login.login_view", view, report));
        let mount_login_views =
            view::mounted(settings.mount_login_views.unwrap_or_default(), report);
        let refresh_view = settings
            .refresh_view
            .and_then(|view| View::checked("login.refresh_view", view, report));
        Some(Self {
            realm: realm.map(str::to_owned),
            secret_key_fallbacks,
            audience: audience(settings.audience, default_audience, report),
            session_cookie,
            remember_cookie,
            next_cookie,
            session_lifetime: lifetimes.session,
            permanent_session_lifetime: lifetimes.permanent_session,
            session_idle_timeout: lifetimes.idle,
            fresh_lifetime: lifetimes.fresh,
            remember_cookie_duration: lifetimes.remember,
            remember_cookie_refresh_each_request: settings
                .remember_cookie_refresh_each_request
                .unwrap_or(false),
            session_protection: settings.session_protection.unwrap_or_default(),
            session_protection_address: settings.session_protection_address.unwrap_or_default(),
            trusted_proxies: proxies(settings.trusted_proxies.unwrap_or_default(), report),
            proxy_header: proxy_header(settings.proxy_header, report),
            login_view,
            mount_login_views,
            refresh_view,
            login_message: message(settings.login_message, "Please log in to access this page."),
            login_message_category: category(settings.login_message_category),
            needs_refresh_message: message(
                settings.needs_refresh_message,
                "Please reauthenticate to access this page.",
            ),
            needs_refresh_message_category: category(settings.needs_refresh_message_category),
            use_session_for_next: settings.use_session_for_next.unwrap_or(false),
            force_host_for_redirects: redirect_host(settings.force_host_for_redirects, report),
            exempt_methods: settings.exempt_methods.unwrap_or_default(),
            cross_site_protection: settings.cross_site_protection.unwrap_or_default(),
            trusted_origins: origins(settings.trusted_origins.unwrap_or_default(), report),
            unguarded_routes: settings.unguarded_routes.unwrap_or_default(),
            https,
            clear_site_data: settings.clear_site_data.unwrap_or(false),
            loader_timeout: loader_timeout(settings.loader_timeout, report),
            revocation_capacity: revocation_capacity(settings.revocation_capacity, report),
            // Last: without a key, too, every other setting has been checked by now.
            secret_key: secret_key?,
        })
    }

    /// What is allowed, and seldom meant.
    fn warn(&self, site: &Site, report: &mut Report) {
        let mounted = self.mount_login_views.iter().map(|(_, view)| view);
        let mut views = mounted.chain(&self.login_view).chain(&self.refresh_view);
        if views.any(|view| matches!(view, View::External(_)))
            && self.force_host_for_redirects.is_none()
        {
            report.warning(
                "a login view is on another site, which is not told where to come back to (`next`), since \
                 `login.force_host_for_redirects` does not say what this site is called",
            );
        }
        let mut proxies = self.trusted_proxies.iter();
        if proxies.any(|network| network.prefix_len() == 0) {
            report.warning(
                "`login.trusted_proxies` trusts every address, so that every client may say where it comes from; \
                 name the proxies",
            );
        }
        if self.proxy_header != PROXY_HEADER && self.trusted_proxies.is_empty() {
            report.warning(
                "`login.proxy_header` is not read, since `login.trusted_proxies` names no proxy",
            );
        }
        let mut methods = self.exempt_methods.iter();
        if methods.any(|method| *method != Method::Options) {
            report.warning(
                "`login.exempt_methods` lets everybody into guarded routes with a method other than OPTIONS",
            );
        }
        if site.logs_cookies && !site.debug {
            report.warning(
                "`log_level = \"debug\"` makes Rocket write cookies into the log, and whoever reads them is logged in; \
                 set another level",
            );
        }
    }
}

/// What Rocket's own configuration says.
struct Site {
    debug: bool,
    tls: bool,
    logs_cookies: bool,
}

impl Site {
    fn of(figment: &Figment) -> Self {
        // Rocket has refused to go on where this fails; asked itself, it knows whether it was built with TLS.
        let rocket = rocket::Config::try_from(figment).ok();
        Self {
            debug: *figment.profile() == rocket::Config::DEBUG_PROFILE,
            tls: rocket.as_ref().is_some_and(rocket::Config::tls_enabled),
            logs_cookies: rocket.is_some_and(|rocket| rocket.log_level == LogLevel::Debug),
        }
    }
}

/// The session's, the remember and the `next` cookie.
fn cookies(
    settings: &Settings,
    realm: Option<&str>,
    site: &Site,
    report: &mut Report,
) -> [CookieSpec; 3] {
    let of_realm = |name: &str, default: &str| match realm {
        Some(realm) => format!("{realm}_{name}"),
        None => default.to_owned(),
    };
    let next = of_realm("next", "login_next");

    let text =
        |given: &Option<String>, default: &str| given.as_deref().unwrap_or(default).to_owned();
    let session = text(
        &settings.session_cookie_name,
        &of_realm("session", "login_session"),
    );
    let remember = text(
        &settings.remember_cookie_name,
        &of_realm("remember_token", "remember_token"),
    );
    if session == remember || remember == next {
        report.mistake(
            "login.remember_cookie_name",
            "is another login cookie's name; choose a third",
        );
    }
    if session == next {
        report.mistake(
            "login.session_cookie_name",
            "is another login cookie's name; choose a third",
        );
    }

    let secure = !site.debug || site.tls;
    let insecure_allowed = site.debug || settings.insecure_cookies.unwrap_or(false);
    let session = CookieSpec {
        name: session,
        domain: settings.session_cookie_domain.clone(),
        path: text(&settings.session_cookie_path, "/"),
        secure: settings.session_cookie_secure.unwrap_or(secure),
        http_only: true,
        same_site: settings.session_cookie_samesite.unwrap_or(SameSite::Lax),
    };
    let remember = CookieSpec {
        name: remember,
        domain: settings.remember_cookie_domain.clone(),
        path: text(&settings.remember_cookie_path, "/"),
        secure: settings.remember_cookie_secure.unwrap_or(secure),
        http_only: settings.remember_cookie_httponly.unwrap_or(true),
        same_site: settings.remember_cookie_samesite.unwrap_or(SameSite::Lax),
    };
    let session = session.checked("session_cookie", insecure_allowed, report);
    let remember = remember.checked("remember_cookie", insecure_allowed, report);
    let next = session.named(&next);
    [session, remember, next]
}

fn is_realm(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn audience(given: Option<String>, default: &str, report: &mut Report) -> String {
    let audience = given.unwrap_or_else(|| default.to_owned());
    let is_long = audience.is_empty() || audience.len() > MAX_AUDIENCE;
    if is_long || audience.contains(char::is_control) {
        report.mistake(
            "login.audience",
            "is empty, longer than 255 bytes, or has control characters; set the application's name",
        );
    }
    audience
}

fn proxies(given: Vec<String>, report: &mut Report) -> Vec<IpNet> {
    given
        .into_iter()
        .filter_map(|text| {
            let address = text
                .parse::<IpAddr>()
                .map(|ip| IpNet::from(ip.to_canonical()));
            let network = address.or_else(|_| text.parse());
            if network.is_err() {
                report.mistake(
                    "login.trusted_proxies",
                    format!(
                        "`{}` is neither an address nor a network, such as `10.0.0.0/8`",
                        text.escape_debug()
                    ),
                );
            }
            network.ok()
        })
        .collect()
}

fn proxy_header(given: Option<String>, report: &mut Report) -> String {
    let name = given.unwrap_or_else(|| PROXY_HEADER.to_owned());
    if !is_token(&name) {
        report.mistake(
            "login.proxy_header",
            "is not a header's name, such as `X-Forwarded-For`",
        );
    }
    name
}

/// A message to flash; none where it is set to nothing.
fn message(given: Option<String>, default: &str) -> Option<String> {
    Some(given.unwrap_or_else(|| default.to_owned())).filter(|message| !message.is_empty())
}

fn category(given: Option<String>) -> String {
    given.unwrap_or_else(|| "message".to_owned())
}

fn redirect_host(given: Option<String>, report: &mut Report) -> Option<String> {
    if given
        .as_deref()
        .is_some_and(|host| !host::is_host_and_port(host))
    {
        report.mistake(
            "login.force_host_for_redirects",
            "is not a host; set its name, and its port if need be, such as `example.com:8443`",
        );
    }
    given
}

fn origins(given: Vec<String>, report: &mut Report) -> Vec<WebOrigin> {
    given
        .into_iter()
        .filter_map(|text| {
            text.parse()
                .map_err(|error| {
                    report.mistake(
                        "login.trusted_origins",
                        format!("`{}`: {error}", text.escape_debug()),
                    );
                })
                .ok()
        })
        .collect()
}

fn loader_timeout(given: Option<Duration>, report: &mut Report) -> Duration {
    let timeout = given.unwrap_or(Duration::from_secs(5));
    if timeout.is_zero() || timeout > Duration::from_secs(60 * 60) {
        report.mistake(
            "login.loader_timeout",
            "is zero or more than an hour; 5 seconds is the default",
        );
    }
    timeout
}

fn revocation_capacity(given: Option<usize>, report: &mut Report) -> usize {
    let capacity = given.unwrap_or(1_000_000);
    if capacity == 0 {
        report.mistake(
            "login.revocation_capacity",
            "is zero, so no logout could be kept; set 1 or more",
        );
    }
    capacity
}

/// A token of RFC 9110, section 5.6.2: what names headers and cookies.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests;
