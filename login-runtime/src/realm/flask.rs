//! The Flask cookies that a realm accepts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hmac::Mac as _;
use rocket::Request;
use tracing::{info, warn};

use super::RealmCore;
use crate::clock::UnixTime;
use crate::flask::{Flask, FlaskLogin, Read};
use crate::request::client_info::ClientInfo;
use crate::request::cookies;
use crate::request::fingerprint::fingerprint;
use crate::token::{Digest, Flags, Kind, LoginId, SessionId, Token, truncate};

/// The requests of one browser with the same remember token begin one login within this time, in seconds.
///
/// Longer than a request can be under way, and shorter than a person takes to move to the next device.
pub(crate) const PERIOD: u64 = 10 * 60;

/// Flask's cookies, and what a realm counts of them.
pub(crate) struct AcceptedFlask {
    pub(crate) cookies: Flask,
    by_session: AtomicU64,
    by_remember: AtomicU64,
    warned_of_id: AtomicBool,
}

impl AcceptedFlask {
    fn new(cookies: Flask) -> Self {
        Self {
            cookies,
            by_session: AtomicU64::new(0),
            by_remember: AtomicU64::new(0),
            warned_of_id: AtomicBool::new(false),
        }
    }

    /// Reads the Flask cookies of a request.
    pub(crate) fn read(&self, req: &Request<'_>, now: UnixTime) -> Read {
        let names = [Kind::Session, Kind::Remember];
        let names = names.map(|kind| self.cookies.cookie(kind).name.as_str());
        let [sessions, tokens]: [Vec<&str>; 2] = cookies::presented(req, names);
        self.cookies.read(&sessions, &tokens, now)
    }

    /// Warns, once, of an id that the user loader cannot read.
    pub(crate) fn warn_of_id(&self) {
        if !self.warned_of_id.swap(true, Ordering::Relaxed) {
            warn!(
                "a login at Flask has an id that the user loader cannot read, so its user is nobody here; convert the ids \
                 with `FlaskCookies::convert_id`, and return `None` there for users of other kinds"
            );
        }
    }

    /// Counts a login that has come across.
    pub(crate) fn count(&self, login: &FlaskLogin) {
        let counter = match login.session {
            Some(_) => &self.by_session,
            None => &self.by_remember,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let [by_session, by_remember] =
            [&self.by_session, &self.by_remember].map(|counter| counter.load(Ordering::Relaxed));
        info!(
            "a login came across from Flask; since the launch: {by_session} by the session cookie, {by_remember} by the \
             remember cookie"
        );
    }
}

impl RealmCore {
    /// Returns what is accepted from Flask, until its end date.
    pub(crate) fn flask(&self, now: UnixTime) -> Option<&AcceptedFlask> {
        self.flask
            .as_ref()
            .filter(|flask| now < flask.cookies.until)
    }

    /// Begins the tokens of a login from Flask, which is not fresh. They are not sealed yet.
    ///
    /// The ids follow from the cookie, so that parallel requests of one browser begin the same login, and a logout ends
    /// it whichever response comes last. A remember token is the same in all browsers of its user, so the client and the
    /// time count too: two browsers that look alike must not share a login.
    pub(crate) fn begin_from_flask(
        &self,
        login: &FlaskLogin,
        client: &ClientInfo<'_>,
        dates: (UnixTime, UnixTime),
    ) -> (Token, Option<Token>) {
        let keys = self.ring.current();
        let mut mac = keys.flask_login();
        if login.session.is_none() {
            let address = self.config.session_protection_address;
            let client = fingerprint(
                &keys.remember.protection,
                address,
                client.ip,
                client.user_agent,
            );
            mac.update(&Digest::write(Some(client)));
            let (_, now) = dates;
            let period = now.as_secs().checked_div(PERIOD).unwrap_or_default();
            mac.update(&period.to_be_bytes());
        }
        mac.update(login.shown.as_bytes());
        let ids = (
            LoginId(truncate(mac.clone().chain_update("\nlogin"))),
            SessionId(truncate(mac.chain_update("\nsession"))),
        );
        let config = &self.config;
        let is_permanent = login
            .session
            .as_ref()
            .is_some_and(|session| session.is_permanent);
        let lifetime = if is_permanent {
            config.permanent_session_lifetime
        } else {
            config.session_lifetime
        };
        let begin =
            |kind, lifetime| Token::begin(kind, ids, login.uid.as_str().into(), dates, lifetime);
        let mut session = begin(Kind::Session, lifetime);
        session.flags.set(Flags::PERMANENT, is_permanent);
        session.flags.set(Flags::REMEMBERED, login.is_remembered);
        let remember = login
            .is_remembered
            .then(|| begin(Kind::Remember, config.remember_cookie_duration));
        (session, remember)
    }
}

impl<U> super::Realm<U> {
    /// Lets a realm accept Flask's cookies, before it serves requests.
    pub(crate) fn accepting(mut self, cookies: Option<Flask>) -> Self {
        self.core.flask = cookies.map(AcceptedFlask::new);
        self
    }
}
