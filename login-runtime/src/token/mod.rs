//! The signed token that both cookies carry.

mod base64url;
#[cfg(feature = "device-binding")]
pub(crate) mod challenge;
mod digest;
mod envelope;
mod ids;
pub(crate) mod keys;
mod kind;
pub(crate) mod random;
pub(crate) mod secret;
pub(crate) mod times;
pub(crate) mod user_value;
pub(crate) mod value;
#[cfg(test)]
mod vectors;

use std::fmt;

use bitflags::bitflags;
use smol_str::SmolStr;

#[cfg(fuzzing)]
pub(crate) use self::digest::DIGEST;
#[cfg(any(test, fuzzing))]
pub(crate) use self::digest::TAG;
#[cfg(any(test, fuzzing, feature = "flask"))]
pub(crate) use self::digest::truncate;
pub(crate) use self::digest::{Digest, HmacSha256};
pub(crate) use self::envelope::EnvelopeError;
pub use self::ids::{LoginId, SessionId};
pub(crate) use self::kind::Kind;
#[cfg(test)]
pub(crate) use self::random::outage;
use crate::clock::UnixTime;
use crate::token::envelope::take;
use crate::token::keys::{KeyRing, KeySet};

/// The longest user id, in bytes.
pub(crate) const MAX_UID: usize = 256;

/// The longest token that is decoded, in bytes; ours have at most 393.
const MAX_BYTES: usize = 768;

/// How a token encodes a login without credentials.
const NOT_FRESH: UnixTime = UnixTime::from_secs(0);

/// The last time that a token can write, in 5 bytes.
pub(crate) const LAST_TIME: UnixTime = UnixTime::from_secs((1 << 40) - 1);

/// The last restore counter that a token can write, in 3 bytes.
pub(crate) const LAST_RESTORE: u32 = (1 << 24) - 1;

/// The flag of a token that has a restore counter.
const COUNTED: u8 = 1 << 5;

/// The flag of a token that has a `bound_until`.
const BOUND: u8 = 1 << 6;

bitflags! {
    /// The flags of a login.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Flags: u8 {
        /// The session cookie is kept after the browser is closed.
        const PERMANENT = 1;
        /// There is a remember token of this login.
        const REMEMBERED = 1 << 1;
        /// The login of an inactive user was forced.
        const FORCED = 1 << 2;
        /// The token is not bound to a client yet.
        const UNBOUND = 1 << 3;
        /// The session was restored, and its remember token is not known to have arrived.
        ///
        /// In a token that is bound to a device the same bit says that there is a `replaces`.
        const UNSEEN = 1 << 4;
    }
}

/// A public key of the curve P-256, compressed.
pub(crate) type PublicKey = [u8; 33];

/// The record of a login.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) flags: Flags,
    /// What a logout ends.
    pub(crate) login_id: LoginId,
    /// What a confirmation replaces.
    pub(crate) session_id: SessionId,
    /// When the user last gave credentials; `None` for a login that is not fresh.
    pub(crate) auth_at: Option<UnixTime>,
    pub(crate) created_at: UnixTime,
    pub(crate) renewed_at: UnixTime,
    pub(crate) expires_at: UnixTime,
    /// The digest of the user's session hash; `None` for a user without one.
    pub(crate) session_hash: Option<Digest>,
    /// The digest of the client that the token is bound to; `None` without the flag `UNBOUND` matches no client.
    pub(crate) protection: Option<Digest>,
    /// The number of the newest remember token, up to [`LAST_RESTORE`]; `None` before the first restore that was counted.
    pub(crate) restores: Option<u32>,
    /// Until when a session that is bound to a device needs no new proof; set by a proof and by nothing else. `None` for
    /// a session that is not bound.
    pub(crate) bound_until: Option<UnixTime>,
    /// The unbound session that a bound one replaces, until a request has shown that the bound one has arrived.
    pub(crate) replaces: Option<SessionId>,
    /// The key of the device, in a device token and in no other.
    pub(crate) public_key: Option<Box<PublicKey>>,
    /// Up to 23 bytes cost no allocation.
    pub(crate) uid: SmolStr,
}

