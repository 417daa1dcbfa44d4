//! Takes the body from a response that is answered in another way.

use std::io::Cursor;

use rocket::Response;

/// Removes the body, and the headers about it: those of a compressed page would make the next body unreadable.
pub(super) fn empty(res: &mut Response<'_>) {
    let mut about_body = ABOUT_BODY.map(|name| (name, false));
    res.headers().iter().for_each(|header| {
        for (name, is_there) in &mut about_body {
            *is_there |= header.name.as_str().eq_ignore_ascii_case(name);
        }
    });
    for (name, _) in about_body.iter().filter(|(_, is_there)| *is_there) {
        res.remove_header(name);
    }
    res.set_sized_body(0, Cursor::new([]));
}

/// RFC 9110, sections 8 and 14.4; RFC 6266; RFC 9530.
const ABOUT_BODY: [&str; 11] = [
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Disposition",
    "Content-Digest",
    "Repr-Digest",
    "ETag",
    "Last-Modified",
];
