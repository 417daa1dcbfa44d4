//! What a store keeps of ended logins: entries that only grow, and their one text form.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::clock::UnixTime;
use crate::token::{LoginId, SessionId};

/// What an [`Entry`] is about, and its key in the table of a store.
///
/// Its text is the key: stores need no more of it. All ids are lowercase hexadecimal, and a text has no other spelling.
///
/// | text | what has ended |
/// | --- | --- |
/// | `login:REALM:LOGIN` | a login |
/// | `session:REALM:LOGIN:SESSION` | one session id of a login, which a confirmation has replaced |
/// | `user:REALM:KEY:USER` | the older logins of a user |
/// | `realm:REALM` | the older logins of every user |
///
/// REALM (16 digits) is a digest of the realm's name, LOGIN (32) and SESSION (16) are the random ids, USER (32) is a
/// digest of the user's id under a key of the application, and KEY (8) says under which one.
///
/// The example of [`Entry`] shows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub(crate) realm: RealmId,
    pub(crate) subject: Subject,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Login(LoginId),
    Session(LoginId, SessionId),
    User(UserDigest),
    Realm,
}

/// Stands for the name of a realm.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RealmId(pub(crate) [u8; 8]);

impl RealmId {
    pub(crate) fn of(name: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        let mut id = [0; 8];
        id.copy_from_slice(digest.split_at(8).0);
        Self(id)
    }
}

/// Stands for a user's id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UserDigest {
    pub(crate) key_id: [u8; 4],
    pub(crate) digest: [u8; 16],
}

/// An entry in the table of a store: what has ended, and when.
///
/// It has one text form, `1 KEY AT NEXT FLOOR UNTIL`: the version of the form, the [`Key`], and four values, with one
/// space between them. Times are Unix seconds in decimal digits, NEXT is an id or `-`:
///
/// | key | AT | NEXT | FLOOR |
/// | --- | --- | --- | --- |
/// | `login:` | when it ended | the login that has replaced it, or `-` | if one has replaced it, when it had ended before without one; else 0 |
/// | `session:` | when it ended | the session id that has replaced it, or `-` | 0 |
/// | `user:` | logins that are dated before have ended .. | .. but for this login, or `-` .. | .. which has ended if it is dated before this; 0 if none is spared |
/// | `realm:` | logins that are dated before have ended | `-` | 0 |
///
/// UNTIL is when no token that the entry could end is valid any more. AT is at least 1, and every number is below 2⁵³.
///
/// # How two entries under one key join
///
/// In the entry that results, UNTIL is the later one. The rest is that of the entry with the later AT; if both are equal,
/// of the one whose NEXT is the smaller text, so that `-` wins. If its NEXT is not `-`, FLOOR then becomes the larger one of
/// itself and of a number of the other entry:
///
/// - for a login, its AT if its NEXT is `-`, else its FLOOR;
/// - for a user, its FLOOR if its NEXT is the same, else its AT. If FLOOR is then not less than AT, nobody is spared:
///   NEXT becomes `-` and FLOOR 0.
///
/// The order of joins does not matter, and an entry that is joined twice changes nothing.
///
/// # Example
///
/// ```rust
/// use rocket_login::store::{Entry, EntryError};
///
/// fn join(row: &str, newer: Entry) -> Result<Entry, EntryError> {
///     let entry: Entry = row.parse()?;
///     assert_eq!(entry.key(), newer.key());
///     let joined = entry.joined(newer);
///     assert!(joined.at() >= entry.at() && joined.until() >= entry.until());
///     Ok(joined)
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub(crate) key: Key,
    pub(crate) at: UnixTime,
    pub(crate) next: Option<Next>,
    pub(crate) floor: UnixTime,
    pub(crate) until: UnixTime,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Login(LoginId),
    Session(SessionId),
}

impl Next {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Login(login) => &login.0,
            Self::Session(session) => &session.0,
        }
    }
}

impl Entry {
    /// An entry that the store is to date.
    pub(crate) fn undated(key: Key, next: Option<Next>, until: UnixTime) -> Self {
        Self {
            key,
            at: UnixTime::from_secs(1),
            next,
            floor: UnixTime::from_secs(0),
            until,
        }
    }

    /// Returns its key in the table.
    #[must_use]
    pub fn key(&self) -> Key {
        self.key
    }

    /// Returns when it ended, or the time before which logins have ended.
    #[must_use]
    pub fn at(&self) -> UnixTime {
        self.at
    }

