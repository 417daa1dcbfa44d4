//! Several processes of one small application, on one store of ended logins: the application, and what starts it, uses it
//! and breaks it.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "only tests use this package"
)]

#[macro_use]
extern crate rocket;

pub mod app;
pub mod client;
pub mod late;
pub mod network;
pub mod nginx;
pub mod rows;
pub mod site;
pub mod store;
pub mod traffic;
