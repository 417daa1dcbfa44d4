//! The kinds of texts that the library signs.

/// The cookie that a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Session = 1,
    Remember = 2,
}

/// The kind of the application's own values.
pub(super) const VALUE: u8 = 3;
