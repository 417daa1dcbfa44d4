//! Challenges that a device must sign, and the ids of the sessions that are bound to it. Nothing is stored: a challenge
//! says in its own signed bytes what it is for.

use std::io;

use crate::clock::UnixTime;
use crate::token::digest::truncate;
use crate::token::envelope::{self, take};
use crate::token::keys::{KeyRing, KeySet};
use crate::token::kind::CHALLENGE;
use crate::token::times::SKEW;
use crate::token::{LoginId, PublicKey, SessionId, random};

use hmac::Mac as _;

/// How long a browser has to register a key: 5 minutes.
pub(crate) const REGISTRATION_SECONDS: u64 = 5 * 60;

/// How long a browser has to answer the challenge of a refresh: 60 seconds.
pub(crate) const REFRESH_SECONDS: u64 = 60;

/// The longest challenge that is decoded, in bytes; ours have 55.
const MAX_BYTES: usize = 64;

/// What a challenge is for.
#[derive(Clone, Copy)]
enum Purpose {
    Registration = 1,
    Refresh = 2,
}

/// Makes the challenge of a registration, which only this session can answer.
pub(crate) fn registration(
    ring: &KeyRing,
    login: LoginId,
    session: SessionId,
    now: UnixTime,
) -> String {
    write(ring, Purpose::Registration, login, session.0, now)
}

/// Returns when the challenge for a registration of this session was given; `None` if that is longer ago than 5 minutes,
/// or if the text is anything else.
pub(crate) fn registration_given_at(
    ring: &KeyRing,
    text: &str,
    login: LoginId,
    session: SessionId,
    now: UnixTime,
) -> Option<UnixTime> {
    let (of, extra, at) = read(ring, Purpose::Registration, text)?;
    let answers = (of, SessionId(extra)) == (login, session);
    (answers && is_recent(at, now, REGISTRATION_SECONDS)).then_some(at)
}

/// Makes a challenge for a refresh of a login.
pub(crate) fn refresh(ring: &KeyRing, login: LoginId, now: UnixTime) -> io::Result<String> {
    Ok(write(ring, Purpose::Refresh, login, random::draw()?, now))
}

/// Returns when a challenge for a refresh of this login was given; `None` if that is longer ago than 60 seconds, or if
/// the text is anything else.
pub(crate) fn refresh_given_at(
    ring: &KeyRing,
    text: &str,
    login: LoginId,
    now: UnixTime,
) -> Option<UnixTime> {
    let (of, _, at) = read(ring, Purpose::Refresh, text)?;
    (of == login && is_recent(at, now, REFRESH_SECONDS)).then_some(at)
}

/// Returns the id of the session that a registration of this key puts in the place of an unbound one.
///
/// The same key gets the same id, so a registration that is repeated does no harm, and one with another key shows.
pub(crate) fn bound_session(
    keys: &KeySet,
    login: LoginId,
    unbound: SessionId,
    key: &PublicKey,
) -> SessionId {
    // No challenge begins with this byte: they begin with the version.
    let mac = keys.challenge.clone().chain_update(b"b");
    let mac = mac.chain_update(login.0).chain_update(unbound.0);
    SessionId::of_binding(truncate(mac.chain_update(key)))
}

/// The clock of the server that gave the challenge may be ahead.
fn is_recent(at: UnixTime, now: UnixTime, seconds: u64) -> bool {
    at <= now.plus(SKEW) && now < at.plus(seconds)
}

fn write(
    ring: &KeyRing,
    purpose: Purpose,
    login: LoginId,
    extra: [u8; 8],
    now: UnixTime,
) -> String {
    let keys = ring.current();
    let key = keys.challenge.clone();
    envelope::seal(CHALLENGE, [purpose as u8], keys, key, |bytes| {
        bytes.extend(login.0);
        bytes.extend(extra);
        bytes.extend(now.as_secs().to_be_bytes());
    })
}

