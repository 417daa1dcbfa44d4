//! Decoding of tokens: any text, tokens that an application could sign, and bytes that an insider could sign.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use data_encoding::BASE64URL_NOPAD;
use libfuzzer_sys::{Corpus, fuzz_target};
use login_runtime::fuzzing::{Fields, Tokens};

/// Where a token's user id begins: after version, kind, flags, key id, session id, four times, two digests and the id's
/// length.
const UID_AT: usize = 3 + 4 + 16 + 8 + 4 * 5 + 2 * 12 + 2;

/// The last time that a token can contain.
const LAST_TIME: u64 = (1 << 40) - 1;

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let secret: Vec<u8> = (0..32).collect();
    let [session, remember] = ["__Host-login_session", "__Host-remember_token"];
    Tokens::new(&secret, "app", session, remember).expect("a strong secret")
});

#[derive(Arbitrary)]
struct Login<'a> {
    remember: bool,
    flags: u8,
    login_id: [u8; 16],
    session_id: [u8; 8],
    auth_at: u64,
    created_at: u64,
    renewed_at: u64,
    expires_at: u64,
    session_hash: [u8; 12],
    protection: [u8; 12],
    restores: Option<u32>,
    bound_until: Option<u64>,
    replaces: Option<[u8; 8]>,
    uid: &'a str,
    damage: Vec<(u16, u8)>,
}

// The first byte selects one of the three.
fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((way, data)) = data.split_first() else {
        return Corpus::Reject;
    };
    match way % 3 {
        0 => match str::from_utf8(data) {
            Ok(text) => any_text(text),
            Err(_) => return Corpus::Reject,
        },
        1 => match arbitrary::Unstructured::new(data).arbitrary() {
            Ok(login) => a_login(&login),
            Err(_) => return Corpus::Reject,
        },
        _ => an_insider(data),
    }
    Corpus::Keep
});

/// A text that decodes encodes to exactly the same text, and has one kind only.
fn any_text(text: &str) {
    let decoded = [false, true].map(|remember| TOKENS.decode(text, remember));
    assert!(
        decoded.iter().flatten().count() <= 1,
        "both a session and a remember token"
    );
    for fields in decoded.iter().flatten() {
        assert_eq!(TOKENS.encode(fields).as_deref(), Some(text));
    }
}

/// A genuine token survives the round trip; a damaged one is refused.
fn a_login(login: &Login<'_>) {
    let fields = Fields {
        remember: login.remember,
        flags: login.flags,
        login_id: login.login_id,
        session_id: login.session_id,
        auth_at: login.auth_at,
        created_at: login.created_at,
        renewed_at: login.renewed_at,
        expires_at: login.expires_at,
        session_hash: login.session_hash,
        protection: login.protection,
        restores: login.restores,
        bound_until: login.bound_until,
        replaces: login.replaces,
        uid: login.uid.to_owned(),
    };
    let text = TOKENS.encode(&fields);
    let times = [fields.auth_at, fields.created_at, fields.renewed_at]
        .into_iter()
        .chain(fields.bound_until);
    let can_be = fields.flags < 32
        && (1..=256).contains(&fields.uid.len())
        && (!fields.remember || fields.bound_until.is_none())
        && (fields.bound_until.is_some() || fields.replaces.is_none())
        && times.max() <= Some(LAST_TIME)
        && fields.restores.is_none_or(|restores| restores < 1 << 24);
    assert_eq!(text.is_some(), can_be);
    let Some(text) = text else { return };
    assert!(text.len() <= 487);
    let read = Fields {
        // In a bound session, the bit of `UNSEEN` says whether it replaces another.
        flags: fields.flags & if fields.bound_until.is_some() { 15 } else { 31 },
        expires_at: fields.expires_at.min(LAST_TIME),
        ..fields.clone()
    };
    assert_eq!(TOKENS.decode(&text, fields.remember), Some(read));
    assert_eq!(TOKENS.decode(&text, !fields.remember), None);

    let damaged = damaged(&text, &login.damage);
    if damaged != text {
        any_text(&damaged);
        assert_eq!(TOKENS.decode(&damaged, fields.remember), None);
    }
}

/// The upper bits of each position select whether a byte is changed, added or removed there, or the rest is cut off.
fn damaged(text: &str, damage: &[(u16, u8)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (place, byte) in damage {
        let at = usize::from(place & 0x3ff) % (bytes.len() + 1);
        match place >> 14 {
            0 if at < bytes.len() => bytes[at] = byte & 0x7f,
            1 => bytes.insert(at, byte & 0x7f),
            2 => bytes.truncate(at),
            _ if at < bytes.len() => drop(bytes.remove(at)),
            _ => bytes.push(byte & 0x7f),
        }
    }
    String::from_utf8(bytes).expect("ASCII")
}

/// Bytes with a genuine tag are a token exactly if they have its layout.
fn an_insider(bytes: &[u8]) {
    for remember in [false, true] {
        let text = TOKENS.sign(bytes, remember);
        assert_eq!(
            TOKENS.decode(&text, remember).is_some(),
            is_token(bytes, remember)
        );
        // Signed with the key of the other kind, it is refused, whatever it contains.
        assert_eq!(TOKENS.decode(&text, !remember), None);
        any_text(&text);
        // Without the tag, it is refused too.
        any_text(&BASE64URL_NOPAD.encode(bytes));
    }
}

fn is_token(bytes: &[u8], remember: bool) -> bool {
    let flags = bytes.get(2).copied().unwrap_or_default();
    let [unseen, counted, bound] = [4, 5, 6].map(|bit| usize::from(flags >> bit & 1));
    let more = counted * 3 + bound * 5 + bound * unseen * 8;
    let Some((head, uid)) = bytes.split_at_checked(UID_AT + more) else {
        return false;
    };
    let length = u16::from_be_bytes([head[head.len() - 2], head[head.len() - 1]]);
    head[..2] == [2, 1 + u8::from(remember)]
        && flags < 128
        && (bound == 0 || !remember)
        && head[3..7] == TOKENS.key_id()
        && uid.len() == usize::from(length)
        && (1..=256).contains(&uid.len())
        && str::from_utf8(uid).is_ok()
}
