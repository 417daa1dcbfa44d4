//! The user trait: what the library asks of an application's own user type.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::sync::Arc;

use hmac::Mac as _;

use crate::token::{Digest, HmacSha256};

/// A user of the application.
///
/// Usually derived: `#[derive(UserMixin)]` finds the field `id`, or the one marked `#[user(id)]`.
/// The same job as Flask-Login's `UserMixin`.
///
/// # Example
///
/// ```rust
/// use rocket_login::UserMixin;
///
/// #[derive(UserMixin)]
/// struct User {
///     id: i64,
///     #[user(active)]
///     enabled: bool,
///     #[user(session_hash)]
///     password_hash: String,
/// }
///
/// let user = User { id: 7, enabled: true, password_hash: "$argon2id$..".into() };
/// assert_eq!(user.get_id().to_string(), "7");
/// assert!(user.is_active());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user type",
    label = "this type does not implement `UserMixin`",
    note = "write `#[derive(UserMixin)]` above `{Self}`, or implement `rocket_login::UserMixin` for it"
)]
pub trait UserMixin: Send + Sync + 'static {
    /// Returns the id under which the user loader finds this user again.
    ///
    /// The id stands in the cookies, signed but readable: choose one that tells nothing. 1 to 256
    /// bytes once printed; another length is an error at login.
    fn get_id(&self) -> impl Display;

    /// Returns whether this account may be used; `true` unless overridden.
    ///
    /// An inactive user cannot log in, and a login ends at the first request that finds its user
    /// inactive.
    fn is_active(&self) -> bool {
        true
    }

    /// Returns whether this user counts as logged in when loaded; the same as
    /// [`is_active`](Self::is_active) unless overridden.
    fn is_authenticated(&self) -> bool {
        self.is_active()
    }

    /// Feeds whatever must end the user's logins when it changes, such as the password hash.
    ///
    /// A keyed digest of it is bound into both cookies, so that a change of password ends every
    /// older session and remember token with no store and no look-up. By default nothing is fed,
    /// and nothing is bound.
    fn session_hash(&self, hash: &mut SessionHasher) {
        let _ = hash;
    }
}

/// Collects what a user's logins are bound to; see [`UserMixin::session_hash`].
pub struct SessionHasher {
    mac: HmacSha256,
    used: bool,
}

impl SessionHasher {
    /// Adds a field. Fields are told apart by their order and length.
    pub fn field<T: SessionHashField + ?Sized>(&mut self, field: &T) {
        self.used = true;
        match field.bytes() {
            Some(bytes) => {
                self.mac.update(&[1]);
                self.mac.update(&(bytes.len() as u64).to_be_bytes());
                self.mac.update(bytes);
            }
            None => self.mac.update(&[0]),
        }
    }

    /// The digest of a user's fields under a key; `None` for a user that adds none.
    pub(crate) fn digest<U: UserMixin>(key: &HmacSha256, user: &U) -> Option<Digest> {
        let mut hasher = SessionHasher {
            mac: key.clone(),
            used: false,
        };
        user.session_hash(&mut hasher);
        hasher.used.then(|| Digest::of(hasher.mac))
    }
}

impl fmt::Debug for SessionHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionHasher([redacted])")
    }
}

/// A user's id as the cookies hold it.
pub(crate) fn id_of<U: UserMixin>(user: &U) -> String {
    user.get_id().to_string()
}

/// Whether a user's id is exactly `id`, told without printing it into a new string.
pub(crate) fn has_id<U: UserMixin>(user: &U, id: &str) -> bool {
    struct Rest<'a>(&'a str);
    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, printed: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(printed).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(id);
    fmt::write(&mut rest, format_args!("{}", user.get_id())).is_ok() && rest.0.is_empty()
}

/// A field that [`SessionHasher::field`] takes: text or bytes, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of the session hash",
    label = "not text or bytes",
    note = "`session_hash` takes text and bytes: `String`, `&str`, `Vec<u8>`, `[u8; N]`, or an `Option` of one"
)]
pub trait SessionHashField {
    /// Returns the field's bytes, `None` where there is no value.
    fn bytes(&self) -> Option<&[u8]>;
}

macro_rules! hash_fields {
    ($($ty:ty => |$this:ident| $bytes:expr;)*) => {$(
        impl SessionHashField for $ty {
            fn bytes(&self) -> Option<&[u8]> {
                let $this = self;
                Some($bytes)
            }
        }
    )*};
}

hash_fields! {
    str => |text| text.as_bytes();
    String => |text| text.as_bytes();
    Box<str> => |text| text.as_bytes();
    Arc<str> => |text| text.as_bytes();
    Cow<'_, str> => |text| text.as_bytes();
    [u8] => |bytes| bytes;
    Vec<u8> => |bytes| bytes;
    Box<[u8]> => |bytes| bytes;
    Arc<[u8]> => |bytes| bytes;
    Cow<'_, [u8]> => |bytes| bytes;
}

impl<const N: usize> SessionHashField for [u8; N] {
    fn bytes(&self) -> Option<&[u8]> {
        Some(self)
    }
}

impl<T: SessionHashField + ?Sized> SessionHashField for &T {
    fn bytes(&self) -> Option<&[u8]> {
        (**self).bytes()
    }
}

impl<T: SessionHashField> SessionHashField for Option<T> {
    fn bytes(&self) -> Option<&[u8]> {
        self.as_ref().and_then(SessionHashField::bytes)
    }
}
