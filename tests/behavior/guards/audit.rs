//! The audit: how it classifies every kind of route.

use rocket::fs::{FileServer, Options};
use rocket::http::{Method, Status};
use rocket::local::blocking::Client;
use rocket::route::Handler;
use rocket::{Build, Data, Request, Rocket, Route, State, get, post, route, routes};
use rocket_login::{
    GuardRoutes, LoginManager, RouteGuard, anonymous_required, audit,
    audit::{Access, Audit, AuditedRoute},
    condition, fresh_login_required, login_required, public, user_loader,
};

use crate::common::{App, User, Users, bare, load_user, pages};

/// A site with nothing but these mounts.
fn site<const N: usize>(mounts: [(&str, Vec<Route>); N]) -> Rocket<Build> {
    let rocket = bare()
        .manage(Users::alice_and_bob())
        .attach(LoginManager::new(load_user));
    mounts
        .into_iter()
        .fold(rocket, |rocket, (base, routes)| rocket.mount(base, routes))
}

fn audited<const N: usize>(mounts: [(&str, Vec<Route>); N]) -> Audit {
    audit(Client::untracked(site(mounts)).unwrap().rocket())
}

#[test]
#[should_panic = "this rocket is not ignited, so nothing is known of its `LoginManager` and its guards: \
                  start a `Client` and use `client.rocket()`, or ignite it with `rocket.ignite().await`"]
fn before_ignition_there_is_no_audit() {
    let _ = audit(&site([("/", routes![plain, login])]));
}

/// One line per route: `GET /a: login`, with `?` if it is ambiguous and `if` for a condition.
fn lines(audit: &Audit) -> Vec<String> {
    let line = |route: &AuditedRoute| {
        let condition = if route.has_condition { " if" } else { "" };
        let ambiguous = if route.is_ambiguous { " ?" } else { "" };
        format!("{route}: {}{condition}{ambiguous}", route.access)
    };
    audit.routes().iter().map(line).collect()
}

#[get("/plain")]
fn plain() {}

#[public]
#[get("/public")]
fn open() {}

#[anonymous_required]
#[get("/anonymous")]
fn anonymous() {}

#[login_required]
#[get("/login")]
fn login() {}

#[login_required(if = |user: &User| user.active)]
#[get("/conditional")]
fn conditional() {}

#[fresh_login_required(User, within = "10m", forward)]
#[get("/fresh")]
fn fresh() {}

#[get("/user")]
fn by_argument(_user: &User) {}

fn all() -> Vec<Route> {
    routes![
        plain,
        open,
        anonymous,
        login,
        conditional,
        fresh,
        by_argument
    ]
}

#[test]
fn every_kind_of_route_is_classified_correctly() {
    let picky = RouteGuard::login().only_if(condition!(|user: &User| user.active));
    let mounts = [
        ("/a", all()),
        ("/b", all().login_required()),
        ("/c", all().fresh_login_required()),
        ("/d", all().public()),
        ("/e", routes![plain].anonymous_required("/")),
        ("/f", routes![plain].login_required().fresh_login_required()),
        ("/g", routes![plain].guarded(picky)),
        ("/h", FileServer::new("/", Options::None).login_required()),
        ("/i", FileServer::new("/", Options::None).into()),
    ];
    // Each in its own application, so that no handler is mounted twice.
    let listed = mounts.map(|mount| lines(&audited([mount, ("/", pages(&["/"]))])));
    let mut listed = listed.concat();
    listed.retain(|line| line != "GET /: public");
    assert_eq!(
        listed,
        [
            "GET /a/anonymous: anonymous only",
            "GET /a/conditional: login if",
            "GET /a/fresh: fresh login",
            "GET /a/login: login",
            "GET /a/plain: unguarded",
            "GET /a/public: public",
            "GET /a/user: unguarded",
            "GET /b/anonymous: login",
            "GET /b/conditional: login if",
            "GET /b/fresh: fresh login",
            "GET /b/login: login",
            "GET /b/plain: login",
            "GET /b/public: login",
            "GET /b/user: login",
            "GET /c/anonymous: fresh login",
            "GET /c/conditional: fresh login if",
            "GET /c/fresh: fresh login",
            "GET /c/login: fresh login",
            "GET /c/plain: fresh login",
            "GET /c/public: fresh login",
            "GET /c/user: fresh login",
            "GET /d/anonymous: anonymous only",
            "GET /d/conditional: login if",
            "GET /d/fresh: fresh login",
            "GET /d/login: login",
            "GET /d/plain: public",
            "GET /d/public: public",
            "GET /d/user: public",
            "GET /e/plain: anonymous only",
            "GET /f/plain: fresh login",
            "GET /g/plain: login if",
            "GET /h/<path..>: login",
            "GET /i/<path..>: unguarded",
        ]
    );
}

