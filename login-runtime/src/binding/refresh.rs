//! The refresh: a device proves a login again, and gets the next session cookie.

use rocket::Request;
use rocket::http::Status;

use super::register::identifier;
use super::{Answer, Refusal, bound_until, field, host, status_for_sure, user_of};
use crate::app::event::EventKind;
use crate::app::user::UserMixin;
use crate::clock::UnixTime;
use crate::device::fields;
use crate::device::proof::Proof;
use crate::login::bound::{self, Claim};
use crate::login::remember;
use crate::login::search::{announce_second_device, is_late};
use crate::login::shown::{self, Decoded};
use crate::login::visit::Visit;
use crate::realm::{Realm, RealmCore};
use crate::request::cookies;
use crate::revocation::SessionStatus;
use crate::token::keys::KeySet;
use crate::token::times::{self, Lapsed};
use crate::token::{EnvelopeError, Flags, Kind, SessionId, Token, challenge};

/// A token and the keys that signed it.
type Signed<'k> = (Token, &'k KeySet);

/// Gives the browser its next session cookie, if its device proves that it has the key.
pub(super) async fn refresh<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
) -> Result<Answer, Refusal> {
    let core = &realm.core;
    let now = core.clock.now();
    // No page can set the header, so no other site can ask who is logged in.
    let id = field(req, fields::SESSION_ID).ok_or(Refusal::end("the binding has no name"))?;
    let (mut device, device_keys) = device_of(core, req, &id)?;
    times::check(&device, now, None).map_err(|_| Refusal::end("the binding has expired"))?;
    let session = session_of(realm, req, &mut device, now).await?;
    let Some(text) = field(req, fields::RESPONSE) else {
        return ask(core, &device, &id, now);
    };
    let proof = Proof::read(&text).ok_or(Refusal::end("the proof is malformed"))?;
    let login = device.login_id;
    let Some(given_at) = challenge::refresh_given_at(&core.ring, proof.challenge(), login, now)
    else {
        return ask(core, &device, &id, now);
    };
    let is_here = proof.is_for(host(req).as_deref(), &core.config.device.refresh_path());
    let is_signed = |key| proof.is_signed_by(key);
    if !is_here || !device.public_key.as_deref().is_some_and(is_signed) {
        return Err(Refusal::end(
            "the proof is for another address, or by another key",
        ));
    }
    let (token, keys) = session
        .as_ref()
        .map_or((&device, device_keys), |(token, keys)| (token, *keys));
    let is_claimed = token.replaces.is_some();
    if let Some(unbound) = token.replaces {
        claim(realm, req, token, unbound).await?;
    }
    let user = user_of(realm, req, token, keys).await?;

    let is_restored = session.is_none();
    let mut session = match session {
        Some((session, _)) => session,
        None => remember::session_of(core, &device, now),
    };
    session.bound_until = Some(bound_until(realm, given_at));
    session.replaces = None;
    let device = renewed(core, device, &session, now);
    let client = core.client(req);
    if is_claimed || is_restored {
        // A refresh is no use of the login, so it was last used when the session was renewed.
        core.seen(&session, None, &client, session.renewed_at);
    }
    let [session, device] = [session, device].map(|mut token| {
        core.seal(&mut token, &user, Some(&client));
        token
    });
    Visit::<U>::of(core, req).change(|pending| {
        pending.session = Some(session.into());
        pending.device = Some(device.into());
    });
    if is_restored {
        let (kind, user) = (EventKind::LoadedFromCookie, Some(&user));
        realm.emit(req, kind, user, Some(login)).await;
    }
    Ok(Answer::of(Status::Ok))
}

/// Ends the unbound session that a bound one replaces.
async fn claim<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    token: &Token,
    unbound: SessionId,
) -> Result<(), Refusal> {
    let core = &realm.core;
    match bound::claim(core, token, unbound, core.clock.now()).await? {
        Claim::Holds => Ok(()),
        Claim::Lost => Err(Refusal::end("the login has ended")),
        Claim::TwoDevices => {
            announce_second_device(realm, req, token).await;
            Err(Refusal::end(
                "another device had bound the login, which has ended now",
            ))
        }
    }
}

/// Asks the browser to sign a new challenge.
fn ask(core: &RealmCore, device: &Token, id: &str, now: UnixTime) -> Result<Answer, Refusal> {
    let challenge = challenge::refresh(&core.ring, device.login_id, now)
        .map_err(|_| Refusal::wait("the operating system gave no random bytes"))?;
    Ok(Answer {
        challenge: fields::challenge(&challenge, id),
        ..Answer::of(Status::Forbidden)
    })
}

