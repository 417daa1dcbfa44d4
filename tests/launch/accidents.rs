//! Routes that are open by accident: the table marks them, and one warning names them.

use rocket::fairing::AdHoc;
use rocket::fs::FileServer;
use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, Route, delete, get, post, routes};
use rocket_login::{
    CurrentUser, Fresh, GuardRoutes, audit, fresh_login_required, login_required, public,
    unauthorized_handler,
};

use crate::common::log::captured;
use crate::common::{User, pages};
use crate::{Staff, debug, launch, site, staff, users};

#[get("/")]
fn index() {}

#[login_required]
#[get("/dashboard")]
fn dashboard() {}

#[login_required]
#[get("/settings")]
fn settings() {}

#[login_required]
#[get("/reports", rank = 5)]
fn reports() {}

#[get("/admin")]
fn admin() {}

#[public]
#[get("/admin")]
fn public_admin() {}

#[login_required]
#[get("/admin/members")]
fn admin_members() {}

#[login_required]
#[get("/admin/log")]
fn admin_log() {}

#[get("/login")]
fn login_page() {}

#[post("/login")]
fn login() {}

#[post("/logout")]
fn logout() {}

#[get("/register")]
fn register_page() {}

#[post("/register")]
fn register() {}

#[post("/vote")]
fn vote() {}

#[get("/robots.txt")]
fn robots() {}

#[post("/settings")]
fn save_settings() {}

#[delete("/settings")]
fn delete_settings() {}

#[post("/dashboard/<_>")]
fn save_entry() {}

#[get("/orders")]
fn orders() {}

#[get("/orders/<_>")]
fn order() {}

#[post("/orders")]
fn save_order() {}

#[get("/<_..>", rank = 1)]
fn everything() {}

#[get("/<_>", rank = 1)]
fn every_page() {}

#[get("/<_..>", rank = 20)]
fn all_others() {}

#[get("/reports?print", rank = 1)]
fn printed() {}

#[login_required(forward)]
#[get("/start")]
fn start() {}

#[get("/start", rank = 2)]
fn welcome() {}

#[public]
#[get("/start", rank = 2)]
fn public_welcome() {}

#[login_required]
#[get("/start", rank = 2)]
fn guarded_welcome() {}

#[public]
#[get("/help")]
fn help() {}

/// A site with a login page, and these mounts.
fn mounted<const N: usize>(mounts: [(&str, Vec<Route>); N]) -> Rocket<Build> {
    let site = site(debug(""), users().login_view("/login"));
    let site = site.mount("/", routes![login_page, login, logout]);
    mounts
        .into_iter()
        .fold(site, |site, (base, routes)| site.mount(base, routes))
}

/// The one warning about open routes names exactly these, each with the reason, and the table marks them too.
fn open_by_accident<const N: usize>(mounts: [(&str, Vec<Route>); N], named: &str) {
    let launched = launch(|| mounted(mounts));
    for doubtful in named.split("), ") {
        let (route, reason) = doubtful.split_once(" (").unwrap();
        let row = format!(
            "{}: unguarded <- check this: {}",
            route.trim_matches('`'),
            reason.trim_end_matches(')')
        );
        let mut rows = launched.lines.iter();
        let is_marked = rows.any(|line| line.text.ends_with(&row));
        assert!(is_marked, "{row}: {launched:?}");
    }
    let fix = "Write `#[login_required]` or `#[public]` above each, also if its handler takes a `&User`. With \
               `login.unguarded_routes = \"deny\"`, a route without either stops the launch";
    let warning = format!("these routes may be open by accident: {named}. {fix}");
    assert_eq!(launched.warned(), warning);
}

fn sensible<const N: usize>(mounts: [(&str, Vec<Route>); N]) {
    launch(|| mounted(mounts)).went_well();
}

