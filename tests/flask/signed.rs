//! Cookies signed as Flask and Flask-Login sign them.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha512;

use crate::common::START;

/// Flask's secret key.
pub(crate) const SECRET: &str = "3f1b6c0a94d27e58b1c7d0e2f4a69853";

/// A key that Flask has retired.
pub(crate) const OLDER: &str = "9d70ce14b8a35f62e0c1a97d4b38f526";

fn sha1(key: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// A session of Flask, with an age in seconds.
pub(crate) fn session_of(secret: &str, data: &Value, age: i64) -> String {
    let signed_at = START.checked_add_signed(-age).unwrap();
    let number = signed_at.to_be_bytes();
    let number = &number[number.iter().position(|byte| *byte != 0).unwrap()..];
    let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let signed = format!("{}.{}", encode(data.to_string().as_bytes()), encode(number));
    let tag = sha1(&sha1(secret.as_bytes(), "cookie-session"), &signed);
    format!("{signed}.{}", encode(&tag))
}

/// A fresh login of this user at Flask, a minute ago.
pub(crate) fn session(user: &str) -> String {
    session_of(SECRET, &json!({ "_user_id": user, "_fresh": true }), 60)
}

/// A fresh login of this user at Flask, with an age in seconds.
pub(crate) fn session_aged(user: &str, age: i64) -> String {
    session_of(SECRET, &json!({ "_user_id": user, "_fresh": true }), age)
}

pub(crate) fn remember_of(secret: &str, user: &str) -> String {
    let mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap();
    let tag = mac.chain_update(user).finalize().into_bytes();
    format!("{user}|{}", HEXLOWER.encode(&tag))
}

/// The remember cookie that Flask-Login gives this user at every login.
pub(crate) fn remember(user: &str) -> String {
    remember_of(SECRET, user)
}
