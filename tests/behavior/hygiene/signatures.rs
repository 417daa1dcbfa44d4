//! Handlers with every kind of signature: argument names that could clash, lifetimes, bounds, async, in other functions.

use rocket::http::uri::Host;
use rocket::http::{ContentType, Status};
use rocket::request::FromParam;
use rocket::response::Responder;
use rocket::{State, get, post, route, routes};
use rocket_login::{fresh_login_required, login_required, testing};

use super::{GUEST, Person, STAFF, app, assert_guarded, get};

#[login_required]
#[get("/names/<user>/<req>?<login>&<request>&<guard>")]
fn names(user: u8, req: u8, login: u8, request: u8, guard: u8) -> String {
    format!("{user}{req}{login}{request}{guard}")
}

#[login_required]
#[get("/lifetimes/<name>")]
fn lifetimes<'a, 'r>(name: &'a str, user: &'r Person, host: Option<&'r Host<'r>>) -> &'a str
where
    'r: 'a,
{
    let _ = (user.id, host);
    name
}

#[fresh_login_required]
#[get("/async/<mut_name>")]
async fn asynchronous<'r>(
    mut mut_name: String,
    user: &Person,
) -> Result<impl Responder<'r, 'static>, String> {
    let number: u8 = mut_name.parse().map_err(|_| "no number".to_owned())?;
    mut_name.clear();
    rocket::tokio::task::yield_now().await;
    Ok((
        ContentType::Text,
        (number + u8::try_from(user.id).unwrap_or(0)).to_string(),
    ))
}

struct Even(u8);

impl<'a> FromParam<'a> for Even {
    type Error = &'a str;

    fn from_param(param: &'a str) -> Result<Self, &'a str> {
        param
            .parse()
            .ok()
            .filter(|n| n % 2 == 0)
            .map(Self)
            .ok_or(param)
    }
}

#[login_required]
#[route(GET, uri = "/even/<number>", rank = 3)]
fn even(number: Result<Even, &str>) -> String {
    match number {
        Ok(Even(number)) => number.to_string(),
        Err(text) => format!("not {text}"),
    }
}

#[login_required]
#[post("/data", data = "<body>")]
fn data(body: Vec<u8>) -> Vec<u8> {
    body
}

#[test]
fn a_guard_keeps_any_signature_of_a_handler() {
    let client = app(routes![names, lifetimes, asynchronous, even, data]);
    assert_guarded(
        &client,
        "/names/1/2?login=3&request=4&guard=5",
        &GUEST,
        "12345",
    );
    assert_guarded(&client, "/lifetimes/a", &GUEST, "a");
    assert_guarded(&client, "/async/40", &GUEST, "42");
    assert_guarded(&client, "/even/4", &GUEST, "4");
    assert_guarded(&client, "/even/odd", &GUEST, "not odd");
    let post = || client.post("/data").body("x");
    assert_eq!(post().dispatch().status(), Status::Unauthorized);
    let login = testing::login(client.rocket(), &GUEST);
    assert_eq!(
        post().cookie(login).dispatch().into_string().as_deref(),
        Some("x")
    );
}

#[test]
fn a_handler_may_be_defined_inside_a_function() {
    #[login_required]
    #[get("/local")]
    fn local() -> &'static str {
        "local"
    }

    assert_guarded(&app(routes![local]), "/local", &GUEST, "local");
}

async fn at_least(user: &Person, limit: &State<i64>) -> bool {
    rocket::tokio::task::yield_now().await;
    user.id >= **limit
}

fn text_or_fail(_: &Person, host: Option<&Host<'_>>) -> Result<bool, &'static str> {
    host.map_or(Ok(true), |_| Err("no host was expected"))
}

fn is(id: i64) -> impl Fn(&Person) -> bool + Send {
    move |user| user.id == id
}

#[login_required(if = Person::is_staff)]
#[get("/method")]
fn method() -> &'static str {
    "ok"
}

#[login_required(if = |user: &Person| user.id == 1)]
#[get("/closure")]
fn closure() -> &'static str {
    "ok"
}

#[login_required(Person, if = is(1))]
#[get("/call")]
fn call() -> &'static str {
    "ok"
}

#[login_required(if = |user: &Person, limit: &State<i64>| user.id < **limit)]
#[get("/guard")]
fn guard() -> &'static str {
    "ok"
}

#[login_required(if = at_least)]
#[get("/async")]
fn later() -> &'static str {
    "ok"
}

#[fresh_login_required(if = text_or_fail, within = "1h")]
#[get("/result")]
fn result() -> &'static str {
    "ok"
}

#[test]
fn any_function_of_the_user_can_be_a_condition() {
    let rocket = rocket::custom(super::config())
        .manage(2_i64)
        .attach(rocket_login::LoginManager::new(super::load_person))
        .mount("/", routes![method, closure, call, guard, later, result]);
    let client = super::launch(rocket);
    for uri in ["/method", "/closure", "/call", "/guard"] {
        assert_guarded(&client, uri, &STAFF, "ok");
        assert_eq!(
            get(&client, uri, Some(&GUEST)),
            Err(Status::Forbidden),
            "{uri}"
        );
    }
    assert_guarded(&client, "/async", &GUEST, "ok");
    assert_eq!(get(&client, "/async", Some(&STAFF)), Err(Status::Forbidden));
    assert_guarded(&client, "/result", &GUEST, "ok");
}
