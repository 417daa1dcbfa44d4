//! `LoginManager`: the builder that a developer attaches to the rocket, and the fairing that it becomes.

mod builder;
mod clash;
mod fairing;
#[cfg(feature = "flask")]
mod flask;
mod optional_user;
mod settings;
mod store;

pub use self::builder::LoginManager;
pub use self::store::StoreSetup;
