//! The login and refresh views: a launch stops where those who are sent there can do nothing.

use rocket::fs::FileServer;
use rocket::http::{Accept, Method, Status};
use rocket::local::blocking::Client;
use rocket::{Route, catchers, get, post, routes};
use rocket_login::{
    Fresh, GuardRoutes, LoginManager, RouteGuard, anonymous_required, fresh_login_required,
    login_required, request_loader, testing, unauthorized_handler,
};

use crate::common::log::{Level, captured};
use crate::common::{User, Users, load_user};
use crate::{Launch, Robot, Staff, debug, launch, login_door, site, staff, unauthorized, users};

#[get("/login")]
fn open() {}

#[login_required]
#[get("/login")]
fn guarded() {}

#[fresh_login_required]
#[get("/login")]
fn fresh() {}

#[anonymous_required]
#[get("/login")]
fn anonymous() {}

#[login_required(forward)]
#[get("/login")]
fn forwarding() {}

#[get("/login", rank = 2)]
fn second() {}

#[login_required]
#[get("/login", rank = 2)]
fn guarded_second() {}

#[login_required]
#[get("/login?staff")]
fn guarded_by_query() {}

#[login_required(User)]
#[get("/<_page>")]
fn any_page(_page: &str) {}

#[login_required]
#[get("/<_..>", rank = 1)]
fn guarded_catch_all() {}

#[get("/<_..>", rank = 1)]
fn catch_all() {}

#[login_required]
#[get("/<_>", rank = 1)]
fn guarded_dynamic() {}

#[get("/<_id>", rank = 1)]
fn dynamic(_id: u32) {}

#[get("/<_lang>/login")]
fn in_any_language(_lang: &str) {}

#[get("/nested/login")]
fn nested() {}

#[login_required(Staff)]
#[get("/login")]
fn of_staff() {}

#[post("/login")]
fn form() {}

#[login_required]
#[post("/login")]
fn guarded_form() {}

#[fresh_login_required]
#[post("/login")]
fn fresh_form() {}

#[anonymous_required]
#[post("/login")]
fn anonymous_form() {}

#[login_required]
#[post("/<_..>")]
fn guarded_proxy() {}

/// Launches with the login view `/a/login`, or with the same as the refresh view.
fn with_view(setting: &str, routes: Vec<Route>) -> Launch {
    let toml = format!("[default.login]\n{setting} = '/a/login?lang=en'");
    launch(|| site(debug(&toml), users()).mount("/a", routes))
}

#[test]
fn a_login_view_that_refuses_the_anonymous_stops_the_launch() {
    for (routes, why, fix) in [
        (
            routes![guarded],
            "`GET /a/login` requires a login, so that nobody can log in",
            "remove `#[login_required]` from `guarded`",
        ),
        (
            routes![fresh],
            "`GET /a/login` requires a fresh login",
            "remove `#[fresh_login_required]` from `fresh`",
        ),
        (
            routes![open].login_required(),
            "`GET /a/login` requires a login",
            "mount `open` outside its guarded group",
        ),
        (
            routes![open, second].login_required(),
            "`GET /a/login` requires a login",
            "outside its guarded group",
        ),
        (
            routes![guarded, second],
            "`GET /a/login` requires a login",
            "from `guarded`",
        ),
        (
            routes![any_page],
            "`GET /a/<_page>` requires a login",
            "from `any_page`",
        ),
        (
            routes![forwarding],
            "`GET /a/login` requires a login",
            "from `forwarding`",
        ),
        (
            routes![forwarding, guarded_second],
            "`GET /a/login` requires a login",
            "from `guarded_second`",
        ),
        (
            [routes![guarded], FileServer::from("/").into()].concat(),
            "`GET /a/login` requires a login",
            "from `guarded`",
        ),
    ] {
        let subject = "`login_view` is `/a/login?lang=en`, but ";
        with_view("login_view", routes).stopped_saying(&[subject, why, fix]);
    }
    for routes in [
        routes![open],
        routes![anonymous],
        routes![open, any_page],
        routes![open, guarded_by_query],
        routes![open, login_door],
        routes![open].public(),
        FileServer::from("/").into(),
    ] {
        with_view("login_view", routes).went_well();
    }
    for routes in [routes![forwarding, second], routes![open, guarded_second]] {
        let launched = with_view("login_view", routes);
        assert_eq!(launched.stopped_by, None, "{launched:?}");
    }
}