    /// Returns when it expires.
    #[must_use]
    pub fn until(&self) -> UnixTime {
        self.until
    }

    /// Returns the entry that results from two under the same key, see [above](Self#how-two-entries-under-one-key-join).
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        let (mut later, other) = if self.rank() >= other.rank() {
            (self, other)
        } else {
            (other, self)
        };
        later.until = later.until.max(other.until);
        let floor = match (later.key.subject, later.next) {
            (Subject::Login(_), Some(_)) if other.is_an_end() => other.at,
            (Subject::Login(_), Some(_)) => other.floor,
            (Subject::User(_), Some(Next::Login(spared))) => other.ends(spared),
            _ => return later,
        };
        later.floor = later.floor.max(floor);
        if later.floor >= later.at {
            later.next = None;
            later.floor = UnixTime::from_secs(0);
        }
        later
    }

    fn rank(&self) -> (UnixTime, Reverse<&[u8]>) {
        let next = self.next.as_ref().map_or(&[][..], Next::bytes);
        (self.at, Reverse(next))
    }

    /// The time before which this login has ended, if its date counts.
    pub(crate) fn ends(&self, login: LoginId) -> UnixTime {
        if self.next == Some(Next::Login(login)) {
            self.floor
        } else {
            self.at
        }
    }

    /// Whether a login has ended, and no other one is in its place.
    pub(crate) fn is_an_end(&self) -> bool {
        matches!(self.key.subject, Subject::Login(_)) && self.next.is_none()
    }

    /// Whether a login has ended without another one in its place, now or before one came.
    pub(crate) fn has_ended_for_good(&self) -> bool {
        self.is_an_end() || self.floor.as_secs() > 0
    }

    /// The login that has replaced the one that this entry is about.
    pub(crate) fn successor(&self) -> Option<LoginId> {
        match (self.key.subject, self.next) {
            (Subject::Login(_), Some(Next::Login(next))) => Some(next),
            _ => None,
        }
    }
}

/// Why a text is not an entry, or a part of one, that this version of the library has written.
///
/// The example of [`Entry`] shows it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryError {
    /// Another version of the library has written it.
    #[error(
        "the store has entries of version {0:?}, and this server reads version 1: \
         run one version of rocket-login on all servers"
    )]
    Version(String),
    /// It does not have the form of an entry.
    #[error(
        "the store has an entry that rocket-login has not written: \
         let no other program write under these names, or set another name or prefix for the list of ended logins"
    )]
    Malformed,
}

const VERSION: &str = "1";

/// The numbers that Lua and SQL hold exactly.
const MAX_NUMBER: u64 = (1 << 53) - 1;

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let realm = HEXLOWER.encode(&self.realm.0);
        match self.subject {
            Subject::Login(login) => write!(f, "login:{realm}:{}", HEXLOWER.encode(&login.0)),
            Subject::Session(login, session) => write!(
                f,
                "session:{realm}:{}:{}",
                HEXLOWER.encode(&login.0),
                HEXLOWER.encode(&session.0)
            ),
            Subject::User(UserDigest { key_id, digest }) => write!(
                f,
                "user:{realm}:{}:{}",
                HEXLOWER.encode(&key_id),
                HEXLOWER.encode(&digest)
            ),
            Subject::Realm => write!(f, "realm:{realm}"),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = match &self.next {
            Some(next) => &HEXLOWER.encode(next.bytes()),
            None => "-",
        };
        let [at, floor, until] = [self.at, self.floor, self.until].map(UnixTime::as_secs);
        write!(f, "{VERSION} {} {at} {next} {floor} {until}", self.key)
    }
}

impl FromStr for Key {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let mut parts = text.split(':');
        let mut part = || parts.next().ok_or(EntryError::Malformed);
        let kind = part()?;
        let realm = RealmId(bytes(part()?)?);
        let subject = match kind {
            "login" => Subject::Login(LoginId(bytes(part()?)?)),
            "session" => Subject::Session(LoginId(bytes(part()?)?), SessionId(bytes(part()?)?)),
            "user" => Subject::User(UserDigest {
                key_id: bytes(part()?)?,
                digest: bytes(part()?)?,
            }),
            "realm" => Subject::Realm,
            _ => return Err(EntryError::Malformed),
        };
        match parts.next() {
            None => Ok(Self { realm, subject }),
            Some(_) => Err(EntryError::Malformed),
        }
    }
}

