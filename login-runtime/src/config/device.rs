//! The settings of logins that are bound to a device.

use rocket::http::SameSite;

use super::cookie::{CookieSpec, SECURE_PREFIX};
use super::duration::{describe, minutes};
use super::enums::DeviceBinding;
use super::error::Report;
use super::settings::Values;

/// A browser signs only a few times in ten minutes, so a shorter life would log people out.
const SHORTEST: u64 = minutes(5).as_secs();
const LONGEST: u64 = minutes(60).as_secs();

/// The two routes, below the path of the settings.
#[cfg(feature = "device-binding")]
pub(crate) const REGISTER: &str = "/register";
#[cfg(feature = "device-binding")]
pub(crate) const REFRESH: &str = "/refresh";

/// How logins are bound to a device.
#[derive(Debug)]
pub(crate) struct DeviceConfig {
    /// Whether logins are bound at all.
    pub(crate) is_offered: bool,
    /// For how many seconds a bound session needs no new proof.
    #[cfg(feature = "device-binding")]
    pub(crate) lifetime: u64,
    /// Where the two routes are mounted.
    #[cfg(feature = "device-binding")]
    pub(crate) path: String,
    /// The cookie that says which key must prove the login.
    pub(crate) cookie: CookieSpec,
    /// The cookie with the latest session, for when the session cookie itself is gone.
    pub(crate) session_cookie: CookieSpec,
}

impl DeviceConfig {
    pub(super) fn checked(
        values: &Values,
        session: &CookieSpec,
        realm: Option<&str>,
        report: &mut Report,
    ) -> Self {
        let path = match realm {
            Some(realm) if !report.is_given("device_binding_path") => format!("/{realm}-device"),
            _ => values.device_binding_path.clone(),
        };
        if !is_mount_point(&path) {
            report.mistake(
                "device_binding_path",
                "is not a path to mount routes at; write one of letters, digits, `-`, `_` and `/`, such as `/login-device`",
            );
        }
        let lifetime = values.device_binding_lifetime.as_secs();
        if !(SHORTEST..=LONGEST).contains(&lifetime) {
            report.mistake(
                "device_binding_lifetime",
                format!(
                    "{} is not between 5 minutes and an hour; browsers prove a login only a few times in ten minutes",
                    describe(lifetime)
                ),
            );
        }
        let name = realm.unwrap_or("login");
        let cookie = |purpose| CookieSpec {
            name: format!("{SECURE_PREFIX}{name}_{purpose}"),
            domain: None,
            path: path.clone(),
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
        };
        Self {
            is_offered: values.device_binding == DeviceBinding::Offer && can_bind(session, report),
            #[cfg(feature = "device-binding")]
            lifetime,
            cookie: cookie("device"),
            session_cookie: cookie("device_session"),
            #[cfg(feature = "device-binding")]
            path,
        }
    }
}

#[cfg(feature = "device-binding")]
impl DeviceConfig {
    /// The path of the route that registers a key.
    pub(crate) fn register_path(&self) -> String {
        format!("{}{REGISTER}", self.path)
    }

    /// The path of the route that proves a login again.
    pub(crate) fn refresh_path(&self) -> String {
        format!("{}{REFRESH}", self.path)
    }
}

/// Whether the session cookie can be bound to a device.
fn can_bind(session: &CookieSpec, report: &mut Report) -> bool {
    if cfg!(not(feature = "device-binding")) {
        report.mistake(
            "device_binding",
            "requires the feature `device-binding` of `rocket-login`: add it in Cargo.toml",
        );
    }
    if session.domain.is_some() || session.partitioned {
        report.mistake(
            "device_binding",
            "requires a session cookie for this host only: remove `login.session_cookie_domain` and \
             `login.partitioned_cookies`",
        );
    }
    if !session.secure {
        report.warning(
            "`login.device_binding` has no effect, because the session cookie is not Secure: browsers bind logins over \
             HTTPS only",
        );
    }
    session.secure
}

fn is_mount_point(path: &str) -> bool {
    let is_segment = |segment: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !segment.is_empty() && segment.bytes().all(is_plain)
    };
    path.strip_prefix('/')
        .is_some_and(|segments| segments.split('/').all(is_segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_plain_segments_is_a_mount_point() {
        for path in ["/login-device", "/a", "/a/b_c"] {
            assert!(is_mount_point(path), "{path}");
        }
        for path in [
            "", "/", "a", "/a/", "//a", "/<a>", "/a?b", "/a b", "/é", "/a\"", "/a;b",
        ] {
            assert!(!is_mount_point(path), "{path}");
        }
    }
}
