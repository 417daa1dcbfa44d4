//! The headers of a request, read in one pass.

use std::borrow::Cow;

use rocket::Request;

/// The name of a header.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a>(&'a str);

impl Name<'_> {
    /// Whether it is this name, which is written in lower case, as hyper gives names to Rocket.
    #[expect(
        clippy::inline_always,
        reason = "with `inline`, a change elsewhere decides: a guarded request took 440 instructions more, a denial 1,100"
    )]
    #[inline(always)]
    pub(crate) fn is(self, name: &str) -> bool {
        // The first comparison is of words, and the second of bytes: 200 instructions for each request.
        self.0 == name || self.0.eq_ignore_ascii_case(name)
    }
}

/// Calls `look` with the name and the value of each line.
///
/// Rocket finds a header by hashing its name byte by byte, which takes 450 to 900 instructions for each that a login
/// depends on. A pass takes about 80 for each line of the request, and finds all of them.
pub(crate) fn each<'r>(req: &'r Request<'_>, mut look: impl FnMut(Name<'_>, &'r str)) {
    req.headers().iter().for_each(|header| {
        // Always, since the iterator borrows from the request.
        if let Cow::Borrowed(value) = header.value {
            look(Name(header.name.as_str()), value);
        }
    });
}
