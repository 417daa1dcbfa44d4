//! What a request shows of its client: the login cookies, where it comes from, and how it is sent.

use std::net::IpAddr;

use ipnet::IpNet;
use rocket::Request;
use rocket::http::Cookie;

use super::client_ip::client_ip;
use super::cookie_header::{self, Presented};
use super::cross_site::Line;
use super::headers;
use crate::token::Kind;

/// Everything about a client that a login depends on, read once for each decision.
#[derive(Clone, Copy, Default)]
pub(crate) struct ClientInfo<'r> {
    session: Presented<'r>,
    remember: Presented<'r>,
    /// The address of the peer, or the one that trusted proxies report.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) user_agent: Option<&'r str>,
    pub(crate) sec_fetch_site: Line<'r>,
    pub(crate) origin: Line<'r>,
    /// Whether the request wants to change the protocol, as the handshake of a WebSocket does.
    pub(crate) is_upgrade: bool,
}

/// The names that the settings choose.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) session_cookie: &'a str,
    pub(crate) remember_cookie: &'a str,
    /// The header in which trusted proxies name their clients.
    pub(crate) proxy_header: &'a str,
}

impl<'r> ClientInfo<'r> {
    pub(crate) fn of(req: &'r Request<'_>, names: Names<'_>, trusted: &[IpNet]) -> Self {
        let cookie_names = [names.session_cookie, names.remember_cookie];
        let (mut cookies, mut proxied) = (None, Vec::new());
        let mut client = ClientInfo::default();
        headers::each(req, |name, line| {
            if name.is("cookie") {
                cookie_header::scan(line, cookie_names, cookies.get_or_insert_default());
            } else if name.is("user-agent") {
                client.user_agent.get_or_insert(line);
            } else if name.is("sec-fetch-site") {
                client.sec_fetch_site.add(line);
            } else if name.is("origin") {
                client.origin.add(line);
            } else if name.is("upgrade") {
                client.is_upgrade = true;
            } else if !trusted.is_empty() && name.is(names.proxy_header) {
                proxied.push(line);
            }
        });
        [client.session, client.remember] = cookies.unwrap_or_else(|| in_jar(req, cookie_names));
        let peer = req.remote().map(|peer| peer.ip());
        client.ip = client_ip(peer, &proxied, trusted);
        client
    }

    /// Returns how often a login cookie came.
    pub(crate) fn cookie(&self, kind: Kind) -> Presented<'r> {
        match kind {
            Kind::Session => self.session,
            Kind::Remember => self.remember,
            // Browsers send it to two routes only, which read it themselves.
            Kind::Device => Presented::Absent,
        }
    }
}

/// The cookies of a request without a `Cookie` header, which only Rocket's local client sends.
pub(super) fn in_jar<'r, T: Default + Extend<&'r str>, const N: usize>(
    req: &'r Request<'_>,
    names: [&str; N],
) -> [T; N] {
    names.map(|name| {
        let mut found = T::default();
        found.extend(req.cookies().get(name).map(Cookie::value));
        found
    })
}
