//! A guard with the same promises as the guarded route, written by hand for this one application.
//!
//! It reads the same session token as rocket-login from the raw `Cookie` header, refuses a duplicate cookie, and checks
//! signature, times, idle timeout, list of ended sessions, session hash and client. It keeps the user for the request,
//! and marks the response as private. It does nothing else: one key, one user type, no remember token, no renewal, no
//! events, and a synchronous user loader.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use base64::engine::general_purpose::NO_PAD;
use base64::engine::{Engine as _, Simd};
use hmac::{Hmac, KeyInit as _, Mac as _};
use memchr::memchr;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::futures::FutureExt as _;
use rocket::http::{Header, Status};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, Response, async_trait};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::user::{User, Users};

/// The name of our session cookie, and the length of its value.
pub(crate) const SESSION: &str = "__Host-login_session";

const TAG: usize = 16;
const DIGEST: usize = 12;
const SHARDS: usize = 16;
const LIFETIME: u64 = 24 * 60 * 60;
const IDLE: u64 = 30 * 60;
const MAX_TEXT: usize = 1024;

type HmacSha256 = Hmac<Sha256>;

/// The state of the application.
pub(crate) struct Bare {
    token: HmacSha256,
    session_hash: HmacSha256,
    protection: HmacSha256,
    ended: [RwLock<HashMap<[u8; 16], u64>>; SHARDS],
    base64: Simd,
}

/// The user of a request.
#[derive(Clone, Copy)]
pub(crate) struct BareUser<'r>(pub(crate) &'r User);

/// The result, kept for the request.
struct Known(Option<User>);

impl Bare {
    pub(crate) fn new(secret: &str, ended: usize) -> Self {
        let key = |purpose| {
            let secret = HmacSha256::new_from_slice(secret.as_bytes()).expect("any length");
            let key = secret.chain_update(purpose).finalize().into_bytes();
            HmacSha256::new_from_slice(&key).expect("any length")
        };
        let mut lists = [(); SHARDS].map(|()| HashMap::new());
        for n in 0..ended {
            let id = first(Sha256::digest(n.to_be_bytes()).into());
            lists[shard(id)].insert(id, now() + LIFETIME);
        }
        Bare {
            token: key("token"),
            session_hash: key("session hash"),
            protection: key("protection"),
            ended: lists.map(RwLock::new),
            base64: Simd::url_safe(NO_PAD),
        }
    }

    /// The value of a session cookie.
    pub(crate) fn login(&self, user: &User, ip: IpAddr, user_agent: &str) -> String {
        let uid = user.id.to_string();
        let mut bytes = vec![2, 1, 0, 0, 0, 0, 0];
        bytes.extend([7; 16]);
        bytes.extend([7; 8]);
        for time in [now(), now(), now(), now() + LIFETIME] {
            let [_, _, _, time @ ..] = time.to_be_bytes();
            bytes.extend(time);
        }
        bytes.extend(self.hash_of(user));
        bytes.extend(self.client(Some(ip), Some(user_agent)));
        bytes.extend(u16::try_from(uid.len()).expect("short").to_be_bytes());
        bytes.extend(uid.as_bytes());
        let tag = self.token.clone().chain_update(&bytes).finalize();
        bytes.extend(first::<TAG>(tag.into_bytes().into()));
        self.base64.encode(&bytes)
    }

    fn hash_of(&self, user: &User) -> [u8; DIGEST] {
        let hash = user.password_hash.as_bytes();
        let mac = self.session_hash.clone().chain_update([1]);
        let mac = mac.chain_update((hash.len() as u64).to_be_bytes());
        first(mac.chain_update(hash).finalize().into_bytes().into())
    }

    fn client(&self, ip: Option<IpAddr>, user_agent: Option<&str>) -> [u8; DIGEST] {
        let mut mac = self.protection.clone();
        match ip {
            Some(IpAddr::V4(ip)) => mac.update(&ip.octets()),
            Some(IpAddr::V6(ip)) => mac.update(&ip.octets()),
            None => {}
        }
        mac.update(user_agent.unwrap_or_default().as_bytes());
        first(mac.finalize().into_bytes().into())
    }

