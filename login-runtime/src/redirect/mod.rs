//! Where a redirect may lead.

pub(crate) mod local;
pub(crate) mod login_url;
#[cfg(test)]
mod next_values;
