//! What may be set: in Rocket's configuration under `login`, and by the builder's methods.

use std::collections::BTreeMap;
use std::time::Duration;

use rocket::figment::error::{Error, Kind};
use rocket::figment::value::{Dict, Value};
use rocket::figment::{Figment, Metadata};
use rocket::http::{Method, SameSite};
use serde::de::{Deserialize, Deserializer, Error as _, Unexpected};

use super::duration::{self, IdleTimeout};
use super::error::{LaunchError, Report};
use super::secret::{KEY_FORM, KeyInput};
use super::{ProtectionAddress, SessionProtection, UnguardedRoutes};
use crate::request::cross_site::CrossSiteProtection;

macro_rules! settings {
    ($( $(#[$attribute:meta])* $name:ident: $type:ty, )*) => {
        /// Every setting, as far as it was given; `Config` has the defaults.
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct Settings {
            $( $(#[$attribute])* pub(crate) $name: Option<$type>, )*
        }

        impl Settings {
            /// These settings, and the others' where these give none.
            pub(super) fn or(self, others: Self) -> Self {
                Self { $( $name: self.$name.or(others.$name), )* }
            }
        }
    };
}

settings! {
    secret_key: KeyInput,
    secret_key_fallbacks: Vec<KeyInput>,
    audience: String,

    session_cookie_name: String,
    session_cookie_domain: String,
    session_cookie_path: String,
    session_cookie_secure: bool,
    #[serde(deserialize_with = "same_site")]
    session_cookie_samesite: SameSite,
    #[serde(deserialize_with = "duration::deserialize")]
    session_lifetime: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    permanent_session_lifetime: Duration,
    session_idle_timeout: IdleTimeout,
    #[serde(deserialize_with = "duration::deserialize")]
    fresh_lifetime: Duration,

    remember_cookie_name: String,
    #[serde(deserialize_with = "duration::deserialize")]
    remember_cookie_duration: Duration,
    remember_cookie_domain: String,
    remember_cookie_path: String,
    remember_cookie_secure: bool,
    remember_cookie_httponly: bool,
    #[serde(deserialize_with = "same_site")]
    remember_cookie_samesite: SameSite,
    remember_cookie_refresh_each_request: bool,

    session_protection: SessionProtection,
    session_protection_address: ProtectionAddress,
    trusted_proxies: Vec<String>,
    proxy_header: String,

    login_view: String,
    mount_login_views: BTreeMap<String, String>,
    refresh_view: String,
    login_message: String,
    login_message_category: String,
    needs_refresh_message: String,
    needs_refresh_message_category: String,
    use_session_for_next: bool,
    force_host_for_redirects: String,

    exempt_methods: Vec<Method>,
    cross_site_protection: CrossSiteProtection,
    trusted_origins: Vec<String>,
    unguarded_routes: UnguardedRoutes,
    clear_site_data: bool,
    insecure_cookies: bool,
    #[serde(deserialize_with = "duration::deserialize")]
    loader_timeout: Duration,
    revocation_capacity: usize,
}

impl Settings {
    /// The settings under `login`; for a realm those under `login.realms.NAME`, over what it shares
    /// with the others.
    pub(super) fn read(figment: &Figment, realm: Option<&str>, report: &mut Report) -> Self {
        let shared = Self::read_table(figment, "login", report);
        if let Ok(value) = figment.find_value(&format!("login.{REALMS}"))
            && value.as_dict().is_none()
        {
            report.mistake(
                format!("login.{REALMS}"),
                "is not a table; write `[default.login.realms.NAME]` in Rocket.toml",
            );
        }
        match realm {
            None => shared,
            Some(realm) => {
                let table = format!("login.{REALMS}.{realm}");
                Self::read_table(figment, &table, report).or(shared.without_own())
            }
        }
    }

    /// What every realm has of its own: cookie names and views.
    fn without_own(self) -> Self {
        Self {
            session_cookie_name: None,
            remember_cookie_name: None,
            login_view: None,
            mount_login_views: None,
            refresh_view: None,
            ..self
        }
    }

    /// Read one by one, so that every mistake is found and not only serde's first.
    fn read_table(figment: &Figment, key: &str, report: &mut Report) -> Self {
        let table = match figment.find_value(key) {
            Ok(Value::Dict(_, table)) => table,
            Ok(_) => {
                report.mistake(
                    key,
                    format!("is not a table; write `[default.{key}]` in Rocket.toml"),
                );
                return Self::default();
            }
            Err(error) => {
                if !error.missing() {
                    report.mistake(key, "cannot be read, since Rocket's configuration cannot");
                }
                return Self::default();
            }
        };
        table
            .into_iter()
            .filter(|(name, _)| key != "login" || name != REALMS)
            .fold(Self::default(), |settings, (name, value)| {
                let source = figment.get_metadata(value.tag());
                match Value::from(Dict::from([(name.clone(), value)])).deserialize() {
                    Ok(setting) => settings.or(setting),
                    Err(error) => {
                        let error = unreadable(key, &name, &error, source);
                        report.errors.push(error);
                        settings
                    }
                }
            })
    }
}

/// The names of the realms that the configuration knows.
pub(crate) fn realms(figment: &Figment) -> Vec<String> {
    match figment.find_value(&format!("login.{REALMS}")) {
        Ok(Value::Dict(_, realms)) => realms.into_keys().collect(),
        _ => Vec::new(),
    }
}

const REALMS: &str = "realms";

fn unreadable(key: &str, name: &str, error: &Error, source: Option<&Metadata>) -> LaunchError {
    let mistake = match &error.kind {
        Kind::UnknownField(_, known) => {
            format!("there is no such setting; there are {}", known.join(", "))
        }
        // serde's message would show the value.
        _ if name.starts_with("secret_key") => KEY_FORM.to_owned(),
        kind => kind.to_string(),
    };
    let source = source.map_or_else(String::new, |metadata| match &metadata.source {
        Some(source) => format!(" (in {} {source})", metadata.name),
        None => format!(" (in {})", metadata.name),
    });
    LaunchError::new(format!("{key}.{}", error.path.join(".")), mistake + &source)
}

fn same_site<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SameSite>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.to_ascii_lowercase().as_str() {
        "strict" => Ok(Some(SameSite::Strict)),
        "lax" => Ok(Some(SameSite::Lax)),
        "none" => Ok(Some(SameSite::None)),
        _ => Err(D::Error::invalid_value(
            Unexpected::Str(&text),
            &"`Strict`, `Lax` or `None`",
        )),
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
            mount_login_views = { "/admin" = "/admin/login" }
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
        assert_eq!(
            settings.mount_login_views.unwrap().get("/admin").unwrap(),
            "/admin/login"
        );
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
    fn the_environments_form_is_read_as_well() {
        // As `ROCKET_LOGIN={..}` is parsed.
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
    fn an_unknown_key_is_named_in_full_with_the_known_ones_and_its_source() {
        let (_, errors) = login("remember_cookie_duraton = 5");
        let error = errors.concat();
        assert!(
            error.starts_with("`login.remember_cookie_duraton`: there is no such setting"),
            "{error}"
        );
        assert!(error.contains(", remember_cookie_duration, "), "{error}");
        assert!(error.ends_with("(in TOML source string)"), "{error}");
    }

    #[test]
    fn every_mistake_is_found_and_the_rest_still_read() {
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
    fn no_table_is_no_settings_and_another_value_is_refused() {
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
    fn debug_does_not_leak_a_key() {
        let (settings, errors) =
            login("secret_key = \"hunter2\"\nsecret_key_fallbacks = [\"hunter2\"]");
        assert_eq!(errors, [""; 0]);
        assert!(settings.secret_key.is_some());
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn a_realm_has_what_all_have_but_for_names_and_views() {
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
        assert_eq!(realms(&figment), ["staff"]);
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
