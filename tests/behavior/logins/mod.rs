//! Logins from the view of users: login, logout, remember, freshness, protection.

mod support;

mod format;
mod fresh;
mod lifetimes;
mod login;
mod logout;
mod protection;
mod remember;
mod revocation;
mod rotation;
mod session_hash;
mod signer;
mod testing_helpers;
mod unrelated;
