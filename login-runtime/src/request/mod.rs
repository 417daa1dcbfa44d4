//! What a request shows, as pure functions of its headers and its address.

pub(crate) mod client_ip;
pub(crate) mod cookie_header;
pub(crate) mod cross_site;
pub(crate) mod fingerprint;
