//! The generated code in running applications.

use std::collections::HashMap;

use rocket::form::Form;
use rocket::http::{Cookie, Status};
use rocket::local::blocking::Client;
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, State, get, post, routes, uri};
use rocket_login::{
    CurrentUser, LoginManager, UserGuard, UserMixin, event_listener, login_required, login_url,
    redirect::make_next_param, testing, user_loader,
};
use uuid::Uuid;

use crate::common::{App, User, Users, bare, load_user, pages};

fn body(client: &Client, path: &str, user: &(impl UserMixin + Sized)) -> String {
    let login = testing::login(client.rocket(), user);
    client
        .get(path.to_owned())
        .cookie(login)
        .dispatch()
        .into_string()
        .unwrap_or_default()
}

fn client(manager: impl rocket::fairing::Fairing, routes: Vec<rocket::Route>) -> Client {
    Client::untracked(bare().attach(manager).mount("/", routes)).unwrap()
}

#[derive(Clone, UserMixin)]
#[user(session_hash(password, salt))]
struct Account {
    #[user(id)]
    number: i64,
    #[user(active)]
    enabled: bool,
    password: String,
    salt: Option<Vec<u8>>,
    #[user(session_hash)]
    pin: [u8; 4],
}

fn account(number: i64) -> Account {
    Account {
        number,
        enabled: true,
        password: "password".into(),
        salt: None,
        pin: *b"0000",
    }
}

struct Path(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Path {
    type Error = ();

    async fn from_request(req: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Success(Path(req.uri().path().to_string()))
    }
}

/// Several guards, owned and borrowed, after an id that must be parsed.
#[user_loader]
async fn load_account(
    number: i64,
    path: Path,
    accounts: &State<HashMap<i64, Account>>,
    method: rocket::http::Method,
    mut host: Option<&rocket::http::uri::Host<'_>>,
) -> Option<Account> {
    rocket::tokio::task::yield_now().await;
    assert!(path.0.starts_with('/') && host.take().is_none());
    assert_eq!(method, rocket::http::Method::Get);
    accounts.get(&number).cloned()
}

#[login_required(Account)]
#[get("/account")]
fn show_account(user: &Account) -> String {
    user.number.to_string()
}

fn accounts(change: impl Fn(&mut Account)) -> Client {
    let known = [-7, i64::MAX].map(|number| {
        let mut account = account(number);
        change(&mut account);
        (number, account)
    });
    let rocket = bare()
        .manage(HashMap::from(known))
        .attach(LoginManager::new(load_account))
        .mount("/", routes![show_account]);
    Client::untracked(rocket).unwrap()
}

#[test]
fn an_id_may_be_a_number() {
    let client = accounts(|_| {});
    for number in [-7, i64::MAX] {
        assert_eq!(
            body(&client, "/account", &account(number)),
            number.to_string()
        );
    }
    let nobody = testing::login(client.rocket(), &account(8));
    let reply = client.get("/account").cookie(nobody).dispatch();
    assert_eq!(reply.status(), Status::Unauthorized);
}

#[test]
fn every_session_hash_field_and_the_active_field_count() {
    type Change = fn(&mut Account);
    let changes: [Change; 5] = [
        |account| account.password.push('!'),
        |account| account.salt = Some(Vec::new()),
        |account| account.pin = *b"0001",
        |account| account.enabled = false,
        |account| account.password.clear(),
    ];
    for (row, change) in changes.into_iter().enumerate() {
        let client = accounts(change);
        let login = testing::login(client.rocket(), &account(-7));
        let reply = client.get("/account").cookie(login).dispatch();
        assert_eq!(reply.status(), Status::Unauthorized, "{row}");
    }
}

#[derive(UserMixin)]
struct Device {
    id: Uuid,
}

#[user_loader]
fn load_device(id: Uuid) -> Option<Device> {
    Some(Device { id })
}

#[get("/device")]
fn device(device: CurrentUser<'_, Device>) -> String {
    device
        .user()
        .map_or("none".into(), |device| device.id.to_string())
}

#[test]
fn an_id_may_be_a_uuid() {
    let client = client(LoginManager::new(load_device), routes![device]);
    let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    assert_eq!(body(&client, "/device", &Device { id }), id.to_string());
}

/// A user whose id the next version of the loader cannot parse.
#[derive(UserGuard)]
struct Odd;

impl UserMixin for Odd {
    fn get_id(&self) -> impl std::fmt::Display {
        300_u16
    }
}

#[user_loader]
fn load_wide(_id: u16) -> Option<Odd> {
    Some(Odd)
}

#[user_loader]
fn load_odd(_id: u8) -> Option<Odd> {
    panic!("the id is no `u8`, so nobody asks")
}

#[get("/odd")]
fn odd(user: CurrentUser<'_, Odd>) -> &'static str {
    if user.is_anonymous() {
        "nobody"
    } else {
        "somebody"
    }
}

#[test]
fn an_id_that_does_not_parse_is_refused() {
    let before = client(LoginManager::new(load_wide), routes![odd]);
    assert_eq!(body(&before, "/odd", &Odd), "somebody");
    let login = testing::login(before.rocket(), &Odd);
    let after = client(LoginManager::new(load_odd), routes![odd]);
    let response = after.get("/odd").cookie(login).dispatch();
    assert_eq!(response.into_string().as_deref(), Some("nobody"));
}

mod area {
    use rocket::get;
    use rocket_login::{fresh_login_required, login_required};

    use crate::common::User;

    pub(crate) mod inner {
        /// In a nested module, with a path to the attribute.
        #[rocket_login::login_required(super::User)]
        #[rocket::get("/inner/<_>")]
        pub(crate) fn page() -> &'static str {
            "inner"
        }
    }

    #[login_required(User)]
    #[get("/area/<name>?<size>&<tags..>", rank = 3, format = "text/plain")]
    pub(crate) async fn page<'r>(
        user: &'r User,
        name: &'r str,
        size: Option<u8>,
        tags: std::collections::HashMap<String, String>,
        req: rocket::http::Method,
    ) -> Result<String, &'r str> {
        rocket::tokio::task::yield_now().await;
        if name == "err" {
            return Err("err");
        }
        Ok(format!("{} {name} {size:?} {} {req}", user.id, tags.len()))
    }

    #[must_use]
    #[doc = "A second handler of the same name as one elsewhere."]
    #[fresh_login_required]
    #[rocket::get("/area")]
    pub(crate) fn item(user: &User) -> String {
        user.id.clone()
    }
}

