//! `LoginManager`: what a developer attaches to the rocket, and the fairing that puts it to work.

mod builder;
mod clash;
mod fairing;
mod settings;

pub use self::builder::LoginManager;
