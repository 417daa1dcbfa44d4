//! Realms: customers and staff of one application, in one browser.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use rocket::figment::Figment;
use rocket::http::{Cookie, Status};
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, State, catchers, get, post, routes};
use rocket_login::EventKind::{self, *};
use rocket_login::{
    CurrentUser, Denied, Fresh, GuardRoutes, LoginError, LoginEvent, LoginManager, LoginSession,
    RouteGuard, UserMixin, anonymous_required, condition, event_listener, forbidden_handler,
    fresh_login_required, login_required, public, testing::Clock, unauthorized_handler,
    user_loader,
};

use super::{outcome, reason, script};
use crate::common::{Browser, KEY, Running, START, Users, pages};

#[derive(UserMixin)]
struct Customer {
    id: u32,
}

#[derive(UserMixin)]
struct Staff {
    id: u32,
}

/// Both realms have the same ids. Records which users the loaders were called for, and makes them fail.
#[derive(Default)]
struct Asked(Mutex<(Vec<String>, &'static str)>);

impl Asked {
    fn load(&self, kind: &'static str, id: u32) -> Result<Option<u32>, &'static str> {
        let mut asked = self.0.lock().unwrap();
        asked.0.push(format!("{kind} {id}"));
        if asked.1 == kind {
            return Err("the database is down");
        }
        Ok((id < 10).then_some(id))
    }
}

#[user_loader]
fn load_customer(id: u32, asked: &State<Asked>) -> Result<Option<Customer>, &'static str> {
    Ok(asked.load("customer", id)?.map(|id| Customer { id }))
}

#[user_loader]
fn load_staff(id: u32, asked: &State<Asked>) -> Result<Option<Staff>, &'static str> {
    Ok(asked.load("staff", id)?.map(|id| Staff { id }))
}

#[derive(Default)]
struct Events(Mutex<Vec<(&'static str, EventKind, Option<u32>)>>);

#[event_listener]
fn of_customers(event: &LoginEvent<'_, Customer>, events: &State<Events>) {
    let id = event.user.map(|user| user.id);
    events.0.lock().unwrap().push(("customer", event.kind, id));
}

#[event_listener]
fn of_staff(event: &LoginEvent<'_, Staff>, events: &State<Events>) {
    let id = event.user.map(|user| user.id);
    events.0.lock().unwrap().push(("staff", event.kind, id));
}

/// `id`, or `id remember`.
macro_rules! logins {
    ($User:ident, $log_in:ident $login:literal, $log_out:ident $logout:literal, $confirm_login:ident $confirm:literal) => {
        #[post($login, data = "<form>")]
        async fn $log_in(form: &str, session: LoginSession<'_, $User>) -> Result<(), LoginError> {
            let id = form.trim_end_matches(" remember");
            let user = $User {
                id: id.parse().map_err(|_| LoginError::NotLoggedIn)?,
            };
            let remember = id != form;
            session.login_user(&user).remember(remember).await
        }

        #[post($logout)]
        async fn $log_out(session: LoginSession<'_, $User>) -> Result<(), LoginError> {
            session.logout_user().await
        }

        #[post($confirm)]
        async fn $confirm_login(
            session: LoginSession<'_, $User>,
            user: &$User,
        ) -> Result<(), LoginError> {
            session.confirm_login(user).await
        }
    };
}

logins!(Customer, log_in "/login", log_out "/logout", confirm "/confirm");
logins!(Staff, staff_log_in "/staff/login", staff_log_out "/staff/logout", staff_confirm "/staff/confirm");

#[public]
#[get("/who")]
fn who(customer: CurrentUser<'_, Customer>, staff: CurrentUser<'_, Staff>) -> String {
    let id = |id: Option<String>| id.unwrap_or_else(|| "-".into());
    format!("{} {}", id(customer.get_id()), id(staff.get_id()))
}

#[login_required(Customer)]
#[get("/orders")]
fn orders(customer: &Customer) -> String {
    format!("orders of {}", customer.id)
}

#[login_required(Staff)]
#[get("/payroll")]
fn payroll(staff: &Staff) -> String {
    format!("payroll of {}", staff.id)
}

#[fresh_login_required(Staff)]
#[get("/vault")]
fn vault(staff: Fresh<'_, Staff>) -> String {
    format!("vault of {}", staff.id)
}

#[login_required(Staff, if = |staff: &Staff| staff.id == 1)]
#[get("/board")]
fn board() -> &'static str {
    "board"
}

/// Uses both realms, one by attribute and one by argument.
#[login_required(Customer)]
#[get("/both")]
fn both(staff: &Staff, customer: &Customer) -> String {
    format!("{} {}", customer.id, staff.id)
}

#[anonymous_required(Staff, redirect = "/payroll")]
#[get("/sign-in")]
fn staff_sign_in() -> &'static str {
    "sign in"
}

#[get("/report")]
fn report() -> &'static str {
    "report"
}

