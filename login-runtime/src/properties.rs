//! Properties of the pure modules, for all values. `PROPTEST_CASES` sets how many are tried.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use hmac::Mac as _;
use ipnet::IpNet;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::clock::UnixTime;
use crate::request::client_ip::client_ip;
use crate::request::fingerprint::{ProtectionAddress, fingerprint};
use crate::token::keys::KeyRing;
use crate::token::secret::SecretKey;
use crate::token::times::{self, Lapsed, MAX_REMEMBER};
use crate::token::value::{self, Purpose};
use crate::token::{Digest, Flags, Kind, LAST_TIME, LoginId, SessionId, TAG, Token, truncate};

/// A failure is printed, and not saved to a file.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// For properties with hundreds of signatures in each case.
fn few() -> ProptestConfig {
    let mut config = config();
    config.cases = config.cases.div_ceil(64);
    config
}

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let secret = SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap();
    KeyRing::new(&secret, &[], "app", "login_session", "remember_token")
});

fn encode(token: &Token) -> String {
    token.encode(RING.current()).unwrap()
}

fn decode(text: &str, kind: Kind) -> Option<Token> {
    Token::decode(text, kind, &RING)
        .ok()
        .map(|(token, _)| token)
}

/// Signs any bytes as a session token, after the first seven bytes of a token.
fn sign(rest: &[u8]) -> String {
    let keys = RING.current();
    let mut bytes = vec![2, Kind::Session as u8, rest.first().copied().unwrap_or(0)];
    bytes.extend(keys.id);
    bytes.extend(rest.iter().skip(1));
    let mac = keys.of(Kind::Session).mac.clone().chain_update(&bytes);
    bytes.extend(truncate::<TAG>(mac));
    BASE64URL_NOPAD.encode(&bytes)
}

/// All texts that differ from `text` in one bit, and all whose decoded bytes do.
fn one_bit_off(text: &str) -> impl Iterator<Item = String> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    let flipped = |bytes: Vec<u8>| {
        (0..bytes.len() * 8).map(move |bit| {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        })
    };
    let of_bytes = flipped(bytes).map(|bytes| BASE64URL_NOPAD.encode(&bytes));
    // A single byte above 127 is not UTF-8, so Rocket has no such cookie.
    let of_text = flipped(text.into()).filter_map(|bytes| String::from_utf8(bytes).ok());
    of_bytes.chain(of_text)
}

/// Times close to each other, and extreme times.
fn time() -> impl Strategy<Value = UnixTime> {
    seconds().prop_map(UnixTime::from_secs)
}

fn seconds() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0..5_000_u64,
        1 => select(vec![0, 1, u64::MAX - 1, u64::MAX]),
        1 => any::<u64>(),
    ]
}

/// A time that a token can contain.
fn token_time() -> impl Strategy<Value = UnixTime> {
    time().prop_map(|time| time.min(LAST_TIME))
}

/// When the user gave credentials. A token encodes "never" as 0, so 0 is not such a time.
fn auth_at() -> impl Strategy<Value = Option<UnixTime>> {
    token_time().prop_map(|time| (time != UnixTime::from_secs(0)).then_some(time))
}

fn kind() -> impl Strategy<Value = Kind> {
    select(vec![Kind::Session, Kind::Remember, Kind::Device])
}

fn flags() -> impl Strategy<Value = Flags> {
    let all = [
        Flags::PERMANENT,
        Flags::REMEMBERED,
        Flags::FORCED,
        Flags::UNBOUND,
        Flags::UNSEEN,
    ];
    vec(select(all.to_vec()), 0..5).prop_map(Flags::from_iter)
}

fn digest() -> impl Strategy<Value = Option<Digest>> {
    let key = || RING.current().of(Kind::Session).protection.clone();
    option::of(any::<u8>())
        .prop_map(move |byte| byte.map(|byte| Digest::of(key().chain_update([byte]))))
}

prop_compose! {
    fn token()(
        kind in kind(),
        flags in flags(),
        login_id in any::<[u8; 16]>(),
        session_id in any::<[u8; 8]>(),
        auth_at in auth_at(),
        [created_at, renewed_at, expires_at] in [token_time(), token_time(), token_time()],
        [session_hash, protection] in [digest(), digest()],
        restores in option::of(0..1_u32 << 24),
        bound_until in option::of(token_time()),
        replaces in option::of(any::<[u8; 8]>()),
        key in any::<u8>(),
        uid in "[a-c|\0é]{1,64}",
    ) -> Token {
        whole(Token {
            kind, flags, login_id: LoginId(login_id), session_id: SessionId(session_id),
            auth_at, created_at, renewed_at, expires_at,
            session_hash, protection, restores, bound_until, replaces: replaces.map(SessionId),
            public_key: Some(Box::new([key; 33])), uid: uid.into(),
        })
    }
}

