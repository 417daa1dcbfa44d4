//! The managers: each route finds the one it needs, and no two managers share a cookie.

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::{Route, catchers, get, routes};
use std::time::Duration;

use rocket_login::{
    CurrentUser, Fresh, GuardRoutes, LoginManager, LoginSession, Next, RouteGuard, Signer,
    UserMixin, anonymous_required, condition, login_required, user_loader,
};

use crate::common::log::captured;
use crate::common::{User, Users, bare, load_user};
use crate::{
    Launch, Robot, Staff, Stop, about, active, launch, load_staff, login_door, one, plain, release,
    sign_in, site, staff, two, unauthorized, users, vault,
};

#[login_required]
#[get("/required")]
fn required() {}

#[login_required(User)]
#[get("/required-of-a-user")]
fn required_of_a_user() {}

#[get("/user")]
fn of_user(user: &User) -> String {
    user.id.clone()
}

#[get("/fresh")]
fn of_fresh(user: Fresh<'_, User>) -> String {
    user.id.clone()
}

#[get("/current")]
fn of_current(user: CurrentUser<'_, User>) -> String {
    format!("{user:?}")
}

#[get("/session")]
fn of_session(session: LoginSession<'_, User>) -> String {
    format!("{session:?}")
}

#[get("/signer")]
fn of_signer(signer: Signer<'_, User>) -> String {
    format!("{signer:?}")
}

#[test]
fn a_route_whose_manager_is_missing_stops_the_launch() {
    // R37, T62, D26
    let rows: [(Vec<Route>, &str, bool); 7] = [
        (
            routes![required],
            "`required` (tests/launch/managers.rs:",
            false,
        ),
        (routes![required_of_a_user], "`launch::common::User`", true),
        (routes![of_user], "`launch::common::User`", true),
        (routes![of_fresh], "`launch::common::User`", true),
        (routes![of_current], "`launch::common::User`", true),
        (routes![of_session], "`launch::common::User`", true),
        (routes![of_signer], "`launch::common::User`", true),
    ];
    for (routes, named, of_users) in rows {
        let bare = || {
            let rocket = rocket::custom(release("")).register("/", catchers![unauthorized]);
            rocket.mount("/", routes.clone())
        };
        let others = || bare().attach(LoginManager::new(load_staff));
        let own = || bare().attach(users()).manage(Users::default());
        let stopped = |launched: Launch| {
            assert_eq!(
                launched.stopped_by,
                Some(Stop::Sentinel),
                "{named}: {launched:?}"
            );
            let [error] = &launched.errors()[..] else {
                panic!("{launched:?}");
            };
            assert!(error.contains(named), "{error}");
            assert!(
                error.contains(".attach(LoginManager::new("),
                "no fix: {error}"
            );
        };
        stopped(launch(bare));
        if of_users {
            // A manager for another user type does not count.
            stopped(launch(others));
        } else {
            launch(others).went_well();
        }
        launch(own).went_well();
    }
}

#[test]
fn with_two_managers_a_route_without_a_user_type_stops_the_launch() {
    let two = |routes: Vec<Route>| {
        launch(|| {
            site(release(""), users())
                .attach(
                    LoginManager::new(load_staff)
                        .session_cookie_name("staff_session")
                        .remember_cookie_name("staff_token"),
                )
                .mount("/", routes)
        })
    };
    two(routes![
        required_of_a_user,
        of_user,
        of_current,
        of_session,
        of_signer
    ])
    .went_well();
    let launched = two(routes![required]);
    assert_eq!(launched.stopped_by, Some(Stop::Sentinel));
    let error = launched.errors().concat();
    assert!(
        error.contains("`required` (tests/launch/managers.rs:"),
        "{error}"
    );
    assert!(error.contains("`#[login_required(User)]`"), "{error}");
}

#[get("/next")]
fn of_next(next: Next) -> String {
    next.to_string()
}

#[get("/next-of-users")]
fn of_next_of_users(next: Next<User>) -> String {
    next.to_string()
}

#[test]
fn next_must_name_a_user_type_if_one_of_several_managers_keeps_the_wanted_page() {
    let launched = |toml: &str, routes: Vec<Route>| two(toml, routes);
    let keeps = "[default.login]\nuse_session_for_next = true";
    let launched_with = launched(keeps, routes![of_next]);
    assert_eq!(launched_with.stopped_by, Some(Stop::Sentinel));
    let error = launched_with.errors().concat();
    assert!(error.contains("`Next<User>`"), "{error}");
    launched(keeps, routes![of_next_of_users]).went_well();
    launched("", routes![of_next]).went_well();
    one(keeps, routes![of_next]).went_well();
    launch(|| rocket::custom(release("")).mount("/", routes![of_next])).went_well();

    let missing = launch(|| rocket::custom(release("")).mount("/", routes![of_next_of_users]));
    assert_eq!(missing.stopped_by, Some(Stop::Sentinel));
    let error = missing.errors().concat();
    assert!(error.contains(".attach(LoginManager::new("), "{error}");
}

