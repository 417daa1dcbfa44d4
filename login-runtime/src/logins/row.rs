//! The row of a login, and its one text form.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use thiserror::Error;

use super::restores::{Decision, Restores};
use crate::clock::UnixTime;
use crate::revocation::log::entry::{self, RealmId, UserDigest};
use crate::token::{LAST_RESTORE, LoginId, random};

/// Names a row for people: 16 random bytes, written as 32 hexadecimal digits. It ends a login, and cannot log in.
///
/// The example of [`LoginSession::end_login`] shows it.
///
/// [`LoginSession::end_login`]: crate::LoginSession::end_login
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoginHandle([u8; 16]);

impl LoginHandle {
    pub(crate) fn generate() -> io::Result<Self> {
        random::draw().map(Self)
    }
}

impl fmt::Display for LoginHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for LoginHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginHandle(..)")
    }
}

impl FromStr for LoginHandle {
    type Err = RowError;

    fn from_str(text: &str) -> Result<Self, RowError> {
        let bytes = entry::bytes(text);
        bytes.map(Self).map_err(|_| RowError::Malformed)
    }
}

/// Stands for a user of a realm in a registry.
///
/// Its text is the key under which the rows of a user are stored: hexadecimal digits and `:`, at most 64 in all.
///
/// The example of [`LoginRegistry`] shows it.
///
/// [`LoginRegistry`]: crate::LoginRegistry
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowUser {
    pub(crate) realm: RealmId,
    pub(crate) user: UserDigest,
}

impl fmt::Display for RowUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [realm, key, digest] = [
            &self.realm.0[..],
            &self.user.key_id[..],
            &self.user.digest[..],
        ]
        .map(|bytes| HEXLOWER.encode(bytes));
        write!(f, "{realm}:{key}:{digest}")
    }
}

/// Prints no user.
impl fmt::Debug for RowUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowUser(..)")
    }
}

/// One login of a user.
///
/// It has one text form, for stores: `1`, the login's id and the handle in hexadecimal digits, four times in Unix seconds
/// (when the login began, when credentials were last given or 0, when it was last used, when it expires), whether it is
/// bound to a device (`1` or `0`), how often it was restored, when its newest remember token was issued or 0 once that has
/// arrived, the address or `-`, the client, and how the user logged in, with one tab between them.
///
/// The example of [`LoginRegistry`] shows it.
///
/// [`LoginRegistry`]: crate::LoginRegistry
#[derive(Clone, PartialEq, Eq)]
pub struct LoginRow {
    pub(crate) user: RowUser,
    pub(crate) login: LoginId,
    pub(crate) handle: LoginHandle,
    pub(crate) created_at: UnixTime,
    pub(crate) auth_at: Option<UnixTime>,
    pub(crate) seen_at: UnixTime,
    pub(crate) until: UnixTime,
    pub(crate) device_bound: bool,
    pub(crate) restores: Restores,
    pub(crate) address: Option<IpAddr>,
    /// Such as "Firefox on Linux", or empty.
    pub(crate) client: String,
    /// A text of the application's, or empty.
    pub(crate) how: String,
}

/// How long the texts of a row may be.
const MAX_TEXT: usize = 100;

/// A text without control characters, shortened.
pub(crate) fn text(given: &str) -> String {
    let printable = given.chars().filter(|char| !char.is_control());
    printable.take(MAX_TEXT).collect()
}

impl LoginRow {
    /// Returns its user.
    #[must_use]
    pub fn user(&self) -> RowUser {
        self.user
    }

    /// Returns the id of its login. It is secret: with it, somebody can find the login in a list of ended logins.
    #[must_use]
    pub fn login(&self) -> LoginId {
        self.login
    }

    /// Returns when it expires: from then on it does not count.
    #[must_use]
    pub fn until(&self) -> UnixTime {
        self.until
    }

