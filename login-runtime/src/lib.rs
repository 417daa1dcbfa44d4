//! The run-time half of [rocket-login](https://docs.rs/rocket-login): depend on that crate, not on this one.
//!
//! Pure modules know no request: `clock`, `keys`, `token`, `times`, `protection`, `signer`,
//! `revocation`, `next_rule`, `client_ip`, `cross_site`, `cookie_header`, `login_url`, `config`,
//! `views`. The others are the way of a request: `manager` attaches a `realm`; `guards`, `guarded`
//! and `session` ask and change a `visit`, which `resolve` fills; `answer`, `flash` and `cookies`
//! write the response.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
    )
)]

mod answer;
mod audit;
mod chain;
mod client_ip;
mod clock;
mod condition;
mod config;
mod cookie_header;
mod cookie_signer;
mod cookies;
mod cross_site;
mod denial;
mod events;
mod flash;
mod groups;
mod guarded;
mod guards;
mod keys;
mod loader;
mod login_url;
mod manager;
mod next;
mod next_rule;
mod printable;
#[cfg(test)]
mod properties;
mod protection;
mod realm;
mod resolve;
mod revocation;
mod rule;
mod session;
mod signer;
pub mod testing;
mod times;
mod token;
mod user;
mod views;
mod visit;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod private;

pub use self::audit::{Access, Audit, AuditedRoute, audit};
pub use self::clock::Clock;
pub use self::condition::{Condition, IntoVerdict, Permission};
pub use self::config::{ProtectionAddress, SessionProtection, UnguardedRoutes};
pub use self::cookie_signer::Signer;
pub use self::cross_site::CrossSiteProtection;
pub use self::denial::{Answer, AnswerFn, Denied, Reason, Refusal, Refuse};
pub use self::events::{EventKind, EventListener, LoginEvent};
pub use self::groups::{GuardRoutes, RouteCondition, RouteGuard};
pub use self::guards::{Anonymous, CurrentUser, Fresh};
pub use self::loader::{IntoLoadResult, LoadError, LoadResult, RequestLoader, UserLoader};
pub use self::login_url::{login_url, make_next_param};
pub use self::manager::{Localize, LoginManager};
pub use self::next::{Next, NextField};
pub use self::revocation::{
    MemoryRevocations, RevocationError, RevocationList, Revoked, SessionRef,
};
pub use self::session::{ChangeLogin, LoginError, LoginSession, LoginUser};
pub use self::token::SessionId;
pub use self::user::{SessionHashField, SessionHasher, UserMixin};