#[test]
fn two_managers_that_clash_stop_the_launch() {
    let staff = || LoginManager::new(load_staff);
    let [error] = launch(|| site(release(""), users()).attach(users())).stopped();
    assert!(
        error.contains("two `LoginManager`s for `launch::common::User`"),
        "{error}"
    );
    assert!(error.contains("attach one"), "{error}");

    let renamed = staff().session_cookie_name("a").remember_cookie_name("b");
    launch(|| site(release(""), users()).attach(renamed)).went_well();
}

#[test]
fn a_second_manager_without_a_realm_stops_the_launch_and_the_fix_is_a_realm() {
    let second = || LoginManager::new(load_staff);
    launch(|| site(release(""), users()).attach(second())).stopped_saying(&[
        "the managers for `launch::common::User` and `launch::Staff` both use the cookies \
         `__Host-login_session` and `__Host-remember_token`: write `.realm(\"staff\")` on the manager for `launch::Staff`",
    ]);
    launch(|| site(release(""), users()).attach(second().realm("staff"))).went_well();
    // Where both have a realm, a name of theirs is to blame.
    let clash = || {
        let robots = LoginManager::new(load_user).realm("users");
        let robots = robots.session_cookie_name("staff_session");
        site(release(""), robots).attach(staff())
    };
    launch(clash).stopped_saying(&["`session_cookie_name`: ", "`.session_cookie_name(..)`"]);
}

#[test]
fn the_session_cookie_of_one_manager_cannot_be_the_remember_cookie_of_another() {
    let crossed = LoginManager::new(load_staff)
        .session_cookie_name("remember_token")
        .remember_cookie_name("login_session");
    let errors: [String; 2] = launch(|| site(release(""), users()).attach(crossed)).stopped();
    assert!(
        errors.concat().contains("__Host-remember_token"),
        "{errors:?}"
    );
}

fn robots() -> RouteGuard {
    RouteGuard::login().user::<Robot>()
}

#[test]
fn a_group_without_its_manager_stops_the_launch() {
    let parts = &["`GET /a/plain`", "launch::Robot", ".attach(LoginManager"];
    for routes in [
        routes![plain].guarded(robots()),
        routes![plain].guarded(robots()).login_required(),
        routes![plain].login_required().guarded(robots()),
        routes![plain].guarded(RouteGuard::anonymous("/").user::<Robot>()),
    ] {
        one("", routes).stopped_saying(parts);
    }
    // A public group needs no manager.
    one("", routes![plain].guarded(RouteGuard::public())).went_well();
}

#[test]
fn a_group_without_any_manager_stops_the_launch_where_an_attribute_is_asked() {
    let site = |group: Vec<Route>| {
        launch(|| {
            rocket::custom(release(""))
                .mount("/", routes![about])
                .mount("/a", group)
        })
    };
    site(routes![plain].login_required()).stopped_saying(&[
        "`GET /a/plain` requires a login, but no `LoginManager` is attached: \
         add `.attach(LoginManager::new(load_user))` to the rocket",
    ]);
    site(routes![plain].guarded(robots())).stopped_saying(&["launch::Robot"]);
    site(routes![plain].public()).went_well();
}

#[test]
fn a_group_without_any_manager_answers_500_and_the_log_names_the_fix() {
    // Rocket asks nothing of ours at this launch.
    let (statuses, lines) = captured(|| {
        let rocket = rocket::custom(release("")).mount("/a", routes![plain].login_required());
        let client = Client::untracked(rocket).unwrap();
        [client.get("/a/plain"), client.get("/a/other")].map(|it| it.dispatch().status())
    });
    assert_eq!(statuses, [Status::InternalServerError, Status::NotFound]);
    let ours: Vec<_> = lines.iter().filter(|line| line.is_ours()).collect();
    let [line] = &ours[..] else {
        panic!("{ours:?}");
    };
    assert_eq!(
        line.text,
        "`GET /a/plain` is in a group that requires a login, but no `LoginManager` is attached, so every request gets a \
         500: add `.attach(LoginManager::new(load_user))` to the rocket"
    );
}

#[test]
fn a_group_refuses_at_launch_what_an_attribute_refuses_at_compile_time() {
    let minute = Duration::from_secs(60);
    let any = condition!(|_: &User| true);
    for (guard, words) in [
        (
            RouteGuard::login().within(minute),
            "`within` belongs to `#[fresh_login_required]`",
        ),
        (
            RouteGuard::public().within(minute),
            "`within` belongs to `#[fresh_login_required]`",
        ),
        (
            RouteGuard::anonymous("/").within(minute),
            "`within` belongs to `#[fresh_login_required]`",
        ),
        (
            RouteGuard::fresh_login().within(Duration::ZERO),
            "`within` is zero",
        ),
        (
            RouteGuard::fresh_login().within(Duration::from_millis(500)),
            "`within` is not a whole number of seconds",
        ),
        (
            RouteGuard::anonymous("/").only_if(any),
            "`if` belongs to `#[login_required]`",
        ),
        (
            RouteGuard::public().only_if(any),
            "`if` belongs to `#[login_required]`",
        ),
        (
            RouteGuard::public().forward(),
            "`forward` belongs to `#[login_required]`",
        ),
        (
            RouteGuard::public().user::<User>(),
            "`#[public]` takes no user type",
        ),
        (
            RouteGuard::anonymous("//evil.com"),
            "`redirect` is not a path of this site",
        ),
        (
            RouteGuard::anonymous("/%2f/evil.com"),
            "`redirect` is not a path of this site",
        ),
    ] {
        one("", routes![plain].guarded(guard)).stopped_saying(&["`GET /a/plain`: ", words]);
    }
}