    /// Reads the text form, see [above](Self).
    ///
    /// # Errors
    ///
    /// If it is not the text of a row.
    pub fn parse(user: RowUser, text: &str) -> Result<Self, RowError> {
        let parts: Vec<_> = text.split('\t').collect();
        let [
            version,
            login,
            handle,
            created_at,
            auth_at,
            seen_at,
            until,
            device_bound,
            restores,
            unseen_since,
            address,
            client,
            how,
        ] = *parts
        else {
            return Err(RowError::Malformed);
        };
        if version != VERSION {
            return Err(RowError::Version);
        }
        let time = |text: &str| {
            let seconds = text.parse().map_err(|_| RowError::Malformed);
            seconds.map(UnixTime::from_secs)
        };
        let time_or_none = |text| {
            let time = time(text)?;
            Ok((time.as_secs() > 0).then_some(time))
        };
        Ok(Self {
            user,
            login: LoginId(entry::bytes(login).map_err(|_| RowError::Malformed)?),
            handle: handle.parse()?,
            created_at: time(created_at)?,
            auth_at: time_or_none(auth_at)?,
            seen_at: time(seen_at)?,
            until: time(until)?,
            device_bound: match device_bound {
                "0" => false,
                "1" => true,
                _ => return Err(RowError::Malformed),
            },
            restores: Restores {
                count: match restores.parse() {
                    Ok(count @ ..=LAST_RESTORE) => count,
                    _ => return Err(RowError::Malformed),
                },
                unseen_since: time_or_none(unseen_since)?,
            },
            address: match address {
                "-" => None,
                address => Some(address.parse().map_err(|_| RowError::Malformed)?),
            },
            client: self::text(client),
            how: self::text(how),
        })
    }

    /// Joins two rows of one login. The result keeps the user and the handle of `self`, which was there first; the rest is
    /// that of the later use. A login that is bound to a device stays bound.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let (earlier, later) = if self.seen_at <= other.seen_at {
            (self, other)
        } else {
            (other, self)
        };
        let or = |later: &String, earlier: &String| {
            let text = if later.is_empty() { earlier } else { later };
            text.clone()
        };
        Self {
            user: self.user,
            login: self.login,
            handle: self.handle,
            created_at: self.created_at.max(other.created_at),
            auth_at: self.auth_at.max(other.auth_at),
            seen_at: later.seen_at,
            until: self.until.max(other.until),
            device_bound: self.device_bound || other.device_bound,
            restores: self.restores.joined(other.restores),
            address: later.address,
            client: or(&later.client, &earlier.client),
            how: or(&later.how, &earlier.how),
        }
    }

    /// Decides what follows when a remember cookie restores the login of this row; `held` is the row that is there.
    #[must_use]
    pub fn restored(&self, held: Option<&Self>) -> Restored {
        let known = held.map(|held| held.restores);
        match Restores::decide(known, self.restores.count, self.seen_at) {
            Decision::Issue(restores) => Restored::Changed(Self {
                restores,
                ..held.map_or_else(|| self.clone(), |held| held.joined(self))
            }),
            Decision::Same => Restored::Same(held.unwrap_or(self).clone()),
            Decision::Reused => Restored::Reused,
        }
    }
}

/// The result of [`LoginRegistry::restore`].
///
/// The example of [`LoginRegistry`] shows it.
///
/// [`LoginRegistry`]: crate::LoginRegistry
/// [`LoginRegistry::restore`]: crate::LoginRegistry::restore
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The login goes on, with this row in place of the one that was there.
    Changed(LoginRow),
    /// The login goes on, and this row stays as it is.
    Same(LoginRow),
    /// The remember cookie was used before, and its successor has arrived: the cookie was copied.
    Reused,
}

impl Restored {
    /// Returns the row that a registry writes, if there is one.
    #[must_use]
    pub fn changed(&self) -> Option<&LoginRow> {
        match self {
            Self::Changed(row) => Some(row),
            Self::Same(_) | Self::Reused => None,
        }
    }
}

const VERSION: &str = "1";

/// The text form, without the user.
impl fmt::Display for LoginRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let never = UnixTime::from_secs(0);
        let Restores {
            count: restores,
            unseen_since,
        } = self.restores;
        let [created, auth, seen, until, unseen] = [
            self.created_at,
            self.auth_at.unwrap_or(never),
            self.seen_at,
            self.until,
            unseen_since.unwrap_or(never),
        ]
        .map(UnixTime::as_secs);
        let device_bound = u8::from(self.device_bound);
        let address = match self.address {
            Some(address) => &address.to_string(),
            None => "-",
        };
        let login = HEXLOWER.encode(&self.login.0);
        let Self {
            handle,
            client,
            how,
            ..
        } = self;
        write!(
            f,
            "{VERSION}\t{login}\t{handle}\t{created}\t{auth}\t{seen}\t{until}\t{device_bound}\t\
             {restores}\t{unseen}\t{address}\t{client}\t{how}"
        )
    }
}

