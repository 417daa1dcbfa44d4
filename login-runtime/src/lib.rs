//! The run-time half of [rocket-login](https://docs.rs/rocket-login): depend on that crate, not on this one.

#![cfg_attr(
    not(test),
    warn(
        clippy::allow_attributes_without_reason,
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "`clippy.toml` is for the code that serves requests"
    )
)]

mod access;
mod app;
mod audit;
mod chain;
mod clock;
mod config;
mod login;
mod manager;
mod printable;
#[cfg(test)]
mod properties;
mod realm;
mod redirect;
mod request;
mod response;
mod revocation;
mod session;
pub mod testing;
mod token;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod private;

pub use self::access::condition::{Condition, IntoVerdict, Permission};
pub use self::access::denial::{Denied, Reason, Refusal, Refuse};
pub use self::access::group::{GuardRoutes, RouteCondition, RouteGuard};
pub use self::access::user::{Anonymous, CurrentUser, Fresh};
pub use self::app::event::{EventKind, LoginEvent};
pub use self::app::handler::{
    IntoEventListener, IntoForbiddenHandler, IntoNeedsRefreshHandler, IntoRequestLoader,
    IntoUnauthorizedHandler, IntoUserLoader,
};
pub use self::app::loader::{IntoLoadResult, LoadError, LoadResult};
pub use self::app::user::{SessionHashField, SessionHasher, UserMixin};
pub use self::audit::{Access, Audit, AuditedRoute, audit};
pub use self::clock::{Clock, UnixTime};
pub use self::config::{ProtectionAddress, SessionProtection, UnguardedRoutes};
pub use self::login::unavailable::Unavailable;
pub use self::manager::{Localize, LoginManager};
pub use self::redirect::login_url::{login_url, make_next_param};
pub use self::request::cross_site::CrossSiteProtection;
pub use self::revocation::{
    MemoryRevocations, RevocationError, RevocationList, RevokeSession, RevokeUser, Revoked,
    SessionRef,
};
pub use self::session::next::{Next, NextField};
pub use self::session::signer::Signer;
pub use self::session::{ChangeLogin, LoginError, LoginSession, LoginUser};
pub use self::token::SessionId;
