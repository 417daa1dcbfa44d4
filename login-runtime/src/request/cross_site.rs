//! The cross-site rule: whether a request that changes something comes from this site.

use std::error::Error;
use std::fmt::{self, Display};
use std::net::Ipv6Addr;
use std::str::FromStr;

use rocket::http::Method;
use serde::Deserialize;

/// Which requests from other sites may log in, log out or change anything.
///
/// A refused request gets a 403. The browser's header `Sec-Fetch-Site` decides or, in an older browser that does not
/// send it, `Origin`.
///
/// # Example
///
/// ```rust
/// use rocket_login::config::CrossSiteProtection;
///
/// assert_eq!(CrossSiteProtection::default(), CrossSiteProtection::Standard);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CrossSiteProtection {
    /// Refuses requests from other sites. Requests with neither header pass: all current browsers send one, programs
    /// such as `curl` do not.
    #[default]
    Standard,
    /// Also refuses a request with neither `Sec-Fetch-Site` nor `Origin`.
    Strict,
    /// Refuses nothing; for applications with their own protection.
    Off,
}

/// Where a request comes from, according to its headers and the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signals<'a> {
    pub(crate) sec_fetch_site: Option<&'a str>,
    pub(crate) origin: Option<&'a str>,
    /// The request's host, with its port if it has one.
    pub(crate) host: Option<&'a str>,
    /// Whether this site is served over HTTPS, if known.
    pub(crate) https: Option<bool>,
}

/// Whether a request may change something; `trusted` are the other sites that may send changes.
pub(crate) fn allows(
    mode: CrossSiteProtection,
    signals: &Signals<'_>,
    trusted: &[WebOrigin],
) -> bool {
    if mode == CrossSiteProtection::Off {
        return true;
    }
    let origin = signals.origin.map(WebOrigin::from_str);
    if let Some(Ok(origin)) = &origin
        && trusted.contains(origin)
    {
        return true;
    }
    match (signals.sec_fetch_site, origin) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(Ok(origin))) => origin.is_at(signals.host, signals.https),
        (None, Some(Err(_))) => false,
        (None, None) => mode == CrossSiteProtection::Standard,
    }
}

/// Whether a method is safe, which means that it must not change anything (RFC 9110, section 9.2.1).
pub(crate) fn is_safe(method: Method) -> bool {
    matches!(
        method,
        Method::Get | Method::Head | Method::Options | Method::Trace
    )
}

/// The origin of a site: scheme, host and port, as in `https://example.com`.
///
/// The scheme is `http` or `https`, and the default port is the scheme's. There is no path, query or user, and a name
/// outside ASCII has its `xn--` form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebOrigin {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl WebOrigin {
    /// Whether this origin is the site at the given host.
    fn is_at(&self, host: Option<&str>, https: Option<bool>) -> bool {
        let here = host.and_then(|host| host_and_port(host, self.scheme.default_port()));
        here.is_some_and(|(host, port)| self.host == host && self.port == port)
            && https.is_none_or(|https| https == (self.scheme == Scheme::Https))
    }
}

impl FromStr for WebOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let scheme = if scheme.eq_ignore_ascii_case("https") {
            Scheme::Https
        } else if scheme.eq_ignore_ascii_case("http") {
            Scheme::Http
        } else {
            return Err(InvalidOrigin);
        };
        let (host, port) = host_and_port(authority, scheme.default_port()).ok_or(InvalidOrigin)?;
        Ok(WebOrigin { scheme, host, port })
    }
}

/// The error for a text that is not the origin of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidOrigin;

impl Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not the origin of a site; write `https://example.com` or \
             `http://localhost:8000`, with no path, query or user",
        )
    }
}

