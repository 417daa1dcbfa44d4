//! The kinds of texts that the library signs.

/// The cookie that a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Session = 1,
    Remember = 2,
    /// The cookie of a login that is bound to a device. It logs nobody in: it says which key must prove the login.
    Device = 4,
}

/// The kind of the application's own values.
pub(super) const VALUE: u8 = 3;

/// The kind of the challenges that a device must answer.
#[cfg(feature = "device-binding")]
pub(super) const CHALLENGE: u8 = 5;

/// Whether a text of this kind is a cookie of ours.
pub(super) fn is_cookie(kind: u8) -> bool {
    [Kind::Session, Kind::Remember, Kind::Device]
        .map(|kind| kind as u8)
        .contains(&kind)
}