/// Leaves out of a token what its kind has not. A device always has a key.
fn whole(mut token: Token) -> Token {
    token.bound_until = token.bound_until.filter(|_| token.kind == Kind::Session);
    let key = token.public_key.take().unwrap_or(Box::new([0; 33]));
    token.public_key = (token.kind == Kind::Device).then_some(key);
    if token.is_bound() {
        token.flags.remove(Flags::UNSEEN);
    } else {
        token.replaces = None;
    }
    token
}

/// A token, and another that shares some of its fields.
fn two_tokens() -> impl Strategy<Value = (Token, Token)> {
    (token(), token(), any::<[bool; 14]>()).prop_map(|(one, mut other, same)| {
        let fields: [fn(&mut Token, &Token); 14] = [
            |other, one| other.flags = one.flags,
            |other, one| other.login_id = one.login_id,
            |other, one| other.session_id = one.session_id,
            |other, one| other.auth_at = one.auth_at,
            |other, one| other.created_at = one.created_at,
            |other, one| other.renewed_at = one.renewed_at,
            |other, one| other.expires_at = one.expires_at,
            |other, one| other.session_hash = one.session_hash,
            |other, one| other.protection = one.protection,
            |other, one| other.restores = one.restores,
            |other, one| other.bound_until = one.bound_until,
            |other, one| other.replaces = one.replaces,
            |other, one| other.public_key.clone_from(&one.public_key),
            |other, one| other.uid.clone_from(&one.uid),
        ];
        for (take, _) in fields.iter().zip(same).filter(|(_, same)| *same) {
            take(&mut other, &one);
        }
        (one, whole(other))
    })
}

/// A remember token that a login can issue.
fn remember_token() -> impl Strategy<Value = Token> {
    (token(), 0..MAX_REMEMBER, 1..=MAX_REMEMBER).prop_map(|(token, begun, duration)| {
        whole(Token {
            kind: Kind::Remember,
            created_at: UnixTime::from_secs(begun),
            renewed_at: UnixTime::from_secs(begun),
            expires_at: UnixTime::from_secs(begun + duration),
            ..token
        })
    })
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
        // Neighbors, inside and outside of a network.
        (0..3_u8, 0..3_u8).prop_map(|(c, d)| Ipv4Addr::new(192, 0, c, d).into()),
        (0..3_u8, 0..3_u8).prop_map(|(g, p)| {
            IpAddr::from([0x20, 1, 13, 184, 0, 0, g, p, 0, 0, 0, 0, 0, 0, 0, p])
        }),
    ]
    .prop_map(|ip: IpAddr| ip.to_canonical())
}

fn network() -> impl Strategy<Value = IpNet> {
    (address(), 0..=32_u8).prop_map(|(ip, length)| IpNet::new(ip, length).unwrap())
}

