//! Settings in a place where nothing reads them. Rocket's configuration accepts every key in silence.

use rocket::figment::value::{Dict, Value};
use rocket::figment::{Figment, Profile, Provider as _};

use super::error::Report;
use super::names::{REALMS, dropped, known, nearest_setting};

/// Looks for our settings in every profile, because a mistake in another one would appear only where it is used.
pub(super) fn check(figment: &Figment, report: &mut Report) {
    // An error here is one that Rocket has reported.
    let profiles = figment.data().unwrap_or_default();
    for (profile, table) in &profiles {
        let name = profile.as_str().as_str();
        let is_in_use = profile == figment.profile() || !profile.is_custom();
        if !is_in_use && is_login(name, table) {
            let mut values = table.values();
            let source = values
                .next()
                .and_then(|value| figment.get_metadata(value.tag()));
            report.mistake_at(
                name,
                "is a profile of Rocket that is not in use, because tables at the top of Rocket.toml are profiles; write \
                 `[default.login]`",
                source,
            );
            continue;
        }
        // What the environment sets is for every profile.
        let name = if *profile == Profile::Global {
            "default"
        } else {
            name
        };
        for (key, value) in table {
            check_key(figment, name, key, value, report);
        }
    }
}

fn check_key(figment: &Figment, profile: &str, key: &str, value: &Value, report: &mut Report) {
    let source = figment.get_metadata(value.tag());
    let name = key.to_ascii_lowercase();
    let is_upper_case = *key != *name;
    // `ROCKET_LOGIN_SESSION_LIFETIME`, which Rocket reads as one word.
    let inner = name
        .strip_prefix("login_")
        .map(|name| name.trim_start_matches('_'));
    let inner = inner.and_then(|name| known(name).or((name == REALMS).then_some(REALMS)));
    let fix = |name: &str| {
        let (key, env) = match name.strip_prefix("store_") {
            Some(name) => (format!("store.{name}"), format!("store={{{name}=..}}")),
            None => (name.to_owned(), format!("{name}=..")),
        };
        format!(
            "write `{key}` under `[{profile}.login]` in Rocket.toml, or in ROCKET_LOGIN='{{{env}}}' in the environment"
        )
    };
    let fix = match (inner, known(&name), dropped(&name)) {
        (Some(inner), _, _) => fix(inner),
        // Rocket's own.
        _ if name == "secret_key" && !is_upper_case => return,
        _ if name == "secret_key" => "write `secret_key`, in lower case".to_owned(),
        (_, Some(known), _) => fix(known),
        (_, _, Some(instead)) => instead.to_owned(),
        _ => {
            if let Some(right) = right_table(key, value) {
                report.mistake_at(
                    key,
                    format!("is not read; write `[{profile}.{right}]`"),
                    source,
                );
            }
            return;
        }
    };
    if inner.is_some() || is_upper_case {
        report.mistake_at(key, format!("is not read; {fix}"), source);
    } else if !figment.contains(&format!("login.{name}")) {
        // It may be another crate's. Whoever sets both has seen this.
        let mistake =
            format!("is not read there; {fix}; if it is a setting of your own, set ours there too");
        report.mistake_at(key, mistake, source);
    }
}

/// Returns where the settings in a table belong; `None` if it has none, or if it is `login` itself.
fn right_table(key: &str, value: &Value) -> Option<&'static str> {
    let table = value.as_dict()?;
    let mut inner = table.values().filter_map(Value::as_dict);
    if key == REALMS && inner.any(names_settings) {
        Some("login.realms.NAME")
    } else {
        (key != "login" && is_login(key, table)).then_some("login")
    }
}

/// Whether a table is probably meant to be `login`. Other crates have tables too, so a setting of ours must be in it.
fn is_login(name: &str, table: &Dict) -> bool {
    const ALIKE: f64 = 0.8;
    let letters = name.to_ascii_lowercase().replace(['-', '_'], "");
    match letters.as_str() {
        "login" | "logins" => table.keys().any(|key| nearest_setting(key).is_some()),
        letters => {
            let is_alike = letters.contains("login") || strsim::jaro(letters, "login") > ALIKE;
            is_alike && names_settings(table)
        }
    }
}

fn names_settings(table: &Dict) -> bool {
    let mut names = table.keys().map(|key| key.to_ascii_lowercase());
    names.any(|name| name == REALMS || known(&name).is_some())
}
