//! The settings that were set: with the methods of `LoginManager`, and in Rocket's configuration under `login`.

use std::collections::BTreeMap;
use std::time::Duration;

use rocket::figment::Figment;
use rocket::figment::error::{Error, Kind};
use rocket::figment::value::{Dict, Value};
use rocket::http::{Method, SameSite};

use super::duration::{self, IdleTimeout};
use super::error::{Origin, Report, place_of};
use super::names::{REALMS, STORE, dropped, key_of, known, name_of, nearest, nearest_setting};
use super::secret::{KEY_FORM, KeyInput, StoreUrl};
use super::table::{filled, or_default, parsed, settings_table, shown, stored, written};
use super::{
    AtLimit, DeviceBinding, MountView, OnLoss, OnStale, SessionProtection, UnguardedRoutes, unit,
};
use crate::request::cross_site::CrossSiteProtection;
use crate::request::fingerprint::ProtectionAddress;

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($argument:tt: $kind:ident) = $default:tt
            $(-> $checked:ty $(, check $check:path)?)?;
    )*) => {
        /// All settings, each if it was set.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Settings {
            $( pub(crate) $name: Option<stored!($kind)>, )*
        }

        /// All settings, set or default.
        #[derive(Debug)]
        pub(super) struct Values {
            $( pub(super) $name: filled!($kind $default), )*
        }

        impl Settings {
            /// Fills in the settings that were not set here from `other`.
            pub(super) fn or(self, other: Self) -> Self {
                Self { $( $name: self.$name.or(other.$name), )* }
            }

            pub(super) fn or_default(self) -> Values {
                Values { $( $name: or_default!(self.$name, $kind $default), )* }
            }

            /// Returns the names of the settings that were set.
            pub(super) fn given(&self) -> impl Iterator<Item = &'static str> {
                [$( self.$name.as_ref().map(|_| stringify!($name)), )*].into_iter().flatten()
            }

            /// Reads one setting; `false` if no setting has this name.
            fn set(&mut self, name: &str, value: &Value) -> Result<bool, Unreadable> {
                match name {
                    $( stringify!($name) => self.$name = Some(parsed!($kind value)?), )*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }

        /// Returns all settings, for documents.
        #[must_use]
        pub fn settings() -> Vec<Setting> {
            vec![$( Setting::new(stringify!($name), written!($kind $default), &[$($doc),+]) ),*]
        }
    };
}

settings_table!(settings);

/// The description of a setting, for documents.
#[derive(Debug)]
pub struct Setting {
    /// Its key under `login`; the method has `_` in place of a dot.
    pub name: String,
    /// Its default, in Markdown, as a configuration file has it.
    pub default: String,
    /// What it sets, in Markdown.
    pub meaning: String,
}

impl Setting {
    /// The meaning is the first paragraph of the method's documentation, without the word `Sets`.
    fn new(name: &'static str, default: String, docs: &[&str]) -> Self {
        let lines = docs.iter().map(|line| line.trim());
        let paragraph: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        let sentence = paragraph.join(" ");
        let meaning = sentence.trim_start_matches("Sets ").trim_end_matches('.');
        Self {
            name: key_of(name),
            default,
            meaning: meaning.to_owned(),
        }
    }
}

/// The settings that a realm does not share with others: names of cookies, pages, and the path of its routes.
const OWN: [&str; 6] = [
    "session_cookie_name",
    "remember_cookie_name",
    "login_view",
    "mount_login_views",
    "refresh_view",
    "device_binding_path",
];

/// Puts the settings of the store beside the others, with their whole keys.
fn flat(table: Dict) -> impl Iterator<Item = (String, Value)> {
    table.into_iter().flat_map(|(name, value)| match value {
        Value::Dict(_, store) if name == STORE => {
            let whole = |(name, value)| (format!("{STORE}.{name}"), value);
            store.into_iter().map(whole).collect()
        }
        value => vec![(name, value)],
    })
}

impl Settings {
    /// Reads the settings under `login`; for a realm, those under `login.realms.NAME` win over the shared ones.
    pub(super) fn read(figment: &Figment, realm: Option<&str>, report: &mut Report) -> Self {
        let mut settings = Self::default();
        settings.read_table(figment, "login", realm.is_some(), report);
        let realms = format!("login.{REALMS}");
        if let Ok(value) = figment.find_value(&realms)
            && value.as_dict().is_none()
        {
            report.mistake_at(
                &realms,
                "is not a table; write `[default.login.realms.NAME]` in Rocket.toml",
                figment.get_metadata(value.tag()),
            );
        }
        if let Some(realm) = realm {
            settings.read_table(figment, &format!("{realms}.{realm}"), false, report);
        }
        settings
    }

