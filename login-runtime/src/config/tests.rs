//! The rules of `Config` as a whole; the rules of single settings are tested beside their code.

#![allow(clippy::unwrap_used, clippy::panic)]

use rocket::figment::Provider;
use rocket::figment::providers::{Format as _, Toml};
use rocket::http::SameSite;
use serde::Serialize;

use super::*;

const KEY: &str = "dGhlIGZpcnN0IG9mIGZpdmUga2V5cyBmb3IgdGVzdHM=";

/// The crate of this test.
const THIS: &str = "login_runtime";

fn debug() -> Figment {
    Figment::from(rocket::Config::debug_default())
}

fn release() -> Figment {
    Figment::from(rocket::Config::release_default())
        .select("release")
        .merge(("login.secret_key", KEY))
}

fn new(figment: &Figment) -> Result<(Config, Vec<String>), Vec<LaunchError>> {
    Config::new(Settings::default(), figment, None, THIS)
}

fn with(setting: &str, value: impl Serialize) -> Config {
    new(&release().merge((format!("login.{setting}"), value)))
        .unwrap()
        .0
}

fn mistakes_in(provider: impl Provider) -> Vec<String> {
    let errors = new(&release().merge(provider)).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

/// Returns the only mistake that this value of a setting makes.
fn mistake(setting: &str, value: impl Serialize) -> String {
    let found = mistakes_in((format!("login.{setting}"), value));
    let [mistake] = found.as_slice() else {
        panic!("{setting}: {found:?}");
    };
    assert!(
        mistake.starts_with(&format!("`login.{setting}`: ")),
        "{mistake}"
    );
    mistake.clone()
}

#[test]
fn the_release_profile_has_the_defaults() {
    let (config, warnings) = new(&release()).unwrap();
    assert_eq!(warnings, [""; 0]);
    assert_eq!(config.secret_key, SecretKey::from_text(KEY).unwrap());
    assert_eq!(config.secret_key_fallbacks, []);
    assert_eq!(config.audience, THIS);
    let session = CookieSpec {
        name: "__Host-login_session".to_owned(),
        domain: None,
        path: "/".to_owned(),
        secure: true,
        http_only: true,
        same_site: SameSite::Lax,
        partitioned: false,
    };
    let named = |name: &str| CookieSpec {
        name: name.to_owned(),
        ..session.clone()
    };
    assert_eq!(config.session_cookie, session);
    assert_eq!(config.remember_cookie, named("__Host-remember_token"));
    assert_eq!(config.next_cookie, named("__Host-login_next"));
    assert_eq!(config.session_lifetime, 86_400);
    assert_eq!(config.permanent_session_lifetime, 31 * 86_400);
    assert_eq!(config.session_idle_timeout, Some(3_600));
    assert_eq!(config.fresh_lifetime, None);
    assert_eq!(config.remember_cookie_duration, 365 * 86_400);
    assert!(!config.remember_cookie_refresh_each_request);
    assert_eq!(config.session_protection, SessionProtection::Basic);
    assert_eq!(config.session_protection_address, ProtectionAddress::Full);
    assert_eq!(config.trusted_proxies, []);
    assert_eq!(config.proxy_header, "X-Forwarded-For");
    assert_eq!(config.login_view, None);
    assert_eq!(config.mount_login_views, []);
    assert_eq!(config.refresh_view, None);
    assert_eq!(
        config.login_message.as_deref(),
        Some("Please log in to access this page.")
    );
    assert_eq!(config.login_message_category, "message");
    assert_eq!(
        config.needs_refresh_message.as_deref(),
        Some("Please reauthenticate to access this page.")
    );
    assert_eq!(config.needs_refresh_message_category, "message");
    assert!(!config.use_session_for_next);
    assert_eq!(config.force_host_for_redirects, None);
    assert_eq!(config.exempt_methods, []);
    assert_eq!(config.cross_site_protection, CrossSiteProtection::Standard);
    assert_eq!(config.trusted_origins, []);
    assert_eq!(config.https, Some(true));
    assert!(!config.clear_site_data);
    assert_eq!(config.loader_timeout, Duration::from_secs(5));
    assert_eq!(config.revocation_capacity, 1_000_000);
}

#[test]
fn the_debug_profile_makes_a_key_and_plain_cookies() {
    let (config, warnings) = new(&debug()).unwrap();
    assert_eq!(config.session_cookie.name, "login_session");
    assert_eq!(config.remember_cookie.name, "remember_token");
    assert_eq!(config.next_cookie.name, "login_next");
    assert!(!config.session_cookie.secure && !config.remember_cookie.secure);
    assert_eq!(config.https, None);
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings.concat().contains("`secret_key` is not set"),
        "{warnings:?}"
    );
}

