//! The names and attributes of the cookies, and the rules that they must follow.

use rocket::http::SameSite;

use super::check::is_token;
use super::error::Report;
use super::settings::Values;
use super::{Site, host};

const HOST_PREFIX: &str = "__Host-";
pub(super) const SECURE_PREFIX: &str = "__Secure-";
const MAX_NAME: usize = 128;

/// The session cookie, the remember cookie and the `next` cookie.
pub(super) struct Cookies {
    pub(super) session: CookieSpec,
    pub(super) remember: CookieSpec,
    pub(super) next: CookieSpec,
}

impl Cookies {
    pub(super) fn checked(
        values: &Values,
        realm: Option<&str>,
        site: &Site,
        report: &mut Report,
    ) -> Self {
        const TAKEN: &str = "is the name of another login cookie; choose another";

        let of_realm = |name: &str, setting: &str, value: &String, report: &Report| match realm {
            Some(realm) if !report.is_given(setting) => format!("{realm}_{name}"),
            _ => value.clone(),
        };
        let session_name = of_realm(
            "session",
            "session_cookie_name",
            &values.session_cookie_name,
            report,
        );
        let remember_name = of_realm(
            "remember_token",
            "remember_cookie_name",
            &values.remember_cookie_name,
            report,
        );
        let next_name = format!("{}_next", realm.unwrap_or("login"));
        if session_name == remember_name || remember_name == next_name {
            report.mistake("remember_cookie_name", TAKEN);
        }
        if session_name == next_name {
            report.mistake("session_cookie_name", TAKEN);
        }

        let insecure_allowed = site.debug || values.insecure_cookies;
        let secure = site.tls || !insecure_allowed;
        let session = CookieSpec {
            name: session_name,
            domain: values.session_cookie_domain.clone(),
            path: values.session_cookie_path.clone(),
            secure: values.session_cookie_secure.unwrap_or(secure),
            http_only: true,
            same_site: values.session_cookie_samesite,
            partitioned: values.partitioned_cookies,
        };
        let remember = CookieSpec {
            name: remember_name,
            domain: values.remember_cookie_domain.clone(),
            path: values.remember_cookie_path.clone(),
            secure: values.remember_cookie_secure.unwrap_or(secure),
            http_only: values.remember_cookie_httponly,
            same_site: values.remember_cookie_samesite,
            partitioned: values.partitioned_cookies,
        };
        let session = session.checked("session_cookie", insecure_allowed, report);
        let remember = remember.checked("remember_cookie", insecure_allowed, report);
        if values.partitioned_cookies
            && ![&session, &remember]
                .iter()
                .all(|cookie| cookie.secure && cookie.same_site == SameSite::None)
        {
            report.mistake(
                "partitioned_cookies",
                "requires Secure cookies with `SameSite=None`, otherwise no frame of another site sends them; serve over \
                 HTTPS, and set `login.session_cookie_samesite` and `login.remember_cookie_samesite` to `none`",
            );
        }
        Self {
            next: session.named(&next_name),
            session,
            remember,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieSpec {
    /// Includes the prefix, if the cookie has one.
    pub(crate) name: String,
    pub(crate) domain: Option<String>,
    pub(crate) path: String,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: SameSite,
    /// Whether browsers keep one for each site that shows this one in a frame (CHIPS).
    pub(crate) partitioned: bool,
}

impl CookieSpec {
    /// Checks the settings of one cookie; `kind` is the start of their names, such as `session_cookie`.
    pub(super) fn checked(self, kind: &str, insecure_allowed: bool, report: &mut Report) -> Self {
        let mut wrong = |setting: &str, mistake: &str| {
            report.mistake(&format!("{kind}_{setting}"), mistake);
        };
        let domain = self
            .domain
            .map(|domain| domain.strip_prefix('.').unwrap_or(&domain).to_owned());

        if !is_name(&self.name) {
            wrong(
                "name",
                "is not a cookie's name; use 1 to 128 letters, digits, `-`, `_` or `.`; \
                 the prefix `__Host-` is added automatically",
            );
        }
        if domain
            .as_deref()
            .is_some_and(|domain| !host::is_name(domain))
        {
            wrong(
                "domain",
                "is not a host name; write one without scheme, port and path, such as `example.com`",
            );
        } else if domain.as_deref().is_some_and(host::is_public_suffix) {
            wrong(
                "domain",
                "is a single label or a public suffix, and browsers keep no cookie for such a domain; write your own, such as \
                 `example.com`, or leave it out",
            );
        }
        if !is_path(&self.path) {
            wrong(
                "path",
                "is not a cookie's path; it starts with `/` and has no `;`, space or control character",
            );
        }
        if self.same_site == SameSite::None && !self.secure {
            wrong(
                "samesite",
                "`None` requires a Secure cookie, otherwise browsers drop it; use `Lax`, or serve over HTTPS and set the \
                 cookie's `secure`",
            );
        }
        if !self.secure && !insecure_allowed {
            wrong(
                "secure",
                "`false` sends logins over plain HTTP; remove it, or, for a site without HTTPS, set only \
                 `login.insecure_cookies = true`",
            );
        }
        if !self.http_only && !insecure_allowed {
            wrong(
                "httponly",
                "`false` shows logins to every script; remove it, or allow this with `login.insecure_cookies = true` and, \
                 over HTTPS, `login.session_cookie_secure = true` and `login.remember_cookie_secure = true`",
            );
        }

        let name = self.name.clone();
        Self { domain, ..self }.named(&name)
    }

    /// Returns the same cookie with another name.
    ///
    /// Browsers accept a `__Host-` cookie only from this host, so no other host of the domain can plant one.
    pub(super) fn named(&self, name: &str) -> Self {
        let host_only = self.secure && self.path == "/" && self.domain.is_none();
        let prefix = if host_only { HOST_PREFIX } else { "" };
        Self {
            name: format!("{prefix}{name}"),
            ..self.clone()
        }
    }
}

/// Whether a text is a token of RFC 6265; without `%`, because Rocket's jar would decode it.
fn is_name(name: &str) -> bool {
    let is_prefixed = [HOST_PREFIX, SECURE_PREFIX].into_iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    name.len() <= MAX_NAME && is_token(name) && !name.contains('%') && !is_prefixed
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> CookieSpec {
        CookieSpec {
            name: "sid".to_owned(),
            domain: None,
            path: "/".to_owned(),
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
        }
    }

    fn errors(spec: CookieSpec, insecure_allowed: bool) -> Vec<String> {
        let mut report = Report::default();
        spec.checked("session_cookie", insecure_allowed, &mut report);
        report.errors.iter().map(ToString::to_string).collect()
    }

    fn name(spec: CookieSpec) -> String {
        let mut report = Report::default();
        let spec = spec.checked("session_cookie", true, &mut report);
        assert_eq!(report.errors, []);
        spec.name
    }

    #[test]
    fn only_a_secure_cookie_of_this_host_and_every_path_is_prefixed() {
        assert_eq!(name(cookie()), "__Host-sid");
        assert_eq!(
            name(CookieSpec {
                secure: false,
                ..cookie()
            }),
            "sid"
        );
        let path = "/app".to_owned();
        assert_eq!(name(CookieSpec { path, ..cookie() }), "sid");
        let domain = Some("example.com".to_owned());
        assert_eq!(name(CookieSpec { domain, ..cookie() }), "sid");
        assert_eq!(cookie().named("other").name, "__Host-other");
    }

    #[test]
    fn a_leading_dot_of_the_domain_is_dropped() {
        let domain = Some(".example.com".to_owned());
        let mut report = Report::default();
        let spec = CookieSpec { domain, ..cookie() }.checked("session_cookie", true, &mut report);
        assert_eq!(spec.domain.as_deref(), Some("example.com"));
        assert_eq!(report.errors, []);
    }

    #[test]
    fn a_name_that_is_not_a_token_or_has_a_prefix_is_refused() {
        for name in [
            "",
            "a b",
            "a=b",
            "a;b",
            "sïd",
            "\u{a0}sid",
            "a\r\nb",
            "%73id",
            "__Host-sid",
            "__host-sid",
            "__SECURE-sid",
            &"a".repeat(129),
        ] {
            let errors = errors(
                CookieSpec {
                    name: name.to_owned(),
                    ..cookie()
                },
                true,
            );
            assert_eq!(errors.len(), 1, "{name:?}");
            assert!(
                errors.concat().starts_with("`login.session_cookie_name`"),
                "{errors:?}"
            );
        }
    }

    #[test]
    fn domain_and_path_cannot_carry_attributes() {
        for domain in ["", ".", "a;Path=/x", "a b", "https://a", "a\r\nb", "a:80"] {
            let domain = Some(domain.to_owned());
            let errors = errors(CookieSpec { domain, ..cookie() }, true);
            assert!(
                errors.concat().starts_with("`login.session_cookie_domain`"),
                "{errors:?}"
            );
        }
        for path in ["", "app", "/;Secure", "/a\nb", "/a b", "/é", "/\u{7f}"] {
            let errors = errors(
                CookieSpec {
                    path: path.to_owned(),
                    ..cookie()
                },
                true,
            );
            assert!(
                errors.concat().starts_with("`login.session_cookie_path`"),
                "{errors:?}"
            );
        }
    }

    #[test]
    fn a_public_suffix_is_refused_as_a_domain() {
        for domain in ["com", "localhost", ".com", "example", "co.uk", ".github.io"] {
            let domain = Some(domain.to_owned());
            let errors = errors(CookieSpec { domain, ..cookie() }, true);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors.concat().contains("single label"), "{errors:?}");
        }
    }

    #[test]
    fn same_site_none_needs_secure_even_where_insecure_cookies_are_allowed() {
        let same_site = SameSite::None;
        assert_eq!(
            errors(
                CookieSpec {
                    same_site,
                    ..cookie()
                },
                false
            ),
            [""; 0]
        );
        let errors = errors(
            CookieSpec {
                same_site,
                secure: false,
                ..cookie()
            },
            true,
        );
        assert!(
            errors
                .concat()
                .starts_with("`login.session_cookie_samesite`"),
            "{errors:?}"
        );
    }

    #[test]
    fn insecure_attributes_need_the_switch() {
        let insecure = CookieSpec {
            secure: false,
            http_only: false,
            ..cookie()
        };
        assert_eq!(errors(insecure.clone(), true), [""; 0]);
        let errors = errors(insecure, false);
        assert_eq!(errors.len(), 2);
        assert!(
            errors.iter().all(|e| e.contains("login.insecure_cookies")),
            "{errors:?}"
        );
    }
}