    /// Reads a table one setting at a time, to find all mistakes and not only the first one.
    fn read_table(&mut self, figment: &Figment, key: &str, is_shared: bool, report: &mut Report) {
        let table = match figment.find_value(key) {
            Ok(Value::Dict(_, table)) => table,
            Ok(value) => {
                return report.mistake_at(
                    key,
                    format!(
                        "is not a table; write `[default.{key}]` in Rocket.toml, or ROCKET_LOGIN='{{session_lifetime=..}}' in the \
                         environment"
                    ),
                    figment.get_metadata(value.tag()),
                );
            }
            Err(error) if error.missing() => return,
            // Omits figment's message, which can show a line with a key.
            Err(_) => {
                return report.mistake_at(
                    key,
                    "Rocket's configuration cannot be read; fix it first",
                    None,
                );
            }
        };
        let mut unused = Self::default();
        for (name, value) in flat(table) {
            if key == "login" && name == REALMS {
                continue;
            }
            let is_unused = is_shared && OWN.contains(&name.as_str());
            let settings = if is_unused { &mut unused } else { &mut *self };
            let source = figment.get_metadata(value.tag());
            let full = format!("{key}.{name}");
            let setting = name_of(&name).unwrap_or_default();
            match settings.set(&setting, &value) {
                Ok(true) if is_unused => {}
                Ok(true) => {
                    if let Some(warning) = unit::warning(&setting, &value) {
                        report.warning_at(&full, &warning, source);
                    }
                    report.found(setting, Origin::new(full, place_of(source)));
                }
                Ok(false) => {
                    report.mistake_at(&full, no_such_setting(key, &name, &value), source);
                }
                // The other message would show the value.
                Err(_) if name.starts_with("secret_key") || name == "store.key" => {
                    report.mistake_at(&full, KEY_FORM, source);
                }
                Err(Unreadable { path, mistake }) => {
                    let part = [vec![full], path].concat().join(".");
                    report.mistake_at(&part, mistake, source);
                }
            }
        }
    }
}

/// Returns the mistakes in the realms of the configuration, once every manager is attached.
pub(crate) fn realm_mistakes(figment: &Figment, attached: &[Option<&str>]) -> Vec<String> {
    let realms = match figment.find_value(&format!("login.{REALMS}")) {
        Ok(Value::Dict(_, realms)) => realms.into_keys().collect(),
        _ => Vec::new(),
    };
    let attached: Vec<_> = attached.iter().copied().flatten().collect();
    let unknown = realms
        .iter()
        .filter(|realm| !attached.contains(&realm.as_str()));
    unknown
        .map(|realm| {
            let meant = nearest(&realm.to_ascii_lowercase(), attached.iter().copied())
                .map_or_else(String::new, |known| format!("did you mean `{known}`? Otherwise "));
            format!(
                "`login.{REALMS}.{realm}`: no `LoginManager` has this realm; {meant}write `.realm({realm:?})` at its \
                 manager, or correct the name"
            )
        })
        .collect()
}

/// Returns a warning for each setting under `login` that no manager reads, because each has a realm.
pub(crate) fn unread_settings(figment: &Figment, attached: &[Option<&str>]) -> Vec<String> {
    let Some(Some(realm)) = attached.first().filter(|_| !attached.contains(&None)) else {
        return Vec::new();
    };
    let given = OWN
        .iter()
        .filter(|name| figment.contains(&format!("login.{name}")));
    given
        .map(|name| {
            format!(
                "`login.{name}` has no effect, because every `LoginManager` has a realm, and realms do not share it; \
                 write it under `[default.login.{REALMS}.{realm}]`"
            )
        })
        .collect()
}

