//! `uri!` of a guarded route is the same as without the guard.

use rocket::{get, post, routes, uri};
use rocket_login::{anonymous_required, login_required, public};

use super::{GUEST, Person, app, assert_guarded};

#[login_required]
#[get("/<name>/<number>?<page>")]
fn guarded(name: &str, number: u8, page: Option<u8>, user: &Person) -> String {
    format!("{name} {number} {page:?} {}", user.id)
}

#[get("/<name>/<number>?<page>", rank = 2)]
fn open(name: &str, number: u8, page: Option<u8>) {
    let _ = (name, number, page);
}

#[anonymous_required(redirect = "/imprint")]
#[post("/login?<next>", data = "<form>")]
fn log_in(next: Option<&str>, form: String) {
    let _ = (next, form);
}

mod pages {
    #[rocket_login::public]
    #[rocket::get("/imprint")]
    pub(super) fn imprint() {}
}

#[public]
#[get("/files/<path..>")]
fn files(path: std::path::PathBuf) {
    let _ = path;
}

#[test]
fn the_guard_is_not_an_argument_of_the_uri() {
    assert_eq!(
        uri!(guarded("a b", 3, Some(4))),
        uri!(open("a b", 3, Some(4)))
    );
    assert_eq!(
        uri!(guarded(number = 3, page = _, name = "a")),
        uri!(open(number = 3, page = _, name = "a"))
    );
    assert_eq!(uri!("/base", guarded("a", 3, _)).to_string(), "/base/a/3");
    assert_eq!(uri!(log_in(Some("/x"))).to_string(), "/login?next=%2Fx");
    assert_eq!(uri!(pages::imprint).to_string(), "/imprint");
    assert_eq!(
        uri!(files(std::path::Path::new("a/b"))).to_string(),
        "/files/a/b"
    );
}

#[test]
fn the_uri_leads_to_the_route() {
    let client = app(routes![guarded, open, log_in, pages::imprint, files]);
    let uri = uri!(guarded("a b", 3, Some(4))).to_string();
    assert_guarded(&client, &uri, &GUEST, "a b 3 Some(4) 2");
}
