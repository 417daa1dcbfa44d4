//! Settings with a fixed list of values. `CrossSiteProtection` and `ProtectionAddress` are beside their rules, in
//! `request/cross_site.rs` and `request/fingerprint.rs`.
//!
//! Each is `#[non_exhaustive]`: applications name a variant and do not match on it, so a new variant breaks nobody. The
//! variant that turns a feature off is named `Off`.

use std::time::Duration;

use rocket::figment::value::Value;
use serde::Deserialize;

/// What happens when a login comes from a different client than the one that it is bound to.
///
/// A client is its address and its `User-Agent`; [`ProtectionAddress`](crate::ProtectionAddress) says how much of the
/// address counts. The default is `Basic`. Protection often detects a stolen cookie, but not always: a thief can have
/// the same address and `User-Agent`.
///
/// In the configuration, Flask-Login's `"none"` means `"off"`.
///
/// ```toml
/// [default.login]
/// session_protection = "strong"
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SessionProtection {
    /// The login stays valid, but is no longer fresh.
    #[default]
    Basic,
    /// The login ends, and both login cookies are removed. As in Flask-Login, a permanent login only stops being
    /// fresh: it is meant to outlive a change of address.
    Strong,
    /// As `Strong`, and permanent logins end as well.
    Strict,
    /// Nothing happens: clients are not compared.
    #[serde(alias = "none")]
    Off,
}

impl SessionProtection {
    /// Whether a login ends when it comes from another client.
    pub(crate) fn ends(self, is_permanent: bool) -> bool {
        match self {
            Self::Basic | Self::Off => false,
            Self::Strong => !is_permanent,
            Self::Strict => true,
        }
    }
}

/// Whether logins are bound to the device of a browser that supports it.
///
/// The default is `Off`. It requires the feature `device-binding`.
///
/// ```toml
/// [default.login]
/// device_binding = "offer"
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeviceBinding {
    /// Every login is a cookie that works wherever it is copied to.
    #[default]
    Off,
    /// The answer to a login offers the browser to bind it. Browsers that cannot do that stay logged in as without it.
    Offer,
}

/// Whether a launch accepts routes that are neither guarded nor marked by `#[public]`.
///
/// The default is `Allow`.
///
/// ```toml
/// [default.login]
/// unguarded_routes = "deny"
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UnguardedRoutes {
    /// The routes are open, as in Rocket itself.
    #[default]
    Allow,
    /// The launch stops and names each of these routes.
    Deny,
}

/// What happens to a login beyond the setting `max_logins_per_user`.
///
/// The default is `End`.
///
/// ```toml
/// [default.login]
/// max_logins_per_user = 5
/// at_login_limit = "refuse"
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AtLimit {
    /// The user's oldest login ends.
    #[default]
    End,
    /// The new login is refused.
    Refuse,
}

/// What happens to requests with a login while the store of ended logins does not answer.
///
/// The default is `Refuse`.
///
/// ```toml
/// [default.login.store]
/// on_stale = "serve for 5m"
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnStale {
    /// They get a 503, because nobody can know which logins have ended.
    #[default]
    Refuse,
    /// Reads go on for this time, by what the server knew last. Logins, restores from a remember cookie, routes that
    /// require a fresh login and unsafe methods get a 503.
    ServeFor(Duration),
}

impl OnStale {
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        const FORM: &str = r#"write "refuse", or for example "serve for 5m""#;

        let text = value.as_str().unwrap_or_default();
        match text.strip_prefix("serve for ") {
            None if text == "refuse" => Ok(Self::Refuse),
            None => Err(format!("is not what can be done about an old copy; {FORM}")),
            Some(duration) => humantime::parse_duration(duration)
                .map(Self::ServeFor)
                .map_err(|why| format!("`{duration}` is not a duration ({why}); {FORM}")),
        }
    }

    /// How long reads go on.
    pub(crate) fn serve_for(self) -> Duration {
        match self {
            Self::Refuse => Duration::ZERO,
            Self::ServeFor(duration) => duration,
        }
    }
}

/// What happens when a store of ended logins without any entry is met: a new one, or one that was wiped.
///
/// The default is `Nothing`. A new store looks like a wiped one, so `EndEverybody` applies to both, once for each life of a
/// store.
///
/// ```toml
/// [default.login.store]
/// on_loss = "end everybody"
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum OnLoss {
    /// The servers write back what they know.
    #[default]
    #[serde(rename = "nothing")]
    Nothing,
    /// As `Nothing`, and every login from before ends: what the store has lost may be what no server knows.
    #[serde(rename = "end everybody")]
    EndEverybody,
}