/// Suggests what was meant by a key that is no setting.
fn no_such_setting(key: &str, name: &str, value: &Value) -> String {
    let name = name.to_ascii_lowercase().replacen("store.", "store_", 1);
    if key == "login" && name == STORE {
        return format!("is not a table; write `[default.login.{STORE}]` in Rocket.toml");
    }
    if let Some(instead) = dropped(&name) {
        return format!("there is no such setting; {instead}");
    }
    let known = known(&name).or_else(|| nearest_setting(&name));
    match known.filter(|known| key == "login" || *known != REALMS) {
        Some(known) => {
            let known = key_of(known);
            format!("there is no such setting; did you mean `{known}`?")
        }
        None if key == "login" && value.as_dict().is_some() => format!(
            "there is no such setting; the settings of a realm stand under `[default.login.{REALMS}.{name}]`"
        ),
        None => format!("there is no such setting; see the list at {LIST}"),
    }
}

const LIST: &str = "https://docs.rs/rocket-login/latest/rocket_login/guide/settings/";

/// Why a value cannot be read.
struct Unreadable {
    /// The position in the value, such as `0` of a list.
    path: Vec<String>,
    mistake: String,
}

impl From<String> for Unreadable {
    fn from(mistake: String) -> Self {
        let path = Vec::new();
        Self { path, mistake }
    }
}

impl From<Error> for Unreadable {
    /// Describes what figment found, and adds the fix.
    fn from(error: Error) -> Self {
        let mistake = match &error.kind {
            Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
                let form = match expected.as_str() {
                    "a boolean" => "`true` or `false`, without quotes",
                    "a string" => "text in quotes",
                    "a sequence" => "a list, such as `[\"..\"]`",
                    "a map" => "a table, such as `{ \"/admin\" = \"/admin/login\" }`",
                    "a page or `false`" => {
                        "a page in quotes, such as `\"/login\"`, or `false` for none"
                    }
                    "usize" => "a whole number",
                    "valid HTTP method string" => "an HTTP method in quotes, such as `\"OPTIONS\"`",
                    _ => "one of its words, in quotes",
                };
                format!("{found} is not allowed; write {form}")
            }
            Kind::UnknownVariant(found, known) => {
                let (found, known) = (found.escape_debug(), known.join("`, `"));
                format!("`{found}` is not allowed; write one of `{known}`")
            }
            kind => kind.to_string(),
        };
        let path = error.path;
        Self { path, mistake }
    }
}

