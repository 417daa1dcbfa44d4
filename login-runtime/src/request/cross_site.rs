//! The cross-site rule: whether a request that changes something comes from this site.

use std::error::Error;
use std::fmt::{self, Display};
use std::net::Ipv6Addr;
use std::str::FromStr;

use rocket::http::Method;
use serde::Deserialize;
use thiserror::Error;

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
    /// Whether one of these headers came twice, with different values: no browser sends that.
    pub(crate) disagree: bool,
    /// The request's host, with its port if it has one.
    pub(crate) host: Option<&'a str>,
    /// Whether this site is served over HTTPS, if known.
    pub(crate) https: Option<bool>,
}

/// A header that browsers send once, or not at all.
///
/// A value that is not UTF-8 is none of the lines: Rocket drops it, and no browser sends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) value: Option<&'a str>,
    /// Whether the header came twice, with different values.
    pub(crate) disagrees: bool,
}

impl<'a> Line<'a> {
    pub(crate) fn add(&mut self, line: &'a str) {
        let first = *self.value.get_or_insert(line);
        self.disagrees |= line != first;
    }
}

/// Why a request may not change anything, and the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error(
        "it comes from another site; if that site is yours, name it in `login.trusted_origins`; behind a proxy, let the \
         proxy pass the `Host` header on, with its port"
    )]
    OtherSite,
    #[error(
        "this site is visited over plain HTTP, but its login cookies are `Secure`, so browsers would drop them; serve the \
         site over HTTPS, or set `login.insecure_cookies = true` if you trust its network"
    )]
    PlainHttp,
    #[error(
        "it has `Origin: null`, so its page is unknown; browsers send that for pages with `Referrer-Policy: no-referrer` \
         (use `same-origin`) and for sandboxed frames"
    )]
    NullOrigin,
    #[error(
        "it has neither `Sec-Fetch-Site` nor `Origin`, and `login.cross_site_protection` is `strict`; browsers send one \
         of them, and a program must send `Origin` with the address of this site"
    )]
    NoSource,
    #[error(
        "it has `Sec-Fetch-Site` or `Origin` twice, with different values; send each of them once"
    )]
    Contradiction,
}

/// Checks that a request may change something; `trusted` are the other sites that may send changes.
pub(crate) fn check(
    mode: CrossSiteProtection,
    signals: &Signals<'_>,
    trusted: &[TrustedOrigin],
) -> Result<(), Refusal> {
    if mode == CrossSiteProtection::Off {
        return Ok(());
    }
    if signals.disagree {
        return Err(Refusal::Contradiction);
    }
    let origin = signals.origin.map(WebOrigin::from_str);
    if let Some(Ok(origin)) = &origin
        && trusted.iter().any(|trusted| trusted.includes(origin))
    {
        return Ok(());
    }
    match (signals.sec_fetch_site, origin) {
        (Some("same-origin" | "none"), _) => Ok(()),
        (None, Some(Ok(origin))) if origin.is_at(signals.host, signals.https) => Ok(()),
        // Without `Sec-Fetch-Site`, which browsers send to HTTPS and to localhost.
        (None, Some(Ok(origin))) if origin.is_at(signals.host, Some(false)) => {
            Err(Refusal::PlainHttp)
        }
        (None, Some(Err(_))) if signals.origin == Some("null") => Err(Refusal::NullOrigin),
        (Some(_), _) | (None, Some(_)) => Err(Refusal::OtherSite),
        (None, None) if mode == CrossSiteProtection::Strict => Err(Refusal::NoSource),
        (None, None) => Ok(()),
    }
}

/// Whether a method is safe, which means that it must not change anything (RFC 9110, section 9.2.1).
pub(crate) fn is_safe(method: Method) -> bool {
    matches!(
        method,
        Method::Get | Method::Head | Method::Options | Method::Trace
    )
}

/// Whether a value of `Authorization` may come from the browser itself, which then sends it for every site's requests.
///
/// A page of another site cannot set the header unless this site allows it (CORS).
pub(crate) fn is_sent_by_browsers(authorization: &str) -> bool {
    let scheme = authorization.trim_start().split([' ', '\t']).next();
    ["Basic", "Digest", "Negotiate", "NTLM"]
        .iter()
        .any(|known| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(known)))
}