impl FromStr for Entry {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let (version, rest) = text.split_once(' ').ok_or(EntryError::Malformed)?;
        if version != VERSION {
            let is_number = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
            return Err(if is_number && version.len() < 10 {
                EntryError::Version(version.to_owned())
            } else {
                EntryError::Malformed
            });
        }
        let parts: Vec<_> = rest.split(' ').collect();
        let [key, at, next, floor, until] = *parts else {
            return Err(EntryError::Malformed);
        };
        let key: Key = key.parse()?;
        let next = match (key.subject, next) {
            (_, "-") => None,
            (Subject::Login(_) | Subject::User(_), login) => {
                Some(Next::Login(LoginId(bytes(login)?)))
            }
            (Subject::Session(..), session) => Some(Next::Session(SessionId(bytes(session)?))),
            (Subject::Realm, _) => return Err(EntryError::Malformed),
        };
        let [at, floor, until] = [number(at)?, number(floor)?, number(until)?];
        let may_have_floor = matches!(next, Some(Next::Login(_)));
        let floor_fits = floor.as_secs() == 0 || may_have_floor && floor < at;
        if at.as_secs() == 0 || !floor_fits {
            return Err(EntryError::Malformed);
        }
        Ok(Self {
            key,
            at,
            next,
            floor,
            until,
        })
    }
}

/// The bytes of exactly so many lowercase hexadecimal digits.
#[expect(
    clippy::disallowed_methods,
    reason = "that there is one decoder is for tokens; this is what a store sends"
)]
pub(crate) fn bytes<const N: usize>(text: &str) -> Result<[u8; N], EntryError> {
    let bytes = HEXLOWER.decode(text.as_bytes());
    let bytes = bytes.map_err(|_| EntryError::Malformed)?;
    bytes.try_into().map_err(|_| EntryError::Malformed)
}

/// A number in its only spelling.
fn number(text: &str) -> Result<UnixTime, EntryError> {
    let has_one_spelling = !text.starts_with('+') && (text == "0" || !text.starts_with('0'));
    let number = text.parse().map_err(|_| EntryError::Malformed)?;
    if !has_one_spelling || number > MAX_NUMBER {
        return Err(EntryError::Malformed);
    }
    Ok(UnixTime::from_secs(number))
}

