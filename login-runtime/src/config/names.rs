//! The names of the settings, and what is meant by other names.

use super::table::settings_table;

macro_rules! names {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident $argument:tt = $default:tt $(-> $checked:ty $(, check $check:path)?)?;
    )*) => {
        pub(super) const NAMES: &[&str] = &[$( stringify!($name) ),*];
    };
}

settings_table!(names);

/// The table of the settings that realms have of their own.
pub(super) const REALMS: &str = "realms";

/// The table of the settings of the store.
pub(super) const STORE: &str = "store";

/// Settings of Flask-Login that have another name here.
const RENAMED: [(&str, &str); 4] = [
    ("blueprint_login_views", "mount_login_views"),
    ("refresh_message", "needs_refresh_message"),
    ("refresh_message_category", "needs_refresh_message_category"),
    ("session_cookie_partitioned", "partitioned_cookies"),
];

/// Settings of Flask and Flask-Login that do not exist here, and what to do instead.
const DROPPED: [(&str, &str); 4] = [
    (
        "auth_header_name",
        "remove it, and read the header in a `#[request_loader]`",
    ),
    (
        "login_disabled",
        "remove it, because no setting opens all routes; tests log in with `rocket_login::testing`",
    ),
    (
        "session_cookie_httponly",
        "remove it, because the session cookie is always `HttpOnly`",
    ),
    (
        "session_refresh_each_request",
        "remove it, because `session_idle_timeout` renews sessions by itself",
    ),
];

/// Returns the key of a setting: those of the store are in a table of their own.
pub(super) fn key_of(name: &str) -> String {
    match name.strip_prefix("store_") {
        Some(name) => format!("{STORE}.{name}"),
        None => name.to_owned(),
    }
}

/// Returns the name of the setting with a key.
pub(super) fn name_of(key: &str) -> Option<String> {
    let name = key.replacen("store.", "store_", 1);
    (key_of(&name) == key).then_some(name)
}

/// Returns the setting of this name, which may be Flask-Login's.
pub(super) fn known(name: &str) -> Option<&'static str> {
    let renamed = RENAMED.iter().find(|(flasks, _)| *flasks == name);
    let same = NAMES.iter().find(|ours| **ours == name);
    renamed.map(|(_, ours)| *ours).or(same.copied())
}

pub(super) fn dropped(name: &str) -> Option<&'static str> {
    let dropped = DROPPED.iter().find(|(flasks, _)| *flasks == name);
    dropped.map(|(_, instead)| *instead)
}

/// Returns the setting, or `realms`, that is most like a misspelt one.
pub(super) fn nearest_setting(name: &str) -> Option<&'static str> {
    let known = NAMES.iter().copied().chain([REALMS]);
    nearest(&name.to_ascii_lowercase(), known)
}

/// Returns the name that is most like a misspelt one, if any is.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    known
        .map(|known| (known, strsim::jaro(known, name)))
        .filter(|(_, likeness)| *likeness > ALIKE)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(known, _)| known)
}
