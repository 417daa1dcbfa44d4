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
    let set_by_application = remove_targeted(res);
    let replaced = if set_by_application && keep == Keep::Privately && is_private(res) {
        true
    } else {
        res.set_raw_header("Cache-Control", "private, no-store")
    };
    // Look for an existing `Vary: Cookie` only if the application set caching headers: a duplicate is harmless, and
    // cheaper than a header lookup.
    if !replaced || !varies_by_cookie(res) {
        res.adjoin_raw_header("Vary", "Cookie");
    }
}

/// Whether the application says `private`, and nothing to shared caches.
fn is_private(res: &Response<'_>) -> bool {
    let mut private = false;
    for directive in res
        .headers()
        .get("Cache-Control")
        .flat_map(|line| line.split(','))
    {
        let directive = directive.trim().to_ascii_lowercase();
        // `private="Set-Cookie"` is about one header only, and lets shared caches keep the rest.
        if directive.contains('"') || directive.starts_with("s-maxage") || directive == "public" {
            return false;
        }
        private |= directive == "private";
    }
    private
}

/// Removes the headers that some caches follow instead of `Cache-Control`: those of RFC 9213, such as
/// `CDN-Cache-Control`, and older ones. Returns whether there is a `Cache-Control`, because
/// another header lookup would cost more.
fn remove_targeted(res: &mut Response<'_>) -> bool {
    const OLDER: [&str; 3] = ["Surrogate-Control", "X-Accel-Expires", "Edge-Control"];
    let is_targeted = |name: &str| {
        name.len()
            .checked_sub("-Cache-Control".len())
            .and_then(|at| name.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case("-Cache-Control"))
            || OLDER.iter().any(|older| name.eq_ignore_ascii_case(older))
    };
    let mut has_cache_control = false;
    let mut targeted = Vec::new();
    for header in res.headers().iter() {
        let name = header.name.as_str();
        has_cache_control |= name.eq_ignore_ascii_case("Cache-Control");
        if is_targeted(name) {
            targeted.push(name.to_owned());
        }
    }
    for name in targeted {
        res.remove_header(&name);
    }
    has_cache_control
}

fn varies_by_cookie(res: &Response<'_>) -> bool {
    let varies = res.headers().get("Vary");
    varies.flat_map(|vary| vary.split(',')).any(|name| {
        let name = name.trim();
        name == "*" || name.eq_ignore_ascii_case("Cookie")
    })
}
