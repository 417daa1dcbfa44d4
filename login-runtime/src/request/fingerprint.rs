//! The fingerprint of a client, for session protection: a keyed digest of its address and User-Agent.

use std::net::IpAddr;

use hmac::Mac as _;
use serde::Deserialize;

use crate::request::client_ip;
use crate::token::{Digest, HmacSha256};

/// How much of the client's address session protection compares.
///
/// The default is `Full`, as in Flask-Login.
///
/// ```toml
/// [default.login]
/// session_protection_address = "prefix"
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProtectionAddress {
    /// The whole address.
    #[default]
    Full,
    /// The network, so that a phone may change its address within it: /24 for IPv4, /56 for IPv6.
    Prefix,
    /// No address: only the `User-Agent` counts.
    Off,
}

/// How many bytes of the User-Agent count, more than any browser's has.
const MAX_USER_AGENT: usize = 1024;

/// Returns the keyed digest of a client.
pub(crate) fn fingerprint(
    key: &HmacSha256,
    address: ProtectionAddress,
    ip: Option<IpAddr>,
    user_agent: Option<&str>,
) -> Digest {
    let ip = match address {
        ProtectionAddress::Full => ip,
        ProtectionAddress::Prefix => ip.map(client_ip::prefix),
        ProtectionAddress::Off => None,
    };
    let mut mac = key.clone();
    match ip {
        Some(IpAddr::V4(ip)) => {
            mac.update(&[4]);
            mac.update(&ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            mac.update(&[6]);
            mac.update(&ip.octets());
        }
        None => mac.update(&[0]),
    }
    if let Some(user_agent) = user_agent {
        let bytes = user_agent.as_bytes();
        mac.update(&[1]);
        mac.update(bytes.get(..MAX_USER_AGENT).unwrap_or(bytes));
    }
    Digest::of(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::KeyInit as _;

    fn of(address: ProtectionAddress, ip: Option<&str>, user_agent: Option<&str>) -> Digest {
        let key = HmacSha256::new_from_slice(&[9; 32]).unwrap();
        fingerprint(&key, address, ip.map(|ip| ip.parse().unwrap()), user_agent)
    }

    #[test]
    fn address_and_user_agent_both_count() {
        let full = ProtectionAddress::Full;
        let mine = of(full, Some("192.0.2.1"), Some("Firefox"));
        assert_eq!(mine, of(full, Some("192.0.2.1"), Some("Firefox")));
        assert_ne!(mine, of(full, Some("192.0.2.2"), Some("Firefox")));
        assert_ne!(mine, of(full, Some("192.0.2.1"), Some("Chrome")));
        assert_ne!(mine, of(full, Some("192.0.2.1"), None));
        assert_ne!(mine, of(full, None, Some("Firefox")));
    }

    #[test]
    fn no_user_agent_differs_from_an_empty_one() {
        let off = ProtectionAddress::Off;
        assert_ne!(of(off, None, None), of(off, None, Some("")));
    }

    #[test]
    fn a_phone_may_change_its_address_within_its_prefix() {
        let prefix = ProtectionAddress::Prefix;
        assert_eq!(
            of(prefix, Some("192.0.2.1"), None),
            of(prefix, Some("192.0.2.200"), None)
        );
        assert_ne!(
            of(prefix, Some("192.0.2.1"), None),
            of(prefix, Some("192.0.3.1"), None)
        );
        let off = ProtectionAddress::Off;
        assert_eq!(
            of(off, Some("192.0.2.1"), None),
            of(off, Some("198.51.100.9"), None)
        );
    }

    #[test]
    fn only_the_first_kilobyte_of_a_user_agent_counts() {
        let off = ProtectionAddress::Off;
        let (long, endless) = ("a".repeat(1024), "a".repeat(100_000));
        assert_eq!(of(off, None, Some(&long)), of(off, None, Some(&endless)));
    }
}
