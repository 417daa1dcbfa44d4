//! The headers of every response: security headers, and how long browsers keep static files.

use rocket::fairing::AdHoc;
use rocket::http::Status;

/// Rocket itself adds `X-Content-Type-Options` and, over TLS outside the debug profile,
/// `Strict-Transport-Security`.
const SECURITY: [(&str, &str); 5] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=()"),
    // With `no-referrer`, browsers would send `Origin: null` with our own forms.
    ("Referrer-Policy", "same-origin"),
];

pub(crate) fn fairing() -> AdHoc {
    AdHoc::on_response("Headers", |req, response| {
        Box::pin(async move {
            for (name, value) in SECURITY {
                response.set_raw_header(name, value);
            }
            if req.uri().path().starts_with("/static/") && response.status() == Status::Ok {
                response.set_raw_header("Cache-Control", "public, max-age=3600");
            }
        })
    })
}
