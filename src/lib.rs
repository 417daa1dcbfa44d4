#![doc = include_str!("../README.md")]
#![allow(clippy::doc_markdown, reason = "the README is read by people first")]

// The macros name `::rocket_login`; so they also work in here.
extern crate self as rocket_login;

pub use login_macros::{
    UserMixin, anonymous_required, event_listener, forbidden_handler, fresh_login_required,
    login_required, needs_refresh_handler, public, request_loader, unauthorized_handler,
    user_loader,
};
pub use login_runtime::{
    Access, Anonymous, Audit, AuditedRoute, ChangeLogin, Clock, Condition, CrossSiteProtection,
    CurrentUser, Denied, EventKind, Fresh, GuardRoutes, IntoEventListener, IntoForbiddenHandler,
    IntoLoadResult, IntoNeedsRefreshHandler, IntoRequestLoader, IntoUnauthorizedHandler,
    IntoUserLoader, IntoVerdict, LoadError, LoadResult, Localize, LoginError, LoginEvent,
    LoginManager, LoginSession, LoginUser, MemoryRevocations, Next, NextField, Permission,
    ProtectionAddress, Reason, Refusal, Refuse, RevocationError, RevocationList, Revoked,
    RouteCondition, RouteGuard, SessionHashField, SessionHasher, SessionId, SessionProtection,
    SessionRef, Signer, UnguardedRoutes, UserMixin, audit, condition, login_url, make_next_param,
    testing,
};

#[doc(hidden)]
pub use login_runtime::private as __private;
