//! The door for the fuzz targets in `fuzz/`: what is private here, as plain functions.
//!
//! It exists where `--cfg fuzzing` is given, which cargo-fuzz does, and nowhere else.

use std::net::IpAddr;

use data_encoding::BASE64URL_NOPAD;
use hmac::Mac as _;
use ipnet::IpNet;

use crate::clock::UnixTime;
use crate::redirect::local;
use crate::request::cookie_header::Presented;
use crate::request::{client_ip, cookie_header};
use crate::token::keys::KeyRing;
use crate::token::secret::SecretKey;
use crate::token::{Digest, Flags, Kind, SessionId, Token};

/// The keys of an application of the targets' own.
#[derive(Debug)]
pub struct Tokens(KeyRing);

/// What a token carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    pub remember: bool,
    pub flags: u8,
    pub session_id: [u8; 16],
    pub auth_at: u64,
    pub created_at: u64,
    pub renewed_at: u64,
    pub expires_at: u64,
    pub session_hash: [u8; 16],
    pub protection: [u8; 16],
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

    /// The id by which a token names its keys.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.0.current().id
    }

    /// Signs a token, as a login does; `None` for flags or a user id that no login has.
    #[must_use]
    pub fn encode(&self, fields: &Fields) -> Option<String> {
        let token = Token {
            kind: kind(fields.remember),
            flags: Flags::from_bits(fields.flags)?,
            session_id: SessionId(fields.session_id),
            auth_at: (fields.auth_at != 0).then(|| UnixTime::from_secs(fields.auth_at)),
            created_at: UnixTime::from_secs(fields.created_at),
            renewed_at: UnixTime::from_secs(fields.renewed_at),
            expires_at: UnixTime::from_secs(fields.expires_at),
            session_hash: Digest::read(fields.session_hash),
            protection: Digest::read(fields.protection),
            uid: fields.uid.clone(),
        };
        token.encode(self.0.current())
    }

    /// Signs any bytes at all, as only who has the key could.
    #[must_use]
    pub fn sign(&self, bytes: &[u8], remember: bool) -> String {
        let mac = self.0.current().of(kind(remember)).mac.clone();
        let tag = mac.chain_update(bytes).finalize().into_bytes();
        BASE64URL_NOPAD.encode(&[bytes, &tag].concat())
    }

    /// Reads a cookie's value; `None` for one that is refused.
    #[must_use]
    pub fn decode(&self, value: &str, remember: bool) -> Option<Fields> {
        let (token, _) = Token::decode(value, kind(remember), &self.0).ok()?;
        Some(Fields {
            remember: token.kind == Kind::Remember,
            flags: token.flags.bits(),
            session_id: token.session_id.0,
            auth_at: token.auth_at.map_or(0, UnixTime::as_secs),
            created_at: token.created_at.as_secs(),
            renewed_at: token.renewed_at.as_secs(),
            expires_at: token.expires_at.as_secs(),
            session_hash: Digest::write(token.session_hash),
            protection: Digest::write(token.protection),
            uid: token.uid,
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

/// What the headers present under each name: `Err` where a name comes more than once.
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

/// Every value that a name has in the headers.
#[must_use]
pub fn cookie_values<'a>(headers: &[&'a str], name: &'a str) -> Vec<&'a str> {
    let [values] = cookie_header::find(headers.iter().copied(), [name]);
    values
}

/// Whether a login may redirect to a target.
#[must_use]
pub fn is_local(target: &str) -> bool {
    local::is_local(target)
}

/// The target that a refused request for this path and query wants.
#[must_use]
pub fn wanted(path: &str, query: Option<&str>) -> Option<String> {
    local::wanted(path, query)
}

/// The client's address, as a login is bound to it.
#[must_use]
pub fn client_ip(peer: Option<IpAddr>, header: &[&str], trusted: &[IpNet]) -> Option<IpAddr> {
    client_ip::client_ip(peer, header.iter().copied(), trusted)
}

/// The network that an address is in.
#[must_use]
pub fn prefix(ip: IpAddr) -> IpAddr {
    client_ip::prefix(ip)
}