/// The origin of a page: its scheme, host and port, as in `https://example.com` or `tauri://localhost`.
///
/// The port is the scheme's own unless given. There is no path, query or user, and a name outside ASCII stands in its
/// `xn--` form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebOrigin {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
}

impl WebOrigin {
    /// Whether this origin is the site at the given host.
    pub(crate) fn is_at(&self, host: Option<&str>, https: Option<bool>) -> bool {
        // An application shell, such as `tauri://localhost`, is no site.
        let Some(default_port) = self.scheme.default_port() else {
            return false;
        };
        let here = host.and_then(host_and_port);
        here.is_some_and(|(host, port)| {
            self.host == host && self.port == port.or(Some(default_port))
        }) && https.is_none_or(|https| https == (self.scheme == Scheme::Https))
    }

    /// Whether its pages come over plain HTTP.
    pub(crate) fn is_plain_http(&self) -> bool {
        self.scheme == Scheme::Http
    }
}

impl FromStr for WebOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let scheme = Scheme::parse(scheme).ok_or(InvalidOrigin)?;
        let (host, port) = host_and_port(authority).ok_or(InvalidOrigin)?;
        let port = port.or(scheme.default_port());
        Ok(WebOrigin { scheme, host, port })
    }
}

/// An origin that may cause changes, or all subdomains of a host, as in `https://*.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedOrigin {
    origin: WebOrigin,
    has_wildcard: bool,
}

impl TrustedOrigin {
    fn includes(&self, origin: &WebOrigin) -> bool {
        if !self.has_wildcard {
            return self.origin == *origin;
        }
        let subdomain = origin.host.strip_suffix(self.origin.host.as_str());
        subdomain.is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
            && origin.scheme == self.origin.scheme
            && origin.port == self.origin.port
    }
}

impl FromStr for TrustedOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://*.") {
            None => Ok(TrustedOrigin {
                origin: text.parse()?,
                has_wildcard: false,
            }),
            Some((scheme, host)) => {
                let origin: WebOrigin = format!("{scheme}://{host}").parse()?;
                // Not all of `.com`, and no part of an address.
                let (_, top) = origin.host.rsplit_once('.').ok_or(InvalidOrigin)?;
                let is_name = top.starts_with(|first: char| first.is_ascii_alphabetic());
                is_name
                    .then_some(TrustedOrigin {
                        origin,
                        has_wildcard: true,
                    })
                    .ok_or(InvalidOrigin)
            }
        }
    }
}

/// The error for a text that is not the origin of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidOrigin;

impl Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not the origin of a page; write one such as `https://example.com`, `http://localhost:8000`, \
             `https://*.example.com` or `tauri://localhost`, with no path, query or user",
        )
    }
}

impl Error for InvalidOrigin {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    /// That of an application's shell or of a browser's extension, in lower case.
    Other(String),
}

impl Scheme {
    /// Reads a scheme (RFC 3986, section 3.1); `None` also for those of which no page has an origin.
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let is_scheme = text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        match text.as_str() {
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            "ws" | "wss" | "ftp" | "file" | "data" | "blob" | "javascript" | "about" => None,
            _ => is_scheme.then_some(Scheme::Other(text)),
        }
    }

    fn default_port(&self) -> Option<u16> {
        match self {
            Scheme::Http => Some(80),
            Scheme::Https => Some(443),
            Scheme::Other(_) => None,
        }
    }
}