fn read(ring: &KeyRing, purpose: Purpose, text: &str) -> Option<(LoginId, [u8; 8], UnixTime)> {
    let mut buffer = [0; MAX_BYTES];
    let is_own = |[its_purpose]: [u8; 1]| its_purpose == purpose as u8;
    let key_of = |keys: &KeySet| keys.challenge.clone();
    let opened = envelope::open(text, CHALLENGE, is_own, ring, key_of, &mut buffer).ok()?;
    let mut payload = opened.payload;
    let (login, extra) = (LoginId(take(&mut payload)?), take(&mut payload)?);
    let at = UnixTime::from_secs(u64::from_be_bytes(take(&mut payload)?));
    payload.is_empty().then_some((login, extra, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::secret::SecretKey;

    fn is_registration(
        ring: &KeyRing,
        text: &str,
        login: LoginId,
        session: SessionId,
        now: UnixTime,
    ) -> bool {
        registration_given_at(ring, text, login, session, now).is_some()
    }

    const LOGIN: LoginId = LoginId([7; 16]);
    const SESSION: SessionId = SessionId([7; 8]);

    fn ring(audience: &str) -> KeyRing {
        let secret = SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
        KeyRing::new(&secret, &[], audience, "s", "r")
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds)
    }

    #[test]
    fn a_registration_answers_the_challenge_of_its_own_session_for_five_minutes() {
        let ring_of_app = ring("app");
        let text = registration(&ring_of_app, LOGIN, SESSION, at(1000));
        let is =
            |login, session, now| is_registration(&ring_of_app, &text, login, session, at(now));
        assert!(is(LOGIN, SESSION, 1000) && is(LOGIN, SESSION, 1299) && is(LOGIN, SESSION, 940));
        assert!(!is(LOGIN, SESSION, 1300) && !is(LOGIN, SESSION, 939));
        assert!(!is(LoginId([8; 16]), SESSION, 1000) && !is(LOGIN, SessionId([8; 8]), 1000));
        assert!(!is_registration(
            &ring("other"),
            &text,
            LOGIN,
            SESSION,
            at(1000)
        ));
        assert_eq!(refresh_given_at(&ring_of_app, &text, LOGIN, at(1000)), None);
    }

    #[test]
    fn a_refresh_answers_a_challenge_of_its_own_login_for_a_minute() {
        let ring_of_app = ring("app");
        let text = refresh(&ring_of_app, LOGIN, at(1000)).unwrap();
        let given = |login, now| refresh_given_at(&ring_of_app, &text, login, at(now));
        assert_eq!(given(LOGIN, 1059), Some(at(1000)));
        assert_eq!(given(LOGIN, 940), Some(at(1000)));
        assert_eq!(given(LOGIN, 1060), None);
        assert_eq!(given(LOGIN, 939), None);
        assert_eq!(given(LoginId([8; 16]), 1000), None);
        assert_eq!(
            refresh_given_at(&ring("other"), &text, LOGIN, at(1000)),
            None
        );
        let session = SessionId([0; 8]);
        assert!(!is_registration(
            &ring_of_app,
            &text,
            LOGIN,
            session,
            at(1000)
        ));
    }

    #[test]
    fn no_two_challenges_of_a_refresh_are_equal_and_none_is_too_long() {
        let one = refresh(&ring("app"), LOGIN, at(1000)).unwrap();
        assert_ne!(one, refresh(&ring("app"), LOGIN, at(1000)).unwrap());
        assert_eq!(one.len(), 74);
    }

    #[test]
    fn a_changed_challenge_is_refused() {
        let ring = ring("app");
        let text = registration(&ring, LOGIN, SESSION, at(1000));
        for at_byte in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at_byte] = if bytes[at_byte] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            let is = is_registration(&ring, &changed, LOGIN, SESSION, at(1000));
            assert!(!is, "character {at_byte}");
        }
        for text in ["", "A", &text[..73], &format!("{text}A"), &"A".repeat(4000)] {
            assert!(!is_registration(&ring, text, LOGIN, SESSION, at(1000)));
        }
    }

    #[test]
    fn each_key_has_its_own_session() {
        let ring = ring("app");
        let session = |key| bound_session(ring.current(), LOGIN, SESSION, &[key; 33]);
        assert_eq!(session(1), session(1));
        assert!(session(1).is_bound() && !session(1).has_binding_of(session(2)));
        let other = bound_session(ring.current(), LOGIN, SessionId([8; 8]), &[1; 33]);
        assert!(!session(1).has_binding_of(other));
    }
}