#[test]
fn each_kind_of_route_mounted_once_is_classified_correctly() {
    let audit = audited([
        ("/", [all(), pages(&["/"])].concat()),
        ("/files", FileServer::new("/", Options::None).into()),
    ]);
    assert_eq!(
        lines(&audit),
        [
            "GET /: public",
            "GET /anonymous: anonymous only",
            "GET /conditional: login if",
            "GET /files/<path..>: unguarded",
            "GET /fresh: fresh login",
            "GET /login: login",
            "GET /plain: unguarded",
            "GET /public: public",
            "GET /user: unguarded",
        ]
    );
    assert_eq!(
        audit.open(),
        [
            "GET /",
            "GET /anonymous",
            "GET /files/<path..>",
            "GET /plain",
            "GET /public",
            "GET /user"
        ]
    );
    assert_eq!(
        audit.unguarded(),
        ["GET /files/<path..>", "GET /plain", "GET /user"]
    );
}

#[test]
fn the_audit_names_user_type_and_location() {
    let staff = RouteGuard::login().user::<User>();
    let audit = audited([
        ("/a", routes![fresh, plain]),
        ("/b", routes![plain].guarded(staff)),
    ]);
    let [fresh, plain, grouped] = audit.routes() else {
        panic!("{audit:?}");
    };
    assert_eq!(fresh.name.as_deref(), Some("fresh"));
    assert_eq!(fresh.method, Method::Get);
    assert_eq!(fresh.uri, "/a/fresh");
    assert_eq!(fresh.access, Access::FreshLogin);
    assert_eq!(fresh.users, [std::any::type_name::<User>()]);
    let (file, line) = fresh.location.unwrap().rsplit_once(':').unwrap();
    assert_eq!(file, file!());
    assert!(line.parse::<u32>().unwrap() > 1);
    assert_eq!((plain.users.len(), plain.location), (0, None));
    assert_eq!(grouped.users, [std::any::type_name::<User>()]);
}

#[test]
fn every_method_gets_its_own_line() {
    #[login_required]
    #[post("/login")]
    fn login() {}
    #[login_required]
    #[route(PATCH, uri = "/patched/<_id>?<_q>", data = "<_body>")]
    fn patched(_id: u8, _q: u8, _body: String) {}

    let audit = audited([("/", routes![self::login, login, patched])]);
    assert_eq!(
        lines(&audit),
        [
            "GET /login: login",
            "POST /login: login",
            "PATCH /patched/<_id>?<_q>: login"
        ]
    );
}

#[test]
fn a_uri_is_recognized_under_every_mount_point() {
    macro_rules! guarded {
        ($($name:ident $uri:literal;)*) => {{
            $(
                #[login_required]
                #[get($uri)]
                fn $name() -> &'static str {
                    $uri
                }
            )*
            routes![$($name),*]
        }};
    }
    let routes = || {
        guarded! {
            root "/";
            short "/s";
            segment "/segment/<_>";
            dots "/dots/<_..>";
            query "/query?kind=a";
            escaped "/esc%20aped";
            trailing "/trailing/<_>/x";
            nested "/a/b/c";
        }
    };
    #[login_required]
    #[get("/dynamic/<id>/x/<path..>?static&<page>&<rest..>")]
    fn dynamic(
        id: u8,
        path: std::path::PathBuf,
        page: u8,
        rest: std::collections::HashMap<String, String>,
    ) -> String {
        format!("{id} {path:?} {page} {rest:?}")
    }
    for base in ["/", "/api", "/api/", "/api/v1", "/api/v1/", "/a%20b"] {
        let routes = [routes(), routes![dynamic]].concat();
        let audit = audited([(base, routes)]);
        assert_eq!(audit.routes().len(), 9);
        for route in audit.routes() {
            assert_eq!(route.access, Access::Login, "{base}: {route}");
            assert!(!route.is_ambiguous, "{base}: {route}");
        }
        assert_eq!(audit.open(), [""; 0], "{base}");
    }
}

