//! The client's address: the address of the peer, or the one that trusted proxies report.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// The longest chain of proxies; entries further left come from the client.
const MAX_ENTRIES: usize = 32;

/// Returns the peer's address or, if the peer is a trusted proxy, the nearest address that is not a trusted proxy.
///
/// `header` has the values of `X-Forwarded-For` or a similar header, in the order sent. They are read from the right,
/// because each proxy appends the address that it saw, and a client can send anything at the start.
pub(crate) fn client_ip(
    peer: Option<IpAddr>,
    header: &[&str],
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let mut client = peer?.to_canonical();
    if trusted.is_empty() {
        return Some(client);
    }
    let entries = header.iter().rev().flat_map(|value| value.rsplit(','));
    for entry in entries.take(MAX_ENTRIES) {
        if !trusted.iter().any(|net| net.contains(&client)) {
            break;
        }
        let Some(previous) = parse(entry) else { break };
        client = previous;
    }
    Some(client)
}

/// Returns the network of a client, which stays the same while its address changes: /24 of IPv4, /56 of IPv6.
pub(crate) fn prefix(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & !(u32::MAX >> 24)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !(u128::MAX >> 56)).into(),
    }
}

/// Parses an address, with or without brackets and a port.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    let address = if let Ok(address) = entry.parse::<IpAddr>() {
        address
    } else if let Ok(address) = entry.parse::<SocketAddr>() {
        address.ip()
    } else {
        let bare = entry.strip_prefix('[')?.strip_suffix(']')?;
        bare.parse::<Ipv6Addr>().ok()?.into()
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const CLIENT: &str = "203.0.113.9";

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The client behind the proxies of two private networks.
    fn seen(peer: &str, header: &[&str]) -> IpAddr {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
        client_ip(Some(ip(peer)), header, &trusted).unwrap()
    }

    #[test]
    fn an_untrusted_peer_cannot_name_its_address() {
        assert_eq!(seen("198.51.100.1", &[CLIENT]), ip("198.51.100.1"));
        let peer = Some(ip("10.0.0.1"));
        assert_eq!(client_ip(peer, &[CLIENT], &[]), peer);
    }

    #[test]
    fn a_trusted_proxy_names_the_client() {
        assert_eq!(seen("10.0.0.1", &[CLIENT]), ip(CLIENT));
        assert_eq!(seen("fd00::1", &["2001:db8::7"]), ip("2001:db8::7"));
    }

    #[test]
    fn the_first_untrusted_address_from_the_right_is_the_client() {
        let header = "192.0.2.66, 203.0.113.9, 10.0.0.3,10.0.0.2";
        assert_eq!(seen("10.0.0.1", &[header]), ip(CLIENT));
    }

    #[test]
    fn several_headers_are_one_list() {
        assert_eq!(
            seen("10.0.0.1", &["192.0.2.66, 203.0.113.9", "10.0.0.2"]),
            ip(CLIENT)
        );
        assert_eq!(seen("10.0.0.1", &["192.0.2.66", "203.0.113.9"]), ip(CLIENT));
    }

    #[test]
    fn a_chain_of_only_trusted_proxies_ends_at_its_first_entry() {
        assert_eq!(seen("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), ip("10.0.0.3"));
        assert_eq!(seen("10.0.0.1", &[]), ip("10.0.0.1"));
    }

    #[test]
    fn an_entry_that_does_not_parse_ends_the_walk_at_the_last_good_address() {
        for junk in [
            "",
            " ",
            "unknown",
            "_hidden",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "[1.2.3.4]",
            "[::1",
            "::1]",
            "[]",
            "1.2.3.4:",
            "1.2.3.4:99999",
            "\u{a0}1.2.3.4",
            "\"1.2.3.4\"",
            "for=1.2.3.4",
        ] {
            let header = format!("{CLIENT}, {junk}, 10.0.0.2");
            assert_eq!(seen("10.0.0.1", &[&header]), ip("10.0.0.2"), "{junk:?}");
        }
    }

    #[test]
    fn an_entry_may_have_brackets_a_port_and_spaces() {
        for (entry, address) in [
            ("203.0.113.9:567", CLIENT),
            (" \t203.0.113.9\t ", CLIENT),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:567", "2001:db8::7"),
            ("::ffff:203.0.113.9", CLIENT),
            ("[::ffff:203.0.113.9]:567", CLIENT),
        ] {
            assert_eq!(seen("10.0.0.1", &[entry]), ip(address), "{entry:?}");
        }
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        assert_eq!(seen("::ffff:192.0.2.1", &[]), ip("192.0.2.1"));
        assert_eq!(
            seen("::ffff:10.0.0.1", &["203.0.113.9, ::ffff:10.0.0.2"]),
            ip(CLIENT)
        );
        assert_eq!(prefix(ip("::ffff:192.0.2.1")), prefix(ip("192.0.2.200")));
    }

    #[test]
    fn without_a_peer_there_is_no_address() {
        assert_eq!(
            client_ip(None, &[CLIENT], &["0.0.0.0/0".parse().unwrap()]),
            None
        );
    }

    #[test]
    fn the_walk_ends_after_32_entries() {
        let chain = |length: usize| format!("{CLIENT}{}", ", 10.0.0.2".repeat(length));
        assert_eq!(seen("10.0.0.1", &[&chain(31)]), ip(CLIENT));
        assert_eq!(seen("10.0.0.1", &[&chain(32)]), ip("10.0.0.2"));
    }

    #[test]
    fn a_prefix_is_a_24_of_ipv4_and_a_56_of_ipv6() {
        assert_eq!(prefix(ip("192.0.2.255")), ip("192.0.2.0"));
        assert_eq!(
            prefix(ip("2001:db8:1:22ff:ffff:ffff:ffff:ffff")),
            ip("2001:db8:1:2200::")
        );
        assert_ne!(prefix(ip("192.0.2.1")), prefix(ip("192.0.3.1")));
        assert_ne!(
            prefix(ip("2001:db8:1:2200::")),
            prefix(ip("2001:db8:1:2300::"))
        );
    }
}
