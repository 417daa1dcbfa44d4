//! Login views: the pages to which people are redirected to log in.

use std::collections::BTreeMap;
use std::fmt;

use rocket::http::uri::{Absolute, Host};
use serde::de::{self, Deserialize, Deserializer};

use super::error::Check;
use super::{Config, host};
use crate::redirect::local::{self, is_under, path_of, same_path};
use crate::request::cross_site::WebOrigin;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// A path of this site, with a query and a fragment if it has them.
    Local(String),
    /// An http(s) URL, usually of another site.
    External(WebUrl),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebUrl {
    url: String,
    origin: WebOrigin,
    path: String,
}

impl View {
    fn parse(text: String) -> Result<Self, String> {
        let (page, fragment) = text.split_once('#').unwrap_or((&text, ""));
        let is_plain = fragment.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain && local::is_local(page) {
            return Ok(Self::Local(text));
        }
        if is_plain && let Some((origin, path)) = web_url(page) {
            return Ok(Self::External(WebUrl {
                origin,
                path,
                url: text,
            }));
        }
        Err(format!(
            "`{}` is neither a path of this site, such as `/login`, nor an http(s) URL; set one of these",
            text.escape_debug()
        ))
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Local(view) => view,
            Self::External(view) => &view.url,
        }
    }

    /// Returns the view's path, if the view is a page of this site, whose host is that of the request.
    ///
    /// A client may send any `Host`. It is compared with the host in the configuration and never written.
    pub(crate) fn path_here(&self, host: Option<&Host<'_>>, https: Option<bool>) -> Option<&str> {
        match self {
            Self::Local(view) => Some(path_of(view)),
            Self::External(view) => {
                let host = host.map(ToString::to_string);
                view.origin
                    .is_at(host.as_deref(), https)
                    .then_some(&view.path)
            }
        }
    }
}

impl Config {
    /// Returns the login view for a path: the one of the longest mount point that contains it, or else the manager's.
    pub(crate) fn login_view_of(&self, path: &str) -> Option<&View> {
        match self.mounted_at(path) {
            Some(view) => view.as_ref(),
            None => self.login_view.as_ref(),
        }
    }

    /// Returns the refresh view for a path; there is none where there is no login view on purpose.
    pub(crate) fn refresh_view_of(&self, path: &str) -> Option<&View> {
        match self.mounted_at(path) {
            Some(None) => None,
            Some(Some(_)) | None => self.refresh_view.as_ref(),
        }
    }

    fn mounted_at(&self, path: &str) -> Option<&Option<View>> {
        let mut mounted = self.mount_login_views.iter();
        mounted
            .find(|(base, _)| is_under(path, base))
            .map(|(_, view)| view)
    }

    /// Whether a path is a login or refresh page, to which `next` must not lead.
    pub(crate) fn is_login_path(&self, target: &str, host: Option<&Host<'_>>) -> bool {
        self.login_paths(host)
            .any(|path| same_path(path, path_of(target)))
    }

    /// Returns the paths of the login and refresh pages on this site, whose host is that of the request.
    pub(crate) fn login_paths<'a>(
        &'a self,
        host: Option<&'a Host<'a>>,
    ) -> impl Iterator<Item = &'a str> {
        self.views()
            .filter_map(move |view| view.path_here(host, self.https))
    }

    pub(super) fn views(&self) -> impl Iterator<Item = &View> {
        let mounted = self.mount_login_views.iter().map(|(_, view)| view);
        mounted
            .chain([&self.login_view, &self.refresh_view])
            .flatten()
    }
}

/// The login page of a mount point as it is given: `false` in the configuration is no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MountView(pub(crate) Option<String>);

impl<'de> Deserialize<'de> for MountView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MountViewVisitor)
    }
}

struct MountViewVisitor;

impl de::Visitor<'_> for MountViewVisitor {
    type Value = MountView;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page or `false`")
    }

    fn visit_str<E: de::Error>(self, view: &str) -> Result<MountView, E> {
        Ok(MountView(Some(view.to_owned())))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<MountView, E> {
        if value {
            return Err(E::invalid_value(de::Unexpected::Bool(value), &self));
        }
        Ok(MountView(None))
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
    views: BTreeMap<String, MountView>,
    check: &mut Check<'_>,
) -> Vec<(String, Option<View>)> {
    let mut mounted = Vec::new();
    for (base, MountView(view)) in views {
        let part = base.escape_debug().to_string();
        if !is_base(&base) {
            check.mistake_in(
                &part,
                "is not a mount point; write a path, such as `/admin`, without a query",
            );
            continue;
        }
        match view.map(View::parse).transpose() {
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

/// The origin and the path of an http(s) URL; `None` for any other text.
fn web_url(text: &str) -> Option<(WebOrigin, String)> {
    let url = Absolute::parse(text).ok()?;
    let authority = url.authority()?.to_string();
    if !host::is_host_and_port(&authority) {
        return None;
    }
    let origin = format!("{}://{authority}", url.scheme()).parse().ok()?;
    Some((origin, url.path().to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::error::Report;
    use rocket::http::uri::Authority;

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
        assert_eq!(
            view("/login?x=1#a/b?c"),
            Some(View::Local("/login?x=1#a/b?c".to_owned()))
        );
        for url in [
            "https://sso.example/login?app=a",
            "https://sso.example/login#form",
            "http://localhost:8001/",
            "HTTPS://sso.example",
        ] {
            let view = view(url).expect(url);
            assert!(matches!(view, View::External(_)), "{url}");
            assert_eq!(view.as_str(), url);
        }
    }

    #[test]
    fn a_view_is_here_if_it_names_no_other_host() {
        let here = |text, host: Option<&str>, https| {
            let view = view(text).expect(text);
            let host = host.and_then(|host| Authority::parse(host).ok());
            let host = host.map(Host::new);
            view.path_here(host.as_ref(), https).map(str::to_owned)
        };
        let login = Some("/login".to_owned());
        for host in [None, Some("app.example"), Some("evil.example")] {
            assert_eq!(here("/login?x#y", host, None), login);
        }
        let own = "http://app.example/login?x#y";
        for host in ["app.example", "APP.example", "app.example:80"] {
            assert_eq!(here(own, Some(host), None), login, "{host}");
            assert_eq!(here(own, Some(host), Some(true)), None, "{host}");
        }
        for host in [None, Some("app.example:81"), Some("evil.example"), Some("")] {
            assert_eq!(here(own, host, None), None, "{host:?}");
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
            "/login#a b",
            "/login#é",
            "//evil.com#x",
            "https://sso.example/#\r\nx",
        ] {
            assert_eq!(view(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_longest_base_comes_first() {
        let views = ["/", "/admin/deep", "/admin"]
            .map(|base| (base.to_owned(), MountView(Some("/l".to_owned()))));
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
            let views = [(base.to_owned(), MountView(None))].into();
            assert_eq!(
                mounted(views, &mut report.on("mount_login_views")),
                [],
                "{base:?}"
            );
            assert_eq!(report.errors.len(), 1, "{base:?}");
        }
    }
}
