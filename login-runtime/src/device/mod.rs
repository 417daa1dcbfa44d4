//! How a browser proves that it has the key of a device: Device Bound Session Credentials, W3C editor's draft of February
//! 2026.
//!
//! Everything here takes values and returns values.

pub(crate) mod fields;
pub(crate) mod instructions;
pub(crate) mod proof;
