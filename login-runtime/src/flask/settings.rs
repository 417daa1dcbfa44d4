//! What an application says about its Flask cookies, and the checks of that at launch.

use std::fmt;
use std::time::Duration;

use rocket::http::SameSite;

use super::end_date;
use super::key::{FlaskKey, HmacSha1, HmacSha512, remember_key, session_key};
use crate::clock::UnixTime;
use crate::config::{Config, CookieSpec};
use crate::token::Kind;

/// Flask's default `PERMANENT_SESSION_LIFETIME`.
const DEFAULT_AGE: Duration = Duration::from_secs(31 * 24 * 60 * 60);

type ConvertId = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The cookies of a Flask application with Flask-Login, for [`LoginManager::accept_flask`].
///
/// Each method has the name of Flask's own configuration key, and Flask's default.
///
/// [`LoginManager::accept_flask`]: crate::LoginManager::accept_flask
///
/// # Example
///
/// ```rust
/// use std::time::Duration;
/// use rocket_login::flask::FlaskCookies;
///
/// # let [secret_key, older_key] = ["..", "..."];
/// let cookies = FlaskCookies::new(secret_key)
///     .secret_key_fallbacks([older_key])
///     .until("2027-03-31")
///     .session_cookie_name("shop_session")
///     .session_cookie_domain("shop.example")
///     .session_cookie_path("/")
///     .remember_cookie_name("shop_remember")
///     .remember_cookie_domain("shop.example")
///     .remember_cookie_path("/")
///     .session_salt("shop")
///     .permanent_session_lifetime(Duration::from_secs(7 * 24 * 60 * 60))
///     .side_by_side();
/// ```
#[must_use = "give it to `LoginManager::accept_flask`"]
pub struct FlaskCookies {
    secret_key: FlaskKey,
    fallbacks: Vec<FlaskKey>,
    until: Option<String>,
    session: Place,
    remember: Place,
    salt: String,
    max_age: Duration,
    convert_id: Option<Box<ConvertId>>,
    stays: bool,
}

/// Where a browser keeps a cookie.
struct Place {
    name: String,
    domain: Option<String>,
    path: String,
}

impl Place {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            domain: None,
            path: "/".to_owned(),
        }
    }
}

impl FlaskCookies {
    /// Takes Flask's `SECRET_KEY`: text, or bytes if it is written as `b".."` there.
    pub fn new(secret_key: impl Into<FlaskKey>) -> Self {
        Self {
            secret_key: secret_key.into(),
            fallbacks: Vec::new(),
            until: None,
            session: Place::new("session"),
            remember: Place::new("remember_token"),
            salt: "cookie-session".to_owned(),
            max_age: DEFAULT_AGE,
            convert_id: None,
            stays: false,
        }
    }

    /// Sets the day from which the cookies are no longer read, at midnight UTC, such as `"2027-03-31"`.
    ///
    /// Required; at most 400 days from the launch. Later launches warn, and 30 days after the date they fail, so that a
    /// second way in does not stay open for longer than it is needed.
    pub fn until(mut self, date: impl Into<String>) -> Self {
        self.until = Some(date.into());
        self
    }

    /// Sets Flask's `SECRET_KEY_FALLBACKS`.
    ///
    /// As in Flask, they verify sessions only: Flask-Login reads remember cookies with the current key alone.
    pub fn secret_key_fallbacks(
        mut self,
        keys: impl IntoIterator<Item = impl Into<FlaskKey>>,
    ) -> Self {
        self.fallbacks = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Sets Flask's `SESSION_COOKIE_NAME`; default `session`.
    pub fn session_cookie_name(mut self, name: impl Into<String>) -> Self {
        self.session.name = name.into();
        self
    }

    /// Sets Flask's `SESSION_COOKIE_DOMAIN`, which removes the cookie; default none.
    pub fn session_cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.session.domain = Some(domain.into());
        self
    }

