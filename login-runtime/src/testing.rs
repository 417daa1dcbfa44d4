//! Helpers for tests (feature `testing`): cookies that log in a local client without a form, and a clock to move.

pub mod registry;
pub mod store;

use std::fmt;

use rocket::http::Cookie;
use rocket::{Phase, Rocket};

use crate::app::session_hash::SessionHasher;
use crate::app::user::UserMixin;
pub use crate::clock::Clock;
use crate::realm::registry::require_ignition;
use crate::realm::{Realm, RealmCore};
use crate::token::{Kind, LoginId, SessionId, Token};

/// Makes the session cookie of a fresh login of `user`, for a request of Rocket's local client.
///
/// The login is bound to the first client that sends it. Flask-Login's `FlaskLoginClient`.
///
/// # Panics
///
/// If the rocket is not ignited, no `LoginManager` for the user's type is attached or it has no user loader, or the user's
/// id is empty, too long, or not of the type that the user loader takes.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// # use rocket::local::blocking::Client;
/// # use rocket_login::{login_required, user_loader, LoginManager, UserMixin};
/// use rocket_login::testing;
/// # #[derive(UserMixin)] struct User { id: i64 }
/// # #[user_loader] fn load_user(id: i64) -> Option<User> { Some(User { id }) }
///
/// #[login_required]
/// #[get("/")]
/// fn index(user: &User) -> String { format!("user {}", user.id) }
///
/// # fn main() {
/// let rocket = rocket::build()
///     .attach(LoginManager::new(load_user))
///     .mount("/", routes![index]);
/// let client = Client::untracked(rocket).unwrap();
///
/// let login = testing::login(client.rocket(), &User { id: 7 });
/// let response = client.get("/").cookie(login).dispatch();
/// assert_eq!(response.into_string().unwrap(), "user 7");
/// # }
/// ```
#[doc(alias = "FlaskLoginClient")]
#[must_use]
#[track_caller]
pub fn login<U: UserMixin, P: Phase>(rocket: &Rocket<P>, user: &U) -> Cookie<'static> {
    cookie(rocket, user, Kind::Session, true, |_, _| ())
}

/// Makes the session cookie of a login of `user` that is not fresh.
///
/// # Panics
///
/// As [`login`].
///
/// # Example
///
/// ```rust
/// # use rocket::{local::blocking::Client, http::Cookie};
/// # use rocket_login::{testing, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// fn yesterdays_login(client: &Client) -> Cookie<'static> {
///     testing::stale_login(client.rocket(), &User { id: 7 })
/// }
/// ```
#[must_use]
#[track_caller]
pub fn stale_login<U: UserMixin, P: Phase>(rocket: &Rocket<P>, user: &U) -> Cookie<'static> {
    cookie(rocket, user, Kind::Session, false, |_, _| ())
}

/// Makes the session cookie of a fresh login of `user` that is bound to a device.
///
/// It is valid for the setting `device_binding_lifetime`. There is no device that could prove it again.
///
/// # Panics
///
/// As [`login`].
///
/// # Example
///
/// ```rust
/// # use rocket::{local::blocking::Client, http::Cookie};
/// # use rocket_login::{testing, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// fn login_of_an_administrator(client: &Client) -> Cookie<'static> {
///     testing::device_bound_login(client.rocket(), &User { id: 7 })
/// }
/// ```
#[cfg(feature = "device-binding")]
#[must_use]
#[track_caller]
pub fn device_bound_login<U: UserMixin, P: Phase>(rocket: &Rocket<P>, user: &U) -> Cookie<'static> {
    cookie(rocket, user, Kind::Session, true, |core, session| {
        session.session_id = SessionId::of_binding(session.session_id.0);
        session.bound_until = Some(session.created_at.plus(core.config.device.lifetime));
    })
}

/// Makes the remember cookie of a login of `user`.
///
/// # Panics
///
/// As [`login`].
///
/// # Example
///
/// ```rust
/// # use rocket::{local::blocking::Client, http::Cookie};
/// # use rocket_login::{testing, UserMixin};
/// # #[derive(UserMixin)] struct User { id: i64 }
/// fn remembered(client: &Client) -> Cookie<'static> {
///     testing::remember(client.rocket(), &User { id: 7 })
/// }
/// ```
#[must_use]
#[track_caller]
pub fn remember<U: UserMixin, P: Phase>(rocket: &Rocket<P>, user: &U) -> Cookie<'static> {
    cookie(rocket, user, Kind::Remember, false, |_, _| ())
}

#[track_caller]
fn cookie<U: UserMixin, P: Phase>(
    rocket: &Rocket<P>,
    user: &U,
    kind: Kind,
    fresh: bool,
    change: impl FnOnce(&RealmCore, &mut Token),
) -> Cookie<'static> {
    require_ignition(rocket);
    let Some(realm) = Realm::<U>::of(rocket) else {
        fail(format!(
            "no `LoginManager` for `{}` is attached to this rocket",
            std::any::type_name::<U>()
        ));
    };
    let id = match realm.id_of(user) {
        Ok(id) => id,
        Err(error) => fail(error),
    };
    let core = &realm.core;
    let now = core.clock.now();
    let (spec, lifetime) = match kind {
        Kind::Session | Kind::Device => (&core.config.session_cookie, core.config.session_lifetime),
        Kind::Remember => (
            &core.config.remember_cookie,
            core.config.remember_cookie_duration,
        ),
    };
    let keys = core.ring.current();
    let (Ok(login_id), Ok(session_id)) = (LoginId::generate(), SessionId::generate()) else {
        fail("the operating system gave no random bytes");
    };
    let ids = (login_id, session_id);
    let mut token = Token::begin(kind, ids, id, (now, now), lifetime);
    token.auth_at = fresh.then_some(now);
    token.session_hash = SessionHasher::digest(&keys.of(kind).session_hash, user);
    change(core, &mut token);
    match token.encode(keys) {
        Some(value) => Cookie::new(spec.name.clone(), value),
        None => fail("a date of the login is too far ahead: set the clock back"),
    }
}

#[expect(clippy::panic, reason = "a test that cannot log in must stop")]
#[track_caller]
fn fail(reason: impl fmt::Display) -> ! {
    panic!("{reason}")
}
