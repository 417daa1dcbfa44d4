//! The client's address behind proxies, compared with a parser that reads the list as a whole.
#![no_main]

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use libfuzzer_sys::{Corpus, fuzz_target};
use login_runtime::fuzzing::{client_ip, prefix};

// The first line is the peer and the networks that are trusted; each other line is one header.
fuzz_target!(|text: &str| -> Corpus {
    let mut lines = text.split('\n');
    let mut words = lines.next().unwrap_or_default().split(' ');
    let Some(peer) = words.next().and_then(|peer| peer.parse::<IpAddr>().ok()) else {
        return Corpus::Reject;
    };
    let trusted: Vec<IpNet> = words.filter_map(|net| net.parse().ok()).collect();
    let header: Vec<&str> = lines.collect();
    let seen = client_ip(Some(peer), &header, &trusted).expect("there is a peer");

    assert_eq!(client_ip(None, &header, &trusted), None);
    assert_eq!(
        client_ip(Some(peer), &header, &[]),
        Some(peer.to_canonical())
    );
    assert_eq!(seen, seen.to_canonical(), "a mapped address");
    assert_eq!(seen, by_the_book(peer, &header, &trusted));

    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    let entries = || header.iter().flat_map(|value| value.split(','));
    if !is_trusted(peer.to_canonical()) {
        assert_eq!(seen, peer.to_canonical(), "an untrusted peer was overruled");
    }
    assert!(
        seen == peer.to_canonical() || entries().any(|entry| address(entry) == Some(seen)),
        "an address that nobody named"
    );
    if !is_trusted(seen) {
        // Entries that the client itself sends come before these, and do not count.
        for front in [
            "192.0.2.66",
            "10.0.0.1, ::1",
            ",",
            "junk",
            "\"",
            "::ffff:10.0.0.1",
        ] {
            let longer: Vec<&str> = [front].into_iter().chain(header.iter().copied()).collect();
            assert_eq!(client_ip(Some(peer), &longer, &trusted), Some(seen));
            if let Some((first, rest)) = header.split_first() {
                let first = format!("{front},{first}");
                let joined: Vec<&str> = [&*first].into_iter().chain(rest.iter().copied()).collect();
                assert_eq!(client_ip(Some(peer), &joined, &trusted), Some(seen));
            }
        }
    }

    let network = prefix(seen);
    let bits = if network.is_ipv4() { 24 } else { 56 };
    let net = IpNet::new(network, bits).expect("a prefix");
    assert_eq!(net.trunc(), net, "bits below the prefix");
    assert!(net.contains(&seen));
    Corpus::Keep
});

/// Of the peer and at most 32 proxies before it, the nearest address that is not trusted, up to the first unreadable
/// one.
fn by_the_book(peer: IpAddr, header: &[&str], trusted: &[IpNet]) -> IpAddr {
    let list = header.join(",");
    let mut entries: Vec<&str> = if header.is_empty() {
        Vec::new()
    } else {
        list.split(',').collect()
    };
    entries.reverse();
    entries.truncate(32);
    let chain: Vec<IpAddr> = [Some(peer.to_canonical())]
        .into_iter()
        .chain(entries.into_iter().map(address))
        .map_while(|address| address)
        .collect();
    let nearest = chain
        .iter()
        .find(|ip| !trusted.iter().any(|net| net.contains(*ip)));
    *nearest.or(chain.last()).expect("the peer")
}

/// Parses `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]` and `[::1]:5`, with spaces and tabs around.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches(|char| char == ' ' || char == '\t');
    let bare = entry.parse::<IpAddr>();
    let with_port = entry.parse::<SocketAddr>().map(|address| address.ip());
    let inside = entry
        .strip_prefix('[')
        .and_then(|entry| entry.strip_suffix(']'));
    let in_brackets = inside
        .and_then(|inside| inside.parse::<Ipv6Addr>().ok())
        .map(IpAddr::V6);
    Some(bare.or(with_port).ok().or(in_brackets)?.to_canonical())
}
