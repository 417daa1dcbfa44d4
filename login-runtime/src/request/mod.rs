//! What a request shows: pure functions of headers and addresses, and the two looks into a request that serve them.

pub(crate) mod cache;
pub(crate) mod client_ip;
pub(crate) mod cookie_header;
pub(crate) mod cookies;
pub(crate) mod cross_site;
pub(crate) mod fingerprint;
