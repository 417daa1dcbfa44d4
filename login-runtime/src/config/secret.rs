//! The keys that sign: `login.secret_key`, otherwise Rocket's own `secret_key`, and the retired ones.

use std::env;
use std::fmt;

use rocket::figment::Figment;
use rocket::figment::value::Value;
use serde::de::{Deserialize, Deserializer, Error as _};

use super::error::Report;
use super::{debug_key, guessable};
use crate::token::secret::{KeyError, SecretKey};

/// The most keys that are kept, including the current one.
const MAX_KEYS: usize = 4;

/// The required form of a key, for messages that must not show the key itself.
pub(super) const KEY_FORM: &str = "a key is text in quotes (base64 or hexadecimal), or a list of bytes; \
     a key without quotes, made of digits, is read as a number";

const FIX: &str = "create one with `openssl rand -base64 32`, and set it as `secret_key` in Rocket.toml or as \
     ROCKET_SECRET_KEY in the environment";

/// A key in a setting: text or bytes.
#[derive(Clone)]
pub(crate) enum KeyInput {
    Text(String),
    Bytes(Vec<u8>),
}

impl KeyInput {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(_, text) => Some(Self::Text(text.clone())),
            Value::Array(_, bytes) => bytes
                .iter()
                .map(|byte| match byte {
                    Value::Num(_, number) => u8::try_from(number.to_u128_lossy()?).ok(),
                    _ => None,
                })
                .collect::<Option<_>>()
                .map(Self::Bytes),
            _ => None,
        }
    }

    /// Whether it is the key that Rocket adds to the configuration if its feature `secrets` is on and no key is set.
    fn is_rocket_default(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if matches!(bytes.len(), 32 | 64) && bytes.iter().all(|&b| b == 0))
    }

    fn is_guessable(&self) -> bool {
        matches!(self, Self::Text(text) if guessable::is_guessable(text))
    }

    fn to_key(&self) -> Result<SecretKey, KeyError> {
        match self {
            Self::Text(text) => SecretKey::from_text(text),
            Self::Bytes(bytes) => SecretKey::from_bytes(bytes),
        }
    }
}

impl fmt::Debug for KeyInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for KeyInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Deserialize::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom(KEY_FORM))
    }
}

/// Where a store is. The text can have a password in it.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct StoreUrl(pub(crate) String);

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The key that hides users in a store.
pub(super) fn of_store(given: Option<&KeyInput>, report: &mut Report) -> Option<SecretKey> {
    given?
        .to_key()
        .map_err(|error| report.mistake("store_key", error.to_string()))
        .ok()
}

/// The key that signs.
pub(super) fn current(
    given: Option<&KeyInput>,
    figment: &Figment,
    debug: bool,
    report: &mut Report,
) -> Option<SecretKey> {
    if let Some(given) = given {
        warn_if_guessable("login.secret_key", given, report);
        let key = given
            .to_key()
            .map_err(|error| report.mistake("secret_key", error.to_string()))
            .ok();
        if report.is_by_method("secret_key") {
            warn_if_rocket_has_another(key.as_ref(), figment, report);
        }
        return key;
    }
    if let Ok(value) = figment.find_value("secret_key") {
        let source = figment.get_metadata(value.tag());
        let Some(given) = KeyInput::from_value(&value) else {
            report.mistake_at("secret_key", KEY_FORM, source);
            return None;
        };
        if !given.is_rocket_default() {
            warn_if_guessable("secret_key", &given, report);
            return given
                .to_key()
                .map_err(|error| report.mistake_at("secret_key", error.to_string(), source))
                .ok();
        }
    }
    if report.is_wrong("secret_key") {
        return None;
    }
    if !debug {
        report.mistake_at(
            "secret_key",
            format!("is not set, and logins cannot be signed without it; {FIX}"),
            None,
        );
        return None;
    }
    // Only here, behind the check of the profile: whoever reads the target directory knows this key.
    if let Some(key) = env::current_exe()
        .ok()
        .and_then(|program| debug_key::kept_for(&program))
    {
        return Some(key);
    }
    match SecretKey::generate() {
        Ok(key) => {
            report.warning(format!(
                "`secret_key` is not set: logins are signed with a random key, and end with this process; {FIX}"
            ));
            Some(key)
        }
        Err(error) => {
            report.mistake_at(
                "secret_key",
                format!("is not set, and none can be generated ({error}); {FIX}"),
                None,
            );
            None
        }
    }
}

/// A key in the code is usually forgotten when the key in the configuration changes.
fn warn_if_rocket_has_another(key: Option<&SecretKey>, figment: &Figment, report: &mut Report) {
    let Ok(value) = figment.find_value("secret_key") else {
        return;
    };
    let rockets = KeyInput::from_value(&value).filter(|given| !given.is_rocket_default());
    if rockets.is_some_and(|given| given.to_key().ok().as_ref() != key) {
        report.warning_at(
            "secret_key",
            "signs no logins, because the method `secret_key` of `LoginManager` is called, and it wins; remove the call, \
             unless Rocket's private cookies are to have a key of their own",
            figment.get_metadata(value.tag()),
        );
    }
}

fn warn_if_guessable(name: &str, given: &KeyInput, report: &mut Report) {
    if given.is_guessable() {
        report.warning(format!(
            "`{name}` is words or a pattern and not random, so it can be guessed, and then anybody can log in as \
             anybody; {FIX}"
        ));
    }
}