#[test]
fn a_login_view_behind_a_route_for_all_pages_stops_the_launch() {
    let behind = || routes![second];
    let first = [routes![guarded_catch_all], behind()].concat();
    with_view("login_view", first).stopped_saying(&[
        "`GET /a/<_..>` requires a login, and answers before `GET /a/login`",
        "give it a higher rank, such as `rank = 20`",
    ]);
    let grouped = routes![catch_all].login_required();
    with_view("login_view", [grouped, behind()].concat())
        .stopped_saying(&["answers before `GET /a/login`"]);
    with_view("login_view", [routes![guarded_dynamic], behind()].concat())
        .stopped_saying(&["`GET /a/<_>` requires a login, and answers before `GET /a/login`"]);
    with_view("login_view", [routes![catch_all], behind()].concat()).stopped_saying(&[
        "`GET /a/<_..>` answers before `GET /a/login`",
        "give it a higher rank, such as `rank = 20`",
        "write `#[public]` above it if it forwards",
    ]);
    with_view("login_view", routes![guarded_catch_all]).stopped_saying(&[
        "only `GET /a/<_..>` answers there, and requires a login: mount a page there",
    ]);
    // It may forward what it cannot parse.
    with_view("login_view", [routes![dynamic], behind()].concat()).went_well();
    // Files come first, and the server forwards what is no file.
    let files = FileServer::from("/").rank(1).into();
    with_view("login_view", [files, behind()].concat()).went_well();
    with_view(
        "login_view",
        [routes![catch_all].public(), behind()].concat(),
    )
    .went_well();
    with_view("login_view", routes![open, catch_all]).went_well();
}

#[test]
fn a_refresh_view_that_refuses_the_stale_stops_the_launch() {
    for (routes, why, fix) in [
        (
            routes![fresh],
            "`GET /a/login` requires a fresh login, so that no login becomes fresh again",
            "remove `#[fresh_login_required]` from `fresh`",
        ),
        (
            routes![anonymous],
            "`GET /a/login` is only for visitors who are not logged in",
            "remove `#[anonymous_required]` from `anonymous`",
        ),
        (
            routes![open].fresh_login_required(),
            "requires a fresh login",
            "mount `open` outside its guarded group",
        ),
        (
            routes![guarded].anonymous_required("/"),
            "is only for visitors who are not logged in",
            "mount `guarded` outside its guarded group",
        ),
    ] {
        let subject = "`refresh_view` is `/a/login?lang=en`, but ";
        let launched = with_view("refresh_view", routes);
        launched.stopped_saying(&[subject, why, fix]);
    }
    for routes in [routes![open], routes![guarded], routes![any_page]] {
        with_view("refresh_view", routes).went_well();
    }
}

#[test]
fn a_guard_before_the_form_of_a_view_stops_the_launch() {
    for (setting, post, why) in [
        (
            "login_view",
            routes![guarded_form],
            "requires a login, so that nobody can log in",
        ),
        (
            "login_view",
            routes![form].login_required(),
            "requires a login",
        ),
        (
            "refresh_view",
            routes![fresh_form],
            "requires a fresh login",
        ),
        (
            "refresh_view",
            routes![anonymous_form],
            "is only for visitors who are not logged in",
        ),
    ] {
        with_view(setting, [routes![open], post].concat())
            .stopped_saying(&["`POST /a/login`, which takes the form of that page, ", why]);
    }
    for (setting, post) in [
        ("login_view", routes![form]),
        ("login_view", routes![anonymous_form]),
        ("refresh_view", routes![guarded_form]),
        // The form may be sent to any other route.
        ("login_view", routes![guarded_proxy]),
    ] {
        with_view(setting, [routes![open], post].concat()).went_well();
    }
}

