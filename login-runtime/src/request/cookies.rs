//! The login cookies of a request.

use rocket::Request;

use super::client_info::in_jar;
use super::cookie_header;

/// Finds cookies by name in the raw `Cookie` header, as [`cookie_header::find`] does.
///
/// Rocket's jar decodes and trims names, which defeats the `__Host-` prefix (Rack's CVE-2020-8184). The jar is only
/// used if the request has no `Cookie` header: Rocket's local client sends cookies without one.
pub(crate) fn presented<'r, T: Default + Extend<&'r str>, const N: usize>(
    req: &'r Request<'_>,
    names: [&str; N],
) -> [T; N] {
    let mut headers = req.headers().get("Cookie").peekable();
    if headers.peek().is_some() {
        return cookie_header::find(headers, names);
    }
    in_jar(req, names)
}
