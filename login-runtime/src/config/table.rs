//! The one table of settings. A new setting is an entry here, and a row in the guide's page of settings, which a test prints.
//!
//! ```text
//! /// Sets what the first paragraph says: the row of the guide.
//! name(argument: Kind) = default -> Type, check function;
//! ```
//!
//! - `name` is the method of `LoginManager` and the key under `login`; if the argument is `_`, the method is written by
//!   hand.
//! - `Kind` determines what the method takes, and how a value is stored and read: see `argument!`, `stored!` and
//!   `parsed!`.
//! - `default`: a value; `none`; `[]`, an empty list; `(24 hours)`; or `(computed "..")`, where the launch decides.
//! - `-> Type` makes it a field of `Config`, after the check if there is one. Without it, `Config` uses the value for
//!   several fields, or together with other values.

/// Passes the table to a macro, which generates one thing from it.
macro_rules! settings_table {
    ($generate:ident) => {
        $generate! {
            /// Sets the secret that signs the cookies: 32 bytes or more, as base64, hexadecimal or plain text.
            ///
            /// In the debug profile, a missing secret is replaced by a random one, which is kept beside the program in
            /// cargo's target directory; outside that directory, it ends with the process. In any other profile, the
            /// launch stops.
            secret_key(key: Key) = (computed "Rocket's own `secret_key`");
            /// Sets up to three retired secrets, the latest first: they still verify, but no longer sign.
            secret_key_fallbacks(keys: Keys) = [];
            /// Sets the application's name in the derivation of keys, so that two applications with one secret refuse
            /// each other's cookies; a new name ends every login.
            ///
            /// Two applications that take their user type from one crate have the same default, so set a name for each.
            /// The launch warns where the program does not have the name of that crate.
            audience(name: Text) = (computed "the crate of the user type");

            /// Sets the session cookie's name; it gets the prefix `__Host-` if the cookie is Secure, has the path `/`
            /// and has no domain.
            ///
            /// In a realm, the default is `NAME_session`.
            session_cookie_name(name: Text) = "login_session";
            /// Sets the session cookie's domain; without one, browsers send the cookie to this host only.
            ///
            /// Browsers keep no cookie for a public suffix, such as `com` or `co.uk`, nor for a domain that this host is
            /// not under. The launch refuses the best known suffixes, and the first login under another host gives a
            /// warning.
            session_cookie_domain(domain: Text) = none;
            /// Sets the session cookie's path.
            session_cookie_path(path: Text) = "/";
            /// Sets whether browsers send the session cookie over HTTPS only.
            session_cookie_secure(secure: bool) = (computed "`true`, but without TLS `false` in the debug profile or with `insecure_cookies`");
            /// Sets the session cookie's `SameSite`: `strict`, `lax` or `none`.
            session_cookie_samesite(same_site: SameSite) = Lax;
            /// Sets how long a session lasts at most, counted from the login.
            session_lifetime(lifetime: Duration) = (24 hours) -> u64, check lifetimes::lifetime;
            /// Sets how long a permanent login lasts.
            permanent_session_lifetime(lifetime: Duration) = (31 days) -> u64, check lifetimes::lifetime;
            /// Sets how long a session may be unused before it ends; `None`, in the file `false`, turns this off.
            ///
            /// A session that is shorter than the default needs no setting. Permanent logins have no idle timeout.
            ///
            /// Only a request that asks for the user is a use. A use renews the session at most once in a twelfth of the
            /// timeout or in five minutes, whichever is shorter: by default, a session ends 55 to 60 minutes after its last use.
            session_idle_timeout(timeout: IdleTimeout) = (1 hour);
            /// Sets how long a login stays fresh after the user gave the credentials.
            fresh_lifetime(lifetime: Duration) = (computed "as long as the session");
            /// Sets how much longer a login counts as fresh for requests that change something, such as POST, so that a
            /// form that was opened in time can still be sent; at most an hour.
            fresh_grace_period(grace: Duration) = (0 seconds) -> u64, check lifetimes::grace_period;

            /// Sets the remember cookie's name, with the prefix `__Host-` as for the session cookie.
            ///
            /// In a realm, the default is `NAME_remember_token`.
            remember_cookie_name(name: Text) = "remember_token";
            /// Sets how long a login is remembered; at most 400 days.
            remember_cookie_duration(duration: Duration) = (365 days) -> u64, check lifetimes::lifetime;
            /// Sets the remember cookie's domain; without one, browsers send the cookie to this host only.
            ///
            /// Browsers keep no cookie for a public suffix, such as `com` or `co.uk`, nor for a domain that this host is
            /// not under. The launch refuses the best known suffixes, and the first login under another host gives a
            /// warning.
            remember_cookie_domain(domain: Text) = none;
            /// Sets the remember cookie's path.
            remember_cookie_path(path: Text) = "/";
            /// Sets whether browsers send the remember cookie over HTTPS only.
            remember_cookie_secure(secure: bool) = (computed "`true`, but without TLS `false` in the debug profile or with `insecure_cookies`");
            /// Sets whether the remember cookie is hidden from scripts.
            remember_cookie_httponly(http_only: bool) = true;
            /// Sets the remember cookie's `SameSite`: `strict`, `lax` or `none`.
            remember_cookie_samesite(same_site: SameSite) = Lax;
            /// Sets whether using a remember cookie renews its duration, up to 400 days in all.
            remember_cookie_refresh_each_request(refresh: bool) = false -> bool;
            /// Sets whether a copied remember cookie is noticed, which ends its login; needs a `login_registry`.
            ///
            /// Each restore then gives the browser the next cookie, and one that comes back although its successor is in use
            /// was copied. The event is [`EventKind::RememberTokenReused`](crate::EventKind::RememberTokenReused).
            remember_cookie_theft_detection(detect: bool) = (computed "`true` with a `login_registry`") -> Option<bool>;

            /// Sets what happens when a login comes from another client: `basic` (it is not fresh), `strong` (it
            /// ends, but a permanent login is only not fresh), `strict` (it always ends) or `off`.
            session_protection(protection: SessionProtection) = Basic -> SessionProtection;
            /// Sets how much of the client's address session protection compares: `full`, `prefix` (/24, in IPv6 /56)
            /// or `off`.
            session_protection_address(address: ProtectionAddress) = Full -> ProtectionAddress;
            /// Sets whether a login is bound to the device of a browser that supports it: `off` or `offer`.
            ///
            /// The browser then proves every few minutes that it has a key which cannot be copied, and a copy of its
            /// cookies stops working. It is for sites that are served over HTTPS; elsewhere it does nothing.
            device_binding(binding: DeviceBinding) = Off;
            /// Sets how long a bound session needs no new proof, and so for how long a copy of its cookies works; 5
            /// minutes to an hour.
            device_binding_lifetime(lifetime: Duration) = (10 minutes);
            /// Sets the path below which the manager mounts the two routes for binding, `register` and `refresh`.
            ///
            /// In a realm, the default is `/NAME-device`.
            device_binding_path(path: Text) = "/login-device";
            /// Sets the proxies, as addresses or networks, that are trusted to name the client's address; without any,
            /// the client is the other end of the connection.
            trusted_proxies(networks: Texts) = [] -> Vec<IpNet>, check check::networks;
            /// Sets the header in which a trusted proxy names the client's address.
            proxy_header(name: Text) = "X-Forwarded-For" -> String, check check::header_name;

            /// Sets the page to which browsers are redirected for a login: a path of this site, such as from `uri!`, or
            /// an absolute URL; without one, they get a 401.
            ///
            /// Programs always get the 401, for your catcher. A request comes from a browser that opens a page if it has
            /// `Sec-Fetch-Mode: navigate`. Without `Sec-Fetch-Mode`, it does if it prefers HTML in `Accept`, or has no
            /// `Accept`. It does not if it has `Accept: */*` alone, a body of JSON, `X-Requested-With: XMLHttpRequest`, or
            /// an `Authorization` that browsers do not add by themselves, such as `Bearer`. A request of htmx
            /// (`HX-Request`) gets the redirect as `HX-Redirect`.
            login_view(view: View) = none -> Option<View>, check view::checked;
            /// Sets the login pages of single mount points, as a table from mount point to page, or to `false` for
            /// none; the methods are `mount_login_view(base, view)` and `mount_without_login_view(base)`.
            mount_login_views(_: Views) = [] -> Vec<(String, Option<View>)>, check view::mounted;
            /// Sets the page to which browsers are redirected when a login is not fresh; without one, they get a 401.
            refresh_view(view: View) = none -> Option<View>, check view::checked;
            /// Sets the message that is flashed before the login page; an empty text turns it off.
            login_message(message: Text) = "Please log in to access this page." -> Option<String>, check check::message;
            /// Sets the category of the login page's flash message.
            login_message_category(category: Text) = "message" -> String;
            /// Sets the message that is flashed before the refresh page; an empty text turns it off.
            needs_refresh_message(message: Text) = "Please reauthenticate to access this page."
                -> Option<String>, check check::message;
            /// Sets the category of the refresh page's flash message.
            needs_refresh_message_category(category: Text) = "message" -> String;
            /// Sets whether a cookie keeps the wanted page for ten minutes, instead of `next` in the login page's
            /// address.
            ///
            /// Only a page that a person opened in a window is kept. A browser that does not send `Sec-Fetch-Dest`,
            /// as over plain HTTP, does not tell a frame from a window.
            use_session_for_next(use_session: bool) = false -> bool;
            /// Sets this site's host in redirects to login pages, which are relative without it; a login page on
            /// another site needs it to lead back here.
            ///
            /// [`LoginSession::login_url`](crate::LoginSession::login_url) uses it too.
            force_host_for_redirects(host: Text) = none -> Option<String>, check check::redirect_host;

            /// Sets the methods for which `#[login_required]` and `#[fresh_login_required]` let everybody in, as
            /// Flask-Login does for OPTIONS.
            ///
            /// A route that takes the user as an argument has no exemptions.
            exempt_methods(methods: Methods) = [] -> Vec<Method>;
            /// Sets which requests from other sites are refused: `standard`, `strict` (also those with neither
            /// `Sec-Fetch-Site` nor `Origin`) or `off`.
            cross_site_protection(protection: CrossSiteProtection) = Standard -> CrossSiteProtection;
            /// Sets other origins that may send changes, such as `https://app.example`, `https://*.example.com` or
            /// `tauri://localhost`.
            trusted_origins(origins: Texts) = [] -> Vec<TrustedOrigin>, check check::origins;
            /// Sets whether a launch accepts routes that are neither guarded nor marked by `#[public]`: `allow` or
            /// `deny`.
            unguarded_routes(routes: UnguardedRoutes) = Allow -> UnguardedRoutes;
            /// Sets whether a logout clears the browser's caches and storage (`Clear-Site-Data`).
            clear_site_data(clear: bool) = false -> bool;
            /// Sets whether browsers keep the login cookies apart for each site that shows this one in a frame
            /// (`Partitioned`); such cookies also need both `samesite` settings to be `none`.
            partitioned_cookies(partitioned: bool) = false;
            /// Sets whether logins work over plain HTTP outside the debug profile, as in a network without TLS: the
            /// cookies are then not `Secure` unless set, and may be without `HttpOnly`.
            ///
            /// Without it, browsers drop the cookies of a site that is visited over plain HTTP; only `localhost` is
            /// exempt. With it, everybody on the way can copy a login. A server that itself serves TLS, with Rocket's
            /// setting `tls`, keeps its cookies `Secure`.
            insecure_cookies(insecure: bool) = false;
            /// Sets how long a loader, condition, handler or listener may take, and a call of a shared revocation list or of a
            /// registry of logins; at most an hour.
            ///
            /// Only code that awaits can be interrupted. Code that blocks its thread, such as a plain `fn` with a
            /// blocking database call, keeps a worker of the server for as long as it takes: let it run in
            /// `rocket::tokio::task::spawn_blocking`, and await that.
            loader_timeout(timeout: Duration) = (5 seconds) -> Duration, check check::timeout;
            /// Sets how many ended sessions the process keeps one by one; beyond that, a logout ends all logins of its
            /// user.
            ///
            /// A million take about 50 MB.
            revocation_capacity(sessions: usize) = 1_000_000 -> usize, check check::capacity;

            /// Sets how many logins a user may have at once, with the new one; needs a `login_registry`.
            max_logins_per_user(logins: usize) = none -> Option<usize>, check check::max_logins;
            /// Sets what happens to a login beyond `max_logins_per_user`: `end` (the user's oldest login ends) or `refuse`
            /// (the new one is refused).
            at_login_limit(limit: AtLimit) = End -> AtLimit;
            /// Sets whether nobody can log in while the registry of logins fails, also by a remember cookie; a logout always
            /// works.
            require_login_registry(required: bool) = true -> bool;

            /// Sets where the store of ended logins is, in the form that the store reads, such as `redis://127.0.0.1`.
            ///
            /// The settings of the store have no effect without one, see
            /// [`revocation_store`](LoginManager::revocation_store).
            store_url(url: StoreUrl) = none -> Option<StoreUrl>;
            /// Sets how old a server's copy of the store may be; 500 milliseconds to a minute.
            ///
            /// A logout holds on every server after this time.
            store_max_staleness(age: Duration) = (1 second) -> Duration, check check::staleness;
            /// Sets how long a request waits if the copy is older; at most 10 seconds.
            store_stale_wait(wait: Duration) = (2 seconds) -> Duration, check check::stale_wait;
            /// Sets what follows if the copy is still older: `refuse`, where requests with a login get a 503, or for
            /// example `serve for 5m`.
            ///
            /// For the stated time reads then go on, and a login that has ended meanwhile still counts for them. Logins,
            /// restores from a remember cookie, routes that require a fresh login and unsafe methods get a 503 all the
            /// same.
            store_on_stale(stale: OnStale) = Refuse -> OnStale;
            /// Sets what follows if a store without any entry is met, which is new or was wiped: `nothing`, or
            /// `end everybody`, which ends every login from before.
            store_on_loss(loss: OnLoss) = Nothing -> OnLoss;
            /// Sets the secret that hides the ids of users in the store.
            ///
            /// Set it when a secret is removed from `secret_key_fallbacks`, to that secret: the store has entries that
            /// cannot be found without it.
            store_key(key: Key) = (computed "the oldest of the secrets");
        }
    };
}

