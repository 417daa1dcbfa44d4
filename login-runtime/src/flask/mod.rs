//! The cookies of Flask and Flask-Login, for the time in which an application moves here.
//!
//! Pure functions of the cookies' values: nothing here knows a request. What becomes of a genuine cookie is decided in
//! `login::flask`.

mod client_id;
mod end_date;
mod key;
mod login;
mod payload;
mod remember_token;
mod session_cookie;
mod settings;
#[cfg(test)]
mod vectors;
mod werkzeug;

pub(crate) use self::client_id::client_id;
pub use self::key::FlaskKey;
#[cfg(fuzzing)]
pub(crate) use self::key::{HmacSha1, HmacSha512, remember_key, session_key};
pub(crate) use self::login::{FlaskLogin, Read};
pub(crate) use self::settings::Flask;
pub use self::settings::FlaskCookies;
#[cfg(fuzzing)]
pub(crate) use self::{
    remember_token::decode as decode_remember, session_cookie::decode as decode_session,
};

/// The longest cookie that is read, in bytes: browsers keep no longer one (RFC 6265bis, 5.6).
const MAX_COOKIE: usize = 4096;
