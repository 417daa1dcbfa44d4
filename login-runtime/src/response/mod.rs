//! What a response carries: the answer to a denial, login cookies, a flashed message, caching headers.

mod again;
pub(crate) mod answer;
pub(crate) mod asker;
mod body;
pub(crate) mod caching;
pub(crate) mod cookies;
pub(crate) mod flash;
pub(crate) mod off_site;
#[cfg(feature = "device-binding")]
pub(crate) mod offer;
pub(crate) mod retry;
pub(crate) mod wanted;
pub(crate) mod why;
