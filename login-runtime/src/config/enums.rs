//! Settings that choose one of several ways. `CrossSiteProtection` and `ProtectionAddress` are beside their rules, in
//! `request/cross_site.rs` and `request/fingerprint.rs`.
//!
//! Each is `#[non_exhaustive]`: applications name a variant and never match on one, so that a new variant
//! breaks nobody. Where nothing is to happen, the variant is called `Off`.

use serde::Deserialize;

/// What happens when a login comes from another client than the one it was made with.
///
/// A client is its address and its `User-Agent`; [`ProtectionAddress`](crate::ProtectionAddress) says how much of the address counts.
/// The default is `Basic`. Protection notices a stolen cookie that is used elsewhere; it proves nothing.
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
    /// The login goes on, but is no longer fresh.
    #[default]
    Basic,
    /// The login ends, and both login cookies are removed.
    Strong,
    /// Nothing: clients are not compared.
    #[serde(alias = "none")]
    Off,
}

/// What a launch does with routes that are neither guarded nor marked by `#[public]`.
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
    /// They are open, as in Rocket itself.
    #[default]
    Allow,
    /// The launch stops and names each of them.
    Deny,
}