#[test]
fn tls_makes_secure_cookies_in_the_debug_profile_too() {
    let site = Site {
        debug: true,
        tls: true,
        logs_cookies: false,
        program: None,
    };
    let mut report = Report::default();
    let config = Config::checked(
        Settings::default().or_default(),
        &debug(),
        None,
        THIS,
        &site,
        &mut report,
    )
    .unwrap();
    assert_eq!(config.session_cookie.name, "__Host-login_session");
    assert_eq!(config.https, Some(true));
    assert_eq!(report.errors, []);
}

#[test]
fn a_profile_other_than_debug_does_not_launch_without_a_key() {
    for profile in ["release", "staging", "default"] {
        let errors = new(&debug().select(profile)).unwrap_err();
        assert_eq!(errors.len(), 1, "{profile}");
        let error = errors.first().unwrap().to_string();
        assert!(error.starts_with("`secret_key`: is not set"), "{error}");
        assert!(error.contains("openssl rand -base64 32"), "{error}");
    }
}

#[test]
fn the_builder_overrides_the_file() {
    let builder = Settings {
        audience: Some("builder".to_owned()),
        session_idle_timeout: Some(IdleTimeout(None)),
        ..Settings::default()
    };
    let figment = release()
        .merge(("login.audience", "file"))
        .merge(("login.session_idle_timeout", "5m"))
        .merge(("login.login_message_category", "info"));
    let (config, _) = Config::new(builder, &figment, None, THIS).unwrap();
    assert_eq!(config.audience, "builder");
    assert_eq!(config.session_idle_timeout, None);
    assert_eq!(config.login_message_category, "info");
}

#[test]
fn every_mistake_is_reported_at_once_and_no_key_is_shown() {
    let figment = release()
        .merge(("login.secret_key", "hunter2"))
        .merge(("login.sekret_key", "hunter2"))
        .merge(("login.session_lifetime", "soon"))
        .merge(("login.audience", ""))
        .merge(("login.login_view", "//evil.com"))
        .merge(("login.revocation_capacity", 0));
    let errors: Vec<_> = new(&figment)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    for setting in [
        "secret_key",
        "sekret_key",
        "session_lifetime",
        "audience",
        "login_view",
        "revocation_capacity",
    ] {
        let start = format!("`login.{setting}`: ");
        assert!(
            errors.iter().any(|e| e.starts_with(&start)),
            "{setting}: {errors:?}"
        );
    }
    assert!(!errors.concat().contains("hunter2"), "{errors:?}");
}

#[test]
fn a_mistake_is_named_with_its_key_and_place() {
    let message = |builder, realm, toml: &str| {
        let figment = release().merge(Toml::string(toml));
        let errors = Config::new(builder, &figment, realm, THIS).unwrap_err();
        let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
        messages.join("\n")
    };
    let method = Settings {
        login_view: Some("login".to_owned()),
        ..Settings::default()
    };
    let path = "`login` is neither a path of this site, such as `/login`, nor an http(s) URL; set one of these";
    assert_eq!(
        message(method.clone(), None, "login.login_view = '/login'"),
        format!("`login.login_view`: {path} (set by a method of `LoginManager`)")
    );
    assert_eq!(
        message(Settings::default(), None, "login.login_view = 'login'"),
        format!("`login.login_view`: {path} (in TOML source string)")
    );
    assert_eq!(
        message(
            Settings::default(),
            Some("staff"),
            "login.realms.staff.login_view = 'login'"
        ),
        format!("`login.realms.staff.login_view`: {path} (in TOML source string)")
    );
    assert_eq!(
        message(
            Settings::default(),
            Some("staff"),
            "login.realms.staff.secret_key = 5"
        ),
        format!(
            "`login.realms.staff.secret_key`: {} (in TOML source string)",
            secret::KEY_FORM
        )
    );
}

