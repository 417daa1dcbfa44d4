//! Settings with a fixed list of values. `CrossSiteProtection` and `ProtectionAddress` are beside their rules, in
//! `request/cross_site.rs` and `request/fingerprint.rs`.
//!
//! Each is `#[non_exhaustive]`: applications name a variant and do not match on it, so a new variant breaks nobody. The
//! variant that turns a feature off is named `Off`.

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