/// Prints neither an id nor a user.
impl fmt::Debug for LoginRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRow")
            .field("created_at", &self.created_at)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// Why a text is not a row.
///
/// The example of [`LoginRegistry`] shows it.
///
/// [`LoginRegistry`]: crate::LoginRegistry
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowError {
    /// Another version of the library has written it.
    #[error(
        "the registry has rows of another version: run one version of rocket-login on all servers"
    )]
    Version,
    /// It does not have the form of a row.
    #[error("the registry has a row that rocket-login has not written")]
    Malformed,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn row(handle: u8, seen_at: u64) -> LoginRow {
        LoginRow {
            user: RowUser {
                realm: RealmId([1; 8]),
                user: UserDigest {
                    key_id: [2; 4],
                    digest: [3; 16],
                },
            },
            login: LoginId([4; 16]),
            handle: LoginHandle([handle; 16]),
            created_at: UnixTime::from_secs(5),
            auth_at: None,
            seen_at: UnixTime::from_secs(seen_at),
            until: UnixTime::from_secs(9),
            device_bound: false,
            restores: Restores {
                count: 3,
                unseen_since: Some(UnixTime::from_secs(8)),
            },
            address: Some("2001:db8::".parse().unwrap()),
            client: "Firefox on Linux".into(),
            how: String::new(),
        }
    }

    #[test]
    fn a_row_has_one_text_which_never_changes() {
        let row = row(10, 7);
        let text = "1\t04040404040404040404040404040404\t0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\t5\t0\t7\t9\t0\t3\t8\t2001:db8::\tFirefox on Linux\t";
        assert_eq!(row.to_string(), text);
        assert_eq!(LoginRow::parse(row.user, text), Ok(row.clone()));
        assert_eq!(
            row.user.to_string(),
            "0101010101010101:02020202:03030303030303030303030303030303"
        );
        for (text, error) in [
            ("", RowError::Malformed),
            (&*text.replacen('1', "2", 1), RowError::Version),
            (&*text.replace("0a0a", "0A0a"), RowError::Malformed),
            (&*text.replace("\t5", "\t-5"), RowError::Malformed),
            (&*text.replace("9\t0", "9\t2"), RowError::Malformed),
            (&*text.replace("\t3\t", "\t-3\t"), RowError::Malformed),
            (&*text.replace("\t3\t", "\t16777216\t"), RowError::Malformed),
            (&*text.replace("db8", "dbx"), RowError::Malformed),
            (&*format!("{text}\t"), RowError::Malformed),
        ] {
            assert_eq!(LoginRow::parse(row.user, text), Err(error));
        }
    }

    #[test]
    fn a_renewed_row_keeps_its_handle_and_what_only_the_login_knew() {
        let first = LoginRow {
            auth_at: Some(UnixTime::from_secs(5)),
            device_bound: true,
            how: "by password".into(),
            ..row(1, 7)
        };
        let renewal = LoginRow {
            address: None,
            client: String::new(),
            until: UnixTime::from_secs(20),
            ..row(2, 8)
        };
        let expected = LoginRow {
            seen_at: renewal.seen_at,
            until: renewal.until,
            address: None,
            ..first.clone()
        };
        assert_eq!(first.joined(&renewal), expected);
        // A login can be bound after it began.
        let bound = LoginRow {
            device_bound: true,
            ..renewal.clone()
        };
        assert!(row(1, 7).joined(&bound).device_bound);
        // A renewal that comes late changes nothing but the end.
        let late = LoginRow {
            seen_at: UnixTime::from_secs(6),
            ..renewal
        };
        let joined = first.joined(&late);
        assert_eq!(
            joined,
            LoginRow {
                until: late.until,
                ..first
            }
        );
    }

    #[test]
    fn a_text_of_the_application_cannot_break_the_form() {
        let long = format!("a\tb\nc{}", "é".repeat(200));
        assert_eq!(text(&long), format!("abc{}", "é".repeat(97)));
    }
}