#[test]
fn lifetimes_are_bounded() {
    for setting in [
        "session_lifetime",
        "permanent_session_lifetime",
        "remember_cookie_duration",
    ] {
        mistake(setting, 0);
        mistake(setting, "999 ms");
        mistake(setting, u64::MAX);
        let mistake = mistake(setting, "401 days");
        let why = format!(
            "`login.{setting}`: 401 days is more than the 400 days that browsers keep a cookie; \
             set 400 days or less (in "
        );
        assert!(mistake.starts_with(&why), "{mistake}");
        with(setting, "400 days");
    }
}

#[test]
fn idle_timeout_and_freshness_lie_within_the_session() {
    for setting in ["session_idle_timeout", "fresh_lifetime"] {
        mistake(setting, 0);
        let mistake = mistake(setting, "25 h");
        assert!(mistake.contains("; set 1 day or less (in "), "{mistake}");
    }
    assert_eq!(
        with("session_idle_timeout", "24 h").session_idle_timeout,
        Some(86_400)
    );
    assert_eq!(with("fresh_lifetime", "24 h").fresh_lifetime, Some(86_400));
    assert_eq!(
        with("session_idle_timeout", false).session_idle_timeout,
        None
    );
}

#[test]
fn a_session_shorter_than_the_default_idle_timeout_is_no_mistake() {
    assert_eq!(
        with("session_lifetime", "10 m").session_idle_timeout,
        Some(600)
    );
}

#[test]
fn two_cookies_with_one_name_are_refused() {
    mistake("remember_cookie_name", "login_session");
    mistake("remember_cookie_name", "login_next");
    mistake("session_cookie_name", "login_next");
    let found = mistakes_in(("login.session_cookie_name", "remember_token"));
    assert!(
        found.concat().starts_with("`login.remember_cookie_name`"),
        "{found:?}"
    );
}

#[test]
fn outside_debug_insecure_cookies_need_the_switch() {
    for setting in [
        "session_cookie_secure",
        "remember_cookie_secure",
        "remember_cookie_httponly",
    ] {
        let mistake = mistake(setting, false);
        assert!(mistake.contains("login.insecure_cookies"), "{mistake}");
        let figment = release()
            .merge((format!("login.{setting}"), false))
            .merge(("login.insecure_cookies", true));
        assert!(new(&figment).is_ok(), "{setting}");
        assert!(new(&debug().merge((format!("login.{setting}"), false))).is_ok());
    }
    let plain = release()
        .merge(("login.insecure_cookies", true))
        .merge(("login.session_cookie_secure", false));
    assert_eq!(new(&plain).unwrap().0.https, None);
}

#[test]
fn insecure_cookies_alone_are_for_plain_http_unless_more_is_set() {
    let config = with("insecure_cookies", true);
    assert_eq!(config.session_cookie.name, "login_session");
    assert!(!config.session_cookie.secure && !config.remember_cookie.secure);
    assert!(config.remember_cookie.http_only);
    assert_eq!(config.https, None);
    let figment = release()
        .merge(("login.insecure_cookies", true))
        .merge(("login.session_cookie_secure", true));
    let (config, _) = new(&figment).unwrap();
    assert_eq!(config.https, Some(true));
    assert!(config.session_cookie.secure && !config.remember_cookie.secure);
}

#[test]
fn same_site_none_without_secure_is_refused_in_every_profile() {
    let figment = debug().merge(("login.remember_cookie_samesite", "none"));
    let errors = new(&figment).unwrap_err();
    assert!(
        errors
            .first()
            .unwrap()
            .to_string()
            .starts_with("`login.remember_cookie_samesite`")
    );
    let spec = with("remember_cookie_samesite", "NONE").remember_cookie;
    assert_eq!((spec.same_site, spec.secure), (SameSite::None, true));
}

#[test]
fn the_next_cookie_has_the_attributes_of_the_session_cookie() {
    let config = with("session_cookie_domain", ".example.com");
    assert_eq!(config.session_cookie.name, "login_session");
    assert_eq!(config.next_cookie.name, "login_next");
    assert_eq!(config.next_cookie.domain.as_deref(), Some("example.com"));
    assert_eq!(config.remember_cookie.name, "__Host-remember_token");
}

#[test]
fn proxies_are_networks_or_single_addresses() {
    let config = with(
        "trusted_proxies",
        [
            "10.0.0.0/8",
            "192.0.2.1",
            "::1",
            "fd00::/8",
            "::ffff:192.0.2.9",
            "::ffff:10.1.0.0/112",
        ],
    );
    let found: Vec<_> = config
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "10.0.0.0/8",
            "192.0.2.1/32",
            "::1/128",
            "fd00::/8",
            "192.0.2.9/32",
            "10.1.0.0/16"
        ]
    );
    for text in ["", "proxy", "10.0.0.0/33", "10.0.0.1:80", "*"] {
        mistake("trusted_proxies", [text]);
    }
}