type Manager<U> = LoginManager<U>;

/// The configuration, written like Rocket.toml.
fn figment(toml: &str) -> Figment {
    use rocket::figment::providers::{Format as _, Toml};
    crate::common::figment().merge(Toml::string(toml).nested())
}

struct Shop {
    toml: &'static str,
    /// Further login pages.
    pages: &'static [&'static str],
    customers: Manager<Customer>,
    staff: Manager<Staff>,
    clock: Clock,
}

fn shop() -> Shop {
    let clock = Clock::manual(START);
    Shop {
        toml: "",
        pages: &[],
        customers: LoginManager::new(load_customer)
            .clock(clock.clone())
            .event_listener(of_customers)
            .login_view("/sign-in-customers"),
        staff: LoginManager::new(load_staff)
            .clock(clock.clone())
            .event_listener(of_staff)
            .realm("staff")
            .login_view("/sign-in")
            .refresh_view("/staff-refresh"),
        clock,
    }
}

impl Shop {
    fn rocket(self) -> Rocket<Build> {
        let guard = RouteGuard::login().user::<Staff>();
        let picky = guard.only_if(condition!(|staff: &Staff| staff.id == 1));
        rocket::custom(figment(self.toml))
            .manage(Asked::default())
            .manage(Events::default())
            .attach(self.customers)
            .attach(self.staff)
            .mount(
                "/",
                routes![
                    log_in,
                    log_out,
                    confirm,
                    staff_log_in,
                    staff_log_out,
                    staff_confirm,
                    who,
                    orders,
                    payroll,
                    vault,
                    board,
                    both,
                    staff_sign_in
                ],
            )
            .mount("/", pages(&["/sign-in-customers", "/staff-refresh"]))
            .mount("/", pages(self.pages))
            .mount("/group", routes![report].guarded(guard))
            .mount("/picky", routes![report].guarded(picky))
            .register("/", catchers![reason])
    }

    fn start(self) -> Running {
        let clock = self.clock.clone();
        Running {
            client: Client::untracked(self.rocket()).expect("the shop opens"),
            users: Users::default(),
            clock,
        }
    }
}

fn asked(app: &Running) -> Vec<String> {
    let asked = app.client.rocket().state::<Asked>().unwrap();
    std::mem::take(&mut asked.0.lock().unwrap().0)
}

fn fail(app: &Running, kind: &'static str) {
    let asked = app.client.rocket().state::<Asked>().unwrap();
    asked.0.lock().unwrap().1 = kind;
}

fn events(app: &Running) -> Vec<(&'static str, EventKind, Option<u32>)> {
    let events = app.client.rocket().state::<Events>().unwrap();
    let mut events = std::mem::take(&mut *events.0.lock().unwrap());
    events.retain(|(_, kind, _)| *kind != Accessed);
    events
}

/// A browser in which this customer and this member of staff are logged in.
fn browser<'a>(app: &'a Running, customer: &str, staff: &str) -> Browser<'a> {
    let mut browser = app.browser();
    for (path, form) in [("/login", customer), ("/staff/login", staff)] {
        if !form.is_empty() {
            assert_eq!(browser.post(path, form).status, Status::Ok, "{path}");
        }
    }
    browser
}

fn names(browser: &Browser<'_>) -> Vec<String> {
    browser.cookies.keys().cloned().collect()
}

#[test]
fn each_realm_has_its_own_cookies() {
    let app = shop().start();
    let mut both = browser(&app, "1 remember", "1 remember");
    assert_eq!(
        names(&both),
        [
            "login_session",
            "remember_token",
            "staff_remember_token",
            "staff_session"
        ]
    );
    let values: BTreeSet<_> = both.cookies.values().collect();
    assert_eq!(values.len(), 4);
    assert_eq!(both.get("/who").body, "1 1");
    assert_eq!(
        names(&browser(&app, "", "1 remember")),
        ["staff_remember_token", "staff_session"]
    );
}

