//! The kinds of texts that the library signs.

/// The cookie that a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Session = 1,
    Remember = 2,
}

/// The kind of the application's own values. The next kind, 4, is reserved for a cookie that is bound to a device.
pub(super) const VALUE: u8 = 3;

/// Whether a text of this kind is a cookie of ours.
pub(super) fn is_cookie(kind: u8) -> bool {
    [Kind::Session as u8, Kind::Remember as u8].contains(&kind)
}
