//! Caching of responses that depend on the user.

use rocket::Response;

/// Marks a response as private to one user, whatever the application set for its caching.
pub(crate) fn keep_private(res: &mut Response<'_>) {
    let replaced = res.set_raw_header("Cache-Control", "private, no-store");
    // Look for an existing `Vary: Cookie` only if the application set caching headers: a duplicate is harmless, and
    // cheaper than a header lookup.
    if !replaced || !varies_by_cookie(res) {
        res.adjoin_raw_header("Vary", "Cookie");
    }
}

fn varies_by_cookie(res: &Response<'_>) -> bool {
    let varies = res.headers().get("Vary");
    varies.flat_map(|vary| vary.split(',')).any(|name| {
        let name = name.trim();
        name == "*" || name.eq_ignore_ascii_case("Cookie")
    })
}
