//! Remember-me: how a remember cookie brings its user back, and how it is kept beside a session.

use rocket::Request;

use super::search::Held;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::realm::RealmCore;
use crate::realm::seal::is_sealed_for;
use crate::request::cookie_header::Presented;
use crate::token::times;
use crate::token::{Flags, Kind, Token};

/// A session that a remember cookie began.
pub(super) struct Restored {
    pub(super) session: Token,
    /// The remember token, if it changed.
    pub(super) remember: Option<Token>,
}

/// Begins a session that is not fresh. It has the session id of the remember token, so that one logout ends both.
pub(super) fn restore<U: UserMixin>(
    core: &RealmCore,
    req: &Request<'_>,
    now: UnixTime,
    held: &Held<'_, U>,
) -> Restored {
    let mut remember = held.token.clone();
    // A login right after `logout_everywhere` is dated one second ahead, and so are the sessions that it restores.
    let created_at = now.max(remember.created_at);
    let mut session = Token::begin(
        Kind::Session,
        remember.session_id,
        remember.uid.clone(),
        created_at,
        core.config.session_lifetime,
    );
    session.flags = Flags::REMEMBERED | remember.flags & Flags::FORCED;
    core.seal(&mut session, &held.user, Some(req));
    let renewed = core.config.remember_cookie_refresh_each_request && remember.renewed_at < now;
    if renewed {
        times::renew_remember(&mut remember, now);
    }
    let resealed =
        core.bring_up_to_date(&mut remember, held.keys, &held.user, held.same_client, req);
    Restored {
        session,
        remember: (renewed || resealed).then_some(remember),
    }
}

/// Returns the remember token beside a session in use, if it must be renewed or signed anew.
pub(super) fn keep<U: UserMixin>(
    core: &RealmCore,
    req: &Request<'_>,
    now: UnixTime,
    held: &Held<'_, U>,
    presented: Presented<'_>,
) -> Option<Token> {
    let refreshes = core.config.remember_cookie_refresh_each_request;
    if !refreshes && core.ring.is_current(held.keys) {
        return None;
    }
    let Presented::One(value) = presented else {
        return None;
    };
    let (mut token, keys) = Token::decode(value, Kind::Remember, &core.ring).ok()?;
    if !goes_with(&token, &held.token, now) || !is_sealed_for(&token, keys, &held.user) {
        return None;
    }
    let renewed = refreshes && token.renewed_at < now;
    let old_key = !core.ring.is_current(keys);
    if renewed {
        times::renew_remember(&mut token, now);
    }
    if old_key {
        let same_client = core.is_same_client(&token, keys, req);
        core.seal(&mut token, &held.user, same_client.then_some(req));
    }
    (renewed || old_key).then_some(token)
}

/// Whether a remember token belongs to a session and has not expired.
pub(crate) fn goes_with(remember: &Token, session: &Token, now: UnixTime) -> bool {
    remember.session_id == session.session_id && times::check(remember, now, None).is_ok()
}
