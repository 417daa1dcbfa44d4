#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(clippy::doc_markdown, reason = "the README is read by people first")]

// The macros name `::rocket_login`, so they also work in here.
extern crate self as rocket_login;

pub use login_macros::{
    UserGuard, UserMixin, anonymous_required, event_listener, forbidden_handler,
    fresh_login_required, login_required, needs_refresh_handler, public, request_loader,
    unauthorized_handler, user_loader,
};
pub use login_runtime::{
    Anonymous, CurrentUser, Denied, EventKind, Fresh, GuardRoutes, LoadError, LoginError,
    LoginEvent, LoginManager, LoginSession, Next, NextField, NextRedirect, Reason, RouteGuard,
    SessionHasher, Signer, UserGuard, UserMixin, audit, condition, login_url,
};

/// Guards and conditions: what a route's rule is made of.
pub mod access {
    pub use login_runtime::{
        Condition, ConditionError, ConditionGuard, ConditionGuards, Deny, GuardError, IntoVerdict,
        RouteCondition, Unavailable,
    };
}

/// The result of [`audit`](crate::audit()): who may use each route.
pub mod audit {
    pub use login_runtime::{Access, Audit, AuditedRoute};
}

/// The values of settings.
pub mod config {
    pub use login_runtime::{
        AtLimit, CrossSiteProtection, DeviceBinding, OnLoss, OnStale, ProtectionAddress,
        SessionProtection, UnguardedRoutes,
    };
}

/// The cookies of a Flask application, for [`LoginManager::accept_flask`].
#[cfg(feature = "flask")]
pub mod flask {
    pub use login_runtime::{FlaskCookies, FlaskKey};
}

/// The traits of the functions that [`LoginManager`] takes, each implemented by its attribute.
pub mod handler {
    pub use login_runtime::{
        IntoEventListener, IntoForbiddenHandler, IntoLoadResult, IntoNeedsRefreshHandler,
        IntoRequestLoader, IntoUnauthorizedHandler, IntoUserLoader,
    };
}

/// The registry of logins: where a user is logged in.
pub mod logins {
    pub use login_runtime::{
        Begin, Begun, KnownClient, LoginHandle, LoginId, LoginInfo, LoginRegistry, LoginRow,
        MemoryRegistry, Moment, RegistryError, Restored, RowError, RowUser, UnixTime,
    };
}

/// What `next` parameters are made of.
pub mod redirect {
    pub use login_runtime::make_next_param;
}

/// The list of ended logins, for applications that share one between servers.
pub mod revocation {
    pub use login_runtime::{
        LoginId, MemoryRevocations, RevocationError, RevocationList, RevokeRealm, RevokeSession,
        RevokeUser, Revoked, SessionId, SessionRef, SessionStatus, Successor, UnixTime, UserRef,
    };
}

/// The verbs of [`LoginSession`] before their `.await`, and what a user type adds to its session hash.
pub mod session {
    pub use login_runtime::{
        IdError, Login, LoginChange, LoginEnd, SessionHashField, UserSigner, UserToken,
        UserTokenError,
    };
}

/// The store of ended logins that several servers share: what it must do, and how it is doing.
pub mod store {
    pub use login_runtime::{
        Appended, Change, Entry, EntryError, Epoch, Guard, Key, OpId, Position, Record,
        RevocationLog, Rows, Since, StoreHealth, StoreSetup,
    };

    pub use crate::revocation::{RevocationError, UnixTime};
}

#[cfg(doc)]
pub mod guide;

#[cfg(feature = "testing")]
pub use login_runtime::testing;

#[doc(hidden)]
pub mod __private {
    pub use login_macros::items;
    pub use login_runtime::private::*;
}