#[login_required]
#[post("/item/<id>", data = "<form>")]
fn item(id: u64, form: Form<HashMap<&str, String>>, user: &User) -> String {
    format!("{id} {} {}", form["name"], user.id)
}

#[test]
fn guarded_routes_work_with_lifetimes_modules_and_uri() {
    let app = App::new()
        .routes(routes![area::page, area::item, area::inner::page, item])
        .start();
    let mut browser = app.browser();
    let mut plain = app.browser().header("Accept", "text/plain");
    let reply = plain.get("/area/a?size=1&b=2");
    assert_eq!(reply.status, Status::Unauthorized);
    plain.login("alice");
    for path in ["/area", "/inner/1"] {
        assert_eq!(browser.get(path).status, Status::SeeOther, "{path}");
    }
    browser.login("alice");
    let page = uri!(area::page(
        name = "a b",
        size = Some(1),
        tags = &HashMap::from([("x".to_owned(), "y".to_owned())])
    ));
    assert_eq!(page.to_string(), "/area/a%20b?size=1&k:0=x&v:0=y");
    assert!(
        plain
            .get(&page.to_string())
            .body
            .starts_with("alice a b Some(1) ")
    );
    assert_eq!(plain.get("/area/err").body, "err");
    assert_eq!(browser.get(&uri!(area::item).to_string()).body, "alice");
    assert_eq!(browser.get("/inner/1").body, "inner");
    let target = uri!(item(7)).to_string();
    assert_eq!(target, "/item/7");
    assert_eq!(browser.post(&target, "name=x").body, "7 x alice");
}

mod two {
    use rocket_login::UserMixin;

    #[derive(UserMixin)]
    pub(crate) struct Admin {
        pub(crate) id: u32,
    }
}

use two::Admin;

#[user_loader]
fn load_admin(id: u32) -> Option<Admin> {
    Some(Admin { id })
}

#[login_required(Admin)]
#[get("/admin")]
fn admin(admin: &Admin, user: Option<&User>) -> String {
    format!("{} {}", admin.id, user.is_some())
}

#[login_required(User)]
#[get("/user")]
fn user() -> &'static str {
    "user"
}

#[login_required(Admin)]
#[get("/both")]
fn both(_user: &User, _admin: &Admin) -> &'static str {
    "both"
}