#[test]
fn an_unguarded_route_in_an_otherwise_guarded_mount_is_named() {
    let area = || routes![index, dashboard, settings];
    open_by_accident(
        [("/admin", area())],
        "`GET /admin` (the other routes below `/admin` are guarded)",
    );
    open_by_accident(
        [("/", routes![admin, admin_members, admin_log])],
        "`GET /admin` (the other routes below `/admin` are guarded)",
    );
    open_by_accident(
        [("/", routes![dashboard, settings, admin])],
        "`GET /admin` (the other routes at `/` are guarded)",
    );
    open_by_accident(
        [("/admin", routes![dashboard, settings, save_entry])],
        "`POST /admin/dashboard/<_>` (the other routes below `/admin` are guarded)",
    );
    open_by_accident(
        [("/", routes![dashboard, settings, vote])],
        "`POST /vote` (the other routes at `/` are guarded)",
    );
    sensible([("/admin", area().login_required())]);
    sensible([("/", routes![dashboard, settings, public_admin])]);
    // A form such as the one to register is for everybody.
    sensible([(
        "/",
        routes![dashboard, settings, register_page, register, robots],
    )]);
    // Where as much is open as is guarded, the open routes are no exception.
    sensible([("/", routes![dashboard, orders, order])]);
    sensible([("/shop", routes![index, orders, dashboard, settings])]);
    let files = || FileServer::from("/").into();
    sensible([("/", routes![dashboard, settings]), ("/static", files())]);
    sensible([("/", [routes![dashboard, settings], files()].concat())]);
}

#[test]
fn a_second_mount_of_a_guarded_module_without_its_guard_is_named() {
    let module = || routes![orders, order, save_order];
    open_by_accident(
        [("/v1", module().login_required()), ("/v2", module())],
        "`GET /v2/orders` (`GET /v1/orders`, a route of the same name, is guarded), \
         `POST /v2/orders` (`POST /v1/orders`, a route of the same name, is guarded), \
         `GET /v2/orders/<_>` (`GET /v1/orders/<_>`, a route of the same name, is guarded)",
    );
    sensible([
        ("/v1", module().login_required()),
        ("/v2", module().login_required()),
    ]);
    // Two modules may each have an index.
    sensible([
        ("/v1", routes![index].login_required()),
        ("/v2", routes![index]),
    ]);
    sensible([
        ("/v1", routes![orders, reports].login_required()),
        ("/v2", routes![orders]),
    ]);
}

#[test]
fn an_open_route_before_a_guarded_one_is_named() {
    for (open, shown) in [
        (routes![everything], "/shop/<_..>"),
        (routes![every_page], "/shop/<_>"),
    ] {
        let routes = [routes![reports, orders], open].concat();
        open_by_accident(
            [("/shop", routes)],
            &format!("`GET {shown}` (it answers before `GET /shop/reports`, which is guarded)"),
        );
    }
    sensible([("/shop", routes![reports, orders, all_others])]);
    sensible([("/shop", routes![reports, orders, printed])]);
    sensible([(
        "/shop",
        [routes![reports], routes![everything].public()].concat(),
    )]);
    let files: Vec<Route> = FileServer::from("/").rank(1).into();
    sensible([("/shop", [routes![reports], files].concat())]);
}

#[test]
fn a_guard_that_forwards_to_an_open_route_is_named() {
    open_by_accident(
        [("/shop", routes![start, welcome, orders])],
        "`GET /shop/start` (`GET /shop/start` forwards refused requests to it)",
    );
    let files = Vec::from(FileServer::from("/").rank(2));
    open_by_accident(
        [("/shop", [routes![start], files].concat())],
        "`GET /shop/<path..>` (`GET /shop/start` forwards refused requests to it)",
    );
    sensible([("/shop", routes![start, public_welcome])]);
    sensible([("/shop", routes![start, guarded_welcome])]);
    let warning = launch(|| mounted([("/shop", routes![start])])).warned();
    assert_eq!(
        warning,
        "`GET /shop/start`: `forward` has no effect, because no other route answers there: mount one with a higher rank, \
         or remove `forward`"
    );
}

#[test]
fn a_change_without_the_guard_of_its_page_is_named() {
    open_by_accident(
        [("/", routes![settings, save_settings, delete_settings])],
        "`DELETE /settings` (`GET /settings`, at the same address, is guarded), \
         `POST /settings` (`GET /settings`, at the same address, is guarded)",
    );
    // Everybody may read, and users may write.
    sensible([(
        "/",
        [routes![orders], routes![save_order].login_required()].concat(),
    )]);
}

#[test]
fn a_public_route_in_a_guarded_group_is_warned_of() {
    let routes = routes![help, orders].login_required();
    let launched = launch(|| mounted([("/shop", routes)]));
    let row = "(help) GET /shop/help: login <- check this: `#[public]` has no effect";
    let is_marked = launched.lines.iter().any(|line| line.text.starts_with(row));
    assert!(is_marked, "{launched:?}");
    assert_eq!(
        launched.warned(),
        "`GET /shop/help`: `#[public]` has no effect, because its group is guarded: mount it outside the group, or remove \
         `#[public]`"
    );
    sensible([("/shop", routes![help, orders].public())]);
}

