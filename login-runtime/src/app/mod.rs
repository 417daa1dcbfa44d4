//! The application's own code: its user type, its loaders, handlers and listeners.

pub(crate) mod contain;
pub(crate) mod event;
pub(crate) mod failure;
pub(crate) mod handler;
pub(crate) mod id_type;
pub(crate) mod loader;
pub(crate) mod session_hash;
pub(crate) mod user;
