//! The registration of a key, which binds a login to a device.

use data_encoding::BASE64URL_NOPAD;
use rocket::Request;
use rocket::http::{SameSite, Status};

use super::{Answer, Refusal, bound_until, field, host, status_for_sure, user_of};
use crate::app::event::EventKind;
use crate::app::user::UserMixin;
use crate::config::CookieSpec;
use crate::device::fields;
use crate::device::instructions::Instructions;
use crate::device::proof::Proof;
use crate::login::cookie::{Genuine, LoginCookie};
use crate::login::pending::Change;
use crate::login::remember::goes_with;
use crate::login::search::announce_second_device;
use crate::login::visit::Visit;
use crate::realm::seal::is_sealed_for;
use crate::realm::{Realm, RealmCore};
use crate::revocation::SessionStatus;
use crate::token::{Flags, Kind, LoginId, Token, challenge, times};

/// Binds the login of a request to the key that it brings.
pub(super) async fn register<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
) -> Result<Answer, Refusal> {
    let core = &realm.core;
    let now = core.clock.now();
    let proof = field(req, fields::RESPONSE).ok_or(Refusal::end("there is no proof"))?;
    let client = core.client(req);
    let LoginCookie::Genuine(cookie) = LoginCookie::read(core, req, &client, Kind::Session) else {
        return Err(Refusal::end("there is no genuine session cookie"));
    };
    let Genuine {
        token: unbound,
        same_client,
        ..
    } = &cookie;
    let idle = core.config.session_idle_timeout;
    times::check(unbound, now, idle).map_err(|_| Refusal::end("the session has expired"))?;
    // In the order of their costs: the signature comes last.
    let proof = Proof::read(&proof).ok_or(Refusal::end("the proof is malformed"))?;
    let (login, session) = (unbound.login_id, unbound.session_id);
    let given_at =
        challenge::registration_given_at(&core.ring, proof.challenge(), login, session, now);
    let given_at = given_at.ok_or(Refusal::end("the challenge is not one for this session"))?;
    let key = proof.key().ok_or(Refusal::end("the proof has no key"))?;
    let is_here = proof.is_for(host(req).as_deref(), &core.config.device.register_path());
    if !is_here || !proof.is_signed_by(key) {
        return Err(Refusal::end(
            "the proof is for another address, or not signed by its key",
        ));
    }
    let keys = cookie.keys(core);
    let bound = challenge::bound_session(keys, login, session, key);
    let replaces = match status_for_sure(core, unbound, now).await? {
        SessionStatus::Open => Some(session),
        // The browser has sent the registration twice.
        SessionStatus::Replaced { by, .. } if by == Some(bound) => None,
        SessionStatus::Replaced { by: Some(by), .. } if by.is_bound() => {
            return end(realm, req, unbound).await;
        }
        SessionStatus::Replaced { .. } | SessionStatus::Ended => {
            return Err(Refusal::end(
                "the login has ended, or was confirmed meanwhile",
            ));
        }
    };
    if !same_client {
        return Err(Refusal::end("the session belongs to another client"));
    }
    let user = user_of(realm, req, unbound, keys).await?;

    let remember = remember_of(realm, req, &user, unbound);
    let mut session = Token {
        session_id: bound,
        bound_until: Some(bound_until(realm, given_at)),
        replaces,
        // The device takes the place of the remember token.
        restores: None,
        ..unbound.clone()
    };
    session.flags.remove(Flags::UNSEEN);
    session.flags.set(Flags::REMEMBERED, remember.is_some());
    let lasting = remember.as_ref().unwrap_or(&session);
    let mut device = Token {
        kind: Kind::Device,
        bound_until: None,
        public_key: Some(Box::new(*key)),
        renewed_at: lasting.renewed_at,
        expires_at: lasting.expires_at,
        ..session.clone()
    };
    core.seal(&mut session, &user, Some(&client));
    core.seal(&mut device, &user, Some(&client));
    let instructions = instructions(core, login).ok_or(Refusal::wait("the answer is no JSON"))?;
    Visit::<U>::of(core, req).change(|pending| {
        pending.session = Some(session.into());
        pending.device = Some(device.into());
        pending.remember = remember.map(|_| Change::Remove);
    });
    let (kind, user) = (EventKind::DeviceBound, Some(&user));
    realm.emit(req, kind, user, Some(login)).await;
    Ok(Answer {
        instructions: Some(instructions),
        ..Answer::of(Status::Ok)
    })
}

/// Ends a login that two devices claim: nobody knows which of them has stolen it.
async fn end<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    token: &Token,
) -> Result<Answer, Refusal> {
    realm.core.end(token, realm.core.clock.now()).await?;
    announce_second_device(realm, req, token).await;
    Err(Refusal::end(
        "another device has bound the login, which has ended now",
    ))
}

/// Returns the remember token of a session. The device takes its place.
fn remember_of<U: UserMixin>(
    realm: &Realm<U>,
    req: &Request<'_>,
    user: &U,
    session: &Token,
) -> Option<Token> {
    let core = &realm.core;
    let cookie = LoginCookie::read(core, req, &core.client(req), Kind::Remember);
    let LoginCookie::Genuine(cookie) = cookie else {
        return None;
    };
    let holds = goes_with(&cookie.token, session, core.clock.now())
        && is_sealed_for(&cookie.token, cookie.keys(core), user);
    holds.then_some(cookie.token)
}

/// The name of the binding in the browser. It is unique to the login, so that the end of one binding does not end the
/// next.
pub(super) fn identifier(login: LoginId) -> String {
    BASE64URL_NOPAD.encode(login.as_bytes())
}

fn instructions(core: &RealmCore, login: LoginId) -> Option<String> {
    let cookie = &core.config.session_cookie;
    Instructions {
        identifier: &identifier(login),
        refresh_path: &core.config.device.refresh_path(),
        cookie_name: &cookie.name,
        cookie_attributes: &attributes(cookie),
    }
    .to_json()
}

/// The attributes with which `response::cookies` sets the session cookie.
fn attributes(cookie: &CookieSpec) -> String {
    let same_site = match cookie.same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
        SameSite::None => "None",
    };
    format!(
        "Path={}; Secure; HttpOnly; SameSite={same_site}",
        cookie.path
    )
}
