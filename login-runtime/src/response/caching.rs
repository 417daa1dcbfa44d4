//! Caching of responses that depend on the user.

use rocket::Response;

/// How long a response that depends on the user may be kept, and by whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// By nobody: the response is a refusal, or it carries a login cookie.
    Never,
    /// By the user's own browser, if the application allows it.
    Privately,
}

/// Marks a response as private to one user.
///
/// The application may let the browser keep a page, by a `Cache-Control` with `private`. Everything else that it set for
/// caches is replaced.
pub(crate) fn keep_private(keep: Keep, res: &mut Response<'_>) {
    let said = Said::by(res);
    for name in &said.targeted {
        res.remove_header(name);
    }
    if keep == Keep::Never || !said.private || said.public {
        res.set_raw_header("Cache-Control", "private, no-store");
    }
    if !said.varies_by_cookie {
        res.adjoin_raw_header("Vary", "Cookie");
    }
}

/// What the application has said to caches.
#[derive(Default)]
struct Said {
    /// Whether a `Cache-Control` says `private`.
    private: bool,
    /// Whether a `Cache-Control` lets shared caches keep the response, or a part of it.
    public: bool,
    varies_by_cookie: bool,
    /// The headers that some caches follow instead of `Cache-Control`: those of RFC 9213, such as `CDN-Cache-Control`,
    /// and older ones.
    targeted: Vec<String>,
}

impl Said {
    /// Reads the headers in one pass: to look up the two that there may be would cost 1,000 instructions more.
    fn by(res: &Response<'_>) -> Self {
        let mut said = Said::default();
        res.headers().iter().for_each(|header| {
            let name = header.name.as_str();
            if name.eq_ignore_ascii_case("Cache-Control") {
                said.read(&header.value);
            } else if name.eq_ignore_ascii_case("Vary") {
                let mut names = header.value.split(',').map(str::trim);
                said.varies_by_cookie |=
                    names.any(|name| name == "*" || name.eq_ignore_ascii_case("Cookie"));
            } else if is_targeted(name) {
                said.targeted.push(name.to_owned());
            }
        });
        said
    }

    fn read(&mut self, directives: &str) {
        for directive in directives.split(',') {
            let directive = directive.trim().to_ascii_lowercase();
            self.private |= directive == "private";
            // `private="Set-Cookie"` is about one header only, and lets shared caches keep the rest.
            self.public |= directive.contains('"')
                || directive.starts_with("s-maxage")
                || directive == "public";
        }
    }
}

fn is_targeted(name: &str) -> bool {
    const OLDER: [&str; 3] = ["Surrogate-Control", "X-Accel-Expires", "Edge-Control"];
    name.len()
        .checked_sub("-Cache-Control".len())
        .and_then(|at| name.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case("-Cache-Control"))
        || OLDER.iter().any(|older| name.eq_ignore_ascii_case(older))
}
