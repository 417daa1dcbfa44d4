//! Private functions of this crate for the fuzz targets in `fuzz/`.
//!
//! This module exists only with `--cfg fuzzing`, which cargo-fuzz sets.

#[cfg(feature = "device-binding")]
use std::borrow::Cow;
use std::net::IpAddr;

use data_encoding::BASE64URL_NOPAD;
#[cfg(feature = "flask")]
use data_encoding::HEXLOWER;
use hmac::Mac as _;
use ipnet::IpNet;

use crate::clock::UnixTime;
#[cfg(feature = "device-binding")]
use crate::device::{fields, proof::Proof};
#[cfg(feature = "flask")]
use crate::flask;
use crate::redirect::local;
use crate::request::cookie_header::Presented;
use crate::request::{client_ip, cookie_header};
use crate::token::keys::KeyRing;
use crate::token::secret::SecretKey;
use crate::token::{DIGEST, Digest, Flags, Kind, LoginId, SessionId, TAG, Token, truncate};

/// The keys of the targets' application.
#[derive(Debug)]
pub struct Tokens(KeyRing);

/// The fields of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    pub remember: bool,
    pub flags: u8,
    pub login_id: [u8; 16],
    pub session_id: [u8; 8],
    pub auth_at: u64,
    pub created_at: u64,
    pub renewed_at: u64,
    pub expires_at: u64,
    pub session_hash: [u8; DIGEST],
    pub protection: [u8; DIGEST],
    pub restores: Option<u32>,
    pub bound_until: Option<u64>,
    pub replaces: Option<[u8; 8]>,
    pub uid: String,
}

impl Tokens {
    /// Derives the keys from a secret; `None` if the secret is too weak.
    #[must_use]
    pub fn new(secret: &[u8], audience: &str, session: &str, remember: &str) -> Option<Self> {
        let secret = SecretKey::from_bytes(secret).ok()?;
        Some(Self(KeyRing::new(
            &secret,
            &[],
            audience,
            session,
            remember,
        )))
    }

    /// Returns the id of the keys in a token.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.0.current().id
    }

    /// Signs a token as a login does; `None` for flags, times, a counter or a user id that no login can have.
    #[must_use]
    pub fn encode(&self, fields: &Fields) -> Option<String> {
        let token = Token {
            kind: kind(fields.remember),
            flags: Flags::from_bits(fields.flags)?,
            login_id: LoginId(fields.login_id),
            session_id: SessionId(fields.session_id),
            auth_at: (fields.auth_at != 0).then(|| UnixTime::from_secs(fields.auth_at)),
            created_at: UnixTime::from_secs(fields.created_at),
            renewed_at: UnixTime::from_secs(fields.renewed_at),
            expires_at: UnixTime::from_secs(fields.expires_at),
            session_hash: Digest::read(fields.session_hash),
            protection: Digest::read(fields.protection),
            restores: fields.restores,
            bound_until: fields.bound_until.map(UnixTime::from_secs),
            replaces: fields.replaces.map(SessionId),
            public_key: None,
            uid: fields.uid.as_str().into(),
        };
        token.encode(self.0.current())
    }

    /// Signs any bytes, as only somebody with the key can.
    #[must_use]
    pub fn sign(&self, bytes: &[u8], remember: bool) -> String {
        let mac = self.0.current().of(kind(remember)).mac.clone();
        let tag: [u8; TAG] = truncate(mac.chain_update(bytes));
        BASE64URL_NOPAD.encode(&[bytes, &tag].concat())
    }

    /// Reads a cookie's value; `None` if it is refused.
    #[must_use]
    pub fn decode(&self, value: &str, remember: bool) -> Option<Fields> {
        let (token, _) = Token::decode(value, kind(remember), &self.0).ok()?;
        Some(Fields {
            remember: token.kind == Kind::Remember,
            flags: token.flags.bits(),
            login_id: token.login_id.0,
            session_id: token.session_id.0,
            auth_at: token.auth_at.map_or(0, UnixTime::as_secs),
            created_at: token.created_at.as_secs(),
            renewed_at: token.renewed_at.as_secs(),
            expires_at: token.expires_at.as_secs(),
            session_hash: Digest::write(token.session_hash),
            protection: Digest::write(token.protection),
            restores: token.restores,
            bound_until: token.bound_until.map(UnixTime::as_secs),
            replaces: token.replaces.map(|id| id.0),
            uid: token.uid.into(),
        })
    }
}