/// The type of the method's argument.
macro_rules! argument {
    (Key) => { impl Into<String> };
    (Keys) => { impl IntoIterator<Item = impl Into<String>> };
    (Text) => { impl Into<String> };
    (Texts) => { impl IntoIterator<Item = impl Into<String>> };
    (View) => { impl LoginPage };
    (StoreUrl) => { impl Into<String> };
    (Methods) => { impl IntoIterator<Item = Method> };
    (IdleTimeout) => { Option<Duration> };
    ($kind:ident) => { $kind };
}

/// The type that is stored until the launch.
macro_rules! stored {
    (Key) => { KeyInput };
    (Keys) => { Vec<KeyInput> };
    (Text) => { String };
    (Texts) => { Vec<String> };
    (View) => { String };
    (Views) => { BTreeMap<String, MountView> };
    (Methods) => { Vec<Method> };
    ($kind:ident) => { $kind };
}

/// The method's argument in its stored form.
macro_rules! converted {
    (Key $given:ident) => {
        KeyInput::Text($given.into())
    };
    (Keys $given:ident) => {
        $given
            .into_iter()
            .map(|key| KeyInput::Text(key.into()))
            .collect()
    };
    (Text $given:ident) => {
        $given.into()
    };
    (Texts $given:ident) => {
        $given.into_iter().map(Into::into).collect()
    };
    (View $given:ident) => {
        $given.to_string()
    };
    (StoreUrl $given:ident) => {
        StoreUrl($given.into())
    };
    (Methods $given:ident) => {
        $given.into_iter().collect()
    };
    (IdleTimeout $given:ident) => {
        IdleTimeout($given)
    };
    ($kind:ident $given:ident) => {
        $given
    };
}

