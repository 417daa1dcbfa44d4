//! The checks of single settings. Each returns what the configuration keeps; after a mistake, the launch stops.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};

use super::error::{Check, Report};
use super::host;
use crate::request::cross_site::TrustedOrigin;

const MAX_AUDIENCE: usize = 255;

pub(super) fn is_realm(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

pub(super) fn bad_realm(name: &str) -> String {
    format!(
        "`{}` cannot be part of the names of cookies and settings; use letters, digits, `-` and `_`",
        name.escape_debug()
    )
}

pub(super) fn audience(given: Option<&str>, default: &str, report: &mut Report) -> String {
    let audience = given.unwrap_or(default);
    let has_wrong_length = audience.is_empty() || audience.len() > MAX_AUDIENCE;
    if has_wrong_length || audience.contains(char::is_control) {
        report.mistake(
            "audience",
            "is empty, longer than 255 bytes, or has control characters; set the application's name",
        );
    }
    audience.to_owned()
}

pub(super) fn networks(given: Vec<String>, check: &mut Check<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in given {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        match address.or_else(|_| text.parse()) {
            Ok(network) => networks.push(canonical(network)),
            Err(_) => check.mistake(format!(
                "`{}` is neither an address nor a network; write one such as `10.0.0.0/8`",
                text.escape_debug()
            )),
        }
    }
    networks
}

/// The network of the IPv4 addresses that are written as IPv6 (`::ffff:10.0.0.0/104`): clients are compared as IPv4.
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V4(_) => None,
        IpNet::V6(network) => {
            let address = network.addr().to_ipv4_mapped();
            address.zip(network.prefix_len().checked_sub(96))
        }
    };
    mapped
        .and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok())
        .map_or(network, IpNet::from)
}

pub(super) fn staleness(given: Duration, check: &mut Check<'_>) -> Duration {
    if !(Duration::from_millis(500)..=Duration::from_secs(60)).contains(&given) {
        check.mistake(
            "is less than half a second, in which a busy store may not answer, or more than a minute, for which a logout \
             would not hold elsewhere; set for example \"1 s\"",
        );
    }
    given
}

pub(super) fn stale_wait(given: Duration, check: &mut Check<'_>) -> Duration {
    if given > Duration::from_secs(10) {
        check
            .mistake("is more than 10 seconds, and every request would wait for so long; set less");
    }
    given
}

pub(super) fn header_name(given: String, check: &mut Check<'_>) -> String {
    if !is_token(&given) {
        check.mistake("is not a header's name; write one such as `X-Forwarded-For`");
    } else if given.eq_ignore_ascii_case("Forwarded") {
        check.mistake(
            "`Forwarded` contains more than addresses and is not read; let the proxy set `X-Forwarded-For`",
        );
    }
    given
}

/// An empty message turns the flash off.
pub(super) fn message(given: String, _: &mut Check<'_>) -> Option<String> {
    Some(given).filter(|message| !message.is_empty())
}

pub(super) fn redirect_host(given: Option<String>, check: &mut Check<'_>) -> Option<String> {
    if given
        .as_deref()
        .is_some_and(|host| !host::is_host_and_port(host))
    {
        check.mistake(
            "is not a host; set its name, with its port if it has one, such as `example.com:8443`",
        );
    }
    given
}

pub(super) fn origins(given: Vec<String>, check: &mut Check<'_>) -> Vec<TrustedOrigin> {
    let mut origins = Vec::new();
    for text in given {
        match text.parse() {
            Ok(origin) => origins.push(origin),
            Err(error) => check.mistake(format!("`{}`: {error}", text.escape_debug())),
        }
    }
    origins
}

pub(super) fn timeout(given: Duration, check: &mut Check<'_>) -> Duration {
    if given.is_zero() {
        check.mistake(
            "is zero, so everything would time out; set a few seconds, such as `\"5 seconds\"`",
        );
    } else if given > super::duration::hours(1) {
        check.mistake("is more than an hour; set a few seconds, such as `\"5 seconds\"`");
    }
    given
}

pub(super) fn capacity(given: usize, check: &mut Check<'_>) -> usize {
    if given == 0 {
        check.mistake("is zero, so no logout could be recorded; set 1 or more");
    }
    given
}

pub(super) fn max_logins(given: Option<usize>, check: &mut Check<'_>) -> Option<usize> {
    if given == Some(0) {
        check.mistake("is zero, so nobody could log in; set 1 or more, or remove it for no limit");
    }
    given
}

/// A token of RFC 9110, section 5.6.2: the form of the names of headers and cookies.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