#[test]
fn the_proxy_header_is_a_header_name() {
    assert_eq!(with("proxy_header", "X-Real-IP").proxy_header, "X-Real-IP");
    for name in ["", "X Real", "X:Y", "X\r\nY", "É"] {
        mistake("proxy_header", name);
    }
}

#[test]
fn a_redirect_host_is_checked() {
    let config = with("force_host_for_redirects", "example.com:8443");
    assert_eq!(
        config.force_host_for_redirects.as_deref(),
        Some("example.com:8443")
    );
    mistake("force_host_for_redirects", "https://example.com");
}

#[test]
fn views_are_checked_and_an_external_one_wants_a_host() {
    mistake("login_view", "login");
    mistake("refresh_view", "https:evil.com");
    let figment = release().merge(("login.login_view", "/login"));
    assert_eq!(new(&figment).unwrap().1, [""; 0]);
    for setting in ["login_view", "refresh_view", "mount_login_views./shop"] {
        let figment = release().merge((format!("login.{setting}"), "https://sso.example/"));
        let (_, warnings) = new(&figment).unwrap();
        assert!(
            warnings.concat().contains("force_host_for_redirects"),
            "{setting}"
        );
        let figment = figment.merge(("login.force_host_for_redirects", "example.com"));
        assert_eq!(new(&figment).unwrap().1, [""; 0], "{setting}");
    }
}

#[test]
fn an_empty_message_is_no_message() {
    assert_eq!(with("login_message", "").login_message, None);
    assert_eq!(
        with("needs_refresh_message", "").needs_refresh_message,
        None
    );
    assert_eq!(
        with("login_message", "Hi").login_message.as_deref(),
        Some("Hi")
    );
}

#[test]
fn a_program_is_named_like_its_crate() {
    for (path, name) in [
        ("/app/back-office", "back_office"),
        ("/deps/back_office-0123456789abcdef", "back_office"),
        ("shop.exe", "shop"),
        ("shop-v2", "shop_v2"),
        ("shop-0123", "shop_0123"),
    ] {
        assert_eq!(crate_of_program(Path::new(path)).as_deref(), Some(name));
    }
}

#[test]
fn a_user_type_of_another_crate_than_the_program_needs_an_audience() {
    let warnings = |figment: &Figment| {
        let config = Config::new(Settings::default(), figment, None, "models");
        config.unwrap().1.concat()
    };
    let warning = warnings(&release());
    for part in ["`login.audience`", "`models`", "`login_runtime`"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    assert_eq!(warnings(&release().merge(("login.audience", "models"))), "");
    // Its secret is of this process only, as a rule, and its programs are tests with names of their own.
    assert_eq!(warnings(&debug().merge(("login.secret_key", KEY))), "");
}

#[test]
fn trusted_origins_are_origins() {
    let config = with("trusted_origins", ["https://app.example"]);
    assert_eq!(
        config.trusted_origins,
        ["https://app.example".parse().unwrap()]
    );
    mistake("trusted_origins", ["app.example/path"]);
}

#[test]
fn the_other_bounds_are_kept() {
    mistake("audience", "");
    mistake("audience", "a".repeat(256));
    mistake("loader_timeout", 0);
    mistake("loader_timeout", "61 m");
    assert_eq!(
        with("loader_timeout", "250 ms").loader_timeout,
        Duration::from_millis(250)
    );
    mistake("revocation_capacity", 0);
    assert_eq!(with("revocation_capacity", 1).revocation_capacity, 1);
}

#[test]
fn debug_logs_cause_a_warning_outside_the_debug_profile() {
    let (_, warnings) = new(&release().merge(("log_level", "debug"))).unwrap();
    assert!(warnings.concat().contains("log_level"), "{warnings:?}");
    let figment = debug()
        .merge(("login.secret_key", KEY))
        .merge(("log_level", "debug"));
    assert_eq!(new(&figment).unwrap().1, [""; 0]);
}

#[test]
fn a_retired_key_may_not_be_the_current_one() {
    let found = mistakes_in(("login.secret_key_fallbacks", [KEY]));
    assert!(
        found.concat().starts_with("`login.secret_key_fallbacks.0`"),
        "{found:?}"
    );
}