mod guarded {
    #![allow(
        clippy::needless_raw_string_hashes,
        reason = "defect: the guard of `fn r#move` makes clippy see a raw string"
    )]

    #[super::login_required]
    #[super::get("/")]
    pub(super) fn index() {}

    #[super::login_required]
    #[super::get("/")]
    pub(super) fn r#move() {}

    #[super::login_required]
    #[super::get("/")]
    #[allow(non_snake_case, reason = "a raw name that need not be raw")]
    pub(super) fn r#raw() {}
}

mod also_guarded {
    #[super::fresh_login_required]
    #[super::get("/")]
    pub(super) fn index() {}
}

mod marked {
    #[super::public]
    #[super::get("/")]
    pub(super) fn index() {}

    #[super::public]
    #[super::post("/")]
    pub(super) fn post() {}
}

mod unguarded {
    #[super::get("/")]
    pub(super) fn index() {}

    #[super::get("/")]
    pub(super) fn raw() {}
}

#[test]
fn an_unguarded_handler_is_never_classified_as_its_guarded_namesake() {
    for (guarded_at, unguarded_at) in [("/a", "/b"), ("/b", "/a"), ("/a", "/a/b"), ("/a/b", "/a")] {
        let audit = audited([
            (guarded_at, routes![guarded::index]),
            (unguarded_at, routes![unguarded::index]),
        ]);
        assert!(
            audit.unguarded().contains(&format!("GET {unguarded_at}")),
            "{:?}",
            lines(&audit)
        );
    }
    // The guard of a group resolves the ambiguity.
    let audit = audited([
        ("/a", routes![guarded::index].login_required()),
        ("/b", routes![unguarded::index].login_required()),
    ]);
    assert_eq!(audit.unguarded(), [""; 0]);
}

#[test]
fn one_name_at_different_uris_is_not_ambiguous() {
    #[get("/elsewhere")]
    fn index() {}
    let audit = audited([("/", routes![guarded::index, index])]);
    assert_eq!(lines(&audit), ["GET /: login", "GET /elsewhere: unguarded"]);
}

#[test]
fn each_of_several_handlers_of_one_name_is_listed_with_its_own_guard() {
    let mounts = || {
        [
            ("/a", routes![guarded::index]),
            ("/b", routes![also_guarded::index]),
            ("/c", routes![marked::index]),
        ]
    };
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut mounts = mounts();
        // Rocket asks the routes in the order of their ranks.
        for (rank, index) in (-20..).zip(order) {
            mounts[index].1[0].rank = rank;
        }
        let mounts = order.map(|index| mounts[2 - index].clone());
        let rocket = site(mounts).mount("/", routes![plain, login, marked::post]);
        let audit = audit(Client::untracked(rocket).unwrap().rocket());
        assert_eq!(
            lines(&audit),
            [
                "POST /: public",
                "GET /a: login",
                "GET /b: fresh login",
                "GET /c: public",
                "GET /login: login",
                "GET /plain: unguarded",
            ],
            "{order:?}"
        );
        assert!(audit.routes()[1..4].iter().all(|it| it.location.is_some()));
    }
}

#[test]
fn the_weakest_guard_counts_where_a_renamed_route_breaks_the_order_of_the_attributes() {
    let mut renamed = routes![login];
    renamed[0].name = Some("renamed".into());
    let audit = audited([
        ("/", renamed),
        ("/a", routes![guarded::index]),
        ("/b", routes![also_guarded::index]),
    ]);
    assert_eq!(
        lines(&audit),
        ["GET /a: login", "GET /b: login", "GET /login: unguarded"]
    );
    assert!(audit.routes().iter().all(|route| route.location.is_none()));
    assert_eq!(audit.open(), ["GET /login"]);
}