/// The retired keys, which verify but do not sign.
pub(super) fn fallbacks(
    given: &[KeyInput],
    current: Option<&SecretKey>,
    report: &mut Report,
) -> Vec<SecretKey> {
    let mut check = report.on("secret_key_fallbacks");
    if given.len() >= MAX_KEYS {
        check.mistake("has more than 3 keys; remove the oldest");
    }
    let mut keys: Vec<SecretKey> = Vec::new();
    for (index, given) in given.iter().enumerate() {
        let index = index.to_string();
        match given.to_key() {
            Ok(key) if current == Some(&key) || keys.contains(&key) => check.mistake_in(
                &index,
                "is the same as the current key or another fallback; remove it",
            ),
            Ok(key) => keys.push(key),
            Err(error) => check.mistake_in(&index, error.to_string()),
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const KEYS: [&str; 5] = [
        "dGhlIGZpcnN0IG9mIGZpdmUga2V5cyBmb3IgdGVzdHM=",
        "VGhlIHNlY29uZCBvZiBmaXZlIHRlc3Qga2V5cyBoZXI=",
        "QW5kIHRoaXMgd291bGQgYmUgdGhlIHRoaXJkIGtleSE=",
        "Rm91cnRoIGtleSwgd2l0aCB+IGFuZCAvIGluc2lkZSE=",
        "VGhlIGZpZnRoIGFuZCBsYXN0LCBub3QgYWxsb3dlZCE=",
    ];

    fn text(key: &str) -> KeyInput {
        KeyInput::Text(key.to_owned())
    }

    fn key(index: usize) -> SecretKey {
        SecretKey::from_text(KEYS.get(index).unwrap()).unwrap()
    }

    fn messages(report: &Report) -> String {
        let errors: Vec<_> = report.errors.iter().map(ToString::to_string).collect();
        errors.join("\n")
    }

    #[test]
    fn the_login_key_overrides_rockets_key() {
        let figment = Figment::from(("secret_key", KEYS[1]));
        let mut report = Report::default();
        assert_eq!(
            current(Some(&text(KEYS[0])), &figment, false, &mut report),
            Some(key(0))
        );
        assert_eq!(current(None, &figment, false, &mut report), Some(key(1)));
        assert_eq!(report.errors, []);
    }

    #[test]
    fn a_key_may_be_a_list_of_bytes() {
        let bytes: Vec<u8> = (1..=32).collect();
        let figment = Figment::from(("secret_key", &bytes));
        let mut report = Report::default();
        let found = current(None, &figment, false, &mut report);
        assert_eq!(found, SecretKey::from_bytes(&bytes).ok());
        assert!(found.is_some());
    }

    #[test]
    fn without_a_key_only_the_debug_profile_launches_and_warns() {
        for figment in [
            Figment::new(),
            Figment::from(("secret_key", vec![0u8; 32])),
            Figment::from(("secret_key", vec![0u8; 64])),
        ] {
            let mut report = Report::default();
            assert_eq!(current(None, &figment, false, &mut report), None);
            assert!(messages(&report).starts_with("`secret_key`: is not set"));

            let mut report = Report::default();
            assert!(current(None, &figment, true, &mut report).is_some());
            assert_eq!(report.errors, []);
            assert!(report.warnings.concat().contains("end with this process"));
        }
    }

    #[test]
    fn a_bad_key_is_refused_under_its_own_name() {
        let mut report = Report::default();
        let bad = text("short");
        assert_eq!(
            current(Some(&bad), &Figment::new(), true, &mut report),
            None
        );
        assert!(messages(&report).starts_with("`login.secret_key`: "));

        let mut report = Report::default();
        let figment = Figment::from(("secret_key", ""));
        assert_eq!(current(None, &figment, true, &mut report), None);
        assert!(messages(&report).starts_with("`secret_key`: "));
    }

    #[test]
    fn a_key_read_as_a_number_is_explained_and_not_shown() {
        let mut report = Report::default();
        let figment = Figment::from(("secret_key", 1_234_567_890_123u64));
        assert_eq!(current(None, &figment, false, &mut report), None);
        assert!(messages(&report).contains("read as a number"));
        assert!(!messages(&report).contains("1234567890123"));
    }

    #[test]
    fn three_fallbacks_are_kept_in_order_and_a_fourth_is_refused() {
        let given: Vec<_> = KEYS[1..4].iter().map(|key| text(key)).collect();
        let mut report = Report::default();
        assert_eq!(
            fallbacks(&given, Some(&key(0)), &mut report),
            [key(1), key(2), key(3)]
        );
        assert_eq!(report.errors, []);

        let given: Vec<_> = KEYS[1..].iter().map(|key| text(key)).collect();
        fallbacks(&given, Some(&key(0)), &mut report);
        assert!(messages(&report).starts_with("`login.secret_key_fallbacks`: has more than 3"));
    }

    #[test]
    fn a_bad_or_repeated_fallback_is_refused_by_its_place() {
        let given = [text(KEYS[1]), text(KEYS[0]), text(KEYS[1]), text("short")];
        let mut report = Report::default();
        fallbacks(given.get(..3).unwrap(), Some(&key(0)), &mut report);
        let found = messages(&report);
        assert!(found.contains("`login.secret_key_fallbacks.1`"), "{found}");
        assert!(found.contains("`login.secret_key_fallbacks.2`"), "{found}");

        let mut report = Report::default();
        fallbacks(given.get(3..).unwrap(), None, &mut report);
        assert!(messages(&report).starts_with("`login.secret_key_fallbacks.0`"));
    }

    #[test]
    fn debug_does_not_leak_a_key() {
        assert_eq!(format!("{:?}", text(KEYS[0])), "[redacted]");
    }
}
