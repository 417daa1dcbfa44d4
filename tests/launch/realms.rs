//! The realms: their names, and their tables of settings.

use rocket::routes;
use rocket_login::logins::MemoryRegistry;
use rocket_login::{LoginManager, request_loader, user_loader};

use crate::{Launch, Robot, debug, launch, load_staff, login_page, one, site, staff, two, users};

#[test]
fn settings_for_an_unknown_realm_stop_the_launch() {
    for (toml, parts) in [
        (
            "[default.login.realms.stuff]\nlogin_view = '/x'",
            &["`login.realms.stuff`", ".realm(\"stuff\")"][..],
        ),
        (
            "[default.login.realms.stff]",
            &["`login.realms.stff`", "did you mean `staff`?"],
        ),
        (
            "[default.login.realms.Staff]",
            &["`login.realms.Staff`", "did you mean `staff`?"],
        ),
        ("[default.login.realms.user]", &["`login.realms.user`"]),
    ] {
        two(toml, routes![]).stopped_saying(parts);
    }
    one("[default.login.realms.staff]", routes![]).stopped_saying(&["`login.realms.staff`"]);
    two("[default.login.realms.staff]", routes![]).went_well();
}

#[test]
fn a_wrong_setting_of_a_realm_stops_the_launch_and_names_its_table() {
    for (line, parts) in [
        (
            "session_lifetme = 5",
            &["`login.realms.staff.session_lifetme`", "session_lifetime"][..],
        ),
        (
            "session_lifetime = 'soon'",
            &["`login.realms.staff.session_lifetime`"],
        ),
        ("realms = {}", &["`login.realms.staff.realms`"]),
    ] {
        let errors: Vec<String> =
            two(&format!("[default.login.realms.staff]\n{line}"), routes![]).errors_of_stop();
        assert!(
            errors
                .iter()
                .any(|error| parts.iter().all(|part| error.contains(part))),
            "{line}: {errors:?}"
        );
    }
    let errors = two("[default.login.realms]\nstaff = 5", routes![]).errors_of_stop();
    assert!(
        errors
            .concat()
            .contains("`login.realms.staff`: is not a table"),
        "{errors:?}"
    );
}

#[test]
fn settings_of_a_realm_outside_its_table_stop_the_launch() {
    for (toml, setting) in [
        (
            "[default.login.staff]\nlogin_view = '/login'",
            "`login.staff`",
        ),
        ("[default.realms.staff]\nlogin_view = '/login'", "`realms`"),
    ] {
        let errors = two(toml, routes![]).errors_of_stop().concat();
        assert!(errors.contains(setting), "{toml}: {errors}");
        assert!(errors.contains("login.realms."), "{toml}: {errors}");
    }
}

#[test]
fn a_view_or_cookie_name_that_no_realm_shares_warns() {
    let toml = "[default.login]\nlogin_view = '/login'";
    let warning = launch(|| {
        rocket::custom(debug(toml))
            .attach(staff())
            .mount("/", routes![login_page])
    })
    .warned();
    assert_eq!(
        warning,
        "`login.login_view` has no effect, because every `LoginManager` has a realm, and realms do not share it; write \
         it under `[default.login.realms.staff]`"
    );
    let toml = "[default.login]\nlogin_view = '/a/login'";
    two(toml, routes![login_page]).went_well();
}

#[test]
fn each_realm_has_a_path_of_its_own_for_devices() {
    let moved = "[default.login]\nsession_cookie_secure = true\ndevice_binding = 'offer'\n\
                 device_binding_path = '/devices'";
    two(moved, routes![]).went_well();
}

#[request_loader]
fn find_robot() -> Option<Robot> {
    None
}

#[test]
fn a_realm_without_logins_needs_no_registry_for_the_settings_of_all_realms() {
    let toml = "[default.login]\nmax_logins_per_user = 5";
    let users = || users().login_registry(MemoryRegistry::new());
    let robots = || LoginManager::from_requests(find_robot).realm("robots");
    launch(|| site(debug(toml), users()).attach(robots())).went_well();
    launch(|| site(debug(toml), users()).attach(staff()))
        .stopped_saying(&["`login.max_logins_per_user` requires a registry"]);
}

#[test]
fn an_invalid_value_of_a_realm_names_the_realm() {
    let toml = "[default.login.realms.staff]\nlogin_view = '//evil.example'";
    let errors = two(toml, routes![]).errors_of_stop().concat();
    assert!(
        errors.contains("staff") && errors.contains("login_view"),
        "{errors}"
    );
}

#[test]
fn realms_that_are_not_a_table_stop_the_launch() {
    for toml in [
        "[default.login]\nrealms = 5",
        "[default.login]\nrealms = ['staff']",
    ] {
        let errors = two(toml, routes![]).errors_of_stop().concat();
        assert!(errors.contains("`login.realms`"), "{toml}: {errors}");
    }
}

fn named(name: &str) -> Launch {
    launch(|| site(debug(""), users()).attach(LoginManager::new(load_staff).realm(name)))
}

#[test]
fn the_name_of_a_realm_must_be_valid_in_cookie_names() {
    for name in ["a b", "a;b", "a=b", "ü", "a\nb", "__Host-a", "login"] {
        assert!(!named(name).errors_of_stop().is_empty(), "{name:?}");
    }
    named("back-office").went_well();
}

#[test]
fn the_name_of_a_realm_must_not_be_empty() {
    named("").errors_of_stop();
}

#[test]
fn a_realm_with_a_dot_in_its_name_stops_the_launch_if_its_settings_are_invalid() {
    let toml = "[default.login.realms.'a.b']\nlogin_view = 'nonsense'";
    launch(|| rocket::custom(debug(toml)).attach(LoginManager::new(load_staff).realm("a.b")))
        .errors_of_stop();
}

#[test]
fn the_cookie_for_next_must_not_be_the_session_cookie_of_another_manager() {
    let errors =
        launch(|| site(debug(""), users().session_cookie_name("staff_next")).attach(staff()))
            .errors_of_stop()
            .concat();
    assert!(errors.contains("staff_next"), "{errors}");
}

#[test]
fn two_realms_with_one_name_stop_the_launch() {
    let robots = || LoginManager::new(load_robot).realm("staff");
    let renamed = robots().session_cookie_name("a").remember_cookie_name("b");
    for second in [robots(), renamed] {
        launch(|| site(debug(""), users()).attach(staff()).attach(second)).stopped_saying(&[
            "launch::Staff",
            "launch::Robot",
            "`staff`",
            "`.realm(..)`",
        ]);
    }
    launch(|| {
        let robots = LoginManager::new(load_robot).realm("robots");
        site(debug(""), users()).attach(staff()).attach(robots)
    })
    .went_well();
}

#[user_loader]
fn load_robot(id: u32) -> Option<Robot> {
    Some(Robot { id })
}