impl Error for InvalidOrigin {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// Parses a host, into one spelling, and a port; `None` for any other text.
fn host_and_port(authority: &str, default_port: u16) -> Option<(String, u16)> {
    // A colon inside the brackets belongs to an IPv6 address.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        // `u16::from_str` also accepts a sign.
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok()?,
        Some(_) => return None,
        None => default_port,
    };
    if let Some(address) = host.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some((format!("[{address}]"), port));
    }
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    is_name.then(|| (host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use CrossSiteProtection::{Off, Standard, Strict};

    const HERE: Signals<'static> = Signals {
        sec_fetch_site: None,
        origin: None,
        host: Some("app.example"),
        https: None,
    };

    fn from_site(site: &'static str) -> Signals<'static> {
        Signals {
            sec_fetch_site: Some(site),
            ..HERE
        }
    }

    fn from_origin(origin: &str) -> Signals<'_> {
        Signals {
            origin: Some(origin),
            ..HERE
        }
    }

    fn partner() -> [WebOrigin; 1] {
        ["https://partner.example".parse().unwrap()]
    }

    #[test]
    fn sec_fetch_site_decides() {
        for mode in [Standard, Strict] {
            for site in ["same-origin", "none"] {
                assert!(allows(mode, &from_site(site), &[]), "{site:?}");
            }
            for site in [
                "cross-site",
                "same-site",
                "",
                "Same-Origin",
                "same-origin, cross-site",
                "none, none",
                " none",
                "same-origin;x",
                "\u{a0}none",
            ] {
                assert!(!allows(mode, &from_site(site), &[]), "{site:?}");
            }
        }
    }

    #[test]
    fn a_cross_site_request_with_our_own_origin_is_still_refused() {
        for site in ["cross-site", "same-site"] {
            let signals = Signals {
                origin: Some("https://app.example"),
                ..from_site(site)
            };
            assert!(!allows(Standard, &signals, &partner()), "{site}");
        }
    }

    #[test]
    fn a_trusted_origin_may_send_changes() {
        let partner = partner();
        for mode in [Standard, Strict] {
            let signals = from_origin("https://partner.example");
            assert!(allows(mode, &signals, &partner));
            let signals = Signals {
                sec_fetch_site: Some("cross-site"),
                ..signals
            };
            assert!(allows(mode, &signals, &partner));
            assert!(!allows(mode, &signals, &[]));
            for origin in [
                "http://partner.example",
                "https://partner.example:8443",
                "https://partner.example.evil.com",
                "https://www.partner.example",
                "null",
            ] {
                let signals = Signals {
                    origin: Some(origin),
                    ..signals
                };
                assert!(!allows(mode, &signals, &partner), "{origin}");
            }
        }
    }

    #[test]
    fn a_request_without_either_header_passes_unless_strict() {
        assert!(allows(Standard, &HERE, &[]));
        assert!(!allows(Strict, &HERE, &partner()));
    }

    #[test]
    fn off_refuses_nothing() {
        assert!(allows(Off, &from_site("cross-site"), &[]));
        assert!(allows(Off, &from_origin("null"), &[]));
    }

    #[test]
    fn an_origin_must_be_this_host_and_port() {
        for (origin, host) in [
            ("https://app.example", "app.example"),
            ("https://app.example", "APP.Example"),
            ("HTTPS://APP.example", "app.example"),
            ("https://app.example:443", "app.example"),
            ("https://app.example", "app.example:443"),
            ("http://app.example", "app.example:80"),
            ("http://localhost:8000", "localhost:8000"),
            ("http://[::1]:8000", "[::1]:8000"),
            ("https://[2001:db8::1]", "[2001:DB8:0::1]:443"),
        ] {
            for mode in [Standard, Strict] {
                let signals = Signals {
                    host: Some(host),
                    ..from_origin(origin)
                };
                assert!(allows(mode, &signals, &[]), "{origin} {host}");
            }
        }
        for (origin, host) in [
            ("https://evil.com", "app.example"),
            ("https://app.example.evil.com", "app.example"),
            ("https://evilapp.example", "app.example"),
            ("https://app.example:8443", "app.example"),
            ("https://app.example", "app.example:80"),
            ("http://app.example", "app.example:443"),
            ("http://[::1]", "[::2]"),
        ] {
            let signals = Signals {
                host: Some(host),
                ..from_origin(origin)
            };
            assert!(!allows(Standard, &signals, &[]), "{origin} {host}");
        }
    }

    #[test]
    fn an_http_origin_is_not_an_https_site() {
        let https = |origin, https| Signals {
            https,
            ..from_origin(origin)
        };
        assert!(allows(
            Standard,
            &https("https://app.example", Some(true)),
            &[]
        ));
        assert!(!allows(
            Standard,
            &https("http://app.example", Some(true)),
            &[]
        ));
        assert!(allows(
            Standard,
            &https("http://app.example", Some(false)),
            &[]
        ));
        assert!(!allows(
            Standard,
            &https("https://app.example", Some(false)),
            &[]
        ));
        assert!(allows(Standard, &https("http://app.example", None), &[]));
    }

    #[test]
    fn a_host_that_is_odd_or_missing_matches_nothing() {
        for host in [
            "a@evil.com",
            "evil.com@app.example",
            "app.example@evil.com",
            "app.example/",
            "",
            "app.example:",
            "app.example:443:443",
            "app.example, evil.com",
            " app.example",
            "app.example#",
            "app.example:+443",
        ] {
            for origin in [
                format!("https://{host}"),
                "https://app.example".into(),
                "https://evil.com".into(),
            ] {
                let signals = Signals {
                    host: Some(host),
                    ..from_origin(&origin)
                };
                assert!(!allows(Standard, &signals, &[]), "{host:?} {origin:?}");
            }
        }
        let signals = Signals {
            host: None,
            ..from_origin("https://app.example")
        };
        assert!(!allows(Standard, &signals, &[]));
    }

    #[test]
    fn an_origin_has_one_spelling() {
        let origin = |text: &str| text.parse::<WebOrigin>().unwrap();
        assert_eq!(
            origin("HTTPS://Example.com:443"),
            origin("https://example.com")
        );
        assert_eq!(origin("http://[::0:1]:80"), origin("http://[::1]"));
        assert_ne!(origin("http://example.com"), origin("https://example.com"));
        assert_ne!(
            origin("http://example.com:443"),
            origin("https://example.com:443")
        );
    }

    #[test]
    fn text_that_is_not_an_origin_does_not_parse() {
        for text in [
            "null",
            "",
            "app.example",
            "//app.example",
            "https:app.example",
            "https:/app.example",
            "https://",
            "https://:443",
            "https://app.example/",
            "https://app.example/x",
            "https://app.example?x",
            "https://app.example#x",
            "https://me@app.example",
            "https://me:pw@app.example",
            "https://app.example:",
            "https://app.example:+1",
            "https://app.example:65536",
            "https://app.example:x",
            "https://app.example:1:2",
            "https://[::1",
            "https://::1",
            "https://[::1]x",
            "https://[x]",
            "https://app.example\\",
            "https://app.example https://b.example",
            "https://app.example, https://b.example",
            " https://app.example",
            "https://app.example ",
            "https://äpp.example",
            "https://a%2eb",
            "ftp://app.example",
            "wss://app.example",
            "file://",
            "javascript://app.example",
        ] {
            assert_eq!(text.parse::<WebOrigin>(), Err(InvalidOrigin), "{text:?}");
            let signals = from_origin(text);
            assert!(!allows(Standard, &signals, &[]), "{text:?}");
        }
    }

    #[test]
    fn the_modes_are_configured_in_lower_case() {
        use rocket::figment::Figment;

        for (text, mode) in [("standard", Standard), ("strict", Strict), ("off", Off)] {
            let read = Figment::from(("mode", text)).extract_inner::<CrossSiteProtection>("mode");
            assert_eq!(read, Ok(mode));
        }
        let read = Figment::from(("mode", "Strict")).extract_inner::<CrossSiteProtection>("mode");
        assert!(read.is_err());
    }
}
