//! What the response of a request must carry.

use std::sync::Arc;

use crate::token::{Kind, Token};

/// The cookies to write, and whether the browser must clear its caches.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    pub(crate) session: Option<Change>,
    pub(crate) remember: Option<Change>,
    /// The cookie with the key of the device. Where it is removed, so is the copy of the session beside it.
    pub(crate) device: Option<Change>,
    pub(crate) next: Option<NextChange>,
    /// Whether the handler logged a user in or confirmed the login.
    pub(crate) logged_in: bool,
    pub(crate) clear_site_data: bool,
    /// The cookies that may also stand under other domains and paths: there, they are removed.
    pub(crate) elsewhere: Vec<Kind>,
    /// Whether a login has begun in this request.
    pub(crate) has_begun: bool,
    /// The cookies of Flask to remove.
    #[cfg(feature = "flask")]
    pub(crate) flask_gone: Vec<Kind>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        #[cfg(feature = "flask")]
        if !self.flask_gone.is_empty() {
            return false;
        }
        self.session.is_none()
            && self.remember.is_none()
            && self.device.is_none()
            && self.next.is_none()
            && !self.clear_site_data
    }
}

/// A change of a login cookie.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The state of the request has the same token.
    Set(Arc<Token>),
    Remove,
}

impl From<Token> for Change {
    fn from(token: Token) -> Self {
        Change::Set(Arc::new(token))
    }
}

/// A change of the cookie that keeps the wanted page.
#[derive(Clone)]
pub(crate) enum NextChange {
    Set(String),
    Remove,
}