impl Token {
    /// Returns a new token: not fresh, without a session hash, and not bound to a client yet.
    ///
    /// A login is dated by the list of ended logins, and its lifetimes count from this server's time: the two clocks may
    /// differ.
    pub(crate) fn begin(
        kind: Kind,
        (login_id, session_id): (LoginId, SessionId),
        uid: SmolStr,
        (created_at, now): (UnixTime, UnixTime),
        lifetime: u64,
    ) -> Self {
        Token {
            kind,
            flags: Flags::UNBOUND,
            login_id,
            session_id,
            auth_at: None,
            created_at,
            renewed_at: now,
            expires_at: now.plus(lifetime),
            session_hash: None,
            protection: None,
            restores: None,
            bound_until: None,
            replaces: None,
            public_key: None,
            uid,
        }
    }

    /// Whether the token belongs to a login that is bound to a device.
    pub(crate) fn is_bound(&self) -> bool {
        self.bound_until.is_some() || self.kind == Kind::Device
    }

    /// Gives a remember token the number that the session of its login knows, if that is newer. Returns whether it is.
    pub(crate) fn catch_up(&mut self, session: &Token) -> bool {
        let is_behind = self.restores.unwrap_or(0) < session.restores.unwrap_or(0);
        if is_behind {
            self.restores = session.restores;
        }
        is_behind
    }

    /// Signs the token; `None` if the user id is empty or too long, a time too far ahead, or the token has what its kind
    /// has not.
    pub(crate) fn encode(&self, keys: &KeySet) -> Option<String> {
        let is_whole = is_uid(self.uid.as_bytes())
            && (self.kind == Kind::Device) == self.public_key.is_some()
            && (self.kind == Kind::Session || self.bound_until.is_none())
            && (self.is_bound() || self.replaces.is_none());
        if !is_whole {
            return None;
        }
        let uid_length = u16::try_from(self.uid.len()).ok()?;
        let times = [
            write_time(self.auth_at.unwrap_or(NOT_FRESH))?,
            write_time(self.created_at)?,
            write_time(self.renewed_at)?,
            write_time(self.expires_at.min(LAST_TIME))?,
        ];
        let restores = match self.restores {
            Some(restores) => Some(low_bytes::<3>(restores.into())?),
            None => None,
        };
        let bound_until = match self.bound_until {
            Some(time) => Some(write_time(time)?),
            None => None,
        };
        let mut flags = self.flags.bits();
        if restores.is_some() {
            flags |= COUNTED;
        }
        if bound_until.is_some() {
            flags |= BOUND;
        }
        if self.replaces.is_some() {
            flags |= Flags::UNSEEN.bits();
        } else if self.is_bound() {
            flags &= !Flags::UNSEEN.bits();
        }
        let key = keys.of(self.kind).mac.clone();
        Some(envelope::seal(
            self.kind as u8,
            [flags],
            keys,
            key,
            |bytes| {
                bytes.extend(self.login_id.0);
                bytes.extend(self.session_id.0);
                bytes.extend(times.into_iter().flatten());
                bytes.extend(Digest::write(self.session_hash));
                bytes.extend(Digest::write(self.protection));
                bytes.extend(restores.into_iter().flatten());
                bytes.extend(bound_until.into_iter().flatten());
                bytes.extend(self.replaces.into_iter().flat_map(|id| id.0));
                bytes.extend(self.public_key.iter().flat_map(|key| **key));
                bytes.extend(uid_length.to_be_bytes());
                bytes.extend(self.uid.as_bytes());
            },
        ))
    }

