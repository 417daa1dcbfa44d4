#![doc = include_str!("../README.md")]

// The macros name `::rocket_login`; so they also work in here.
extern crate self as rocket_login;

pub use login_macros::{
    UserMixin, event_listener, fresh_login_required, login_required, needs_refresh_handler,
    request_loader, unauthorized_handler, user_loader,
};
pub use login_runtime::{
    Anonymous, Answer, AnswerFn, ChangeLogin, Clock, CrossSiteProtection, CurrentUser, Denied,
    EventKind, EventListener, Fresh, IntoLoadResult, LoadError, LoadResult, Localize, LoginError,
    LoginEvent, LoginManager, LoginSession, LoginUser, MemoryRevocations, Next, NextField,
    ProtectionAddress, Reason, Refusal, Refuse, RequestLoader, RevocationError, RevocationList,
    SessionHashField, SessionHasher, SessionId, SessionProtection, SessionRef, Signer, UserLoader,
    UserMixin, login_url, make_next_param, testing,
};

#[doc(hidden)]
pub use login_runtime::private as __private;
