//! Remember-me: how a remember cookie brings its user back, and how it is kept beside a session.

use rocket::Request;

use super::cookie::{Held, LoginCookie};
use super::findings::Findings;
use super::pending::Change;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::realm::RealmCore;
use crate::realm::seal::is_sealed_for;
use crate::token::times;
use crate::token::{Flags, Kind, Token};

/// A session that a remember cookie began.
pub(super) struct Restored {
    pub(super) session: Token,
    /// The remember token, if it changed.
    pub(super) remember: Option<Token>,
}

/// Begins a session that is not fresh from a token that outlives sessions. It has the ids of that token, so that one
/// logout ends both, and its date: with a later one, the session would outlive a `logout_everywhere` that this server does
/// not know of yet.
pub(crate) fn session_of(core: &RealmCore, lasting: &Token, now: UnixTime) -> Token {
    let mut session = Token::begin(
        Kind::Session,
        (lasting.login_id, lasting.session_id),
        lasting.uid.clone(),
        (lasting.created_at, now),
        core.config.session_lifetime,
    );
    session.flags = Flags::REMEMBERED | lasting.flags & Flags::FORCED;
    session
}

/// Logs the user of a remember cookie in again.
pub(super) fn restore<U: UserMixin>(
    core: &RealmCore,
    req: &Request<'_>,
    now: UnixTime,
    held: &Held<'_, U>,
) -> Restored {
    let client = core.client(req);
    let cookie = held.cookie;
    let mut remember = cookie.token.clone();
    let mut session = session_of(core, &remember, now);
    core.seal(&mut session, held.user, Some(&client));
    let renewed = core.config.remember_cookie_refresh_each_request && remember.renewed_at < now;
    if renewed {
        times::renew_remember(&mut remember, now);
    }
    core.seen(&session, Some(&remember), &client, now);
    let keys = cookie.keys(core);
    let resealed =
        core.bring_up_to_date(&mut remember, keys, held.user, cookie.same_client, &client);
    Restored {
        session,
        remember: (renewed || resealed).then_some(remember),
    }
}

/// Returns what must change about the remember cookie beside a session in use.
///
/// To verify the cookie costs as much as the rest of the request. So it is verified only if it may need a renewal or a
/// new signature, if the session has no remember cookie of its own, or if the session itself is renewed.
pub(super) fn keep<U: UserMixin>(
    core: &RealmCore,
    req: &Request<'_>,
    now: UnixTime,
    held: &Held<'_, U>,
    findings: &Findings<U>,
) -> Option<Change> {
    let refreshes = core.config.remember_cookie_refresh_each_request;
    let session = &held.cookie.token;
    let has_none = !session.flags.contains(Flags::REMEMBERED);
    let is_due = core.renewal_due(session, now);
    if !refreshes && core.ring.is_current(held.cookie.keys(core)) && !has_none && !is_due {
        return None;
    }
    let cookie = match findings.cookie(core, req, Kind::Remember) {
        LoginCookie::Genuine(cookie) => cookie,
        LoginCookie::Forged => return Some(Change::Remove),
        LoginCookie::Absent | LoginCookie::Foreign | LoginCookie::Several => return None,
    };
    // Left over from another login, it would bring that user back as soon as this session is over.
    if !goes_with(&cookie.token, session, now) {
        return Some(Change::Remove);
    }
    let keys = cookie.keys(core);
    if !is_sealed_for(&cookie.token, keys, held.user) {
        return None;
    }
    let mut token = cookie.token.clone();
    let renewed = refreshes && token.renewed_at < now;
    let old_key = !core.ring.is_current(keys);
    if renewed {
        times::renew_remember(&mut token, now);
    }
    if old_key {
        let client = core.client(req);
        core.seal(&mut token, held.user, cookie.same_client.then_some(&client));
    }
    (renewed || old_key).then(|| token.into())
}

/// Whether a remember token belongs to a session and has not expired.
pub(crate) fn goes_with(remember: &Token, session: &Token, now: UnixTime) -> bool {
    remember.login_id == session.login_id
        && remember.session_id == session.session_id
        && remember.uid == session.uid
        && times::check(remember, now, None).is_ok()
}
