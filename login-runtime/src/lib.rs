//! The run-time half of [rocket-login](https://docs.rs/rocket-login): depend on that crate, not on this one.
//!
//! # The map
//!
//! A folder uses only what stands below it. The lower half knows no `Request`.
//!
//! | folder | what it answers |
//! | --- | --- |
//! | `manager/` | What does a developer attach, and when does it run? `builder` and `settings` collect, `fairing` launches and finishes each response, `clash` compares several managers, `optional_user` warns of a `&User` that refuses nobody |
//! | `audit/` | Who may use each route? `launch` prints it and stops what cannot work. `known` finds the guards, `reach` follows a visitor; `views`, `redirects` and `without_view` judge pages, `doubts` and `area` open routes, each as `looked` has it |
//! | `session/` | What does a handler ask and change? `login` and `change` are the verbs, `presented` and `end` their tools, `verb` logs their failures; `login_end` ends streams; `current_user`, `next` and `signer` are guards, `user_token` is what a signer signs for a user |
//! | `binding/` | How is a login bound to a device, and proven again? `register` and `refresh` answer the two routes. Only with the feature `device-binding` |
//! | `response/` | What does a response carry? `answer` turns a denial into a redirect, `asker` knows whom to redirect, `wanted` reads `next`, `cookies` writes every login cookie, `body` takes the body away, `flash` and `caching`; `why` logs why a login was refused, `off_site` a login that leaves the site; `retry` keeps `next` when a login fails |
//! | `access/` | Who may use a route? `guard` is the rule, `decide` the only decision; `attribute`, `group` and `user` ask it; `condition`, `denial`; `argument` checks at compile time which guards a function may take; `declared` and `launch` serve the launch |
//! | `login/` | Who is logged in, in this request? `visit` is its state, `shown` and `cookie` sort the cookies, `search` finds the user, `findings` keeps what it finds, `remember` restores, `fate` is what became of a cookie, `pending` is what the response must carry |
//! | `realm/` | What does one attached manager know? `registry` has all realms, `any` is a realm of an unknown user type, `logins` writes and judges rows of the registry, `registered` counts a login that begins, `seal` binds tokens to user and client, `id` checks users' ids, `site` judges where a request comes from, `unavailable` is what can fail, `outage` logs failures without a flood, `message` is flashed |
//! | `logins/` | Where is a user logged in? The trait of a registry, the one in `memory`, its `row`s; `restores` notices a copied remember token; `desk` contains the application's code, `queue` writes what nobody waits for, `client` names a browser |
//! | `revocation/` | Which logins have ended? The trait, the list in `memory`, `wakes` for who waits for an end, and `bounded`, which contains a list of the application's; `log` is what a store must do, `replicated` is a copy of one |
//! | `app/` | What does the application bring? `user`, `session_hash`, `loader`, `handler`, `event`; `id_type` is what a loader takes ids as, `contain` runs its code, `failure` is how that code fails |
//! | `flask/` | Which logins do the cookies of a Flask application show? Only with the feature `flask`; `realm/flask`, `login/flask` and `session/flask` turn them into logins of ours, and end them |
//! | `config/` | Which settings are there, and which hold? |
//! | `request/` | What does a request show? `cookie_header`, `client_ip`, `fingerprint` and `cross_site` are pure; `headers`, `client_info`, `cookies` and `cache` read the request |
//! | `device/` | Does a device prove that it has its key? `proof` reads and verifies what it signed, `fields` are the headers of the protocol, `instructions` the JSON. Only with the feature `device-binding` |
//! | `token/` | Which bytes are signed? `keys` are derived from the `secret`, `times` judges expiry, `envelope` is the signed form that a token and an application's own `value` share; `user_value` is for one user |
//! | `redirect/` | Where may a redirect lead? |
//! | `clock`, `printable`, `soon` | The time; foreign text in log lines; an answer that is there now or later |
//!
//! `private` is the door for generated code, `testing` for an application's tests, `fuzzing` for the fuzz targets.

#![cfg_attr(docsrs, feature(doc_cfg))]
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
#[cfg(feature = "device-binding")]
mod binding;
mod clock;
mod config;
#[cfg(feature = "device-binding")]
mod device;
#[cfg(feature = "flask")]
mod flask;
mod login;
mod logins;
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
mod soon;
mod token;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod private;
#[cfg(feature = "testing")]
pub mod testing;

pub use self::access::condition::{Condition, ConditionGuard, ConditionGuards, IntoVerdict};
pub use self::access::denial::{Denied, Deny, GuardError, Reason};
pub use self::access::group::GuardRoutes;
pub use self::access::guard::{RouteCondition, RouteGuard};
pub use self::access::user::Fresh;
pub use self::app::event::{EventKind, LoginEvent};
pub use self::app::failure::{ConditionError, LoadError};
pub use self::app::handler::{
    IntoEventListener, IntoForbiddenHandler, IntoNeedsRefreshHandler, IntoRequestLoader,
    IntoUnauthorizedHandler, IntoUserLoader,
};
pub use self::app::loader::IntoLoadResult;
pub use self::app::session_hash::{SessionHashField, SessionHasher};
pub use self::app::user::{UserGuard, UserMixin};
pub use self::audit::{Access, Audit, AuditedRoute, audit};
pub use self::clock::UnixTime;
pub use self::config::{
    AtLimit, DeviceBinding, OnLoss, OnStale, SessionProtection, UnguardedRoutes,
};
#[cfg(feature = "flask")]
pub use self::flask::{FlaskCookies, FlaskKey};
pub use self::logins::{
    Begin, Begun, KnownClient, LoginHandle, LoginRegistry, LoginRow, MemoryRegistry, RegistryError,
    Restored, RowError, RowUser,
};
pub use self::manager::{LoginManager, StoreSetup};
pub use self::realm::health::StoreHealth;
pub use self::realm::id::IdError;
pub use self::realm::unavailable::Unavailable;
pub use self::redirect::login_url::{login_url, make_next_param};
pub use self::request::cross_site::CrossSiteProtection;
pub use self::request::fingerprint::ProtectionAddress;
pub use self::revocation::log::{
    Appended, Change, Entry, EntryError, Epoch, Guard, Key, OpId, Position, Record, RevocationLog,
    Rows, Since,
};
pub use self::revocation::{
    MemoryRevocations, RevocationError, RevocationList, RevokeRealm, RevokeSession, RevokeUser,
    Revoked, SessionRef, SessionStatus, Successor, UserRef,
};
pub use self::session::current_user::{Anonymous, CurrentUser};
pub use self::session::next::{Next, NextField, NextRedirect};
pub use self::session::signer::Signer;
pub use self::session::{
    Login, LoginChange, LoginEnd, LoginError, LoginInfo, LoginSession, Moment, UserSigner,
    UserToken, UserTokenError,
};
pub use self::token::{LoginId, SessionId};
