//! Login views: the pages to which people are redirected to log in.

use std::collections::BTreeMap;

use rocket::http::uri::Absolute;

use super::error::Check;
use super::{Config, host};
use crate::redirect::local::{self, is_under, path_of, same_path};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// A path of this site.
    Local(String),
    /// An http(s) URL, usually of another site.
    External(String),
}

impl View {
    fn parse(text: String) -> Result<Self, String> {
        if local::is_local(&text) {
            return Ok(Self::Local(text));
        }
        if is_web_url(&text) {
            return Ok(Self::External(text));
        }
        Err(format!(
            "`{}` is neither a path of this site, such as `/login`, nor an http(s) URL; set one of these",
            text.escape_debug()
        ))
    }
}

impl Config {
    /// Returns the login view for a path: the one of the longest mount point that contains it, or else the manager's.
    pub(crate) fn login_view_of(&self, path: &str) -> Option<&View> {
        self.mount_login_views
            .iter()
            .find(|(base, _)| is_under(path, base))
            .map(|(_, view)| view)
            .or(self.login_view.as_ref())
    }

    /// Whether a path is a login or refresh page, to which `next` must not lead.
    pub(crate) fn is_login_path(&self, target: &str) -> bool {
        self.login_paths()
            .any(|path| same_path(path, path_of(target)))
    }

    pub(crate) fn login_paths(&self) -> impl Iterator<Item = &str> {
        let mounted = self.mount_login_views.iter().map(|(_, view)| view);
        self.login_view
            .iter()
            .chain(&self.refresh_view)
            .chain(mounted)
            .filter_map(|view| match view {
                View::Local(path) => Some(path_of(path)),
                View::External(_) => None,
            })
    }
}

/// Checks a single view.
pub(super) fn checked(given: Option<String>, check: &mut Check<'_>) -> Option<View> {
    View::parse(given?)
        .map_err(|mistake| check.mistake(mistake))
        .ok()
}

/// Checks the views of single mount points, and sorts them by the length of the base, longest first.
pub(super) fn mounted(
    views: BTreeMap<String, String>,
    check: &mut Check<'_>,
) -> Vec<(String, View)> {
    let mut mounted = Vec::new();
    for (base, view) in views {
        let part = base.escape_debug().to_string();
        if !is_base(&base) {
            check.mistake_in(
                &part,
                "is not a mount point; write a path, such as `/admin`, without a query",
            );
            continue;
        }
        match View::parse(view) {
            Ok(view) => mounted.push((base, view)),
            Err(mistake) => check.mistake_in(&part, mistake),
        }
    }
    mounted.sort_by_key(|(base, _)| std::cmp::Reverse(base.len()));
    mounted
}

fn is_base(base: &str) -> bool {
    local::is_local(base) && !base.contains('?')
}

fn is_web_url(text: &str) -> bool {
    Absolute::parse(text).is_ok_and(|url| {
        let scheme = url.scheme();
        (scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
            && url
                .authority()
                .is_some_and(|authority| host::is_host_and_port(&authority.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::error::Report;
    use super::*;

    fn view(text: &str) -> Option<View> {
        View::parse(text.to_owned()).ok()
    }

    #[test]
    fn a_view_is_a_local_path_or_a_web_url() {
        assert_eq!(
            view("/login?x=1"),
            Some(View::Local("/login?x=1".to_owned()))
        );
        for url in [
            "https://sso.example/login?app=a",
            "http://localhost:8001/",
            "HTTPS://sso.example",
        ] {
            assert_eq!(view(url), Some(View::External(url.to_owned())), "{url}");
        }
    }

    #[test]
    fn anything_else_is_not_a_view() {
        for text in [
            "",
            "login",
            "//evil.com",
            "/\\evil.com",
            "https:evil.com",
            "https://",
            "https://user@sso.example/",
            "ftp://sso.example",
            "javascript:alert(1)",
            "https://sso.example/\r\nx",
            "https://sso.example/é",
            "https://sso .example",
            "https://sso.example/\\x",
        ] {
            assert_eq!(view(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_longest_base_comes_first() {
        let views = ["/", "/admin/deep", "/admin"].map(|base| (base.to_owned(), "/l".to_owned()));
        let mut report = Report::default();
        let bases: Vec<_> = mounted(views.into(), &mut report.on("mount_login_views"))
            .into_iter()
            .map(|(base, _)| base)
            .collect();
        assert_eq!(bases, ["/admin/deep", "/admin", "/"]);
        assert_eq!(report.errors, []);
    }

    #[test]
    fn a_base_that_rocket_would_not_mount_is_refused() {
        for base in ["", "admin", "//x", "/a?b"] {
            let mut report = Report::default();
            let views = [(base.to_owned(), "/login".to_owned())].into();
            assert_eq!(
                mounted(views, &mut report.on("mount_login_views")),
                [],
                "{base:?}"
            );
            assert_eq!(report.errors.len(), 1, "{base:?}");
        }
    }
}