/// Prints neither an id nor a user.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("at", &self.at)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// Prints only the kind.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.subject)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login(_) => "login",
            Self::Session(..) => "session",
            Self::User(_) => "user",
            Self::Realm => "realm",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn entry(text: &str) -> Entry {
        text.parse().unwrap()
    }

    #[test]
    fn an_entry_has_one_text() {
        for text in [
            "1 login:000102030405060708:00000000000000000000000000000000 5 - 0 9",
            "1 login:0001020304050607:0000000000000000000000000000000 5 - 0 9",
            "1 login:0001020304050607:0000000000000000000000000000000G 5 - 0 9",
            "1 login:0001020304050607:0000000000000000000000000000000A 5 - 0 9",
            "1 login:0001020304050607:00000000000000000000000000000000:00 5 - 0 9",
            "1 login:0001020304050607:00000000000000000000000000000000 05 - 0 9",
            "1 login:0001020304050607:00000000000000000000000000000000 +5 - 0 9",
            "1 login:0001020304050607:00000000000000000000000000000000 0 - 0 9",
            "1 login:0001020304050607:00000000000000000000000000000000 5 - 1 9",
            "1 login:0001020304050607:00000000000000000000000000000000 5 0001020304050607 0 9",
            "1 login:0001020304050607:00000000000000000000000000000000 5 - 0 9007199254740992",
            "1 login:0001020304050607:00000000000000000000000000000000 5 - 0 9 ",
            "1 login:0001020304050607:00000000000000000000000000000000  5 - 0 9",
            "1 realm:0001020304050607 5 0001020304050607 0 9",
            "1 robot:0001020304050607 5 - 0 9",
            "1 user:0001020304050607:00010203:00000000000000000000000000000000 5 00000000000000000000000000000000 5 9",
            "v1 realm:0001020304050607 5 - 0 9",
            " realm:0001020304050607 5 - 0 9",
            "realm:0001020304050607",
            "",
        ] {
            assert_eq!(text.parse::<Entry>(), Err(EntryError::Malformed), "{text}");
        }
        assert_eq!(
            "2 whatever it is".parse::<Entry>().unwrap_err().to_string(),
            "the store has entries of version \"2\", and this server reads version 1: \
             run one version of rocket-login on all servers"
        );
    }

    #[test]
    fn the_text_of_an_entry_never_changes() {
        let text = "1 user:0001020304050607:08090a0b:000102030405060708090a0b0c0d0e0f 1800000000 \
                    0f0e0d0c0b0a09080706050403020100 1700000000 1834646400";
        let entry = entry(text);
        assert_eq!(entry.to_string(), text);
        assert_eq!(
            entry.key().to_string(),
            "user:0001020304050607:08090a0b:000102030405060708090a0b0c0d0e0f"
        );
        assert_eq!(RealmId::of("app\nlogin_session").0, REALM);
        assert_eq!(
            format!("{entry:?}"),
            "Entry { key: Key(user), at: UnixTime(1800000000), until: UnixTime(1834646400), .. }"
        );
    }

    /// Made with Python's hashlib.
    const REALM: [u8; 8] = [25, 194, 249, 217, 137, 167, 75, 77];

    #[test]
    fn logins_that_two_entries_of_a_user_spare_end_by_the_other_entry() {
        let user = "1 user:0001020304050607:08090a0b:000102030405060708090a0b0c0d0e0f";
        let [a, b] = ["0a", "0b"].map(|byte| byte.repeat(16));
        let [first, second, third] = [
            entry(&format!("{user} 10 {a} 0 100")),
            entry(&format!("{user} 20 {b} 0 90")),
            entry(&format!("{user} 15 - 0 90")),
        ];
        let joined = first.joined(second);
        assert_eq!(joined.to_string(), format!("{user} 20 {b} 10 100"));
        assert_eq!(
            joined.joined(third).to_string(),
            format!("{user} 20 {b} 15 100")
        );
        let all = entry(&format!("{user} 20 - 0 90"));
        assert_eq!(joined.joined(all).to_string(), format!("{user} 20 - 0 100"));
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let key = prop_oneof![
            Just(Subject::Login(LoginId([1; 16]))),
            Just(Subject::Session(LoginId([1; 16]), SessionId([1; 8]))),
            Just(Subject::User(UserDigest {
                key_id: [1; 4],
                digest: [1; 16]
            })),
            Just(Subject::Realm),
        ];
        (key, 1..6_u64, 0..4_u8, 0..5_u64, 0..5_u64).prop_map(
            |(subject, at, next, floor, until)| {
                let next = (next > 0).then_some(match subject {
                    Subject::Login(_) | Subject::User(_) => Next::Login(LoginId([next; 16])),
                    Subject::Session(..) | Subject::Realm => Next::Session(SessionId([next; 8])),
                });
                let next = next.filter(|_| subject != Subject::Realm);
                let has_floor = matches!(next, Some(Next::Login(_)));
                Entry {
                    key: Key {
                        realm: RealmId([1; 8]),
                        subject,
                    },
                    at: UnixTime::from_secs(at),
                    next,
                    floor: UnixTime::from_secs(if has_floor { floor.min(at - 1) } else { 0 }),
                    until: UnixTime::from_secs(until),
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_text_is_read_back(entry in any_entry()) {
            prop_assert_eq!(entry.to_string().parse(), Ok(entry));
            prop_assert_eq!(entry.key().to_string().parse(), Ok(entry.key()));
        }

        #[test]
        fn entries_join_in_any_order_and_only_grow(entries in proptest::collection::vec(any_entry(), 3)) {
            let key = entries[0].key;
            let of_key = |entry: &Entry| Entry { key, ..*entry };
            let entries: Vec<_> = entries.iter().filter(|entry| {
                std::mem::discriminant(&entry.key.subject) == std::mem::discriminant(&key.subject)
            }).map(of_key).collect();
            let [a, b, c] = [0, 1, 2].map(|index| entries[index % entries.len()]);
            prop_assert_eq!(a.joined(a), a);
            prop_assert_eq!(a.joined(b), b.joined(a));
            prop_assert_eq!(a.joined(b).joined(c), a.joined(b.joined(c)));
            let joined = a.joined(b);
            prop_assert_eq!(joined.to_string().parse(), Ok(joined));
            let is_of_user = matches!(key.subject, Subject::User(_));
            for login in (0..5_u8).filter(|_| is_of_user) {
                let login = LoginId([login; 16]);
                prop_assert_eq!(joined.ends(login), a.ends(login).max(b.ends(login)));
            }
        }
    }
}