#[test]
fn an_attributes_redirect_is_a_path_of_this_site_to_every_browser() {
    #[anonymous_required(redirect = "/%2f/evil.com")]
    #[get("/")]
    fn disguised() {}
    #[anonymous_required(redirect = "/a/../b")]
    #[get("/")]
    fn resolved_away() {}
    for (routes, name) in [
        (routes![disguised], "`disguised` ("),
        (routes![resolved_away], "`resolved_away` ("),
    ] {
        one("", routes).stopped_saying(&[name, "`redirect` is not a path of this site"]);
    }
}

#[test]
fn every_route_of_a_group_without_its_manager_is_named() {
    let errors: [String; 2] = one("", routes![plain, login_door].guarded(robots())).stopped();
    assert!(errors[0].contains("`GET /a/plain`"), "{errors:?}");
    assert!(errors[1].contains("`GET /a/login-door`"), "{errors:?}");
}

#[test]
fn with_two_managers_every_guard_must_name_its_user_type() {
    two("", routes![login_door]).stopped_saying(&[
        "`login_door` (tests/launch/main.rs:",
        "several `LoginManager`s",
        "`#[login_required(User)]`",
    ]);
    #[anonymous_required]
    #[get("/")]
    fn strangers() {}
    two("", routes![strangers]).stopped_saying(&["`strangers` (", "several"]);
    two("", routes![plain].login_required())
        .stopped_saying(&["`GET /a/plain`", "several `LoginManager`s"]);
    two("", routes![active, vault, sign_in, about, plain].public()).went_well();
    two(
        "",
        routes![plain].guarded(RouteGuard::login().user::<Staff>()),
    )
    .went_well();
}

#[test]
fn the_error_of_a_group_shows_how_a_group_names_its_user_type() {
    // `#[login_required(User)]` is no fix for `.login_required()`.
    two("", routes![plain].login_required()).stopped_saying(&["RouteGuard", ".user::<"]);
}

#[test]
fn an_attribute_for_a_type_without_a_manager_stops_the_launch() {
    one("", routes![vault]).stopped_saying(&[
        "`vault` (tests/launch/main.rs:",
        "launch::Staff",
        ".attach(LoginManager",
    ]);
    one("", routes![sign_in]).stopped_saying(&["`sign_in` (", "launch::Staff"]);
}

#[test]
fn a_condition_on_a_type_without_a_manager_stops_the_launch() {
    #[login_required(if = |robot: &Robot| robot.id > 0)]
    #[get("/")]
    fn robotic() {}
    one("", routes![robotic]).stopped_saying(&["`robotic` (", "launch::Robot"]);
    let group = RouteGuard::login().only_if(condition!(|robot: &Robot| robot.id > 0));
    one("", routes![plain].guarded(group)).stopped_saying(&["`GET /a/plain`", "launch::Robot"]);
}

#[test]
fn a_condition_on_another_user_type_than_the_routes_stops_the_launch() {
    #[login_required(User, if = |staff: &Staff| staff.id > 0)]
    #[get("/")]
    fn mixed() {}
    two("", routes![mixed]).stopped_saying(&["`mixed` (", "Staff", "User"]);
}

#[test]
fn a_groups_condition_on_another_user_type_stops_the_launch() {
    let group = RouteGuard::login()
        .user::<User>()
        .only_if(condition!(|staff: &Staff| staff.id > 0));
    two("", routes![plain].guarded(group)).stopped_saying(&["`GET /a/plain`", "Staff", "User"]);
}

#[derive(UserMixin)]
struct Named {
    id: String,
}

#[user_loader]
fn by_number(_id: i64) -> Option<Named> {
    None
}

#[user_loader]
fn by_name(_id: String) -> Option<Named> {
    None
}

#[test]
fn a_loader_that_can_read_no_id_of_its_user_type_stops_the_launch() {
    let [error] = launch(|| bare().attach(LoginManager::new(by_number))).misconfigured();
    assert_eq!(
        error,
        "the user loader takes the id as `i64` and cannot read the id of a `launch::managers::Named`, which is a \
         `alloc::string::String`: give the loader's first parameter the type of the user's id, or take `id: &str`"
    );
    let launched = launch(|| bare().attach(LoginManager::new(by_name)));
    assert_eq!(launched.stopped_by, None, "{launched:?}");
}