fn same_site(value: &Value) -> Result<SameSite, String> {
    let text = value.as_str().unwrap_or_default();
    match text.to_ascii_lowercase().as_str() {
        "strict" => Ok(SameSite::Strict),
        "lax" => Ok(SameSite::Lax),
        "none" => Ok(SameSite::None),
        _ => Err(
            "is not a value of `SameSite`; write `Strict`, `Lax` or `None`, in quotes".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rocket::figment::providers::{Format as _, Toml};

    use super::*;

    fn read(toml: &str) -> (Settings, Vec<String>) {
        let mut report = Report::default();
        let figment = Figment::from(Toml::string(toml).nested());
        let settings = Settings::read(&figment, None, &mut report);
        (
            settings,
            report.errors.iter().map(ToString::to_string).collect(),
        )
    }

    fn login(line: &str) -> (Settings, Vec<String>) {
        read(&format!("[default.login]\n{line}"))
    }

    #[test]
    fn every_kind_of_setting_is_read() {
        let (settings, errors) = login(
            r#"
            audience = "shop"
            session_lifetime = "12 h"
            session_idle_timeout = false
            remember_cookie_duration = 86400
            remember_cookie_samesite = "strict"
            session_protection = "strong"
            session_protection_address = "prefix"
            cross_site_protection = "off"
            trusted_proxies = ["10.0.0.0/8"]
            exempt_methods = ["OPTIONS"]
            mount_login_views = { "/admin" = "/admin/login", "/api" = false }
            revocation_capacity = 10
            "#,
        );
        assert_eq!(errors, [""; 0]);
        assert_eq!(settings.audience.as_deref(), Some("shop"));
        assert_eq!(settings.session_lifetime, Some(Duration::from_secs(43_200)));
        assert_eq!(settings.session_idle_timeout, Some(IdleTimeout(None)));
        assert_eq!(
            settings.remember_cookie_duration,
            Some(Duration::from_secs(86_400))
        );
        assert_eq!(settings.remember_cookie_samesite, Some(SameSite::Strict));
        assert_eq!(settings.session_protection, Some(SessionProtection::Strong));
        assert_eq!(
            settings.session_protection_address,
            Some(ProtectionAddress::Prefix)
        );
        assert_eq!(settings.exempt_methods, Some(vec![Method::Options]));
        let views = settings.mount_login_views.unwrap();
        let admin = MountView(Some("/admin/login".to_owned()));
        assert_eq!(views.get("/admin"), Some(&admin));
        assert_eq!(views.get("/api"), Some(&MountView(None)));
        assert_eq!(settings.revocation_capacity, Some(10));
        assert_eq!(settings.login_view, None);
    }

    #[test]
    fn flask_logins_none_turns_session_protection_off() {
        for off in ["off", "none"] {
            let (settings, errors) = login(&format!("session_protection = {off:?}"));
            assert_eq!(errors, [""; 0]);
            assert_eq!(settings.session_protection, Some(SessionProtection::Off));
        }
    }

    #[test]
    fn the_form_of_the_environment_is_read_too() {
        // The form into which `ROCKET_LOGIN={..}` is parsed.
        let value: Value = r#"{session_lifetime=3600, login_view=/login, secret_key="12345", clear_site_data=true}"#
            .parse()
            .unwrap();
        let mut report = Report::default();
        let settings = Settings::read(&Figment::from(("login", value)), None, &mut report);
        assert_eq!(report.errors, []);
        assert_eq!(settings.session_lifetime, Some(Duration::from_secs(3_600)));
        assert_eq!(settings.login_view.as_deref(), Some("/login"));
        assert!(settings.secret_key.is_some());
        assert_eq!(settings.clear_site_data, Some(true));
    }

    #[test]
    fn an_unknown_key_is_named_in_full_with_the_nearest_and_its_source() {
        assert_eq!(
            login("remember_cookie_duraton = 5").1,
            [
                "`login.remember_cookie_duraton`: there is no such setting; did you mean `remember_cookie_duration`? \
              (in TOML source string)"
            ]
        );
        for (written, meant) in [
            ("SESSION_LIFETIME", "`session_lifetime`"),
            ("mount_login_view", "`mount_login_views`"),
            ("realm", "`realms`"),
            ("colour", LIST),
        ] {
            let error = login(&format!("{written} = 5")).1.concat();
            assert!(error.contains(meant), "{error}");
            assert_eq!(error.contains("did you mean"), meant != LIST, "{error}");
        }
    }

    #[test]
    fn every_setting_but_a_mistake_is_its_own_nearest() {
        for name in crate::config::names::NAMES {
            let key = key_of(name);
            let hint = no_such_setting("login", &key, &Value::from(1));
            assert!(hint.ends_with(&format!("did you mean `{key}`?")), "{hint}");
        }
    }

    #[test]
    fn every_mistake_is_found_and_the_rest_is_still_read() {
        let (settings, errors) = login(
            r#"
            audience = "shop"
            loader_timeout = "soon"
            remember_cookie_secure = "yes"
            revocation_capacity = -1
            session_protection = "paranoid"
            session_cookie_samesite = "loose"
            exempt_methods = ["FETCH"]
            trusted_proxies = "10.0.0.0/8"
            mount_login_views = { "/admin" = 1 }
            "#,
        );
        assert_eq!(settings.audience.as_deref(), Some("shop"));
        let names: Vec<_> = errors
            .iter()
            .map(|e| e.split('`').nth(1).unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "login.exempt_methods.0",
                "login.loader_timeout",
                "login.mount_login_views./admin",
                "login.remember_cookie_secure",
                "login.revocation_capacity",
                "login.session_cookie_samesite",
                "login.session_protection",
                "login.trusted_proxies",
            ]
        );
    }

    #[test]
    fn a_misshapen_key_is_refused_without_being_shown() {
        for line in [
            "secret_key = 8675309",
            "secret_key = 86753.09",
            "secret_key = true",
            "secret_key = [8675309]",
            "secret_key_fallbacks = 8675309",
            "secret_key_fallbacks = \"8675309\"",
            "secret_key_fallbacks = [8675309]",
            "secret_key_fallbacks = { \"8675309\" = \"8675309\" }",
        ] {
            let (_, errors) = login(line);
            assert_eq!(errors.len(), 1, "{line}");
            let error = errors.concat();
            assert!(error.starts_with("`login.secret_key"), "{error}");
            assert!(error.contains("a list of bytes"), "{error}");
            assert!(
                !error.contains("8675309") && !error.contains("86753.09"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_missing_table_has_no_settings_and_another_value_is_refused() {
        assert_eq!(read("").1, [""; 0]);
        assert_eq!(login("").1, [""; 0]);
        let (_, errors) = read("[default]\nlogin = 5");
        assert!(
            errors.concat().starts_with("`login`: is not a table"),
            "{errors:?}"
        );
    }

    #[test]
    fn the_first_of_two_beats_the_second_field_by_field() {
        let (file, _) = login("audience = \"file\"\nlogin_view = \"/login\"");
        let builder = Settings {
            audience: Some("builder".to_owned()),
            ..Settings::default()
        };
        let settings = builder.or(file);
        assert_eq!(settings.audience.as_deref(), Some("builder"));
        assert_eq!(settings.login_view.as_deref(), Some("/login"));
    }

    #[test]
    fn the_settings_of_the_store_have_a_table_of_their_own() {
        let (settings, errors) = read(
            r#"
            [default.login.store]
            url = "redis://:hunter2@127.0.0.1"
            max_staleness = "1500ms"
            on_stale = "serve for 5m"
            on_loss = "end everybody"
            "#,
        );
        assert_eq!(errors, [""; 0]);
        let url = settings.store_url.unwrap();
        assert_eq!(url.0, "redis://:hunter2@127.0.0.1");
        assert_eq!(format!("{url:?}"), "[redacted]");
        assert_eq!(
            settings.store_max_staleness,
            Some(Duration::from_millis(1_500))
        );
        let minutes = Duration::from_secs(300);
        assert_eq!(settings.store_on_stale, Some(OnStale::ServeFor(minutes)));
        assert_eq!(settings.store_on_loss, Some(OnLoss::EndEverybody));
        for (line, error) in [
            (
                "store = 5",
                "`login.store`: is not a table; write `[default.login.store]`",
            ),
            (
                "store = { ulr = \"\" }",
                "`login.store.ulr`: there is no such setting; did you mean `store.url`?",
            ),
            (
                "store_url = \"\"",
                "`login.store_url`: there is no such setting; did you mean `store.url`?",
            ),
            (
                "store = { on_stale = \"serve\" }",
                "`login.store.on_stale`: is not what can be done about an old copy",
            ),
            (
                "store = { on_loss = \"end\" }",
                "`login.store.on_loss`: `end` is not allowed; write one of `nothing`, `end everybody`",
            ),
            (
                "store = { key = 8675309 }",
                "`login.store.key`: a key is text in quotes",
            ),
        ] {
            let errors = login(line).1.concat();
            assert!(errors.starts_with(error), "{errors}");
            assert!(!errors.contains("8675309"), "{errors}");
        }
    }

    #[test]
    fn debug_does_not_leak_a_key() {
        let (settings, errors) =
            login("secret_key = \"hunter2\"\nsecret_key_fallbacks = [\"hunter2\"]");
        assert_eq!(errors, [""; 0]);
        assert!(settings.secret_key.is_some());
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn a_realm_shares_all_settings_except_names_and_views() {
        let figment = Figment::from(("login.session_lifetime", 7_200))
            .merge(("login.session_cookie_name", "mine"))
            .merge(("login.login_view", "/login"))
            .merge(("login.fresh_lifetime", 60))
            .merge(("login.realms.staff.fresh_lifetime", 30));
        let mut report = Report::default();
        let staff = Settings::read(&figment, Some("staff"), &mut report);
        let all = Settings::read(&figment, None, &mut report);
        assert_eq!(report.errors, []);
        assert_eq!(staff.session_lifetime, Some(Duration::from_secs(7_200)));
        assert_eq!(staff.fresh_lifetime, Some(Duration::from_secs(30)));
        assert_eq!(all.fresh_lifetime, Some(Duration::from_secs(60)));
        assert_eq!((staff.session_cookie_name, staff.login_view), (None, None));
    }

    #[test]
    fn a_mistake_in_a_realm_is_named_with_it() {
        let figment = Figment::from(("login.realms.staff.fresh_lifetim", 30));
        let mut report = Report::default();
        Settings::read(&figment, Some("staff"), &mut report);
        let [error] = report.errors.as_slice() else {
            panic!("{:?}", report.errors)
        };
        let message = error.to_string();
        assert!(
            message.starts_with("`login.realms.staff.fresh_lifetim`: there is no such setting"),
            "{message}"
        );
    }
}