#[test]
fn a_view_that_no_route_answers_stops_the_launch() {
    for setting in ["login_view", "refresh_view"] {
        let subject = format!("`{setting}` is `/a/login?lang=en`, but ");
        for routes in [routes![], routes![nested], routes![guarded_by_query]] {
            with_view(setting, routes).stopped_saying(&[
                &subject,
                "no route answers `GET /a/login`: mount a page there",
                "if another server answers it, write its whole URL, such as `https://www.example.com/a/login`",
            ]);
        }
        with_view(setting, routes![form]).stopped_saying(&[
            &subject,
            "only `POST /a/login` answers there: add a GET route for the page",
        ]);
    }
    let view = |view: &'static str, routes: Vec<Route>| {
        launch(|| site(debug(""), users().login_view(view)).mount("/a", routes))
    };
    view("/login", routes![open]).stopped_saying(&[
        "`login_view` is `/login`, but the page is mounted at `/a/login`: write that address, in code as `uri!(\"/a\", open)`",
    ]);
    let files = || Vec::from(FileServer::from("/"));
    let with_files = || site(debug(""), users().login_view("/login")).mount("/", files());
    let warning = launch(|| with_files().mount("/a", routes![open])).warned();
    assert_eq!(
        warning,
        "`login_view` is `/login`, where only a file can be, but the page is mounted at `/a/login`: write that address, \
         in code as `uri!(\"/a\", open)`"
    );
    launch(with_files).went_well();
    view("/a/de/login", routes![in_any_language]).went_well();
    view("/a/log%69n", routes![open]).went_well();
    view("/a/any/page", routes![catch_all]).went_well();
}

#[get("/login")]
fn takes_user(user: &User) -> String {
    user.id.clone()
}

#[get("/confirm")]
fn takes_fresh_user(user: Fresh<'_, User>) -> String {
    user.id.clone()
}

#[test]
fn a_view_whose_handler_requires_a_user_is_named_at_the_first_request() {
    // Rocket reveals no parameter of a handler, so the launch cannot know.
    let views = || users().login_view("/login").refresh_view("/confirm");
    let rocket = || site(debug(""), views()).mount("/", routes![takes_user, takes_fresh_user]);
    let ((), lines) = captured(|| {
        let client = Client::untracked(rocket()).unwrap();
        let alice = Users::alice_and_bob().get("alice").unwrap();
        let stale = testing::stale_login(client.rocket(), &alice);
        for request in [client.get("/login"), client.get("/confirm").cookie(stale)] {
            let reply = request.header(Accept::HTML).dispatch();
            assert_eq!(reply.status(), Status::Unauthorized);
            assert_eq!(reply.headers().get_one("Location"), None);
        }
    });
    let ours = lines
        .iter()
        .filter(|line| line.is_ours() && line.level == Level::Error);
    let ours: Vec<_> = ours.map(|line| &*line.text).collect();
    let words = |page: &str| {
        format!(
            "browsers are sent to `{page}` to log in or to confirm their login, but the page refuses them: remove `&User` \
             or `Fresh` from its handler, or take `CurrentUser`"
        )
    };
    assert_eq!(ours, [words("/login"), words("/confirm")]);
}

#[test]
fn the_page_of_another_server_is_a_whole_url() {
    for view in ["https://id.example/login", "https://a.example/login"] {
        let toml = format!(
            "[default.login]\nlogin_view = '{view}'\nforce_host_for_redirects = 'a.example'"
        );
        launch(|| site(debug(&toml), users()).mount("/a", routes![guarded])).went_well();
    }
}