#[test]
fn the_cookies_of_a_realm_are_bound_to_the_host_outside_the_debug_profile() {
    let shop = Shop {
        toml: "[release]",
        ..shop()
    };
    let figment = Figment::from(rocket::Config::release_default())
        .merge(("log_level", "off"))
        .merge(("secret_key", KEY))
        .select("release");
    let clock = shop.clock.clone();
    let rocket = shop.rocket().configure(figment);
    let app = Running {
        client: Client::untracked(rocket).unwrap(),
        users: Users::default(),
        clock,
    };
    assert_eq!(
        names(&browser(&app, "", "1 remember")),
        ["__Host-staff_remember_token", "__Host-staff_session"]
    );
}

#[test]
fn a_login_of_one_realm_opens_no_page_of_the_other() {
    let app = shop().start();
    let doors = [
        ("/orders", "", "/sign-in-customers?next=%2Forders"),
        ("/payroll", "/sign-in?next=%2Fpayroll", ""),
        ("/vault", "/sign-in?next=%2Fvault", ""),
        ("/board", "/sign-in?next=%2Fboard", ""),
        ("/group/report", "/sign-in?next=%2Fgroup%2Freport", ""),
        ("/picky/report", "/sign-in?next=%2Fpicky%2Freport", ""),
        (
            "/both",
            "/sign-in?next=%2Fboth",
            "/sign-in-customers?next=%2Fboth",
        ),
        // For the staff realm, a customer is anonymous.
        ("/sign-in", "", "/payroll"),
    ];
    for (path, to_customers, to_staff) in doors {
        for (customer, staff, elsewhere) in [("1", "", to_customers), ("", "1", to_staff)] {
            let reply = browser(&app, customer, staff).get(path);
            let status = if elsewhere.is_empty() { 200 } else { 303 };
            assert_eq!(reply.status.code, status, "{path}");
            assert_eq!(reply.location().unwrap_or(""), elsewhere, "{path}");
        }
        let reply = browser(&app, "1", "1").get(path);
        let status = if path == "/sign-in" { 303 } else { 200 };
        assert_eq!(reply.status.code, status, "{path}");
    }
    assert_eq!(browser(&app, "1", "2").get("/both").body, "1 2");
}

#[test]
fn a_cookie_under_the_name_of_the_other_realm_is_refused() {
    let app = shop().start();
    let both = browser(&app, "1 remember", "1 remember");
    let swaps = [
        ("login_session", "staff_session"),
        ("remember_token", "staff_remember_token"),
        ("remember_token", "staff_session"),
        ("login_session", "staff_remember_token"),
        ("staff_session", "login_session"),
        ("staff_remember_token", "remember_token"),
    ];
    for (from, to) in swaps {
        let mut thief = app.browser();
        thief.cookies.insert(to.into(), both.cookies[from].clone());
        asked(&app);
        events(&app);
        assert_eq!(thief.clone().get("/who").body, "- -", "{from} as {to}");
        assert_eq!(asked(&app), [""; 0], "{from} as {to}");
        // Each realm has its own keys, so it leaves the cookie alone like any other application's.
        assert_eq!(events(&app), [], "{from} as {to}");
        assert!(thief.clone().get("/who").set_cookies().is_empty());
        for path in ["/orders", "/payroll", "/group/report"] {
            assert_eq!(thief.clone().get(path).status, Status::SeeOther, "{path}");
        }
    }
}

#[test]
fn a_cookie_of_one_realm_is_refused_by_the_other_under_any_name() {
    // The staff cookies have the names that the customer cookies had before.
    let before = shop().start();
    let mut stolen = browser(&before, "1 remember", "");
    let shop = shop();
    let renamed = Shop {
        customers: shop
            .customers
            .session_cookie_name("customer_session")
            .remember_cookie_name("customer_token"),
        staff: shop
            .staff
            .session_cookie_name("login_session")
            .remember_cookie_name("remember_token"),
        ..shop
    };
    let after = renamed.start();
    let mut thief = after.browser();
    thief.cookies.append(&mut stolen.cookies);
    assert_eq!(thief.get("/who").body, "- -");
}