fn kind(remember: bool) -> Kind {
    if remember {
        Kind::Remember
    } else {
        Kind::Session
    }
}

/// The challenge and the key of a proof, and whether it is signed by its own key; `None` for anything but a proof.
#[cfg(feature = "device-binding")]
#[must_use]
pub fn read_proof(text: &str) -> Option<(String, Option<[u8; 33]>, bool)> {
    let proof = Proof::read(text)?;
    let key = proof.key().copied();
    let is_signed = key.is_some_and(|key| proof.is_signed_by(&key));
    let _ = proof.is_for(Some("app.example"), "/login-device/refresh");
    Some((proof.challenge().to_owned(), key, is_signed))
}

/// The text of a header field, in quotes or without.
#[cfg(feature = "device-binding")]
#[must_use]
pub fn field_text(field: &str) -> Option<String> {
    fields::text(field).map(Cow::into_owned)
}

/// Writes a challenge for a binding as a header field.
#[cfg(feature = "device-binding")]
#[must_use]
pub fn challenge_field(challenge: &str, identifier: &str) -> Option<String> {
    fields::challenge(challenge, identifier)
}

/// Returns each cookie's value in the headers; `Err` if a name occurs more than once.
pub fn find_cookies<'a, const N: usize>(
    headers: &[&'a str],
    names: [&str; N],
) -> [Result<Option<&'a str>, ()>; N] {
    cookie_header::find(headers.iter().copied(), names).map(|presented| match presented {
        Presented::Absent => Ok(None),
        Presented::One(value) => Ok(Some(value)),
        Presented::Many => Err(()),
    })
}

/// Returns all values of a cookie in the headers.
#[must_use]
pub fn cookie_values<'a>(headers: &[&'a str], name: &'a str) -> Vec<&'a str> {
    let [values] = cookie_header::find(headers.iter().copied(), [name]);
    values
}

/// Whether a login may lead to a target.
#[must_use]
pub fn is_local(target: &str) -> bool {
    local::is_local(target)
}

/// Returns the `next` for a refused request with this path and query.
#[must_use]
pub fn wanted(path: &str, query: Option<&str>) -> Option<String> {
    local::wanted(path, query)
}

/// Returns the client's address, to which a login is bound.
#[must_use]
pub fn client_ip(peer: Option<IpAddr>, header: &[&str], trusted: &[IpNet]) -> Option<IpAddr> {
    client_ip::client_ip(peer, header, trusted)
}

/// Returns the network of an address.
#[must_use]
pub fn prefix(ip: IpAddr) -> IpAddr {
    client_ip::prefix(ip)
}

/// The keys of a Flask application.
#[cfg(feature = "flask")]
#[derive(Debug)]
pub struct FlaskKeys {
    session: flask::HmacSha1,
    remember: flask::HmacSha512,
}

#[cfg(feature = "flask")]
impl FlaskKeys {
    /// Takes the secret; `None` if it is not Latin-1.
    #[must_use]
    pub fn new(secret: &str) -> Option<Self> {
        let key = secret.into();
        Some(Self {
            session: flask::session_key(&key, "cookie-session"),
            remember: flask::remember_key(&key)?,
        })
    }

    /// Returns the user of a session cookie.
    #[must_use]
    pub fn session(&self, value: &str) -> Option<String> {
        let session = flask::decode_session(value, std::slice::from_ref(&self.session))?;
        Some(session.user_id)
    }

    /// Returns the user of a remember cookie.
    #[must_use]
    pub fn remembered(&self, value: &str) -> Option<String> {
        flask::decode_remember(value, &self.remember)
    }

    /// Signs a payload and a date, as only somebody with the key can.
    #[must_use]
    pub fn sign_session(&self, signed: &str) -> String {
        let tag = self.session.clone().chain_update(signed).finalize();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&tag.into_bytes()))
    }

    /// Signs the id of a user.
    #[must_use]
    pub fn sign_remembered(&self, id: &str) -> String {
        let tag = self.remember.clone().chain_update(id).finalize();
        format!("{id}|{}", HEXLOWER.encode(&tag.into_bytes()))
    }
}