#[test]
fn a_login_view_of_a_mount_point_is_checked_too() {
    let shop = |base: &'static str, view: &'static str, routes: Vec<Route>| {
        launch(|| site(debug(""), users().mount_login_view(base, view)).mount("/shop", routes))
    };
    shop("/shop", "/shop/login", routes![open]).went_well();
    shop("/shop", "/login", routes![open]).stopped_saying(&[
        "`mount_login_views` for `/shop` is `/login`, but the page is mounted at `/shop/login`",
    ]);
    shop("/shop", "/shop/login", routes![guarded]).stopped_saying(&[
        "`mount_login_views` for `/shop` is `/shop/login`, but `GET /shop/login` requires a login",
    ]);
    let words = "`mount_login_views` names the mount point `/shopp`, but no route is mounted there";
    shop("/shopp", "/shop/login", routes![open])
        .stopped_saying(&[words, "correct the mount point"]);
    let without = || users().mount_without_login_view("/shopp");
    launch(|| site(debug(""), without()).mount("/shop", routes![open])).stopped_saying(&[words]);
}

#[test]
fn the_setting_of_a_realm_is_named_with_its_realm() {
    let staff = || staff().login_view("/staff/login");
    launch(|| site(debug(""), users()).attach(staff())).stopped_saying(&[
        "`login_view` of the realm `staff` is `/staff/login`, but no route answers `GET /staff/login`",
    ]);
}

#[test]
fn only_the_realm_of_a_view_can_refuse_its_visitors() {
    let both = |routes: Vec<Route>| {
        launch(|| {
            site(debug(""), users().login_view("/a/login"))
                .attach(staff())
                .mount("/a", routes)
        })
    };
    both(routes![of_staff]).went_well();
    both(routes![open].guarded(RouteGuard::login().user::<Staff>())).went_well();
    let of_users = RouteGuard::login().user::<User>();
    both(routes![open].guarded(of_users)).stopped_saying(&["`GET /a/login` requires a login"]);
    both(routes![of_staff].guarded(of_users)).stopped_saying(&["outside its guarded group"]);
}

#[test]
fn a_view_that_exempt_methods_opens_refuses_nobody() {
    let manager = || users().login_view("/a/login");
    let exempt = || manager().exempt_methods([Method::Get]);
    launch(|| site(debug(""), manager()).mount("/a", routes![guarded])).errors_of_stop();
    let warning = launch(|| site(debug(""), exempt()).mount("/a", routes![guarded])).warned();
    assert!(warning.contains("exempt_methods"), "{warning}");
}

#[anonymous_required(redirect = "/b/sign-up")]
#[get("/sign-in")]
fn sign_in() {}

#[anonymous_required(redirect = "/b/sign-in")]
#[get("/sign-up")]
fn sign_up() {}

#[anonymous_required(redirect = "/b/sign-in")]
#[post("/sign-up")]
fn sign_up_form() {}

#[anonymous_required(redirect = "/b/alone")]
#[get("/alone")]
fn alone() {}

#[anonymous_required(redirect = "/b/dashbord?tab=1")]
#[get("/welcome")]
fn welcome() {}

#[anonymous_required(redirect = "/b/dashbord?tab=1")]
#[post("/welcome")]
fn welcome_form() {}

#[login_required]
#[get("/dashbord")]
fn dashboard() {}

#[anonymous_required(redirect = "/sign-in")]
#[get("/without-base")]
fn without_base() {}

#[anonymous_required(redirect = "/b/sign-up")]
#[get("/start")]
fn into_a_circle() {}

#[test]
fn pages_for_the_anonymous_that_send_users_in_a_circle_stop_the_launch() {
    let at_b = |routes: Vec<Route>| launch(|| site(debug(""), users()).mount("/b", routes));
    at_b(routes![alone]).stopped_saying(&[
        "`GET /b/alone` sends users who are logged in to `/b/alone`, which is the page itself",
        "set `redirect` to a page for users",
    ]);
    for routes in [
        routes![sign_in, sign_up],
        routes![sign_in, sign_up, into_a_circle],
        routes![sign_in, sign_up, sign_up_form],
    ] {
        at_b(routes).stopped_saying(&[
            "`GET /b/sign-in` sends users who are logged in to `/b/sign-up`, and `GET /b/sign-up` sends them back",
            "set `redirect` to a page for users",
        ]);
    }
    let group = [
        routes![sign_up].anonymous_required("/b/login"),
        routes![open].anonymous_required("/b/sign-up"),
    ];
    at_b(group.concat()).stopped_saying(&["`GET /b/login`", "`/b/sign-up`", "sends them back"]);
    at_b(routes![welcome, dashboard]).went_well();
}

