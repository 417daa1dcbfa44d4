//! A duration is text or seconds, also where `macro_rules!` hands it on.

use rocket::{get, routes};
use rocket_login::fresh_login_required;

#[fresh_login_required(within = "1h 30m")]
#[get("/a")]
fn text() {}

#[fresh_login_required(within = 90)]
#[get("/b")]
fn seconds() {}

macro_rules! fresh {
    ($name:ident, $within:expr, $uri:literal) => {
        #[fresh_login_required(within = $within)]
        #[get($uri)]
        fn $name() -> &'static str {
            ""
        }
    };
}

fresh!(from_a_macro, "10m", "/c");

fn main() {
    let _ = routes![text, seconds, from_a_macro];
}
