//! A login cookie of a request, verified.

use rocket::Request;

use super::shown::Shown;
use crate::realm::RealmCore;
use crate::request::client_info::ClientInfo;
use crate::request::cookie_header::Presented;
use crate::token::keys::{KeyNumber, KeySet};
use crate::token::{Kind, Token};

/// What a request shows as one of the login cookies.
pub(crate) enum LoginCookie {
    Absent,
    /// Another application's.
    Foreign,
    /// Cookies of ours, and none of them is genuine.
    Forged,
    Genuine(Genuine),
    /// Several genuine cookies: nobody knows which one is this browser's.
    Several,
}

/// The one genuine token of a cookie.
pub(crate) struct Genuine {
    pub(crate) token: Token,
    /// The key that signed it.
    key: KeyNumber,
    /// Whether it comes from the client that it is bound to. Judged last, and found out while the headers are at hand.
    pub(crate) same_client: bool,
}

/// A genuine cookie whose login holds, and its user.
pub(super) struct Held<'r, U> {
    pub(super) user: &'r U,
    pub(super) cookie: &'r Genuine,
    /// The number of the next remember token, where a restore was counted.
    pub(super) next_token: Option<u32>,
}

impl LoginCookie {
    pub(crate) fn read(
        core: &RealmCore,
        req: &Request<'_>,
        client: &ClientInfo<'_>,
        kind: Kind,
    ) -> Self {
        let presented = client.cookie(kind);
        match Shown::under(core, req, kind, presented) {
            Shown::Nothing if presented == Presented::Absent => Self::Absent,
            Shown::Nothing => Self::Foreign,
            Shown::Forged => Self::Forged,
            Shown::One(token, keys) => Self::Genuine(Genuine {
                same_client: core.is_same_client(&token, keys, client),
                key: core.ring.number(keys),
                token,
            }),
            Shown::Many => Self::Several,
        }
    }
}

impl Genuine {
    /// Returns the keys that signed the token.
    pub(crate) fn keys<'k>(&self, core: &'k RealmCore) -> &'k KeySet {
        core.ring.numbered(self.key)
    }
}