/// Returns the device token of the binding that the browser names.
fn device_of<'k>(core: &'k RealmCore, req: &Request<'_>, id: &str) -> Result<Signed<'k>, Refusal> {
    let [values]: [Vec<&str>; 1] =
        cookies::presented(req, [core.config.device.cookie.name.as_str()]);
    let shown: Vec<_> = values
        .into_iter()
        .map(|value| Token::decode(value, Kind::Device, &core.ring))
        .collect();
    // A server that was not restarted yet does not know the newest key.
    let is_foreign = |decoded: &Decoded<'_>| matches!(decoded, Err(EnvelopeError::NotOurs));
    let has_foreign = shown.iter().any(is_foreign);
    let named = shown
        .into_iter()
        .flatten()
        .filter(|(token, _)| identifier(token.login_id) == id);
    match named.max_by_key(|(token, _)| token.renewed_at) {
        Some(device) => Ok(device),
        None if has_foreign => Err(Refusal::wait(
            "the cookie of the device has an unknown key id",
        )),
        None => Err(Refusal::end("there is no genuine cookie of the device")),
    }
}

/// How many confirmations since the last refresh a device follows, so that a list of the application's cannot lead it in
/// circles.
const MOST_CONFIRMATIONS: usize = 100;

/// Returns the latest session of a device; `None` where the device takes the place of a remember cookie and begins a new
/// one.
///
/// The session cookie has its latest state, and its copy is there when the browser has dropped it.
async fn session_of<'k, U: UserMixin>(
    realm: &'k Realm<U>,
    req: &Request<'_>,
    device: &mut Token,
    now: UnixTime,
) -> Result<Option<Signed<'k>>, Refusal> {
    let core = &realm.core;
    let idle = core.config.session_idle_timeout;
    let mut latest: Option<Signed<'k>> = None;
    let mut late = false;
    for (mut token, keys) in sessions(core, req, device) {
        // Only the proof may be missing: it is what the browser brings.
        if !matches!(
            times::check(&token, now, idle),
            Ok(()) | Err(Lapsed::Unproven)
        ) {
            continue;
        }
        let (status, _) = core.revocations.status(core.session(&token), now).await?;
        if status != SessionStatus::Open {
            if is_late(status, now) {
                late = true;
            } else if let Some(unbound) = token.replaces {
                // Another device may have been faster, which ends the login.
                claim(realm, req, &token, unbound).await?;
            }
            continue;
        }
        if let Some((held, _)) = &mut latest {
            held.auth_at = held.auth_at.min(token.auth_at);
            if held.renewed_at > token.renewed_at {
                continue;
            }
            token.auth_at = held.auth_at;
        }
        latest = Some((token, keys));
    }
    if latest.is_some() {
        return Ok(latest);
    }
    if device.flags.contains(Flags::REMEMBERED) {
        for _ in 0..MOST_CONFIRMATIONS {
            match status_for_sure(core, device, now).await? {
                SessionStatus::Open => return Ok(None),
                status if is_late(status, now) => {
                    late = true;
                    break;
                }
                // A confirmation sees no cookie of the device, so it cannot write it. The key is the same.
                SessionStatus::Replaced { by: Some(by), .. }
                    if by.has_binding_of(device.session_id) =>
                {
                    device.session_id = by;
                    device.replaces = None;
                }
                SessionStatus::Replaced { .. } | SessionStatus::Ended => break,
            }
        }
    }
    Err(if late {
        Refusal::wait("another request of the browser has just replaced the session")
    } else {
        Refusal::end("the session has ended")
    })
}

/// The sessions of a request that are bound to this device.
fn sessions<'k>(core: &'k RealmCore, req: &Request<'_>, device: &Token) -> Vec<Signed<'k>> {
    let client = core.client(req);
    let shown = shown::all(core, req, Kind::Session, client.cookie(Kind::Session));
    let name = core.config.device.session_cookie.name.as_str();
    let [copies]: [Vec<&str>; 1] = cookies::presented(req, [name]);
    let copies = copies
        .into_iter()
        .map(|value| Token::decode(value, Kind::Session, &core.ring));
    let is_of_device = |(token, _): &Signed<'_>| {
        token.login_id == device.login_id
            && token.is_bound()
            && token.session_id.has_binding_of(device.session_id)
    };
    shown
        .into_iter()
        .chain(copies)
        .flatten()
        .filter(is_of_device)
        .collect()
}

/// The device token beside a new session.
fn renewed(core: &RealmCore, device: Token, session: &Token, now: UnixTime) -> Token {
    let mut device = Token {
        session_id: session.session_id,
        created_at: device.created_at.max(session.created_at),
        replaces: None,
        ..device
    };
    if !device.flags.contains(Flags::REMEMBERED) {
        device.renewed_at = session.renewed_at;
    } else if core.config.remember_cookie_refresh_each_request && device.renewed_at < now {
        times::renew_remember(&mut device, now);
    }
    device
}
