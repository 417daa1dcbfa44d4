//! Pages to which browsers do not send the login cookies, because of the cookies' paths.

use super::{Config, CookieSpec};

impl Config {
    /// Returns a warning for each login cookie whose path does not cover all of these pages of the login.
    pub(crate) fn unreached(&self, pages: &[&str]) -> Vec<String> {
        let cookies = [
            (&self.session_cookie, "session_cookie_path"),
            (&self.remember_cookie, "remember_cookie_path"),
        ];
        let warning = |(cookie, setting): (&CookieSpec, &str)| {
            let mut missed = pages.iter().filter(|page| !is_covered(page, &cookie.path));
            let first = missed.next()?;
            let others = match missed.count() {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            Some(format!(
                "`login.{setting}` is `{}`, which does not cover `{first}`{others}, so nobody is logged in there; set it \
                 to `/`, or to a path above these pages",
                cookie.path
            ))
        };
        cookies.into_iter().filter_map(warning).collect()
    }
}

/// Whether browsers send a cookie of this path to a page (RFC 6265, section 5.1.4); a dynamic segment may be any text.
fn is_covered(page: &str, cookie_path: &str) -> bool {
    let mut page = page.split('/').skip(1);
    let mut wanted = cookie_path.trim_end_matches('/').split('/').skip(1);
    let mut is_any = false;
    let is_under = wanted.all(|segment| {
        let own = page.next();
        is_any |= own.is_some_and(|own| own.ends_with("..>"));
        is_any || own.is_some_and(|own| own == segment || own.starts_with('<'))
    });
    // The path `/app/` does not cover `/app`.
    is_under
        && (is_any || cookie_path == "/" || !cookie_path.ends_with('/') || page.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_covers_itself_and_what_is_below() {
        for (page, path, covered) in [
            ("/", "/", true),
            ("/app", "/", true),
            ("/app", "/app", true),
            ("/app/", "/app/", true),
            ("/app/x", "/app", true),
            ("/app/x", "/app/", true),
            ("/<lang>/x", "/app", true),
            ("/<path..>", "/app/deep", true),
            ("/app", "/app/", false),
            ("/application", "/app", false),
            ("/", "/app", false),
            ("/login", "/app", false),
            ("/app", "/app/deep", false),
            ("/App", "/app", false),
        ] {
            assert_eq!(is_covered(page, path), covered, "{page} {path}");
        }
    }
}
