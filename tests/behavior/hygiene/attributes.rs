//! Other attributes on a handler keep their meaning, at every position.

use rocket::{get, routes};
use rocket_login::login_required;

use super::{GUEST, app, assert_guarded};

#[cfg(any())]
#[login_required(NoSuchUser)]
#[get("/")]
fn left_out() -> NoSuchPage {}

#[login_required]
#[cfg(any())]
#[get("/")]
fn left_out_below() -> NoSuchPage {}

#[login_required]
#[get("/")]
#[cfg(any())]
fn left_out_last() -> NoSuchPage {}

#[rocket_login::public]
#[cfg(any())]
#[get("/either")]
fn either() -> &'static str {
    "open"
}

#[login_required]
#[cfg(not(any()))]
#[get("/either")]
fn either() -> &'static str {
    "closed"
}

#[cfg_attr(all(), login_required)]
#[cfg_attr(all(), get("/by-cfg-attr"))]
fn by_cfg_attr() -> &'static str {
    "by cfg_attr"
}

/// A handler with a doc comment and an `allow`.
#[login_required]
#[allow(non_snake_case, unused_variables)]
#[deny(missing_docs)]
#[get("/lints")]
fn Lints(user: &super::Person) -> &'static str {
    let unused = 1;
    "lints"
}

#[test]
fn other_attributes_of_a_handler_keep_working() {
    let client = app(routes![either, by_cfg_attr, Lints]);
    assert_guarded(&client, "/either", &GUEST, "closed");
    assert_guarded(&client, "/by-cfg-attr", &GUEST, "by cfg_attr");
    assert_guarded(&client, "/lints", &GUEST, "lints");
}