#[test]
fn each_route_uses_the_manager_of_its_user_type() {
    let admins = LoginManager::new(load_admin)
        .login_view("/admin/login")
        .session_cookie_name("admin_session")
        .remember_cookie_name("admin_remember");
    let rocket = bare()
        .manage(Users::alice_and_bob())
        .attach(LoginManager::new(load_user).login_view("/login"))
        .attach(admins)
        .mount("/", routes![admin, user, both])
        .mount("/", pages(&["/login", "/admin/login"]));
    let client = Client::untracked(rocket).unwrap();
    let alice = client
        .rocket()
        .state::<Users>()
        .unwrap()
        .get("alice")
        .unwrap();
    let boss = testing::login(client.rocket(), &Admin { id: 1 });
    let alice = testing::login(client.rocket(), &alice);
    // A cookie of one manager is invalid under the name of the other.
    let swapped = [
        Cookie::new(boss.name().to_owned(), alice.value().to_owned()),
        Cookie::new(alice.name().to_owned(), boss.value().to_owned()),
    ];
    let (to_user, to_admin) = ("/login?next=", "/admin/login?next=");
    for (cookies, at_user, at_admin, at_both) in [
        (&[][..], to_user, to_admin, to_admin),
        (std::slice::from_ref(&alice), "user", to_admin, to_admin),
        (std::slice::from_ref(&boss), to_user, "1 false", to_user),
        (&[alice.clone(), boss.clone()], "user", "1 true", "both"),
        (&swapped, to_user, to_admin, to_admin),
    ] {
        for (path, expected) in [("/user", at_user), ("/admin", at_admin), ("/both", at_both)] {
            let reply = client.get(path).cookies(cookies.to_vec()).dispatch();
            let location = reply.headers().get_one("Location").map(str::to_owned);
            let expected = if expected.ends_with("next=") {
                (Some(format!("{expected}%2F{}", &path[1..])), "")
            } else {
                (None, expected)
            };
            let body = reply.into_string().unwrap();
            assert_eq!((location, body.as_str()), expected, "{path}");
        }
    }
}

#[test]
fn guards_and_loaders_may_be_local_items() {
    #[derive(UserMixin)]
    struct Local {
        id: &'static str,
    }

    #[user_loader]
    fn load(id: String) -> Option<Local> {
        (id == "one").then_some(Local { id: "one" })
    }

    #[event_listener]
    fn silent(_: &rocket_login::LoginEvent<'_, Local>) {}

    #[login_required]
    #[get("/local")]
    fn local(user: &Local) -> &'static str {
        user.id
    }

    let client = client(
        LoginManager::new(load).event_listener(silent),
        routes![local],
    );
    assert_eq!(body(&client, "/local", &Local { id: "one" }), "one");
    let two = testing::login(client.rocket(), &Local { id: "two" });
    let reply = client.get("/local").cookie(two).dispatch();
    assert_eq!(reply.status(), Status::Unauthorized);
}

#[test]
fn login_url_equals_the_location_of_a_refusal() {
    let app = App::new().start();
    let by_hand = login_url("/login", Some("http://localhost/private?a=1#x"), "next");
    assert_eq!(
        app.browser().get("/private?a=1").location(),
        Some(by_hand.as_str())
    );
    assert_eq!(
        login_url("/in?a=&a=1&next=/old#f", Some("/p"), "next"),
        "/in?a=&a=1&next=%2Fp#f"
    );
    assert_eq!(
        login_url("/in", Some("/p"), "come back"),
        "/in?come%20back=%2Fp"
    );
    assert_eq!(login_url("/in?x=1", None, "next"), "/in?x=1");
}

#[test]
fn make_next_param_shortens_urls_of_this_site_only() {
    for (login, current, next) in [
        ("/login", "https://a.example/p?q=1#f", "/p?q=1"),
        ("https://a.example/login", "https://a.example/p", "/p"),
        ("//a.example/login", "https://a.example/p", "/p"),
        (
            "https://a.example:444/login",
            "https://a.example/p",
            "https://a.example/p",
        ),
        (
            "http://a.example/login",
            "https://a.example/p",
            "https://a.example/p",
        ),
        (
            "https://b.example/login",
            "https://a.example/p#f",
            "https://a.example/p#f",
        ),
        ("/login", "https://a.example//evil.com", "/evil.com"),
    ] {
        assert_eq!(make_next_param(login, current), next, "{login} {current}");
    }
}
