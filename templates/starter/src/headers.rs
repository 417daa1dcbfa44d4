//! The security headers of every response. Rocket itself adds two more.

use rocket::fairing::AdHoc;

const HEADERS: [(&str, &str); 5] = [
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

pub(crate) fn stage() -> AdHoc {
    AdHoc::on_response("Headers", |_, response| {
        Box::pin(async {
            for (name, value) in HEADERS {
                response.set_raw_header(name, value);
            }
        })
    })
}
