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

/// Public suffixes that people write most often: under them anybody can get a name, so browsers keep no cookie for them.
///
/// The whole list (<https://publicsuffix.org>) takes 0.8 MB of a program and 12 seconds of a build.
const PUBLIC_SUFFIXES: &str = "
    a.run.app ac.jp ac.uk azurewebsites.net co.id co.il co.in co.jp co.ke co.kr co.nz co.th co.uk co.za com.ar
    com.au com.bd com.br com.cn com.co com.eg com.hk com.mx com.my com.ng com.pe com.ph com.pk com.pl com.sa com.sg
    com.tr com.tw com.ua com.vn duckdns.org edu.au eu.org firebaseapp.com fly.dev github.io gitlab.io gov.uk
    herokuapp.com me.uk ne.jp net.au netlify.app ngrok-free.app ngrok.io ondigitalocean.app onrender.com or.jp
    org.au org.uk pages.dev trycloudflare.com ts.net up.railway.app vercel.app web.app workers.dev
";

/// Whether browsers keep no cookie for a domain: a single label, or a well-known public suffix.
pub(super) fn is_public_suffix(domain: &str) -> bool {
    let mut suffixes = PUBLIC_SUFFIXES.split_whitespace();
    !domain.contains('.') || suffixes.any(|suffix| suffix.eq_ignore_ascii_case(domain))
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
    fn a_public_suffix_is_known_in_any_case() {
        for domain in ["com", "localhost", "co.uk", "Co.UK", "github.io"] {
            assert!(is_public_suffix(domain), "{domain}");
        }
        for domain in ["example.com", "example.co.uk", "shop.fly.dev", "192.0.2.1"] {
            assert!(!is_public_suffix(domain), "{domain}");
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