/// The configuration's value in its stored form, or an error that becomes `Unreadable`.
macro_rules! parsed {
    (Duration $value:ident) => {
        duration::parse($value)
    };
    (IdleTimeout $value:ident) => {
        IdleTimeout::parse($value)
    };
    (SameSite $value:ident) => {
        same_site($value)
    };
    (OnStale $value:ident) => {
        OnStale::parse($value)
    };
    ($kind:ident $value:ident) => {
        $value.deserialize()
    };
}

/// The type of a value after the default has been filled in.
macro_rules! filled {
    ($kind:ident none) => { Option<stored!($kind)> };
    ($kind:ident (computed $words:literal)) => { Option<stored!($kind)> };
    ($kind:ident $default:tt) => { stored!($kind) };
}

/// The given value, or the default.
macro_rules! or_default {
    ($given:expr, $kind:ident none) => {
        $given
    };
    ($given:expr, $kind:ident (computed $words:literal)) => {
        $given
    };
    ($given:expr, $kind:ident []) => {
        $given.unwrap_or_default()
    };
    ($given:expr, $kind:ident ($count:literal $unit:ident)) => {
        $given.unwrap_or($kind::from(duration::$unit($count)))
    };
    ($given:expr, Text $text:literal) => {
        $given.unwrap_or_else(|| $text.to_owned())
    };
    ($given:expr, $kind:ident $value:literal) => {
        $given.unwrap_or($value)
    };
    ($given:expr, $kind:ident $variant:ident) => {
        $given.unwrap_or($kind::$variant)
    };
}

/// The default in the form of the methods' documentation.
macro_rules! shown {
    ($kind:ident none) => {
        "none"
    };
    ($kind:ident []) => {
        "none"
    };
    ($kind:ident (computed $words:literal)) => {
        $words
    };
    ($kind:ident ($count:literal $unit:ident)) => {
        concat!($count, " ", stringify!($unit))
    };
    (Text $text:literal) => {
        concat!("`", $text, "`")
    };
    ($kind:ident $value:tt) => {
        concat!("`", stringify!($value), "`")
    };
}

/// The default in the form of a configuration file.
macro_rules! written {
    ($kind:ident $variant:ident) => { shown!($kind $variant).to_ascii_lowercase() };
    ($kind:ident $default:tt) => { shown!($kind $default).to_owned() };
}

pub(crate) use {argument, converted, settings_table, shown, stored};
pub(super) use {filled, or_default, parsed, written};
