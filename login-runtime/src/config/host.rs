//! Host names in settings: the domain of a cookie, and the host of redirects.

use rocket::http::uri::Authority;

/// Whether a text consists of labels of letters, digits and hyphens, separated by single dots.
pub(super) fn is_name(host: &str) -> bool {
    host.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

/// Whether a text is a name or an address, with or without a port, and nothing else.
pub(super) fn is_host_and_port(text: &str) -> bool {
    Authority::parse(text).is_ok_and(|authority| {
        let host = authority.host();
        let is_ipv6 = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
        // The parser also accepts `host:`, without a port.
        let is_whole = !text.ends_with(':') && authority.user_info().is_none();
        is_whole && (is_name(host) || is_ipv6)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_labels() {
        for name in ["localhost", "example.com", "a-b.example", "192.0.2.1"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "", ".", "a..b", ".a", "a.", "-a", "a-", "a b", "a;b", "a_b", "é.com", "a/b", "a:1",
            "a\n",
        ] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_redirect_host_is_host_and_port_only() {
        for host in [
            "example.com",
            "example.com:8443",
            "localhost:8000",
            "192.0.2.1",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_host_and_port(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "a:",
            "a:b",
            "a:99999",
            "a/b",
            "a@b",
            "@b",
            "https://a",
            "a b",
            "a\r\nb",
            "[evil]",
            "a?b",
            "a#b",
            "é.com",
            "a\\b",
        ] {
            assert!(!is_host_and_port(host), "{host:?}");
        }
    }
}
