//! Decoding of Flask's cookies: any text, and what somebody with Flask's key could sign.
#![no_main]

use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use libfuzzer_sys::{Corpus, fuzz_target};
use login_runtime::fuzzing::FlaskKeys;

static KEYS: LazyLock<FlaskKeys> =
    LazyLock::new(|| FlaskKeys::new("3f1b6c0a94d27e58b1c7d0e2f4a69853").expect("ASCII"));

// The first byte selects one of the four.
fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((way, data)) = data.split_first() else {
        return Corpus::Reject;
    };
    let text = str::from_utf8(data).ok();
    match (way % 4, text) {
        (0, Some(text)) => any_text(text),
        (1, Some(id)) => a_remembered_user(id),
        (2, Some(signed)) => a_signed_text(signed),
        (3, _) => a_signed_payload(data),
        _ => return Corpus::Reject,
    }
    Corpus::Keep
});

/// Nobody can sign without the key. The seeds are signed with it.
fn any_text(text: &str) {
    let decoded = [KEYS.session(text), KEYS.remembered(text)];
    assert!(
        decoded.iter().flatten().count() <= 1,
        "both a session and a remember cookie"
    );
}

/// Every id survives that Werkzeug need not quote, and none is read from a session.
fn a_remembered_user(id: &str) {
    let value = KEYS.sign_remembered(id);
    let is_read = value.len() <= 4096 && !id.starts_with('"');
    if is_read {
        assert_eq!(KEYS.remembered(&value).as_deref(), Some(id));
    }
    assert_eq!(KEYS.session(&value), None);
}

fn a_signed_text(signed: &str) {
    let value = KEYS.sign_session(signed);
    let user = KEYS.session(&value);
    assert!(user.is_none() || value.len() <= 4096);
    assert_eq!(KEYS.remembered(&value), None);
}

/// Bytes as the payload of a session: JSON, or compressed JSON.
fn a_signed_payload(bytes: &[u8]) {
    let payload = BASE64URL_NOPAD.encode(bytes);
    for dot in ["", "."] {
        a_signed_text(&format!("{dot}{payload}.a0nSAA"));
    }
}