#[test]
fn a_logout_of_one_realm_keeps_the_login_of_the_other() {
    let app = shop().start();
    for (logout, left, kept) in [
        ("/logout", "- 2", "staff"),
        ("/staff/logout", "1 -", "customer"),
    ] {
        let mut both = browser(&app, "1 remember", "2 remember");
        let before = both.clone();
        let reply = both.post(logout, "");
        assert_eq!(reply.status, Status::Ok);
        let removed = reply.set_cookies();
        let removed: BTreeSet<_> = removed.iter().map(Cookie::name).collect();
        assert_eq!(removed.len(), 2, "{reply:?}");
        assert_eq!(both.get("/who").body, left, "{kept}");
        both.restart();
        assert_eq!(both.get("/who").body, left, "{kept}");
        // A copied cookie does not become valid again either.
        assert_eq!(before.clone().get("/who").body, left, "{kept}");
    }
}

#[test]
fn each_realm_runs_only_its_own_loader_and_only_if_needed() {
    let app = shop().start();
    let mut both = browser(&app, "1", "2");
    for (path, loads) in [
        ("/orders", &["customer 1"][..]),
        ("/payroll", &["staff 2"]),
        ("/group/report", &["staff 2"]),
        ("/who", &["customer 1", "staff 2"]),
    ] {
        asked(&app);
        let reply = both.get(path);
        assert_eq!(reply.status, Status::Ok);
        assert_eq!(asked(&app), loads, "{path}");
        assert_eq!(reply.header("Vary"), Some("Cookie"), "{path}");
        assert_eq!(reply.header("Cache-Control"), Some("private, no-store"));
    }
}

#[test]
fn a_failing_loader_affects_its_own_realm_only() {
    let app = shop().start();
    let both = browser(&app, "1", "2");
    fail(&app, "staff");
    for (path, seen) in [
        ("/orders", "200 orders of 1"),
        ("/payroll", "503 caught 503"),
        ("/group/report", "503 caught 503"),
        ("/sign-in", "503 caught 503"),
        ("/who", "503 caught 503"),
    ] {
        let reply = both.clone().get(path);
        assert_eq!(outcome(&reply), seen);
        assert!(reply.set_cookies().is_empty(), "{path}");
    }
}

#[test]
fn each_realm_has_its_own_freshness() {
    let app = shop().start();
    let mut both = browser(&app, "1 remember", "2 remember");
    both.restart();
    assert_eq!(
        outcome(&both.get("/vault")),
        "303 /staff-refresh?next=%2Fvault"
    );
    both.post("/confirm", "");
    assert_eq!(both.get("/vault").status, Status::SeeOther);
    assert_eq!(both.post("/staff/confirm", "").status, Status::Ok);
    assert_eq!(outcome(&both.get("/vault")), "200 vault of 2");
}

#[test]
fn refusals_and_events_belong_to_the_refusing_realm() {
    #[unauthorized_handler]
    fn staff_only() -> (Status, &'static str) {
        (Status::Unauthorized, "staff only")
    }
    #[forbidden_handler]
    fn board_only(staff: &Staff, denied: Denied) -> (Status, String) {
        let text = format!("{:?}, not for {}", denied.reason(), staff.id);
        (Status::Forbidden, text)
    }
    #[forbidden_handler]
    fn wrong_realm() -> &'static str {
        "the customers' handler"
    }
    let shop = shop();
    let app = Shop {
        customers: shop
            .customers
            .unauthorized_handler(staff_only)
            .forbidden_handler(wrong_realm),
        ..shop
    };
    let app = Shop {
        staff: app
            .staff
            .unauthorized_handler(staff_only)
            .forbidden_handler(board_only),
        customers: LoginManager::new(load_customer)
            .clock(app.clock.clone())
            .event_listener(of_customers)
            .forbidden_handler(wrong_realm),
        ..app
    }
    .start();
    let mut both = browser(&app, "1", "2");
    let mut customer = browser(&app, "1", "");
    events(&app);
    for (reply, seen, emitted) in [
        (
            both.get("/board"),
            "403 Forbidden, not for 2",
            ("staff", Forbidden, Some(2)),
        ),
        (
            both.get("/picky/report"),
            "403 Forbidden, not for 2",
            ("staff", Forbidden, Some(2)),
        ),
        (
            customer.get("/payroll"),
            "401 staff only",
            ("staff", Unauthorized, None),
        ),
    ] {
        assert_eq!(outcome(&reply), seen);
        // The events of all three, in the order of the requests.
        let events = events_once(&app, emitted);
        assert_eq!(events, Some(emitted), "{seen}");
    }
    let reply = script(app.browser()).get("/orders");
    assert_eq!(outcome(&reply), "401 caught Unauthorized");
    assert_eq!(events(&app), [("customer", Unauthorized, None)]);
}

