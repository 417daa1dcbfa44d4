//! Whether the user loader can read the ids of its user type.

use std::any::type_name;

use crate::app::user::{IdField, UserMixin};

/// The type of the first parameter of a user loader.
#[derive(Clone, Copy, Debug)]
pub struct IdType {
    name: &'static str,
    reads: fn(&str) -> bool,
}

impl IdType {
    /// A type that ids are parsed into, and whether an id can be.
    #[must_use]
    pub fn new<T>(reads: fn(&str) -> bool) -> Self {
        IdType {
            name: type_name::<T>(),
            reads,
        }
    }

    /// The type of a loader that takes ids as they are.
    pub(crate) fn text() -> Self {
        Self::new::<&str>(|_| true)
    }

    /// Returns why the loader can read no id of the user type at all, as far as the types show it.
    pub(crate) fn mistake<U: UserMixin>(self) -> Option<String> {
        let id = id_type::<U>();
        let is_hopeless = is_number(self.name) && (is_text(id) || is_uuid(id))
            || is_uuid(self.name) && is_number(id);
        is_hopeless.then(|| self.unreadable::<U>())
    }

    /// Returns why the loader cannot read an id.
    pub(crate) fn check<U: UserMixin>(self, id: &str) -> Result<(), String> {
        if (self.reads)(id) {
            Ok(())
        } else {
            Err(self.unreadable::<U>())
        }
    }

    fn unreadable<U: UserMixin>(self) -> String {
        format!(
            "the user loader takes the id as `{loader}` and cannot read the id of a `{user}`, which is a `{id}`: give the \
             loader's first parameter the type of the user's id, or take `id: &str`",
            loader = self.name,
            user = type_name::<U>(),
            id = id_type::<U>(),
        )
    }
}

/// Returns the name of the type that `get_id` returns, without references and without the derive's wrapper.
fn id_type<U: UserMixin>() -> &'static str {
    fn returned<'a, U: 'a, I>(_: impl FnOnce(&'a U) -> I) -> &'static str {
        type_name::<I>()
    }
    let name = returned(U::get_id);
    let wrapper = type_name::<IdField<'_, ()>>().trim_end_matches("()>");
    let field = name
        .strip_prefix(wrapper)
        .and_then(|name| name.strip_suffix('>'));
    field.unwrap_or(name).trim_start_matches('&')
}

fn is_number(name: &str) -> bool {
    [
        "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
    ]
    .contains(&name)
}

fn is_text(name: &str) -> bool {
    name == type_name::<str>() || name == type_name::<String>()
}

fn is_uuid(name: &str) -> bool {
    name == "uuid::Uuid"
}