    /// Verifies and reads a cookie's value; also returns the keys that signed it.
    pub(crate) fn decode<'k>(
        value: &str,
        kind: Kind,
        ring: &'k KeyRing,
    ) -> Result<(Self, &'k KeySet), EnvelopeError> {
        let mut buffer = [0; MAX_BYTES];
        let key_of = |keys: &KeySet| keys.of(kind).mac.clone();
        let is_own = |[flags]: [u8; 1]| read_flags(flags).is_some();
        let opened = envelope::open(value, kind as u8, is_own, ring, key_of, &mut buffer)?;
        let token = Self::parse(kind, opened.own, opened.payload);
        Ok((token.ok_or(EnvelopeError::Malformed)?, opened.keys))
    }

    /// Reads the bytes after the key id, which are known to be genuine.
    fn parse(kind: Kind, [flags]: [u8; 1], mut rest: &[u8]) -> Option<Self> {
        let rest = &mut rest;
        let has_bound_until = flags & BOUND != 0;
        if has_bound_until && kind != Kind::Session {
            return None;
        }
        let is_bound = has_bound_until || kind == Kind::Device;
        let mut facts = read_flags(flags)?;
        let replaces = is_bound && facts.contains(Flags::UNSEEN);
        facts.set(Flags::UNSEEN, facts.contains(Flags::UNSEEN) && !is_bound);
        Some(Self {
            kind,
            flags: facts,
            login_id: LoginId(take(rest)?),
            session_id: SessionId(take(rest)?),
            auth_at: match take_time(rest)? {
                NOT_FRESH => None,
                time => Some(time),
            },
            created_at: take_time(rest)?,
            renewed_at: take_time(rest)?,
            expires_at: take_time(rest)?,
            session_hash: Digest::read(take(rest)?),
            protection: Digest::read(take(rest)?),
            restores: match flags & COUNTED {
                0 => None,
                _ => {
                    let [a, b, c] = take(rest)?;
                    Some(u32::from_be_bytes([0, a, b, c]))
                }
            },
            bound_until: match flags & BOUND {
                0 => None,
                _ => Some(take_time(rest)?),
            },
            replaces: if replaces {
                Some(SessionId(take(rest)?))
            } else {
                None
            },
            public_key: match kind {
                Kind::Session | Kind::Remember => None,
                Kind::Device => Some(Box::new(take(rest)?)),
            },
            uid: {
                let length = u16::from_be_bytes(take(rest)?);
                if rest.len() != usize::from(length) || !is_uid(rest) {
                    return None;
                }
                str::from_utf8(rest).ok()?.into()
            },
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("kind", &self.kind)
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

fn is_uid(bytes: &[u8]) -> bool {
    (1..=MAX_UID).contains(&bytes.len())
}

/// The facts among the flags of a token; `None` if a spare bit is set.
fn read_flags(bits: u8) -> Option<Flags> {
    Flags::from_bits(bits & !(COUNTED | BOUND))
}

/// The last bytes of a number; `None` if it has more.
///
/// The check matters: a time that is cut silently would be another time.
fn low_bytes<const N: usize>(number: u64) -> Option<[u8; N]> {
    let bytes = number.to_be_bytes();
    let (high, low) = bytes.split_last_chunk()?;
    high.iter().all(|byte| *byte == 0).then_some(*low)
}

fn write_time(time: UnixTime) -> Option<[u8; 5]> {
    low_bytes(time.as_secs())
}

fn take_time(bytes: &mut &[u8]) -> Option<UnixTime> {
    let mut seconds = [0; 8];
    *seconds.last_chunk_mut::<5>()? = take(bytes)?;
    Some(UnixTime::from_secs(u64::from_be_bytes(seconds)))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )]

    use data_encoding::BASE64URL_NOPAD;
    use hmac::Mac as _;

    use super::*;
    use crate::token::digest::{DIGEST, TAG, truncate};
    use crate::token::secret::SecretKey;
    use EnvelopeError::{BadSignature, Malformed, NotOurs};

    const ID_AT: usize = 3;
    const UID_LENGTH_AT: usize = 75;

    fn secret(first: u8) -> SecretKey {
        SecretKey::from_bytes(&(first..first + 32).collect::<Vec<u8>>()).unwrap()
    }

    fn ring_of(current: u8, fallbacks: &[u8]) -> KeyRing {
        let fallbacks: Vec<_> = fallbacks.iter().map(|first| secret(*first)).collect();
        KeyRing::new(
            &secret(current),
            &fallbacks,
            "app",
            "__Host-login_session",
            "__Host-remember_token",
        )
    }

    fn ring() -> KeyRing {
        ring_of(0, &[])
    }

    fn token() -> Token {
        Token {
            kind: Kind::Session,
            flags: Flags::PERMANENT | Flags::FORCED,
            login_id: LoginId([0x11; 16]),
            session_id: SessionId([0x44; 8]),
            auth_at: Some(UnixTime::from_secs(1_800_000_000)),
            created_at: UnixTime::from_secs(1_800_000_001),
            renewed_at: UnixTime::from_secs(1_800_000_002),
            expires_at: UnixTime::from_secs(1_800_086_400),
            session_hash: Digest::read([0x22; DIGEST]),
            protection: Digest::read([0x33; DIGEST]),
            restores: None,
            bound_until: None,
            replaces: None,
            public_key: None,
            uid: "alice".into(),
        }
    }

    fn with_uid(uid: &str) -> Token {
        Token {
            uid: uid.into(),
            ..token()
        }
    }

    fn decode(value: &str) -> Result<Token, EnvelopeError> {
        Token::decode(value, Kind::Session, &ring()).map(|(token, _)| token)
    }

    fn bytes_of(value: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(value.as_bytes()).unwrap()
    }

    /// A token that only an insider with the key could make: `change` is applied before signing.
    fn resigned(key: &HmacSha256, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut bytes = bytes_of(&token().encode(ring().current()).unwrap());
        bytes.truncate(bytes.len() - TAG);
        change(&mut bytes);
        bytes.extend(truncate::<TAG>(key.clone().chain_update(&bytes)));
        BASE64URL_NOPAD.encode(&bytes)
    }

    #[test]
    fn a_token_survives_the_round_trip() {
        let ring = ring();
        for kind in [Kind::Session, Kind::Remember, Kind::Device] {
            for bits in 0..128 {
                // Only a session is bound until a time.
                if bits & BOUND != 0 && kind != Kind::Session {
                    continue;
                }
                let is_bound = bits & BOUND != 0 || kind == Kind::Device;
                let mut flags = read_flags(bits).unwrap();
                flags.set(Flags::UNSEEN, flags.contains(Flags::UNSEEN) && !is_bound);
                let replaces = is_bound && bits & Flags::UNSEEN.bits() != 0;
                let token = Token {
                    kind,
                    flags,
                    auth_at: None,
                    expires_at: LAST_TIME,
                    restores: (bits & COUNTED != 0).then_some((1 << 24) - 1),
                    bound_until: (bits & BOUND != 0).then_some(LAST_TIME),
                    replaces: replaces.then_some(SessionId([0x66; 8])),
                    public_key: (kind == Kind::Device).then_some(Box::new([0x55; 33])),
                    ..token()
                };
                let text = token.encode(ring.current()).unwrap();
                let (decoded, keys) = Token::decode(&text, kind, &ring).unwrap();
                assert!(decoded == token);
                assert!(ring.is_current(keys));
                assert_eq!(decoded.encode(keys).unwrap(), text);
            }
        }
    }

    #[test]
    fn the_format_never_changes() {
        // Made with Python's hmac and base64 modules. A new format would log everybody out.
        let text = "AgEFdzWXGBERERERERERERERERERERFERERERERERABrSdIAAGtJ0gEAa0nSAgBrSyOAIiIiIiIiIiIiIiIiMzMzMzMzMzMzMzMzAAVhbGljZR4a-41VCRyXlgUn5qYLxas";
        assert_eq!(token().encode(ring().current()).unwrap(), text);
        assert!(decode(text).unwrap() == token());
    }

    #[test]
    fn a_token_is_as_short_as_the_documentation_says() {
        // Of a user id of 8 bytes.
        let plain = with_uid("12345678");
        let counted = Token {
            restores: Some(7),
            ..plain.clone()
        };
        let bound = Token {
            bound_until: Some(UnixTime::from_secs(1_800_000_600)),
            ..counted.clone()
        };
        let device = Token {
            kind: Kind::Device,
            public_key: Some(Box::new([0x55; 33])),
            ..plain.clone()
        };
        let unseen = Token {
            replaces: Some(SessionId([0x66; 8])),
            ..device.clone()
        };
        for (token, length) in [
            (plain, 135),
            (counted, 139),
            (bound, 146),
            (device, 179),
            (unseen, 190),
        ] {
            assert_eq!(token.encode(ring().current()).unwrap().len(), length);
        }
    }

    #[test]
    fn a_token_with_what_its_kind_has_not_is_not_encoded() {
        let key = || Some(Box::new([0x55; 33]));
        let device = Token {
            kind: Kind::Device,
            public_key: key(),
            ..token()
        };
        assert!(device.encode(ring().current()).is_some());
        let bound_until = Some(LAST_TIME);
        let replaces = Some(SessionId([0x66; 8]));
        let kind = Kind::Remember;
        let (plain, public_key) = (token(), None);
        for wrong in [
            Token {
                public_key,
                ..device.clone()
            },
            Token {
                bound_until,
                ..device.clone()
            },
            Token {
                public_key: key(),
                ..plain.clone()
            },
            Token {
                replaces,
                ..plain.clone()
            },
            Token {
                kind,
                replaces,
                ..plain.clone()
            },
            Token {
                kind,
                bound_until,
                ..plain.clone()
            },
        ] {
            assert_eq!(wrong.encode(ring().current()), None);
        }
    }

    #[test]
    fn a_time_that_needs_more_than_five_bytes_is_never_cut() {
        let late = LAST_TIME.plus(1);
        let times: [fn(&mut Token, UnixTime); 4] = [
            |token, time| token.auth_at = Some(time),
            |token, time| token.created_at = time,
            |token, time| token.renewed_at = time,
            |token, time| token.bound_until = Some(time),
        ];
        for set in times {
            for (time, fits) in [
                (LAST_TIME, true),
                (late, false),
                (UnixTime::from_secs(u64::MAX), false),
            ] {
                let mut token = token();
                set(&mut token, time);
                assert_eq!(token.encode(ring().current()).is_some(), fits);
            }
        }
        // An end that far ahead is moved to the last time there is.
        let endless = Token {
            expires_at: late,
            ..token()
        };
        let text = endless.encode(ring().current()).unwrap();
        assert_eq!(decode(&text).unwrap().expires_at, LAST_TIME);
        let counted = Token {
            restores: Some(1 << 24),
            ..token()
        };
        assert_eq!(counted.encode(ring().current()), None);
    }

    #[test]
    fn user_ids_come_back_byte_for_byte() {
        for uid in [
            "1",
            "01",
            "1 ",
            "１",
            "a|b",
            "a\0b",
            "ünï",
            "١",
            "e\u{301}",
            "é",
            "../../x",
            "' OR 1=1--",
            "\r\nSet-Cookie: x=1",
            &"a".repeat(256),
            &"é".repeat(128),
        ] {
            let text = with_uid(uid).encode(ring().current()).unwrap();
            assert!(text.len() <= 466);
            assert_eq!(decode(&text).unwrap().uid, uid);
        }
    }

    #[test]
    fn an_empty_or_too_long_user_id_is_not_encoded() {
        for uid in ["", &"a".repeat(257), &"é".repeat(129), &"a".repeat(70_000)] {
            assert_eq!(with_uid(uid).encode(ring().current()), None);
        }
    }

    #[test]
    fn a_flipped_bit_is_refused() {
        let bytes = bytes_of(&token().encode(ring().current()).unwrap());
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let error = decode(&BASE64URL_NOPAD.encode(&bytes)).unwrap_err();
            let expected = match bit / 8 {
                // The other cookie's kind: it is this application's, and refused.
                1 if bytes[1] == Kind::Remember as u8 => Malformed,
                0 | 1 | 3..7 => NotOurs,
                // The spare bit.
                2 if bit % 8 == 7 => NotOurs,
                _ => BadSignature,
            };
            assert_eq!(error, expected, "bit {bit}");
        }
    }

    #[test]
    fn a_changed_character_is_refused() {
        let text = token().encode(ring().current()).unwrap();
        for at in 0..text.len() {
            for other in ["A", "_", "=", "+", "/", " ", "\0", "é"] {
                if &text[at..=at] != other {
                    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                    assert!(decode(&changed).is_err(), "{other:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn a_truncated_or_extended_token_is_refused() {
        let text = token().encode(ring().current()).unwrap();
        for length in 0..text.len() {
            assert!(decode(&text[..length]).is_err(), "{length} characters");
        }
        for more in [
            "A",
            "AA",
            "AAA",
            "AAAA",
            "=",
            "==",
            "\n",
            &"A".repeat(2_000),
        ] {
            assert!(decode(&format!("{text}{more}")).is_err(), "{more:?}");
        }
    }

    #[test]
    fn a_truncated_or_blank_tag_is_refused() {
        let bytes = bytes_of(&token().encode(ring().current()).unwrap());
        let (signed, tag) = bytes.split_at(bytes.len() - TAG);
        for tag in [
            &[][..],
            &tag[..1],
            &tag[..15],
            &[0; TAG],
            &[0xff; TAG],
            &[tag, tag].concat(),
        ] {
            let text = BASE64URL_NOPAD.encode(&[signed, tag].concat());
            assert!(decode(&text).is_err());
        }
    }

    #[test]
    fn trailing_bits_are_refused() {
        // User ids of 1, 2 and 3 bytes, for each remainder of base64.
        let mut padded = 0;
        for uid in ["1", "12", "123"] {
            let text = with_uid(uid).encode(ring().current()).unwrap();
            assert!(decode(&text).is_ok());
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let (head, last) = text.split_at(text.len() - 1);
            let value = alphabet
                .iter()
                .position(|c| last.as_bytes() == [*c])
                .unwrap();
            let unused = [0, 0, 4, 2][text.len() % 4];
            for bits in 1..1_usize << unused {
                let other = char::from(alphabet[value | bits]);
                assert_eq!(decode(&format!("{head}{other}")), Err(NotOurs));
                padded += 1;
            }
        }
        assert_eq!(padded, 15 + 3);
    }

    #[test]
    fn a_text_over_the_limit_is_refused_before_it_is_decoded() {
        for length in [1_025, 4_096, 390_000] {
            assert_eq!(decode(&"A".repeat(length)), Err(NotOurs));
        }
        // Below the limit the text is decoded, and its version is 0.
        assert_eq!(decode(&"A".repeat(1_024)), Err(NotOurs));
        // With 1,024 characters and a valid start, the text is read to its end.
        let long = resigned(&ring().current().session.mac, |bytes| {
            bytes.resize(768 - TAG, b'a');
        });
        assert_eq!(long.len(), 1_024);
        assert_eq!(decode(&long), Err(Malformed));
    }

    #[test]
    fn other_formats_are_refused() {
        for text in [
            "",
            "1|2f0b2fb8b1d7dd4a4c3ce2e7",
            "eyJ1c2VyX2lkIjoiMSJ9",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
            "eyJfdXNlcl9pZCI6IjEifQ.ZZZZZZ.AAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "\u{0}",
            "é",
        ] {
            assert_eq!(decode(text), Err(NotOurs), "{text:?}");
        }
    }

    #[test]
    fn the_token_of_one_cookie_is_refused_as_the_other() {
        let ring = ring();
        let session = token().encode(ring.current()).unwrap();
        let remember = Token {
            kind: Kind::Remember,
            ..token()
        };
        let remember = remember.encode(ring.current()).unwrap();
        assert!(Token::decode(&session, Kind::Remember, &ring).is_err());
        assert!(Token::decode(&remember, Kind::Session, &ring).is_err());

        let changed = resigned(&ring.current().session.mac, |bytes| bytes[1] = 2);
        let error = Token::decode(&changed, Kind::Remember, &ring).unwrap_err();
        assert_eq!(error, BadSignature);
    }

    #[test]
    fn another_version_is_refused_even_when_signed() {
        for version in [0, 1, 3, 255] {
            let text = resigned(&ring().current().session.mac, |bytes| bytes[0] = version);
            assert_eq!(decode(&text), Err(NotOurs));
        }
    }

    #[test]
    fn an_unknown_flag_is_refused_even_when_signed() {
        let text = resigned(&ring().current().session.mac, |bytes| bytes[2] |= 1 << 7);
        assert_eq!(decode(&text), Err(NotOurs));
        // A flag announces a field that is not there.
        for flag in [COUNTED, BOUND, BOUND | Flags::UNSEEN.bits()] {
            let text = resigned(&ring().current().session.mac, |bytes| bytes[2] |= flag);
            assert_eq!(decode(&text), Err(Malformed));
        }
    }

    #[test]
    fn a_wrong_structure_is_refused_even_when_signed() {
        type Change = fn(&mut Vec<u8>);
        let untouched: Change = |_| ();
        assert!(decode(&resigned(&ring().current().session.mac, untouched)).is_ok());
        let changes: [Change; 8] = [
            |bytes| bytes[UID_LENGTH_AT + 1] = 0,
            |bytes| bytes[UID_LENGTH_AT + 1] = 4,
            |bytes| bytes[UID_LENGTH_AT + 1] = 6,
            |bytes| bytes[UID_LENGTH_AT..UID_LENGTH_AT + 2].fill(0xff),
            |bytes| {
                bytes[UID_LENGTH_AT + 1] = 0;
                bytes.truncate(UID_LENGTH_AT + 2);
            },
            |bytes| {
                bytes[UID_LENGTH_AT..UID_LENGTH_AT + 2].copy_from_slice(&[1, 1]);
                bytes.resize(UID_LENGTH_AT + 2 + 257, b'a');
            },
            |bytes| bytes[UID_LENGTH_AT + 2] = 0xff,
            |bytes| bytes.truncate(20),
        ];
        for (row, change) in changes.into_iter().enumerate() {
            let text = resigned(&ring().current().session.mac, change);
            assert_eq!(decode(&text), Err(Malformed), "row {row}");
        }
    }

    #[test]
    fn a_token_of_another_key_or_application_is_refused() {
        let other_key = ring_of(64, &[]);
        let text = token().encode(other_key.current()).unwrap();
        assert_eq!(decode(&text), Err(NotOurs));

        let claimed = resigned(&other_key.current().session.mac, |_| ());
        assert_eq!(decode(&claimed), Err(BadSignature));

        let (s, r) = ("__Host-login_session", "__Host-remember_token");
        let other_app = KeyRing::new(&secret(0), &[], "other", s, r);
        let text = token().encode(other_app.current()).unwrap();
        assert_eq!(decode(&text), Err(NotOurs));
    }

    #[test]
    fn a_retired_key_still_verifies_until_it_is_removed() {
        let old = token().encode(ring_of(64, &[]).current()).unwrap();
        let rotated = ring_of(0, &[32, 64]);
        let (decoded, keys) = Token::decode(&old, Kind::Session, &rotated).unwrap();
        assert!(decoded == token());
        assert!(!rotated.is_current(keys));
        assert_eq!(keys.id, bytes_of(&old)[ID_AT..ID_AT + 4]);
        assert_eq!(decode(&old), Err(NotOurs));
    }

    #[test]
    fn a_token_prints_neither_user_nor_id() {
        assert_eq!(
            format!("{:?}", token()),
            "Token { kind: Session, flags: Flags(PERMANENT | FORCED), .. }"
        );
    }

    #[test]
    fn debug_tells_no_id() {
        let token = Token {
            login_id: LoginId([0xab; 16]),
            session_id: SessionId([0xab; 8]),
            uid: "alice".into(),
            ..token()
        };
        let debug = format!("{token:?} {:?} {:?}", token.login_id, token.session_id);
        for secret in ["alice", "171", "ab", "34", "51"] {
            assert!(!debug.contains(secret), "{debug}");
        }
    }
}