    /// Sets Flask's `SESSION_COOKIE_PATH`, or its `APPLICATION_ROOT`, which removes the cookie; default `/`.
    pub fn session_cookie_path(mut self, path: impl Into<String>) -> Self {
        self.session.path = path.into();
        self
    }

    /// Sets Flask-Login's `REMEMBER_COOKIE_NAME`; default `remember_token`.
    pub fn remember_cookie_name(mut self, name: impl Into<String>) -> Self {
        self.remember.name = name.into();
        self
    }

    /// Sets Flask-Login's `REMEMBER_COOKIE_DOMAIN`, which removes the cookie; default none.
    pub fn remember_cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.remember.domain = Some(domain.into());
        self
    }

    /// Sets Flask-Login's `REMEMBER_COOKIE_PATH`, which removes the cookie; default `/`.
    pub fn remember_cookie_path(mut self, path: impl Into<String>) -> Self {
        self.remember.path = path.into();
        self
    }

    /// Sets the `salt` of Flask's session interface; default `cookie-session`.
    pub fn session_salt(mut self, salt: impl Into<String>) -> Self {
        self.salt = salt.into();
        self
    }

    /// Sets Flask's `PERMANENT_SESSION_LIFETIME`, which also limits the age of a session that is not permanent; default
    /// 31 days.
    pub fn permanent_session_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_age = lifetime;
        self
    }

    /// Sets how an id at Flask becomes the id of a user here; `None` for somebody who is not a user of this manager.
    ///
    /// Use it if `get_id`, or the manager's `id_attribute`, gives other text than the user loader here takes. If several
    /// managers read the same cookies, each requires one that accepts its own users only.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::flask::FlaskCookies;
    /// # let secret_key = "..";
    /// // At Flask, users are `user-7` and staff `staff-7`.
    /// let users = FlaskCookies::new(secret_key)
    ///     .until("2027-03-31")
    ///     .convert_id(|id| id.strip_prefix("user-").map(str::to_owned));
    /// ```
    pub fn convert_id(
        mut self,
        convert: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.convert_id = Some(Box::new(convert));
        self
    }

    /// Keeps the cookies in the browser, because the Flask application goes on beside this one.
    ///
    /// A logout here removes them all the same. What it cannot do while Flask is running is described at
    /// [`LoginManager::accept_flask`](crate::LoginManager::accept_flask).
    pub fn side_by_side(mut self) -> Self {
        self.stays = true;
        self
    }

    /// Checks everything; `realm` is the name of the manager's realm in the list of ended logins.
    ///
    /// Also returns warnings.
    ///
    /// # Errors
    ///
    /// All mistakes.
    pub(crate) fn checked(
        self,
        own: &Config,
        now: UnixTime,
    ) -> Result<(Flask, Vec<String>), Vec<String>> {
        let (mut mistakes, mut warnings) = (Vec::new(), Vec::new());
        let until = match end_date::check(self.until.as_deref(), now) {
            Ok((until, warning)) => {
                warnings.extend(warning);
                until
            }
            Err(mistake) => {
                mistakes.push(mistake);
                now
            }
        };
        for (index, key) in std::iter::once(&self.secret_key)
            .chain(&self.fallbacks)
            .enumerate()
        {
            let which = match index {
                0 => "the secret key".to_owned(),
                _ => format!("fallback key {index}"),
            };
            if let Some(mistake) = key.mistake() {
                mistakes.push(format!("`accept_flask`: {which} {mistake}"));
            } else if key.is_guessable() {
                warnings.push(format!(
                    "`accept_flask`: {which} is words or a pattern and not random: whoever guesses it can log in here as \
                     anybody, as at Flask; change it there first"
                ));
            }
        }
        if remember_key(&self.secret_key).is_none() {
            warnings.push(
                "`accept_flask`: the secret key has characters outside Latin-1, with which Flask-Login can write no \
                 remember cookie; only sessions are read"
                    .to_owned(),
            );
        }
        let spec = |place: Place, setting: &str, mistakes: &mut Vec<String>| {
            if let Some(mistake) = place.mistake() {
                mistakes.push(format!("`accept_flask`: {setting}{mistake}"));
            }
            place.spec(own)
        };
        let session = spec(self.session, "session_cookie", &mut mistakes);
        let remember = spec(self.remember, "remember_cookie", &mut mistakes);
        if session.name == remember.name {
            mistakes.push(format!(
                "`accept_flask`: both cookies have the name `{}`; Flask's session and remember cookie have two",
                session.name
            ));
        }
        let ours = [
            ("session_cookie_name", &own.session_cookie.name),
            ("remember_cookie_name", &own.remember_cookie.name),
        ];
        for (setting, name) in ours {
            let is_flasks = [&session, &remember]
                .iter()
                .any(|theirs| theirs.name == *name);
            if self.stays && is_flasks {
                mistakes.push(format!(
                    "`login.{setting}`: side by side with Flask, each would overwrite the cookie `{name}` of the other; \
                     give this one another name with `.{setting}(..)`"
                ));
            }
        }
        let keys = std::iter::once(&self.secret_key).chain(&self.fallbacks);
        let flask = Flask {
            session_keys: keys.map(|key| session_key(key, &self.salt)).collect(),
            remember_key: remember_key(&self.secret_key),
            session,
            remember,
            max_age: self.max_age.as_secs(),
            until,
            convert_id: self.convert_id,
            stays: self.stays,
        };
        if mistakes.is_empty() {
            Ok((flask, warnings))
        } else {
            Err(mistakes)
        }
    }
}

