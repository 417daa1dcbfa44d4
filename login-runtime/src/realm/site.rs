//! The cross-site rule, for the requests of a realm.

use rocket::Request;

use super::RealmCore;
use crate::request::client_info::ClientInfo;
use crate::request::cross_site::{self, Refusal, Signals};

impl RealmCore {
    /// Checks that a request that may change something comes from this site's own pages, or from no page at all.
    ///
    /// The others pass, since links from other sites use them.
    pub(crate) fn check_site(
        &self,
        req: &Request<'_>,
        client: &ClientInfo<'_>,
    ) -> Result<(), Refusal> {
        if only_reads(req, client) {
            Ok(())
        } else {
            self.check_source(req, client)
        }
    }

    fn check_source(&self, req: &Request<'_>, client: &ClientInfo<'_>) -> Result<(), Refusal> {
        let (site, origin) = (&client.sec_fetch_site, &client.origin);
        let needs_host = site.value.is_none() && origin.value.is_some();
        let host = req.host().filter(|_| needs_host).map(ToString::to_string);
        let signals = Signals {
            sec_fetch_site: site.value,
            origin: origin.value,
            disagree: site.disagrees || origin.disagrees,
            host: host.as_deref(),
            https: self.config.https,
        };
        cross_site::check(
            self.config.cross_site_protection,
            &signals,
            &self.config.trusted_origins,
        )
    }
}

/// Whether a request only reads: safe methods change nothing (RFC 9110, section 9.2.1). The handshake of a WebSocket is
/// a GET as well, but what follows it may change everything (ASVS 4.4.2).
pub(crate) fn only_reads(req: &Request<'_>, client: &ClientInfo<'_>) -> bool {
    cross_site::is_safe(req.method()) && !client.is_upgrade
}
