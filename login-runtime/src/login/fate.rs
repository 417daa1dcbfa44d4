//! What became of the login cookies of a request, where they did not simply log their user in; for the log.

use std::fmt;

use crate::app::event::EventKind;
use crate::token::Kind;

/// What became of one login cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Foreign,
    Forged,
    Several,
    Future,
    Expired,
    Idle,
    Unproven,
    Ended,
    Replaced,
    NoUser,
    Inactive,
    NewSessionHash,
    OtherClient,
    /// A session that was bound to two devices.
    TwoDevices,
    /// A remember cookie that was copied.
    Reused,
    /// A remember cookie that logged its user in again.
    Restored,
    /// A cookie of Flask that brought its login across.
    #[cfg(feature = "flask")]
    CameAcross,
    /// A cookie of Flask whose user has as many logins as the limit allows.
    #[cfg(feature = "flask")]
    TooMany,
}

impl Fate {
    /// The event that listeners get. Cookies of other applications are no event, and a second device was announced with
    /// its user.
    pub(crate) fn event(self) -> Option<EventKind> {
        Some(match self {
            Self::Foreign | Self::TwoDevices => return None,
            #[cfg(feature = "flask")]
            Self::TooMany => return None,
            Self::Forged | Self::Future => EventKind::Forged,
            Self::Several => EventKind::DuplicateCookie,
            Self::Expired | Self::Idle | Self::Unproven => EventKind::Expired,
            Self::Ended | Self::Replaced => EventKind::Revoked,
            Self::NoUser | Self::Inactive | Self::NewSessionHash => EventKind::Outdated,
            Self::OtherClient => EventKind::SessionProtected,
            Self::Reused => EventKind::RememberTokenReused,
            Self::Restored => EventKind::LoadedFromCookie,
            #[cfg(feature = "flask")]
            Self::CameAcross => EventKind::LoadedFromFlask,
        })
    }
}

/// Continues a sentence that begins with the name of the cookie.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => {
                "was signed with a secret that is not in use (any more), or is from another application"
            }
            Self::Forged => "was altered: its signature is wrong",
            Self::Several => "came more than once, so none of them counts",
            Self::Future => "is dated in the future: check the clocks of the servers",
            Self::Expired => "has expired",
            Self::Idle => "was not used for longer than `login.session_idle_timeout`",
            Self::Ended => "belongs to a login that has ended, by a logout or another login",
            Self::Replaced => "was replaced a moment ago, by another request of this browser",
            Self::NoUser => "belongs to a user whom the user loader does not find",
            Self::Inactive => "belongs to a user who is inactive",
            Self::NewSessionHash => {
                "was made before the user's session hash changed, for example with the password"
            }
            Self::OtherClient => {
                "came from another client than the one that it is bound to (`login.session_protection`)"
            }
            Self::Unproven => {
                "is bound to a device, which has not proven it again within `login.device_binding_lifetime`"
            }
            Self::TwoDevices => {
                "belongs to a login that a second device has claimed, so the login has ended: its cookies were copied"
            }
            Self::Reused => {
                "was used before and its successor is in use too, so the login has ended: its cookies were copied"
            }
            Self::Restored => "logged its user in again, and such a login is not fresh",
            #[cfg(feature = "flask")]
            Self::CameAcross => "brought its login across, and such a login is not fresh",
            #[cfg(feature = "flask")]
            Self::TooMany => {
                "came when its user had as many logins as `login.max_logins_per_user` allows"
            }
        })
    }
}

/// What became of the login cookies of a request: nothing for those that did not come, or were not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fates {
    pub(crate) session: Option<Fate>,
    pub(crate) remember: Option<Fate>,
    #[cfg(feature = "flask")]
    pub(crate) flask: Option<Fate>,
}

impl Fates {
    pub(crate) fn set(&mut self, kind: Kind, fate: Fate) {
        match kind {
            Kind::Session => self.session = Some(fate),
            Kind::Remember => self.remember = Some(fate),
            // It logs nobody in.
            Kind::Device => {}
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        #[cfg(feature = "flask")]
        if self.flask.is_some() {
            return false;
        }
        self.session.is_none() && self.remember.is_none()
    }
}

impl fmt::Display for Fates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(fate) = self.session {
            write!(f, "the session cookie {fate}")?;
        }
        if let Some(fate) = self.remember {
            let and = if self.session.is_some() { ", and " } else { "" };
            write!(f, "{and}the remember cookie {fate}")?;
        }
        #[cfg(feature = "flask")]
        if let Some(fate) = self.flask {
            let is_first = self.session.is_none() && self.remember.is_none();
            let and = if is_first { "" } else { ", and " };
            write!(f, "{and}Flask's cookie {fate}")?;
        }
        Ok(())
    }
}
