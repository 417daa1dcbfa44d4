//! The login of one request: how it is found, and what the response must change.

pub(crate) mod bound;
pub(crate) mod cookie;
pub(crate) mod fate;
pub(crate) mod findings;
#[cfg(feature = "flask")]
pub(crate) mod flask;
pub(crate) mod pending;
pub(crate) mod remember;
pub(crate) mod search;
pub(crate) mod shown;
pub(crate) mod visit;