impl Place {
    /// Returns the wrong part and why, to follow `session_cookie`.
    fn mistake(&self) -> Option<&'static str> {
        let is_plain = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"\";,\\".contains(&byte))
        };
        if !is_plain(&self.name) || self.name.contains('=') {
            return Some("_name is not the name of a cookie");
        }
        if self
            .domain
            .as_deref()
            .is_some_and(|domain| !is_plain(domain))
        {
            return Some("_domain is not a domain; write one such as `example.com`");
        }
        if !is_plain(&self.path) || !self.path.starts_with('/') {
            return Some("_path is not a path; write one such as `/shop`");
        }
        None
    }

    /// Returns the cookie as it is removed.
    fn spec(self, own: &Config) -> CookieSpec {
        let is_prefixed = self.name.starts_with("__");
        CookieSpec {
            domain: self
                .domain
                .map(|domain| domain.trim_start_matches('.').to_owned()),
            path: self.path,
            secure: own.session_cookie.secure || is_prefixed,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
            name: self.name,
        }
    }
}

impl fmt::Debug for FlaskCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlaskCookies")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// The checked form of [`FlaskCookies`].
pub(crate) struct Flask {
    pub(super) session_keys: Vec<HmacSha1>,
    pub(super) remember_key: Option<HmacSha512>,
    session: CookieSpec,
    remember: CookieSpec,
    /// The greatest age of a session, in seconds.
    pub(super) max_age: u64,
    /// From here on, nothing is read.
    pub(crate) until: UnixTime,
    pub(super) convert_id: Option<Box<ConvertId>>,
    /// Whether the cookies stay in the browser.
    pub(crate) stays: bool,
}

impl Flask {
    /// Returns a cookie as it is read and removed.
    pub(crate) fn cookie(&self, kind: Kind) -> &CookieSpec {
        match kind {
            // Flask binds nothing to a device.
            Kind::Session | Kind::Device => &self.session,
            Kind::Remember => &self.remember,
        }
    }

    /// Whether both read a cookie of the same name, and one of them takes everybody for its user.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let kinds = [Kind::Session, Kind::Remember];
        let shares = kinds
            .iter()
            .any(|kind| self.cookie(*kind).name == other.cookie(*kind).name);
        shares && (self.convert_id.is_none() || other.convert_id.is_none())
    }
}

impl fmt::Debug for Flask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flask([redacted])")
    }
}
