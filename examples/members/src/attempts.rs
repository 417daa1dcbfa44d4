//! A limit on how often somebody can try a password.

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rocket::Request;
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};

use crate::error::Error;
use crate::password::Hasher;

/// Attempts at one account from one address.
const ACCOUNT: Quota = quota(10, 2);
/// Attempts at all accounts from one address, which a whole office may have.
const ADDRESS: Quota = quota(100, 30);
/// How many keys may stay before those without recent attempts go.
const KEYS: usize = 10_000;

const fn quota(at_once: u32, each_minute: u32) -> Quota {
    let each_minute = NonZero::new(each_minute).unwrap();
    Quota::per_minute(each_minute).allow_burst(NonZero::new(at_once).unwrap())
}

/// The attempts of all addresses.
///
/// There is no limit on an account alone: whoever used it up would lock the member out.
pub(crate) struct Limits {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    /// By a digest of account and address.
    accounts: DefaultKeyedRateLimiter<u64>,
    digest: RandomState,
}

impl Limits {
    pub(crate) fn new() -> Self {
        Limits {
            addresses: RateLimiter::keyed(ADDRESS),
            accounts: RateLimiter::keyed(ACCOUNT),
            digest: RandomState::new(),
        }
    }
}

/// Checks passwords, and counts the attempts of the address that sends this request.
pub(crate) struct Attempts<'r> {
    pub(crate) hasher: &'r Hasher,
    limits: &'r Limits,
    address: IpAddr,
}

impl Attempts<'_> {
    /// Counts an attempt, whether it succeeds or not; fails with 429 if there were too many.
    pub(crate) fn count(&self, realm: &str, account: &str) -> Result<(), Status> {
        let limits = self.limits;
        let account = account.to_lowercase();
        let key = limits.digest.hash_one((self.address, realm, account));
        let counted = limits.addresses.check_key(&self.address);
        counted
            .and_then(|()| limits.accounts.check_key(&key))
            .map_err(|_| Status::TooManyRequests)?;
        if limits.accounts.len() > KEYS {
            limits.accounts.retain_recent();
            limits.addresses.retain_recent();
        }
        Ok(())
    }

    /// Counts an attempt, and checks a password as [`Hasher::verify`] does.
    pub(crate) async fn verify(
        &self,
        realm: &str,
        account: &str,
        hash: Option<&str>,
        password: &str,
    ) -> Result<bool, Error> {
        self.count(realm, account)?;
        Ok(self.hasher.verify(hash, password).await?)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Attempts<'r> {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> request::Outcome<Self, ()> {
        // Whoever has an IPv6 address has its /64 network.
        let address = match req.client_ip().map(|address| address.to_canonical()) {
            Some(IpAddr::V6(ip)) => Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64)).into(),
            Some(address) => address,
            None => Ipv4Addr::UNSPECIFIED.into(), // in tests
        };
        match (req.rocket().state(), req.rocket().state()) {
            (Some(hasher), Some(limits)) => Outcome::Success(Attempts {
                hasher,
                limits,
                address,
            }),
            _ => Outcome::Error((Status::InternalServerError, ())),
        }
    }
}