/// Removes this event from the recorded ones, and keeps the others.
fn events_once(
    app: &Running,
    wanted: (&'static str, EventKind, Option<u32>),
) -> Option<(&'static str, EventKind, Option<u32>)> {
    let events = app.client.rocket().state::<Events>().unwrap();
    let mut events = events.0.lock().unwrap();
    events.retain(|(_, kind, _)| *kind != Accessed);
    let place = events.iter().position(|event| *event == wanted)?;
    Some(events.remove(place))
}

#[test]
fn the_settings_of_a_realm_override_the_common_ones() {
    let toml = r#"
        [default.login]
        session_idle_timeout = "10m"
        session_cookie_samesite = "Strict"
        session_cookie_name = "customer"
        remember_cookie_name = "customer_remembered"

        [default.login.realms.staff]
        session_idle_timeout = "5m"
        remember_cookie_name = "staff_remembered"
    "#;
    let app = Shop { toml, ..shop() }.start();
    let mut both = app.browser();
    both.post("/login", "1 remember");
    let reply = both.post("/staff/login", "2 remember");
    assert_eq!(
        names(&both),
        [
            "customer",
            "customer_remembered",
            "staff_remembered",
            "staff_session"
        ]
    );
    // A setting that all realms share.
    let cookie = reply.cookie("staff_session").unwrap();
    assert_eq!(cookie.same_site(), Some(rocket::http::SameSite::Strict));
    let mut both = browser(&app, "1", "2");
    app.clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(both.get("/who").body, "1 -");
    app.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(both.get("/who").body, "- -");
}

#[test]
fn a_realm_inherits_no_view() {
    let toml = r#"
        [default.login]
        login_view = "/for-customers"
        refresh_view = "/refresh-customers"
        mount_login_views = { "/payroll" = "/for-customers-too" }
    "#;
    let shop = shop();
    let bare = |clock: Clock| LoginManager::new(load_staff).clock(clock).realm("staff");
    let app = Shop {
        toml,
        pages: &["/for-customers", "/refresh-customers", "/for-customers-too"],
        staff: bare(shop.clock.clone()),
        ..shop
    }
    .start();
    assert_eq!(
        outcome(&app.browser().get("/payroll")),
        "401 caught Unauthorized"
    );
    let mut staff = browser(&app, "", "2 remember");
    staff.restart();
    assert_eq!(outcome(&staff.get("/vault")), "401 caught NeedsRefresh");
}

#[test]
fn the_views_of_a_realm_may_be_set_in_the_configuration() {
    let toml = r#"
        [default.login.realms.staff]
        login_view = "/for-staff"
        mount_login_views = { "/group" = "/for-group" }
    "#;
    let shop = shop();
    let staff = LoginManager::new(load_staff)
        .clock(shop.clock.clone())
        .realm("staff");
    let app = Shop {
        toml,
        pages: &["/for-staff", "/for-group"],
        staff,
        ..shop
    }
    .start();
    for (path, view) in [
        ("/payroll", "303 /for-staff?next=%2Fpayroll"),
        ("/group/report", "303 /for-group?next=%2Fgroup%2Freport"),
        ("/orders", "303 /sign-in-customers?next=%2Forders"),
    ] {
        assert_eq!(outcome(&app.browser().get(path)), view);
    }
}

#[test]
fn two_realms_keep_their_wanted_pages_apart() {
    let toml = "[default.login]\nuse_session_for_next = true";
    let app = Shop { toml, ..shop() }.start();
    let mut stranger = app.browser();
    assert_eq!(outcome(&stranger.get("/orders")), "303 /sign-in-customers");
    assert_eq!(outcome(&stranger.get("/payroll")), "303 /sign-in");
    let names: Vec<_> = names(&stranger)
        .into_iter()
        .filter(|name| name.ends_with("_next"))
        .collect();
    assert_eq!(names, ["login_next", "staff_next"]);
}