    fn user_of(&self, req: &Request<'_>) -> Option<User> {
        let text = session(req)?;
        let mut buffer = [0; MAX_TEXT];
        let length = self.base64.decode_slice(text, &mut buffer).ok()?;
        let bytes = buffer.get(..length)?;
        let (signed, tag) = bytes.split_last_chunk::<TAG>()?;
        let mac = self.token.clone().chain_update(signed);
        mac.verify_truncated_left(tag).ok()?;

        let (_head, rest) = signed.split_first_chunk::<7>()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (_session_id, rest) = rest.split_first_chunk::<8>()?;
        let (times, rest) = rest.split_first_chunk::<20>()?;
        let (hash, rest) = rest.split_first_chunk::<DIGEST>()?;
        let (client, rest) = rest.split_first_chunk::<DIGEST>()?;
        let (_length, uid) = rest.split_first_chunk::<2>()?;
        let (times, _) = times.as_chunks::<5>();
        let [_auth_at, _created_at, renewed_at, expires_at] = *times else {
            return None;
        };
        let time = |[a, b, c, d, e]: [u8; 5]| u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        let now = now();
        if now >= time(expires_at) || now >= time(renewed_at) + IDLE {
            return None;
        }
        let ended = self.ended[shard(*id)].read();
        let ended = ended
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .copied();
        if ended.is_some_and(|until| until > now) {
            return None;
        }
        let uid = str::from_utf8(uid).ok()?.parse().ok()?;
        let user = req.rocket().state::<Users>()?.get(&uid)?.clone();
        let ip = req.remote().map(|peer| peer.ip());
        let user_agent = req.headers().get_one("User-Agent");
        let holds =
            is_same(self.hash_of(&user), *hash) && is_same(self.client(ip, user_agent), *client);
        holds.then_some(user)
    }
}

/// The session cookie, if it occurs exactly once.
fn session<'r>(req: &'r Request<'_>) -> Option<&'r str> {
    let mut found = None;
    for mut rest in req.headers().get("Cookie") {
        loop {
            let end = memchr(b';', rest.as_bytes());
            let (pair, after) = rest.split_at(end.unwrap_or(rest.len()));
            let pair = pair.trim_start_matches(' ');
            if let Some(value) = pair
                .strip_prefix(SESSION)
                .and_then(|rest| rest.strip_prefix('='))
                && found.replace(value).is_some()
            {
                return None;
            }
            let Some(after) = after.strip_prefix(';') else {
                break;
            };
            rest = after;
        }
    }
    found
}

fn is_same(one: [u8; DIGEST], other: [u8; DIGEST]) -> bool {
    one.ct_eq(&other).into()
}

fn first<const N: usize>(bytes: [u8; 32]) -> [u8; N] {
    *bytes.first_chunk().expect("fewer than 32")
}

fn shard([first, ..]: [u8; 16]) -> usize {
    usize::from(first) % SHARDS
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

#[async_trait]
impl<'r> FromRequest<'r> for BareUser<'r> {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let Some(bare) = req.rocket().state::<Bare>() else {
            return Outcome::Error((Status::InternalServerError, ()));
        };
        match req.local_cache(|| Known(bare.user_of(req))) {
            Known(Some(user)) => Outcome::Success(BareUser(user)),
            Known(None) => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

/// Marks the responses that depend on the user as private.
pub(crate) struct KeepPrivate;

#[async_trait]
impl Fairing for KeepPrivate {
    fn info(&self) -> Info {
        Info {
            name: "private responses",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, req: &'r Request<'_>, res: &mut Response<'r>) {
        let known = req.local_cache_async(std::future::pending::<Known>());
        if known.now_or_never().is_some() {
            res.adjoin_header(Header::new("Vary", "Cookie"));
            res.set_raw_header("Cache-Control", "private, no-store");
        }
    }
}
