//! The application's own code: its user type, its loaders, its listeners.

pub(crate) mod event;
pub(crate) mod loader;
pub(crate) mod user;
