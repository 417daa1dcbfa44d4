//! One method for each setting.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rocket::http::{Method, SameSite};

use super::LoginManager;
use crate::app::user::UserMixin;
use crate::config::{IdleTimeout, KeyInput, ProtectionAddress, SessionProtection, UnguardedRoutes};
use crate::request::cross_site::CrossSiteProtection;

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
