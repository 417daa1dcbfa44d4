//! Logins from the view of users: login, logout, remember, freshness, protection.

mod device;
mod ended;
mod format;
mod fresh;
mod in_flight;
mod lifetimes;
mod login;
mod logout;
mod moved;
mod others;
mod protection;
mod registry;
mod remember;
mod revocation;
mod rotation;
mod session_hash;
mod signer;
mod stolen;
mod support;
mod testing_helpers;
mod unrelated;
mod user_tokens;
mod verbs;