#[test]
fn a_handler_mounted_twice_is_not_guarded_where_its_group_is_missing() {
    // Rocket runs a sentinel once for both mounts, so the second mount looks like an unguarded namesake.
    let audit = audited([
        ("/a", routes![guarded::index]),
        ("/b", routes![guarded::index]),
    ]);
    assert_eq!(audit.unguarded(), ["GET /a", "GET /b"]);
    assert!(audit.routes().iter().all(|route| route.is_ambiguous));
    let audit = audited([
        ("/a", routes![guarded::index].login_required()),
        ("/b", routes![guarded::index].login_required()),
    ]);
    assert_eq!(audit.open(), [""; 0], "{:?}", lines(&audit));
}

#[test]
fn mounting_twice_does_not_hide_an_unguarded_namesake() {
    let audit = audited([
        ("/a", routes![guarded::index]),
        ("/b", routes![guarded::index]),
        ("/c", routes![unguarded::index]),
    ]);
    assert!(
        audit.unguarded().contains(&"GET /c".to_owned()),
        "{:?}",
        lines(&audit)
    );
}

#[test]
fn a_handler_with_a_raw_name_is_guarded() {
    let audit = audited([("/a", routes![guarded::r#move])]);
    assert_eq!(lines(&audit), ["GET /a: login"]);
}

#[test]
fn a_raw_name_does_not_hide_an_unguarded_namesake() {
    let audit = audited([
        ("/a", routes![guarded::r#raw]),
        ("/b", routes![unguarded::raw]),
    ]);
    assert!(
        audit.unguarded().contains(&"GET /b".to_owned()),
        "{:?}",
        lines(&audit)
    );
}

#[test]
fn a_guarded_handler_that_is_not_mounted_hides_nothing() {
    let audit = audited([("/a", routes![unguarded::index])]);
    assert_eq!(lines(&audit), ["GET /a: unguarded"]);
}

#[test]
fn a_wrapped_route_keeps_its_classification() {
    // Clones and other mount points do not change it.
    let routes = routes![login, plain].login_required();
    let copies: Vec<Route> = routes
        .iter()
        .map(|route| {
            route
                .clone()
                .map_base(|base| format!("/copy{base}"))
                .unwrap()
        })
        .collect();
    let audit = audited([("/", routes![open]), ("/x", copies)]);
    assert_eq!(
        lines(&audit),
        [
            "GET /public: public",
            "GET /x/copy/login: login",
            "GET /x/copy/plain: login"
        ]
    );
}

#[test]
fn an_application_without_a_manager_guards_nothing_by_attribute() {
    let rocket = rocket::custom(rocket::Config {
        log_level: rocket::config::LogLevel::Off,
        ..rocket::Config::debug_default()
    });
    let client = Client::untracked(rocket.mount("/", routes![plain])).unwrap();
    assert_eq!(audit(client.rocket()).open(), ["GET /plain"]);
}

#[test]
fn the_audit_agrees_with_what_an_anonymous_visitor_gets() {
    // The audit must agree with the running application.
    let app = super::start(App::new(), |rocket| {
        rocket.mount("/x", all()).mount("/", pages(&["/"]))
    });
    let audit = audit(app.client.rocket());
    assert!(audit.routes().len() > 15);
    for route in audit.routes() {
        let path = route.uri.split('?').next().unwrap();
        let reply = app.browser().send(route.method, path, Some(""));
        let refused = reply
            .location()
            .is_some_and(|location| location.starts_with("/login?") || location == "/login");
        match route.access {
            Access::Login | Access::FreshLogin => assert!(refused, "{route}: {reply:?}"),
            Access::Public | Access::Anonymous => assert!(!refused, "{route}: {reply:?}"),
            _ => {}
        }
    }
}

#[user_loader]
fn load_anyone(_id: &str, users: &State<Users>) -> Option<User> {
    users.get("alice")
}

#[login_required]
#[rocket::options("/login")]
fn preflight() {}

#[anonymous_required]
#[rocket::options("/anonymous")]
fn anonymous_preflight() {}

#[login_required(if = |user: &User| user.active)]
#[rocket::options("/conditional")]
fn conditional_preflight() {}

#[test]
fn a_guard_that_exempt_methods_opens_is_listed_as_open() {
    let exempt = |methods: Vec<Method>| {
        let manager = LoginManager::new(load_user).exempt_methods(methods);
        let routes = routes![
            login,
            fresh,
            preflight,
            anonymous_preflight,
            conditional_preflight
        ];
        let rocket = bare()
            .manage(Users::alice_and_bob())
            .attach(manager)
            .mount("/a", routes)
            .mount("/b", routes![preflight, login].login_required())
            .mount("/c", routes![anonymous_preflight].fresh_login_required());
        Client::untracked(rocket).unwrap()
    };
    let client = exempt(vec![Method::Options]);
    let audit = audit(client.rocket());
    assert_eq!(
        lines(&audit),
        [
            "OPTIONS /a/anonymous: unguarded ?",
            "OPTIONS /a/conditional: everybody, by `exempt_methods`",
            "GET /a/fresh: fresh login",
            "GET /a/login: unguarded ?",
            "OPTIONS /a/login: unguarded ?",
            "GET /b/login: login ?",
            "OPTIONS /b/login: everybody, by `exempt_methods` ?",
            "OPTIONS /c/anonymous: everybody, by `exempt_methods` ?",
        ]
    );
    for route in audit.routes() {
        let reply = client.req(route.method, route.uri.clone()).dispatch();
        let is_refused = reply.status() == Status::Unauthorized;
        match route.access {
            Access::Exempt => assert!(!is_refused, "{route}"),
            Access::Login | Access::FreshLogin => assert!(is_refused, "{route}"),
            _ => {}
        }
        assert_eq!(
            audit.open().contains(&route.to_string()),
            !matches!(route.access, Access::Login | Access::FreshLogin),
            "{route}"
        );
    }
    let client = exempt(vec![Method::Get]);
    let audit = rocket_login::audit(client.rocket());
    for route in ["GET /a/fresh", "GET /b/login"] {
        assert!(audit.open().contains(&route.to_owned()), "{route}");
    }
    assert!(!audit.open().contains(&"OPTIONS /b/login".to_owned()));
}

/// A handler of the application's that asks the guarded handler in it only sometimes.
#[derive(Clone)]
struct Preview(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Preview {
    async fn handle<'r>(&self, req: &'r Request<'_>, data: Data<'r>) -> route::Outcome<'r> {
        if req.query_fields().any(|field| field.name == "preview") {
            return route::Outcome::from(req, "open");
        }
        self.0.handle(req, data).await
    }
}

#[test]
fn a_guard_inside_another_handler_does_not_count() {
    let wrapped = |routes: Vec<Route>| {
        let wrap = |mut route: Route| {
            route.handler = Box::new(Preview(route.handler));
            route
        };
        routes.into_iter().map(wrap).collect::<Vec<_>>()
    };
    let client = Client::untracked(site([
        ("/a", wrapped(routes![plain].login_required())),
        (
            "/b",
            wrapped(routes![plain].login_required()).login_required(),
        ),
        (
            "/c",
            wrapped(routes![plain].fresh_login_required()).anonymous_required("/"),
        ),
        ("/", pages(&["/"])),
    ]))
    .unwrap();
    assert_eq!(
        lines(&audit(client.rocket())),
        [
            "GET /: public",
            "GET /a/plain: unguarded",
            "GET /b/plain: login",
            "GET /c/plain: anonymous only"
        ]
    );
    let status = |path| client.get(path).dispatch().status();
    assert_eq!(status("/a/plain?preview"), Status::Ok);
    assert_eq!(status("/a/plain"), Status::Unauthorized);
    assert_eq!(status("/b/plain?preview"), Status::Unauthorized);
}

#[test]
fn each_launch_has_its_own_audit() {
    let launched = |routes: Vec<Route>| {
        let rocket = site([("/", routes)]);
        audit(Client::untracked(rocket).unwrap().rocket()).open()
    };
    assert_eq!(launched(routes![login]), [""; 0]);
    assert_eq!(launched(routes![login, plain]), ["GET /plain"]);
    let other = rocket::custom(site([]).figment().clone())
        .manage(Users::alice_and_bob())
        .attach(LoginManager::new(load_anyone))
        .mount("/", routes![open]);
    let client = Client::untracked(other).unwrap();
    assert_eq!(audit(client.rocket()).open(), ["GET /public"]);
    assert_eq!(audit(client.rocket()).unguarded(), [""; 0]);
}