#[test]
fn a_denied_route_stops_the_launch_and_is_not_warned_of() {
    let deny = "[default.login]\nunguarded_routes = 'deny'";
    let launched =
        launch(|| site(debug(deny), users()).mount("/", routes![dashboard, settings, admin]));
    assert_eq!(launched.warnings(), [""; 0]);
    launched.stopped_saying(&["`GET /admin` is neither guarded nor marked as public"]);
}

#[test]
fn the_audit_says_why_it_doubts() {
    let rocket = || mounted([("/", routes![dashboard, settings, admin])]);
    let (audit, _) = captured(|| audit(Client::untracked(rocket()).unwrap().rocket()));
    let mut doubts = audit
        .routes()
        .iter()
        .filter_map(|it| Some((it.to_string(), it.doubt.clone()?)));
    let doubt = "the other routes at `/` are guarded".to_owned();
    assert_eq!(doubts.next(), Some(("GET /admin".to_owned(), doubt)));
    assert_eq!(doubts.next(), None);
}

/// Answers with a success, as a catcher never does.
#[unauthorized_handler]
fn please_log_in() -> (Status, &'static str) {
    (Status::Ok, "please log in")
}

#[get("/option")]
fn option(user: Option<&User>) -> &'static str {
    user.map_or("open", |_| "user")
}

#[get("/result")]
fn result(user: Result<&User, rocket_login::access::GuardError>) -> &'static str {
    user.map_or("open", |_| "user")
}

#[get("/user")]
fn user(user: &User) -> String {
    user.id.clone()
}

#[public]
#[get("/public-option")]
fn public_option(user: Option<&User>) -> &'static str {
    user.map_or("open", |_| "user")
}

#[get("/current")]
fn current(user: CurrentUser<'_, User>) -> &'static str {
    user.user().map_or("open", |_| "user")
}

#[fresh_login_required(User)]
#[get("/staff-too")]
fn staff_too(staff: Option<&Staff>, fresh: Option<Fresh<'_, Staff>>) -> &'static str {
    staff.zip(fresh).map_or("user", |_| "staff")
}

#[test]
fn an_optional_user_is_warned_of_at_the_first_request() {
    let rocket = || {
        site(debug(""), users().unauthorized_handler(please_log_in))
            .attach(staff())
            .mount(
                "/",
                routes![option, result, user, public_option, current, staff_too],
            )
            .mount("/", pages(&["/plain"]))
    };
    let ((), lines) = captured(|| {
        let client = Client::untracked(rocket()).unwrap();
        let status = |path| client.get(path).dispatch().status();
        for _ in 0..2 {
            for path in ["/option", "/result", "/public-option", "/current", "/plain"] {
                assert_eq!(status(path), Status::Ok, "{path}");
            }
            assert_eq!(status("/user"), Status::Ok);
            let alice = rocket_login::testing::login(
                client.rocket(),
                &crate::common::Users::alice_and_bob().get("alice").unwrap(),
            );
            for path in ["/staff-too", "/option"] {
                let reply = client.get(path).cookie(alice.clone()).dispatch();
                assert_eq!(reply.into_string().unwrap(), "user", "{path}");
            }
        }
    });
    let warnings = lines.iter().filter(|line| line.is_ours());
    let warnings = warnings.filter(|line| line.text.contains("is open to everybody"));
    let warnings: Vec<_> = warnings.map(|line| &*line.text).collect();
    let words = |route: &str| {
        format!(
            "`GET {route}` is open to everybody: its handler takes `&User` as an `Option` or a `Result`, which refuses \
             nobody. Write `#[login_required]` above it; for a page that is open on purpose, write `#[public]` and take \
             `CurrentUser`"
        )
    };
    assert_eq!(warnings, [words("/option"), words("/result")]);
}

#[test]
fn a_fairing_that_takes_an_optional_user_says_nothing_about_handlers() {
    let rocket = || {
        let look = AdHoc::on_request("Look", |req, _| {
            Box::pin(async move {
                let _ = req.guard::<Option<&User>>().await;
            })
        });
        let site = site(debug(""), users()).attach(look);
        site.mount("/", routes![current, option])
    };
    let ((), lines) = captured(|| {
        let client = Client::untracked(rocket()).unwrap();
        for path in ["/current", "/option"] {
            assert_eq!(client.get(path).dispatch().status(), Status::Ok, "{path}");
        }
    });
    let warned = |route: &str| {
        let text = format!("`GET {route}` is open to everybody");
        lines.iter().any(|line| line.text.contains(&text))
    };
    assert!(warned("/option"));
    assert!(!warned("/current"));
}
