//! What a request contains: pure functions of headers and addresses, and `headers`, `client_info`, `cookies` and `cache`, which read the request.

pub(crate) mod cache;
pub(crate) mod client_info;
pub(crate) mod client_ip;
pub(crate) mod cookie_header;
pub(crate) mod cookies;
pub(crate) mod cross_site;
pub(crate) mod fingerprint;
pub(crate) mod headers;
