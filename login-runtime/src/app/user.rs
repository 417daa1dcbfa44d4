//! The trait that an application's user type implements.

use std::any::TypeId;
use std::fmt::{self, Display};

use smol_str::{SmolStr, ToSmolStr as _};

use crate::app::session_hash::SessionHasher;

/// A user of the application.
///
/// Usually derived: `#[derive(UserMixin)]` uses the field `id`, or the field marked `#[user(id)]`. Flask-Login's
/// `UserMixin`.
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
/// assert!(user.is_active() && user.is_authenticated());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user type",
    label = "this type does not implement `UserMixin`",
    note = "write `#[derive(UserMixin)]` above the user type, and name the type without `&`, as in `Fresh<'_, User>`"
)]
pub trait UserMixin: UserGuard + Send + Sync + 'static {
    /// Returns the id with which the user loader finds this user again.
    ///
    /// The id is in the cookies, signed but readable: choose one that reveals nothing. Printed, it has 1 to 256 bytes;
    /// another length is an error at login.
    #[doc(alias = "id_attribute")]
    fn get_id(&self) -> impl Display;

    /// Returns whether this account may be used; `true` unless overridden.
    ///
    /// An inactive user cannot log in, and existing logins of the user are refused. They are valid again when the user is
    /// active again, unless `logout_everywhere_for` has ended them.
    fn is_active(&self) -> bool {
        true
    }

    /// Returns whether this user counts as logged in when loaded; the same as [`is_active`](Self::is_active) unless
    /// overridden.
    fn is_authenticated(&self) -> bool {
        self.is_active()
    }

    /// Adds the data that ends the user's logins when it changes, such as the password hash.
    ///
    /// Both cookies contain a keyed digest of the data. So a change of password ends all older sessions and remember
    /// tokens, without a session store. By default there is no such data.
    fn session_hash(&self, hash: &mut SessionHasher) {
        let _ = hash;
    }
}

/// A user type `U` whose `&U` is a request guard that only a logged-in user passes.
///
/// `#[derive(UserMixin)]` implements it, together with the guard. For a type that implements [`UserMixin`] by hand,
/// such as an enum, `#[derive(UserGuard)]` does.
///
/// The example of [`SessionHasher`](crate::SessionHasher) shows it.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` is not a request guard",
    label = "no handler can take this user type yet",
    note = "write `#[derive(UserGuard)]` above `{Self}`, which makes `&{Self}` the guard for handlers"
)]
pub trait UserGuard {}

/// The id of a user, which the derive takes from a field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the id of a user",
    label = "not an id that can be written into a cookie",
    note = "use a type that implements `Display`, such as `i64`, `String` or a UUID; it cannot be an `Option`, because \
            every user has an id: write another struct for a user who is not stored yet"
)]
pub trait UserId {
    #[doc(hidden)]
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> UserId for T {
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt(f)
    }
}

/// A field that is an id; the bound is on the implementation, so that another field gives one error.
#[derive(Debug)]
pub struct IdField<'a, T: ?Sized>(pub &'a T);

impl<T: UserId + ?Sized> Display for IdField<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.print(f)
    }
}

/// The field that says whether a user is active.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say whether a user is active",
    label = "not a `bool`",
    note = "mark a field of the type `bool`, or implement `UserMixin` by hand, with `#[derive(UserGuard)]`"
)]
pub trait ActiveFlag {
    /// Returns whether the user is active.
    fn is_active(&self) -> bool;
}

impl ActiveFlag for bool {
    fn is_active(&self) -> bool {
        *self
    }
}

/// Returns a user's id, as it is in the cookies.
pub(crate) fn id_of<U: UserMixin>(user: &U) -> SmolStr {
    user.get_id().to_smolstr()
}

/// Whether a user's id is exactly `id`.
///
/// Compares the id while printing it, without an allocation: 200 instructions fewer per guarded request than
/// `id_of(user) == id`.
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

/// A user type: each attached manager has its own.
#[derive(Clone, Copy, Debug)]
pub struct UserType {
    pub(crate) id: TypeId,
    /// The type's path, for messages.
    pub(crate) name: &'static str,
}

impl UserType {
    pub(crate) fn of<U: 'static>() -> Self {
        UserType {
            id: TypeId::of::<U>(),
            name: std::any::type_name::<U>(),
        }
    }
}

impl PartialEq for UserType {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for UserType {}
