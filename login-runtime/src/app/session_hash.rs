//! The session hash: when it changes, the user's logins end.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use hmac::Mac as _;

use crate::app::user::UserMixin;
use crate::token::{Digest, HmacSha256};

/// Collects the data that a user's logins are bound to; see [`UserMixin::session_hash`].
///
/// # Example
///
/// ```rust
/// # use std::fmt::Display;
/// use rocket_login::{SessionHasher, UserGuard, UserMixin};
///
/// #[derive(UserGuard)]
/// struct User { id: i64, password_hash: String, second_factor: Option<Vec<u8>> }
///
/// impl UserMixin for User {
///     fn get_id(&self) -> impl Display {
///         self.id
///     }
///
///     fn session_hash(&self, hash: &mut SessionHasher) {
///         hash.field(&self.password_hash);
///         hash.field(&self.second_factor);
///     }
/// }
/// ```
pub struct SessionHasher {
    mac: HmacSha256,
    used: bool,
}

impl SessionHasher {
    /// Adds a field. The hash depends on the order and the length of the fields, so no two lists of fields collide.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket_login::SessionHasher;
    /// fn session_hash(password_hash: &str, hash: &mut SessionHasher) {
    ///     hash.field(password_hash);
    /// }
    /// ```
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

    /// Returns the keyed digest of a user's fields; `None` if the user adds none.
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

/// A field that [`SessionHasher::field`] takes: text or bytes, or an `Option` of one.
///
/// The example of [`SessionHasher`] shows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of the session hash",
    label = "not text or bytes",
    note = "`session_hash` takes text and bytes: `String`, `&str`, `Vec<u8>`, `[u8; N]`, or an `Option` of one"
)]
pub trait SessionHashField {
    /// Returns the field's bytes; `None` if there is no value.
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
