//! Where a user is logged in: the list for people, and the end of one login.

use std::cmp::Reverse;
use std::fmt;
use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_seconds;
use rocket::serde::Serialize;

use super::verb::Verb;
use super::{LoginError, LoginSession};
use crate::app::user::{UserMixin, id_of};
use crate::clock::UnixTime;
use crate::logins::{LoginHandle, LoginRow};
use crate::token::{LoginId, Token};

/// One login of a user, in words for a page; returned by [`LoginSession::logins`].
///
/// It serializes with all its fields, for templates and JSON, and prints as "Firefox on Linux, 203.0.113.7, 5 minutes ago".
///
/// The example of [`LoginSession::logins`] shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(crate = "rocket::serde")]
#[non_exhaustive]
pub struct LoginInfo {
    /// Names the login in a form or a URL. It can end the login, and cannot log in.
    pub handle: String,
    /// Whether it is the login of this request.
    pub is_current: bool,
    /// Whether the login is bound to the device of its browser, see
    /// [`LoginSession::device_bound`]. Without the feature `device-binding` no login is.
    pub device_bound: bool,
    /// The browser and its system, such as "Firefox on Linux", as the browser says; needs the feature `client-names`.
    pub client: Option<String>,
    /// The address of the last use, as coarse as the setting `session_protection_address` makes it.
    pub address: Option<String>,
    /// What [`Login::how`](super::Login::how) said.
    pub how: Option<String>,
    /// When the login began.
    pub began: Moment,
    /// When the user last gave credentials, if ever.
    pub confirmed: Option<Moment>,
    /// When the login was last used, to within five minutes.
    pub last_seen: Moment,
}

/// A time, for people and for programs.
///
/// The example of [`LoginSession::logins`] shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(crate = "rocket::serde")]
#[non_exhaustive]
pub struct Moment {
    /// Seconds since 1970.
    pub unix: u64,
    /// In UTC, such as `2026-11-26T14:05:00Z`, for `<time datetime="..">`.
    pub iso: String,
    /// How long ago it was, such as "5 minutes ago"; after a month, the date in UTC.
    pub text: String,
}

/// The last second of the year 9999, after which there is no ISO form.
const LAST_SECOND: u64 = 253_402_300_799;

impl Moment {
    fn new(time: UnixTime, now: UnixTime) -> Self {
        let since = Duration::from_secs(time.as_secs().min(LAST_SECOND));
        let system = SystemTime::UNIX_EPOCH.checked_add(since);
        let iso = format_rfc3339_seconds(system.unwrap_or(SystemTime::UNIX_EPOCH)).to_string();
        let seconds = now.since(time);
        let ago = |count: u64, unit: &str| match count {
            1 => format!("1 {unit} ago"),
            _ => format!("{count} {unit}s ago"),
        };
        let text = match seconds {
            0..60 => "just now".to_owned(),
            60..3_600 => ago(seconds / 60, "minute"),
            3_600..86_400 => ago(seconds / 3_600, "hour"),
            86_400..2_592_000 => ago(seconds / 86_400, "day"),
            _ => iso.split('T').next().unwrap_or_default().to_owned(),
        };
        Self {
            unix: time.as_secs(),
            iso,
            text,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl LoginInfo {
    fn new(row: &LoginRow, current: Option<LoginId>, now: UnixTime) -> Self {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            handle: row.handle.to_string(),
            is_current: current == Some(row.login),
            device_bound: row.device_bound,
            client: given(&row.client),
            address: row.address.map(|address| address.to_string()),
            how: given(&row.how),
            began: Moment::new(row.created_at, now),
            confirmed: row.auth_at.map(|at| Moment::new(at, now)),
            last_seen: Moment::new(row.seen_at, now),
        }
    }
}

impl fmt::Display for LoginInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.client.as_deref().unwrap_or("An unknown client"))?;
        if let Some(address) = &self.address {
            write!(f, ", {address}")?;
        }
        write!(f, ", {}", self.last_seen)
    }
}

