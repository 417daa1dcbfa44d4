//! The proofs of a device: any header field, any text, and any header and claims that a device could sign.
#![no_main]

use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use libfuzzer_sys::{Corpus, fuzz_target};
use login_runtime::fuzzing::{challenge_field, field_text, read_proof};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_slice(&[7; 32]).expect("a private key"));

/// The key of the device as a proof names it.
static JWK: LazyLock<String> = LazyLock::new(|| {
    let point = KEY.verifying_key().to_sec1_point(false);
    let [x, y] = [&point.as_bytes()[1..33], &point.as_bytes()[33..]];
    let [x, y] = [x, y].map(|bytes| BASE64URL_NOPAD.encode(bytes));
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
});

// The first byte selects one of the three.
fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((way, data)) = data.split_first() else {
        return Corpus::Reject;
    };
    let Ok(text) = str::from_utf8(data) else {
        return Corpus::Reject;
    };
    match way % 3 {
        0 => any_text(text),
        1 => any_claims(text),
        _ => any_header(text),
    }
    Corpus::Keep
});

/// A field that is read is one text, and what is written is read back.
fn any_text(text: &str) {
    if let Some(read) = field_text(text) {
        let written = challenge_field(&read, "S").expect("it was a text");
        assert_eq!(field_text(&written), Some(read));
    }
    // Nobody but the owner of a key can sign with it, and no fuzzer finds a signature.
    if let Some((_, key, is_signed)) = read_proof(text) {
        assert!(!is_signed || key.is_some());
    }
}

/// With a good header, the claims decide: a proof has exactly the challenge that serde finds in them.
fn any_claims(claims: &str) {
    let header = format!(r#"{{"alg":"ES256","typ":"dbsc+jwt","jwk":{}}}"#, *JWK);
    if let Some((challenge, key, is_signed)) = read_proof(&sign(&header, claims)) {
        assert!(is_signed && key.is_some());
        assert!(claims.contains("jti") || claims.contains('\\'));
        assert!(challenge.len() <= claims.len());
    }
}

/// With good claims, only the one algorithm and type pass.
fn any_header(header: &str) {
    if let Some((challenge, ..)) = read_proof(&sign(header, r#"{"jti":"C"}"#)) {
        assert_eq!(challenge, "C");
        let is_escaped = header.contains('\\');
        assert!(is_escaped || header.contains("ES256") && header.contains("dbsc+jwt"));
    }
}

fn sign(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|it| BASE64URL_NOPAD.encode(it.as_bytes()));
    let signature: Signature = KEY.sign(format!("{header}.{claims}").as_bytes());
    let signature = BASE64URL_NOPAD.encode(&signature.to_bytes());
    format!("{header}.{claims}.{signature}")
}
