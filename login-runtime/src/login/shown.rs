//! What a request shows under the name of a login cookie.

use rocket::Request;

use crate::realm::RealmCore;
use crate::request::cookie_header::Presented;
use crate::request::cookies;
use crate::token::keys::KeySet;
use crate::token::{EnvelopeError, Kind, Token};

/// The cookies of one name, sorted.
pub(crate) enum Shown<'k> {
    /// No cookie, or none of ours: what another application has set stays where it is.
    Nothing,
    /// Cookies of ours, and none of them is genuine.
    Forged,
    /// One genuine token. What stands beside it and is not genuine does not count.
    One(Token, &'k KeySet),
    /// Several genuine tokens: a sibling host may have planted one, so none of them counts.
    Many,
}

impl<'k> Shown<'k> {
    /// Sorts what the request has `presented` under the name of this kind's cookie.
    pub(crate) fn under(
        core: &'k RealmCore,
        req: &Request<'_>,
        kind: Kind,
        presented: Presented<'_>,
    ) -> Self {
        match presented {
            Presented::Absent => Self::Nothing,
            Presented::One(value) => Self::of(Token::decode(value, kind, &core.ring)),
            Presented::Many => all(core, req, kind, presented)
                .into_iter()
                .fold(Self::Nothing, Self::and),
        }
    }

    #[inline]
    fn of(decoded: Decoded<'k>) -> Self {
        match decoded {
            Ok((token, keys)) => Self::One(token, keys),
            Err(EnvelopeError::NotOurs) => Self::Nothing,
            Err(_) => Self::Forged,
        }
    }

    /// Adds one more cookie.
    fn and(self, decoded: Decoded<'k>) -> Self {
        match (self, Self::of(decoded)) {
            (shown, Self::Nothing) => shown,
            (Self::Nothing | Self::Forged, other) => other,
            (shown, Self::Forged) => shown,
            (_, Self::One(..) | Self::Many) => Self::Many,
        }
    }
}

/// A cookie whose signature has been checked.
pub(crate) type Decoded<'k> = Result<(Token, &'k KeySet), EnvelopeError>;

/// Decodes every cookie that the request has `presented` under the name of this kind's.
pub(crate) fn all<'k>(
    core: &'k RealmCore,
    req: &Request<'_>,
    kind: Kind,
    presented: Presented<'_>,
) -> Vec<Decoded<'k>> {
    let decode = |value| Token::decode(value, kind, &core.ring);
    match presented {
        Presented::Absent => Vec::new(),
        Presented::One(value) => vec![decode(value)],
        Presented::Many => {
            let name = core.config.cookie(kind).name.as_str();
            let [values]: [Vec<&str>; 1] = cookies::presented(req, [name]);
            values.into_iter().map(decode).collect()
        }
    }
}
