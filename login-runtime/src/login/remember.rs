//! Remember-me: how a remember cookie brings its user back, and how it is kept beside a session.

use rocket::Request;
use tracing::error;

use super::cookie::{Held, LoginCookie};
use super::findings::Findings;
use super::pending::Change;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::logins::desk::Desk;
use crate::logins::{RegistryError, Restored};
use crate::realm::RealmCore;
use crate::realm::seal::is_sealed_for;
use crate::token::times;
use crate::token::{Flags, Kind, Token};

/// A session that a remember cookie began.
pub(super) struct RestoredSession {
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
    session.restores = lasting.restores;
    session
}

/// What the registry knows of a remember token that comes back.
pub(super) enum Counted {
    /// The number of the next token; `None` if the registry has failed and is not required.
    Next(Option<u32>),
    /// The token was copied.
    Reused,
}

/// Counts a restore, see [`crate::logins::restores`].
pub(super) async fn count(
    core: &RealmCore,
    desk: &Desk,
    req: &Request<'_>,
    now: UnixTime,
    token: &Token,
) -> Result<Counted, RegistryError> {
    let session = session_of(core, token, now);
    let row = core.row(desk, &session, Some(token), &core.client(req), now);
    let answer = match row {
        Ok(row) => desk.restore(&token.uid, &row).await,
        Err(error) => Err(RegistryError::new(error)),
    };
    match answer {
        Ok(Restored::Changed(row) | Restored::Same(row)) => {
            Ok(Counted::Next(Some(row.restores.count)))
        }
        Ok(Restored::Reused) => Ok(Counted::Reused),
        Err(error) if !core.config.require_login_registry => {
            error!(
                "{error}; the remember cookie logs its user in all the same, as `login.require_login_registry` says"
            );
            Ok(Counted::Next(None))
        }
        Err(error) => Err(error),
    }
}

/// Logs the user of a remember cookie in again.
pub(super) fn restore<U: UserMixin>(
    core: &RealmCore,
    req: &Request<'_>,
    now: UnixTime,
    held: &Held<'_, U>,
) -> RestoredSession {
    let client = core.client(req);
    let cookie = held.cookie;
    let mut remember = cookie.token.clone();
    let stepped = held
        .next_token
        .is_some_and(|next| next != remember.restores.unwrap_or(0));
    if stepped {
        remember.restores = held.next_token;
    }
    let mut session = session_of(core, &remember, now);
    session.flags.set(Flags::UNSEEN, held.next_token.is_some());
    core.seal(&mut session, held.user, Some(&client));
    let renewed = core.config.remember_cookie_refresh_each_request && remember.renewed_at < now;
    if renewed {
        times::renew_remember(&mut remember, now);
    }
    core.seen(&session, Some(&remember), &client, now);
    let keys = cookie.keys(core);
    let resealed =
        core.bring_up_to_date(&mut remember, keys, held.user, cookie.same_client, &client);
    RestoredSession {
        session,
        remember: (stepped || renewed || resealed).then_some(remember),
    }
}

/// What becomes of the remember cookie beside a session in use.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) change: Option<Change>,
    /// The remember token that the browser has from now on, if it was verified.
    pub(super) token: Option<Token>,
    /// Whether the browser had lost the newest remember token, which it gets again now.
    pub(super) was_behind: bool,
}

impl From<Change> for Kept {
    fn from(change: Change) -> Self {
        Kept {
            change: Some(change),
            ..Kept::default()
        }
    }
}

/// Returns what becomes of the remember cookie beside a session in use.
///
/// To verify the cookie costs as much as the rest of the request. So it is verified only if it may need a renewal or a
/// new signature, if the session has no remember cookie of its own, or if the session itself is renewed.
pub(super) fn keep<U: UserMixin>(
    core: &RealmCore,
    req: &Request<'_>,
    now: UnixTime,
    held: &Held<'_, U>,
    findings: &Findings<U>,
) -> Kept {
    let refreshes = core.config.remember_cookie_refresh_each_request;
    let session = &held.cookie.token;
    let has_none = !session.flags.contains(Flags::REMEMBERED);
    let is_due = core.renewal_due(session, now);
    if !refreshes && core.ring.is_current(held.cookie.keys(core)) && !has_none && !is_due {
        return Kept::default();
    }
    let cookie = match findings.cookie(core, req, Kind::Remember) {
        LoginCookie::Genuine(cookie) => cookie,
        LoginCookie::Forged => return Change::Remove.into(),
        LoginCookie::Absent | LoginCookie::Foreign | LoginCookie::Several => {
            return Kept::default();
        }
    };
    // Left over from another login, it would bring that user back as soon as this session is over.
    if !goes_with(&cookie.token, session, now) {
        return Change::Remove.into();
    }
    let keys = cookie.keys(core);
    if !is_sealed_for(&cookie.token, keys, held.user) {
        return Kept::default();
    }
    let mut token = cookie.token.clone();
    let was_behind = token.catch_up(session);
    let renewed = refreshes && token.renewed_at < now;
    let old_key = !core.ring.is_current(keys);
    if renewed {
        times::renew_remember(&mut token, now);
    }
    if old_key {
        let client = core.client(req);
        core.seal(&mut token, held.user, cookie.same_client.then_some(&client));
    }
    Kept {
        change: (renewed || old_key || was_behind).then(|| token.clone().into()),
        token: Some(token),
        was_behind,
    }
}

/// Whether a remember token belongs to a session and has not expired.
pub(crate) fn goes_with(remember: &Token, session: &Token, now: UnixTime) -> bool {
    remember.login_id == session.login_id
        && remember.session_id == session.session_id
        && remember.uid == session.uid
        && times::check(remember, now, None).is_ok()
}