/// Parses a host, into one spelling, and a port if there is one; `None` for any other text.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    // A colon inside the brackets belongs to an IPv6 address.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port = match port {
        // `u16::from_str` also accepts a sign.
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
        Some(_) => return None,
        None => None,
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

    fn allows(mode: CrossSiteProtection, signals: &Signals<'_>, trusted: &[TrustedOrigin]) -> bool {
        check(mode, signals, trusted).is_ok()
    }

    const HERE: Signals<'static> = Signals {
        sec_fetch_site: None,
        origin: None,
        disagree: false,
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

    fn partner() -> [TrustedOrigin; 1] {
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
    fn a_refusal_names_its_own_fix() {
        let https = Some(true);
        let over_http = Signals {
            https,
            ..from_origin("http://app.example")
        };
        let from_page = Signals {
            sec_fetch_site: Some("cross-site"),
            ..over_http
        };
        let twice = Signals {
            disagree: true,
            ..HERE
        };
        for (mode, signals, refusal, fix) in [
            (
                Standard,
                over_http,
                Refusal::PlainHttp,
                "`login.insecure_cookies = true`",
            ),
            (
                Standard,
                from_page,
                Refusal::OtherSite,
                "`login.trusted_origins`",
            ),
            (
                Standard,
                from_origin("http://b.example"),
                Refusal::OtherSite,
                "`login.trusted_origins`",
            ),
            (
                Standard,
                from_origin("null"),
                Refusal::NullOrigin,
                "`same-origin`",
            ),
            (Strict, HERE, Refusal::NoSource, "must send `Origin`"),
            (
                Standard,
                twice,
                Refusal::Contradiction,
                "send each of them once",
            ),
        ] {
            assert_eq!(check(mode, &signals, &[]), Err(refusal), "{signals:?}");
            let message = refusal.to_string();
            assert!(message.contains(fix), "{message}");
            assert_eq!(
                message.contains("trusted_origins"),
                refusal == Refusal::OtherSite,
                "{message}"
            );
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
    fn lines_that_disagree_are_refused_whatever_they_say() {
        for (lines, value, disagrees) in [
            (&[][..], None, false),
            (&["a"], Some("a"), false),
            (&["a", "a"], Some("a"), false),
            (&["a", "a", "b"], Some("a"), true),
            (&["a", "b", "a"], Some("a"), true),
        ] {
            let mut line = Line::default();
            for value in lines {
                line.add(value);
            }
            assert_eq!(line, Line { value, disagrees }, "{lines:?}");
        }
        let signals = Signals {
            disagree: true,
            origin: Some("https://partner.example"),
            ..from_site("same-origin")
        };
        assert!(!allows(Standard, &signals, &partner()));
        assert!(allows(Off, &signals, &[]));
    }

    #[test]
    fn a_wildcard_is_every_subdomain_and_nothing_else() {
        let trusted: [TrustedOrigin; 1] = ["https://*.example.com".parse().unwrap()];
        for (origin, is_trusted) in [
            ("https://a.example.com", true),
            ("https://a.b.example.com:443", true),
            ("HTTPS://A.Example.COM", true),
            ("https://example.com", false),
            ("https://.example.com", false),
            ("https://evilexample.com", false),
            ("https://a.example.com.evil.com", false),
            ("https://a.example.com:8443", false),
            ("http://a.example.com", false),
            ("tauri://a.example.com", false),
            ("https://*.example.com", false),
            ("null", false),
        ] {
            let signals = Signals {
                sec_fetch_site: Some("cross-site"),
                ..from_origin(origin)
            };
            assert_eq!(allows(Strict, &signals, &trusted), is_trusted, "{origin}");
        }
        for text in [
            "https://*",
            "https://*.",
            "https://*.com",
            "https://*.0.0.1",
            "https://*.[::1]",
            "https://a.*.example.com",
            "https://*example.com",
            "https://*.*.example.com",
            "*://*.example.com",
            "*.example.com",
        ] {
            assert_eq!(text.parse::<TrustedOrigin>(), Err(InvalidOrigin), "{text}");
        }
    }

    #[test]
    fn an_application_shell_is_trusted_by_name_only() {
        for shell in [
            "tauri://localhost",
            "capacitor://localhost",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "app+x://host.example:81",
        ] {
            let trusted: [TrustedOrigin; 1] = [shell.parse().unwrap()];
            assert!(allows(Strict, &from_origin(shell), &trusted), "{shell}");
            assert!(!allows(Standard, &from_origin(shell), &[]), "{shell}");
            let signals = Signals {
                host: Some("localhost"),
                ..from_origin(shell)
            };
            assert!(!allows(Standard, &signals, &partner()), "{shell}");
            assert!(!allows(
                Standard,
                &from_origin("https://localhost"),
                &trusted
            ));
        }
    }

    #[test]
    fn what_browsers_send_by_themselves_is_no_key() {
        for sent in [
            "Basic YTpi",
            "basic YTpi",
            "Digest x",
            "Negotiate x",
            "NTLM",
            " Basic YTpi",
            "BASIC\tx",
        ] {
            assert!(is_sent_by_browsers(sent), "{sent}");
        }
        for key in ["Bearer abc", "Token abc", "", "Basically abc"] {
            assert!(!is_sent_by_browsers(key), "{key}");
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