#[test]
fn a_redirect_to_no_route_stops_the_launch() {
    let at_b = |routes: Vec<Route>| launch(|| site(debug(""), users()).mount("/b", routes));
    at_b(routes![welcome, welcome_form]).stopped_saying(&[
        "`GET /b/welcome` sends users who are logged in to `/b/dashbord?tab=1`, but no route answers `GET /b/dashbord`",
        "mount a page there, or set `redirect` to another page",
    ]);
    at_b(routes![welcome, dashboard]).went_well();
    at_b(routes![without_base, welcome, dashboard, sign_in_page]).stopped_saying(&[
        "`GET /b/without-base`",
        "the page is mounted at `/b/sign-in`: write that address, in code as `uri!(\"/b\", sign_in_page)`",
    ]);
}

#[get("/sign-in")]
fn sign_in_page() {}

#[fresh_login_required]
#[get("/fresh-door")]
fn fresh_door() {}

#[login_required]
#[post("/login-door")]
fn change() {}

/// A site without a login page, a refresh page or a catcher.
fn bare(manager: LoginManager<User>) -> rocket::Rocket<rocket::Build> {
    rocket::custom(debug(""))
        .manage(Users::default())
        .attach(manager)
        .mount("/a", routes![open, login_door])
}

#[unauthorized_handler]
fn answer() -> &'static str {
    "please log in"
}

#[request_loader]
fn load_robot() -> Option<Robot> {
    None
}

#[test]
fn a_guarded_page_without_a_login_view_is_warned_of() {
    let warning = launch(|| bare(users())).warned();
    for part in [
        "`GET /a/login-door` requires a login, but `login_view` is not set",
        "a browser without a login gets a bare 401",
        "`.login_view(uri!(..))`",
        "`.mount_without_login_view(\"/\")`",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    let warning = launch(|| bare(users()).mount("/b", routes![any_page, fresh_page])).warnings();
    assert!(
        warning[0].contains("`GET /a/login-door` and 2 other pages require a login"),
        "{warning:?}"
    );

    launch(|| bare(users().login_view("/a/login"))).went_well();
    launch(|| bare(users().mount_login_view("/a", "/a/login"))).went_well();
    launch(|| bare(users().mount_without_login_view("/"))).went_well();
    launch(|| bare(users().unauthorized_handler(answer))).went_well();
    launch(|| bare(users()).register("/", catchers![unauthorized])).went_well();
    launch(|| bare(users()).register("/b", catchers![unauthorized])).warned();
    launch(|| {
        rocket::custom(debug(""))
            .attach(users())
            .mount("/a", routes![change])
    })
    .went_well();
    let robots = LoginManager::from_requests(load_robot);
    launch(|| {
        rocket::custom(debug(""))
            .attach(robots)
            .mount("/a", routes![guarded])
    })
    .went_well();
}

#[fresh_login_required]
#[get("/fresh-page")]
fn fresh_page() {}

#[test]
fn a_page_for_fresh_logins_without_a_refresh_view_is_warned_of() {
    let manager = || LoginManager::new(load_user).login_view("/a/login");
    let with = |manager: LoginManager<User>| bare(manager).mount("/a", routes![fresh_door]);
    let warning = launch(|| with(manager())).warned();
    for part in [
        "`GET /a/fresh-door` requires a fresh login, but `refresh_view` is not set",
        "a browser with a login that is not fresh gets a bare 401",
        "`.refresh_view(uri!(..))`",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    launch(|| with(manager().refresh_view("/a/login"))).went_well();
    launch(|| with(manager()).register("/a", catchers![unauthorized])).went_well();
    // The login page of a mount point is no page to confirm a login.
    let mounted = || manager().mount_login_view("/a", "/a/login");
    launch(|| with(mounted())).warned();
    launch(|| with(manager().mount_without_login_view("/a"))).went_well();
}