/// A client as session protection sees it.
fn client() -> impl Strategy<Value = (Option<IpAddr>, Option<String>)> {
    let user_agent = prop_oneof!["[ab]{0,2}", "a{1023}[ab]{0,3}"];
    (option::of(address()), option::of(user_agent))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_token_survives_the_round_trip_and_has_one_text(token in token()) {
        // R5
        let text = encode(&token);
        let back = decode(&text, token.kind).unwrap();
        prop_assert!(back == token);
        prop_assert_eq!(encode(&back), text);
    }

    #[test]
    fn two_tokens_never_have_the_same_text((one, other) in two_tokens()) {
        // R5
        prop_assert_eq!(encode(&one) == encode(&other), one == other);
    }

    #[test]
    fn a_token_is_valid_in_its_own_cookie_only(token in token()) {
        // T13
        for other in [Kind::Session, Kind::Remember, Kind::Device] {
            let is_its_own = other == token.kind;
            prop_assert_eq!(decode(&encode(&token), other).is_some(), is_its_own);
        }
    }

    #[test]
    fn no_text_is_too_strange_to_refuse(text in any::<String>(), more in "[A-Za-z0-9_-]{0,2000}") {
        // T20, R49
        for text in [&text, &more, &format!("AgE{more}"), &format!("AgM{more}")] {
            for kind in [Kind::Session, Kind::Remember, Kind::Device] {
                prop_assert!(decode(text, kind).is_none());
            }
            prop_assert_eq!(value::decode(&RING, &Purpose::of_library("shop", "next"), text, UnixTime::from_secs(0)), None);
        }
    }

    #[test]
    fn no_bytes_are_too_strange_to_refuse(bytes in vec(any::<u8>(), 0..600)) {
        // T20, R49
        for start in [&[][..], &[2, 1], &[2, 2], &[2, 3], &[2, 4]] {
            let text = BASE64URL_NOPAD.encode(&[start, &bytes].concat());
            for kind in [Kind::Session, Kind::Remember, Kind::Device] {
                prop_assert!(decode(&text, kind).is_none());
            }
            prop_assert_eq!(value::decode(&RING, &Purpose::of_library("shop", "next"), &text, UnixTime::from_secs(0)), None);
        }
    }

    #[test]
    fn signed_bytes_are_one_token_or_refused(
        mut rest in vec(any::<u8>(), 87..104),
        flags in 0..160_u8,
        fitting in any::<bool>(),
    ) {
        // R5, R6: from the flags on, without the key id. A counter has 3 bytes, a `bound_until` 5, a `replaces` 8.
        let [unseen, counted, bound] = [4, 5, 6].map(|bit| usize::from(flags >> bit & 1));
        let more = counted * 3 + bound * 5 + bound * unseen * 8;
        let uid_at = 71 + more;
        rest[0] = flags;
        if fitting {
            rest[uid_at - 2] = 0;
            rest[uid_at - 1] = u8::try_from(rest.len() - uid_at).unwrap();
            rest.iter_mut().skip(uid_at).for_each(|byte| *byte &= 0x7f);
        }
        let text = sign(&rest);
        if let Some(token) = decode(&text, Kind::Session) {
            prop_assert_eq!(encode(&token), text);
        } else {
            prop_assert!(!fitting || flags > 127 || rest.len() == uid_at);
        }
    }

    #[test]
    fn a_signed_value_is_valid_for_its_realm_and_purpose_until_it_expires(
        [purpose, other] in [["[a: ]{0,3}", "[a: ]{0,3}"], ["[a: ]{0,3}", "[a: ]{0,3}"]],
        value in any::<String>(),
        [expires_at, now] in [time(), time()],
    ) {
        let of = |[realm, purpose]: &[String; 2]| Purpose::of_application(realm, purpose);
        let text = value::encode(&RING, &of(&purpose), &value, expires_at);
        prop_assert_eq!(text.is_some(), value.len() <= 2_048);
        if let Some(text) = text {
            let read = value::decode(&RING, &of(&other), &text, now);
            let holds = purpose == other && now < expires_at;
            prop_assert_eq!(read, holds.then_some(value));
        }
    }

    #[test]
    fn an_expired_token_stays_expired(
        token in token(), idle in option::of(seconds()), now in time(), wait in seconds(),
    ) {
        // R18, R19, R21
        let later = times::check(&token, now.plus(wait), idle);
        match times::check(&token, now, idle) {
            Err(Lapsed::Expired | Lapsed::Idle) => {
                prop_assert!(matches!(later, Err(Lapsed::Expired | Lapsed::Idle)));
            }
            Err(Lapsed::Unproven) => {
                prop_assert!(!matches!(later, Ok(()) | Err(Lapsed::Future)));
            }
            Ok(()) => prop_assert_ne!(later, Err(Lapsed::Future)),
            Err(Lapsed::Future) => {}
        }
    }

    #[test]
    fn neither_use_nor_a_timeout_extends_a_token_past_its_end(
        token in token(), idle in option::of(seconds()), [used, now] in [time(), time()],
    ) {
        // R18, T83
        let renewed = Token { renewed_at: used, ..token.clone() };
        for token in [token, renewed] {
            let holds = times::check(&token, now, idle).is_ok();
            prop_assert!(!holds || now < token.expires_at);
            prop_assert!(!holds || times::check(&token, now, None).is_ok());
        }
    }

    #[test]
    fn a_fresh_login_was_fresh_ever_since_the_credentials(
        auth_at in auth_at(), window in option::of(seconds()), [now, before] in [time(), time()],
    ) {
        // R22
        let is_fresh = times::is_fresh(auth_at, now, window);
        if is_fresh && auth_at.is_some_and(|auth_at| (auth_at..=now).contains(&before)) {
            prop_assert!(times::is_fresh(auth_at, before, window));
        }
        prop_assert!(!is_fresh || auth_at.is_some());
        prop_assert!(!is_fresh || times::is_fresh(auth_at, now, None));
    }

    #[test]
    fn a_remember_token_is_renewed_by_its_duration_for_at_most_400_days(
        mut token in remember_token(), uses in vec(0..MAX_REMEMBER / 4, 0..20),
    ) {
        // R20
        let (begun, duration) = (token.created_at, token.expires_at.since(token.created_at));
        let mut now = begun;
        for wait in uses {
            now = now.plus(wait);
            if times::check(&token, now, None).is_err() {
                break;
            }
            let before = token.clone();
            times::renew_remember(&mut token, now);
            prop_assert!(token.expires_at >= before.expires_at);
            prop_assert!(token.expires_at <= now.plus(duration).min(begun.plus(MAX_REMEMBER)));
            let expires_at = token.expires_at;
            let expected = Token { renewed_at: now, expires_at, ..before };
            prop_assert!(token == expected);
        }
    }

    #[test]
    fn a_logout_is_recorded_for_as_long_as_any_copy_can_live(
        token in remember_token(),
        used in 0..MAX_REMEMBER,
        lifetime in 1..MAX_REMEMBER,
    ) {
        // R24: the holder of an old copy logs out, while a thief has renewed and restored another copy.
        let begun = token.created_at;
        let mut renewed = token.clone();
        times::renew_remember(&mut renewed, begun.plus(used));
        let last_restored = renewed.expires_at.plus(lifetime);
        let session = Token {
            kind: Kind::Session,
            flags: Flags::REMEMBERED,
            expires_at: begun.plus(lifetime),
            ..token.clone()
        };
        for shown in [&token, &session] {
            prop_assert!(times::dead_until(shown, lifetime) >= last_restored);
        }
    }

    #[test]
    fn a_peer_that_is_not_trusted_is_never_overruled(
        peer in address(),
        header in vec("[0-9a-f.:, ]{0,20}|192\\.0\\.1\\.[0-9]", 0..5),
        trusted in vec(network(), 0..4),
    ) {
        // R34, T54
        let header: Vec<_> = header.iter().map(String::as_str).collect();
        let client = client_ip(Some(peer), &header, &trusted).unwrap();
        if !trusted.iter().any(|net| net.contains(&peer)) {
            prop_assert_eq!(client, peer);
        }
        prop_assert_eq!(client_ip(None, &header, &trusted), None);
    }

    #[test]
    fn the_client_is_the_last_address_that_is_not_a_trusted_proxy(
        peer in address(), told in vec(address(), 0..40), trusted in vec(network(), 0..4),
    ) {
        // R34
        let header: Vec<_> = told.iter().map(IpAddr::to_string).collect();
        let client = client_ip(Some(peer), &[&header.join(", ")], &trusted);
        let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
        let chain: Vec<_> = std::iter::once(peer).chain(told.into_iter().rev()).take(33).collect();
        let expected = chain.iter().find(|ip| !is_trusted(ip)).or(chain.last());
        prop_assert_eq!(client.as_ref(), expected);
    }

    #[test]
    fn two_clients_are_equal_if_their_relevant_parts_are(
        [one, other] in [client(), client()],
        address in select(vec![
            ProtectionAddress::Full, ProtectionAddress::Prefix, ProtectionAddress::Off,
        ]),
    ) {
        // R35
        let counts = |(ip, user_agent): &(Option<IpAddr>, Option<String>)| {
            let ip = ip.map(|ip| match ip {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => ip.octets().to_vec(),
            });
            let ip = match address {
                ProtectionAddress::Full => ip,
                ProtectionAddress::Prefix => ip.map(|ip| match ip.len() {
                    4 => [&ip[..3], &[4]].concat(),
                    _ => [&ip[..7], &[6]].concat(),
                }),
                ProtectionAddress::Off => None,
            };
            let user_agent = user_agent.as_ref().map(|text| text[..text.len().min(1024)].to_owned());
            (ip, user_agent)
        };
        let key = &RING.current().of(Kind::Session).protection;
        let [mine, theirs] = [&one, &other].map(|(ip, user_agent)| {
            fingerprint(key, address, *ip, user_agent.as_deref())
        });
        prop_assert_eq!(mine == theirs, counts(&one) == counts(&other));
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn no_bit_of_a_token_can_change(token in token()) {
        // T01, R4
        for text in one_bit_off(&encode(&token)) {
            prop_assert!(decode(&text, token.kind).is_none(), "{text}");
        }
    }

    #[test]
    fn no_bit_of_a_signed_value_can_change(purpose in "[a-c]{0,3}", value in "\\PC{0,20}") {
        let purpose = Purpose::of_application("shop", &purpose);
        let text = value::encode(&RING, &purpose, &value, UnixTime::from_secs(u64::MAX)).unwrap();
        for changed in one_bit_off(&text) {
            prop_assert_eq!(value::decode(&RING, &purpose, &changed, UnixTime::from_secs(0)), None);
        }
    }
}