impl<U: UserMixin> LoginSession<'_, U> {
    /// Returns where the current user is logged in: this login first, then the others, the last used first.
    ///
    /// It needs a registry of logins, see [`LoginManager::login_registry`](crate::LoginManager::login_registry). A login
    /// that another server has just begun is there; one that has ended is not.
    ///
    /// # Errors
    ///
    /// - [`LoginError::NotLoggedIn`]: nobody is logged in by a session.
    /// - [`LoginError::NoRegistry`]: the manager has no registry.
    /// - [`LoginError::Registry`], [`LoginError::Unavailable`]: the registry, the revocation list or the user loader
    ///   failed.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// # use rocket_login::{login_required, LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// #[login_required]
    /// #[get("/logins")]
    /// async fn logins(session: LoginSession<'_, User>) -> Result<String, LoginError> {
    ///     let logins = session.logins().await?;
    ///     let lines: Vec<_> = logins.iter().map(|login| format!("{login}\n")).collect();
    ///     Ok(lines.concat())
    /// }
    /// ```
    #[track_caller]
    pub fn logins(&self) -> impl Future<Output = Result<Vec<LoginInfo>, LoginError>> + Send {
        Verb::new("logins").run(&self.realm.core, async {
            let Some(current) = self.visit.session(self.realm, self.req).await? else {
                return Err(LoginError::NotLoggedIn);
            };
            self.infos(&current.uid, Some(&current)).await
        })
    }

    /// Returns where another user is logged in, for an administrator.
    ///
    /// Let only administrators use the route.
    ///
    /// # Errors
    ///
    /// Those of [`logins`](Self::logins), without [`LoginError::NotLoggedIn`].
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::{LoginError, LoginSession, UserMixin};
    /// # #[derive(UserMixin)] struct User { id: i64 }
    /// # async fn handler(members: LoginSession<'_, User>, member: User) -> Result<(), LoginError> {
    /// let logins = members.logins_for(&member).await?;
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn logins_for(
        &self,
        user: &U,
    ) -> impl Future<Output = Result<Vec<LoginInfo>, LoginError>> + Send {
        Verb::new("logins_for").run(&self.realm.core, async {
            let current = self.visit.session(self.realm, self.req).await?;
            let uid = id_of(user);
            let current = current.filter(|token| token.uid == uid);
            self.infos(&uid, current.as_ref()).await
        })
    }

    async fn infos(
        &self,
        uid: &str,
        current: Option<&Token>,
    ) -> Result<Vec<LoginInfo>, LoginError> {
        let core = &self.realm.core;
        let now = core.clock.now();
        let mut rows = self.rows(uid, now).await?;
        let is_current = |row: &LoginRow| current.is_some_and(|token| row.login == token.login_id);
        // A registry that was wiped, or that was down at the login.
        if let Some(token) = current
            && !rows.iter().any(is_current)
        {
            self.refill(uid, token, now).await?;
            rows = self.rows(uid, now).await?;
        }
        let key = |row: &LoginRow| (is_current(row), row.seen_at, row.created_at);
        rows.sort_by_key(|row| Reverse(key(row)));
        let current = current.map(|token| token.login_id);
        let infos = rows.iter().map(|row| LoginInfo::new(row, current, now));
        Ok(infos.collect())
    }

    pub(super) async fn refill(
        &self,
        uid: &str,
        token: &Token,
        now: UnixTime,
    ) -> Result<(), LoginError> {
        let core = &self.realm.core;
        let Some(desk) = &core.desk else {
            return Err(LoginError::NoRegistry);
        };
        let client = self.client();
        let remember = self.remember_of(token, now);
        if let Ok(row) = core.row(desk, token, remember.as_ref(), &client, now) {
            desk.renew_now(uid, &row).await?;
        }
        Ok(())
    }

    /// The rows of the logins of a user that go on.
    async fn rows(&self, uid: &str, now: UnixTime) -> Result<Vec<LoginRow>, LoginError> {
        let core = &self.realm.core;
        let Some(desk) = &core.desk else {
            return Err(LoginError::NoRegistry);
        };
        let rows = desk.rows(uid, now).await?;
        Ok(core.going_on(uid, rows, now).await?)
    }

    /// Finds the login of a user that a handle names.
    pub(super) async fn row_of(
        &self,
        uid: &str,
        handle: &str,
        now: UnixTime,
    ) -> Result<LoginRow, LoginError> {
        let Some(desk) = &self.realm.core.desk else {
            return Err(LoginError::NoRegistry);
        };
        let Ok(handle) = handle.parse::<LoginHandle>() else {
            return Err(LoginError::NoSuchLogin);
        };
        let rows = desk.rows(uid, now).await?;
        let named = rows.into_iter().find(|row| row.handle == handle);
        named.ok_or(LoginError::NoSuchLogin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_people_say_it() {
        const DAY: u64 = 86_400;
        let now = 1_800_000_000;
        let text = |ago: u64| {
            let time = UnixTime::from_secs(now - ago);
            Moment::new(time, UnixTime::from_secs(now)).text
        };
        assert_eq!(text(0), "just now");
        assert_eq!(text(59), "just now");
        assert_eq!(text(60), "1 minute ago");
        assert_eq!(text(3_599), "59 minutes ago");
        assert_eq!(text(2 * 3_600), "2 hours ago");
        assert_eq!(text(DAY), "1 day ago");
        assert_eq!(text(29 * DAY), "29 days ago");
        assert_eq!(text(30 * DAY), "2026-12-16");
        // The clock of the store may be ahead.
        let ahead = Moment::new(UnixTime::from_secs(now + 5), UnixTime::from_secs(now));
        assert_eq!(ahead.text, "just now");
        assert_eq!(ahead.iso, "2027-01-15T08:00:05Z");
        let last = Moment::new(UnixTime::from_secs(u64::MAX), UnixTime::from_secs(now));
        assert_eq!(last.iso, "9999-12-31T23:59:59Z");
    }
}
